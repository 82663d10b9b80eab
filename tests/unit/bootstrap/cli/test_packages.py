from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from bootstrap.cli import packages as command
from lakehouse.packages import location
from lakehouse.packages.catalogue import PACKAGES
from lakehouse.packages.package import Package
from tests.unit.lakehouse.packages.registry import Registry, artifact
from tests.unit.mixed import mixed

ROOT = Path(__file__).parents[4]
Asked = dict[str, object]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What would be set up."""
    calls: Asked = {}

    def note(names: Iterable[str], features: Iterable[int] = (), *, verify: bool = False, build: object) -> None:
        calls.update(names=sorted(names), features=sorted(features))

    monkeypatch.setattr(command, "set_up", note)
    monkeypatch.setattr("bootstrap.project.set_up.set_up", note)
    return calls


def test_the_file_says_what_is_fetched(asked: Asked) -> None:
    assert command.main(["fetch", "--file", str(ROOT / "lakehouse.yaml")]) == 0
    assert asked["features"] == [21, 25]
    assert asked["names"] == [
        "delta-spark-4.1",
        "hadoop-aws-3.4.2",
        "iceberg-aws-bundle-1.12.0",
        "iceberg-spark-runtime-4.1",
        "nessie-0.99.0",
        "s3proxy-4.1.0",
        "spark-4.1",
        "trino-476",
        "trino-cli-476",
    ]


def test_a_stack_in_aws_is_worked_on_without_packages(asked: Asked, tmp_path: Path) -> None:
    assert command.main(["fetch", "--stack", "cloud", "--file", str(mixed(tmp_path))]) == 0
    assert asked == {"names": [], "features": []}


@pytest.mark.parametrize("words", [[], ["--verify"]])
def test_class_archives_are_read_with_what_they_were_made_from(
    asked: Asked, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repaired: list[Path] = []
    monkeypatch.setattr("lakehouse.runtimes.training.repair", lambda lakehouse, path: repaired.append(path))
    assert command.main(["fetch", *words, "--file", str(ROOT / "lakehouse.yaml")]) == 0
    assert repaired == ([ROOT / "lakehouse.yaml"] if words else [])


def test_names_are_fetched_and_a_java_may_be_the_systems(asked: Asked) -> None:
    assert command.main(["fetch", "trino-476", "java-25"]) == 0
    assert asked == {"names": ["trino-476"], "features": [25]}


def test_list_prints_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [package.name for package in PACKAGES]
    assert all(" MB  " in line or " built  " in line for line in lines)


def test_a_file_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["fetch", "--file", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


@pytest.mark.usefixtures("cache")
def test_an_unknown_name_is_an_error_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["fetch", "nothing"]) == 1
    assert capsys.readouterr().err.startswith("error: package 'nothing': not in the catalogue")


@pytest.mark.usefixtures("cache")
def test_a_package_is_fetched_for_real(registry: Registry, catalogued: Callable[..., None]) -> None:
    thing = artifact(b"content")
    registry.put(thing, b"content")
    catalogued(Package("thing-1.0", "1.0", "", (thing,)))
    assert command.main(["fetch", "thing-1.0"]) == 0
    assert location("thing-1.0").read_bytes() == b"content"


def test_ctrl_c_says_that_what_arrived_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(names: Iterable[str], features: Iterable[int] = (), *, verify: bool = False, build: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "set_up", interrupted)
    assert command.main(["fetch", "trino-476"]) == 130
    assert "kept" in capsys.readouterr().err
