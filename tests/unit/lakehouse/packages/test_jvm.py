from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse import packages
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, catalogue, jvm

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system without Java."""
    monkeypatch.setattr(jvm, "_SYSTEM", (str(tmp_path / "jvm"),))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)


def fake(home: Path, version: str, without: str = "", release: str = "") -> Path:
    """A Java that answers --list-modules and counts how often it was asked."""
    modules = "\n".join(f"{module}@{version}" for module in sorted({*jvm.MODULES, jvm.VECTOR}) if module != without)
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho asked >> '{home}/asked'\n[ \"$1\" = --list-modules ] && echo '{modules}'\n")
    executable.chmod(0o755)
    if release:
        (home / "release").write_text(f'JAVA_VERSION="{release}"\n')
    return executable


def asked(executable: Path) -> int:
    log = executable.parent.parent / "asked"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_systems_java_is_found_by_its_version(tmp_path: Path) -> None:
    fake(tmp_path / "jvm" / "a-22", "22.0.1")
    right = fake(tmp_path / "jvm" / "b-21", "21.0.15")
    assert jvm.find(21) == right
    assert jvm.find(11) is None


def test_java_home_comes_before_path_and_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_system = fake(tmp_path / "jvm" / "x", "21")
    on_path = fake(tmp_path / "path", "21")
    in_home = fake(tmp_path / "home", "21")
    assert jvm.find(21) == in_system
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert jvm.find(21) == on_path
    monkeypatch.setenv("JAVA_HOME", str(in_home.parent.parent))
    assert jvm.find(21) == in_home


@pytest.mark.parametrize("module", ["java.security.jgss", "jdk.unsupported", "jdk.httpserver", jvm.VECTOR])
def test_a_java_without_a_module_does_not_fit(tmp_path: Path, module: str) -> None:
    fake(tmp_path / "jvm" / "cut", "21.0.1", without=module)
    assert jvm.find(21) is None


def test_a_release_file_of_another_version_spares_the_start(tmp_path: Path) -> None:
    other = fake(tmp_path / "jvm" / "x", "21", release="17.0.2")
    assert jvm.find(21) is None
    assert asked(other) == 0


def test_a_java_that_fails_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "jvm" / "a" / "bin" / "java"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    right = fake(tmp_path / "jvm" / "b", "21")
    assert jvm.find(21) == right


def test_what_was_found_is_remembered(tmp_path: Path) -> None:
    executable = fake(tmp_path / "jvm" / "x", "21")
    assert jvm.java(21) == executable
    assert jvm.java(21) == executable
    assert asked(executable) == 1


def test_a_remembered_java_that_went_is_looked_for_again(tmp_path: Path) -> None:
    first = fake(tmp_path / "jvm" / "a", "21")
    assert jvm.java(21) == first
    first.unlink()
    second = fake(tmp_path / "jvm" / "b", "21")
    assert jvm.java(21) == second


def test_a_remembered_java_that_changed_is_looked_for_again(tmp_path: Path) -> None:
    executable = fake(tmp_path / "jvm" / "a", "21")
    jvm.java(21)
    executable.write_text(executable.read_text().replace("@21", "@22"))
    assert jvm.remembered(21) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"21": 3}', '{"21": ["/x"]}', "no json"])
def test_a_damaged_note_is_no_note(text: str) -> None:
    cached.root().mkdir(parents=True)
    (cached.root() / "java.json").write_text(text)
    assert jvm.remembered(21) is None


def test_the_package_is_used_if_the_system_has_none() -> None:
    home = cached.location("java-21")
    executable = fake(home, "21")
    with pytest.raises(LakehouseError, match=r"Java 21: none that fits .* Run `make setup`"):
        jvm.java(21)
    (home / cached.STAMP).write_text(catalogue.package("java-21").digest)
    assert jvm.java(21) == executable
    assert asked(executable) == 0


def test_a_java_that_no_package_has_is_to_be_installed() -> None:
    for ask in (jvm.java, lambda feature: packages.set_up([], [feature])):
        with pytest.raises(LakehouseError, match=r"Java 17: none that fits .* Debian's openjdk-17-jre-headless\.$"):
            ask(17)
