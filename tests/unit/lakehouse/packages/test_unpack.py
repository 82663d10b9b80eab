"""What becomes of each entry of an archive, and how often the archive is read."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import fetch, is_present, location, unpack
from lakehouse.packages.package import Package
from tests.unit.lakehouse.packages.registry import Registry, artifact, files, zipped

pytestmark = pytest.mark.usefixtures("cache")

Catalogued = Callable[..., None]


def test_a_file_with_many_names_is_unpacked_without_a_jump_back_for_each(tmp_path: Path) -> None:
    """Trino's whole server has most jars once for each plugin."""
    jar, names = os.urandom(3_000_000), [f"plugin/{nth}/a.jar" for nth in range(20)]
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as tape:
        entry = tarfile.TarInfo("lib/a.jar")
        entry.size = len(jar)
        tape.addfile(entry, io.BytesIO(jar))
        for name in names:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.LNKTYPE, "lib/a.jar"
            tape.addfile(link)
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    was_read = 0

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal was_read
            part = super().read(size)
            was_read += len(part)
            return part

    found = {str(path): content.read() for path, _, content in unpack._files(Counted(whole), lambda path: True)}
    assert found == dict.fromkeys(["lib/a.jar", *names], jar)
    assert was_read < 4 * len(whole)


def test_a_tar_is_unpacked_too(registry: Registry, catalogued: Catalogued) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tape:
        for name in ("spark-1/jars/x.jar", "spark-1/setup.py"):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            tape.addfile(entry, io.BytesIO(b"x"))
        link = tarfile.TarInfo("spark-1/jars/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tape.addfile(link)
    part = artifact(buffer.getvalue(), "spark-1.tar.gz", (("spark-1/jars", "jars"),))
    registry.put(part, buffer.getvalue())
    catalogued(Package("spark-1.0", "1.0", "", (part,)))
    fetch.fetch(["spark-1.0"], progress=False)
    assert sorted(path.name for path in location("spark-1.0").rglob("*")) == [".complete", "jars", "x.jar"]


def test_an_archive_within_an_archive_is_unpacked(registry: Registry, catalogued: Catalogued) -> None:
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as tape:
        for name in ("bin/run", "lib/a.so.60.2", "lib/left.a"):
            tape.addfile(tarfile.TarInfo(name))
        hard = tarfile.TarInfo("share/zone")
        hard.type, hard.linkname = tarfile.LNKTYPE, "bin/run"
        tape.addfile(hard)
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as bundle:
        bundle.writestr("server.txz", inner.getvalue())
    rules = (("bin", "bin"), ("share", "share"), ("lib/a.so.60.2", "lib/a.so.60"))
    part = replace(artifact(outer.getvalue(), "server-1.0.jar", rules), within="server.txz")
    registry.put(part, outer.getvalue())
    catalogued(Package("server-1.0", "1.0", "", (part,)))
    fetch.fetch(["server-1.0"], progress=False)
    files = {path.name for path in location("server-1.0").rglob("*") if path.is_file()}
    assert files == {".complete", "run", "a.so.60", "zone"}
    other = replace(part, within="other.txz")
    catalogued(Package("server-2.0", "2.0", "", (other,)))
    with pytest.raises(LakehouseError, match=r"server-1.0.jar cannot be unpacked .*other.txz"):
        fetch.fetch(["server-2.0"], progress=False)


def test_a_hard_link_becomes_a_file_wherever_the_content_is_in_the_archive(
    registry: Registry, catalogued: Catalogued
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tape:
        for name in ("trino-1/lib/a.jar", "trino-1/plugin/other/b.jar"):
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            tape.addfile(entry, io.BytesIO(name.encode()))
        for name, target in (
            ("plugin/it/a.jar", "lib/a.jar"),
            ("plugin/it/b.jar", "plugin/other/b.jar"),
            ("plugin/left/a.jar", "lib/a.jar"),
        ):
            link = tarfile.TarInfo(f"trino-1/{name}")
            link.type, link.linkname = tarfile.LNKTYPE, f"trino-1/{target}"
            tape.addfile(link)
    part = artifact(buffer.getvalue(), "trino-1.tar.gz", (("trino-1/plugin/it", "plugin/it"),))
    registry.put(part, buffer.getvalue())
    catalogued(Package("trino-1.0", "1.0", "", (part,)))
    fetch.fetch(["trino-1.0"], progress=False)
    tree = files(location("trino-1.0"))
    tree.pop(".complete")
    assert tree == {"plugin/it/a.jar": "trino-1/lib/a.jar", "plugin/it/b.jar": "trino-1/plugin/other/b.jar"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, None], ids=["symbolic", "hard", "nothing"])
def test_a_hard_link_to_what_is_no_file_is_an_error(
    registry: Registry, catalogued: Catalogued, kind: bytes | None
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tape:
        entry = tarfile.TarInfo("trino-1/plugin/it/plain.jar")
        tape.addfile(entry, io.BytesIO())
        for name, target, type_ in (("plugin/it/a.jar", "lib/a.jar", tarfile.LNKTYPE), ("lib/a.jar", "x", kind)):
            if type_ is not None:
                link = tarfile.TarInfo(f"trino-1/{name}")
                link.type, link.linkname = type_, f"trino-1/{target}"
                tape.addfile(link)
    part = artifact(buffer.getvalue(), "trino-1.tar.gz", (("trino-1/plugin/it", "plugin/it"),))
    registry.put(part, buffer.getvalue())
    catalogued(Package("trino-1.0", "1.0", "", (part,)))
    said = r"cannot be unpacked \(trino-1/plugin/it/a.jar is a hard link to trino-1/lib/a.jar, which is no file in it"
    with pytest.raises(LakehouseError, match=said):
        fetch.fetch(["trino-1.0"], progress=False)
    assert not is_present("trino-1.0")


@pytest.mark.parametrize(
    ("content", "rules", "message"),
    [
        (zipped({"top/../../../evil": "x"}), (("top", ""),), "leads out of its folder"),
        (zipped({"/evil": "x"}), (("top", ""),), "leads out of its folder"),
        (zipped({"other/x": "x"}), (("top", ""),), "has no top. Correct its rules"),
        (b"no archive", (("top", ""),), "cannot be unpacked"),
    ],
    ids=["up", "absolute", "missing", "garbage"],
)
def test_a_bad_archive_is_refused(
    registry: Registry,
    catalogued: Catalogued,
    tmp_path: Path,
    content: bytes,
    rules: tuple[tuple[str, str], ...],
    message: str,
) -> None:
    part = artifact(content, "bad-1.0.zip", rules)
    registry.put(part, content)
    catalogued(Package("bad-1.0", "1.0", "", (part,)))
    with pytest.raises(LakehouseError, match=message):
        fetch.fetch(["bad-1.0"], progress=False)
    assert not is_present("bad-1.0")
    assert not list(tmp_path.rglob("evil"))
