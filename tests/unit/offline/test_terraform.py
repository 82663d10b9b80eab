"""When OpenTofu is built; the builder itself is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached
from lakehouse.packages.terraform import PACKAGE, VARIABLE
from offline import go, terraform


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A PATH and a cache with nothing; what is asked of the builder."""
    asked: list[str] = []

    def build(name: str) -> Path:
        asked.append(f"build {name}")
        target = cached.program(name)
        target.parent.mkdir(parents=True)
        target.write_text("program")
        return target

    def prepare(name: str) -> str:
        asked.append(f"prepare {name}")
        return "go"

    monkeypatch.setattr(go, "build", build)
    monkeypatch.setattr(go, "prepare", prepare)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(VARIABLE, raising=False)
    return asked


def test_it_is_built_once_where_there_is_no_terraform(calls: list[str]) -> None:
    assert terraform.main(["--prepare"]) == 0
    assert terraform.main([]) == terraform.main([]) == terraform.main(["--prepare"]) == 0
    assert calls == ["prepare tofu", "build tofu"]
    assert cached.is_present(PACKAGE)


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_nothing_is_built_where_there_is_one(name: str, calls: list[str], tmp_path: Path) -> None:
    (tmp_path / name).touch(mode=0o755)
    assert terraform.main([]) == terraform.main(["--prepare"]) == 0
    assert calls == []


def test_a_variable_that_names_no_program_is_an_error(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "no-such-terraform")
    assert terraform.main([]) == 1
    assert capsys.readouterr().err == (
        f"error: {VARIABLE} names no-such-terraform, which is not on PATH. Correct or unset it.\n"
    )
    assert calls == []


@pytest.mark.usefixtures("calls")
def test_a_failure_names_the_other_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(name: str) -> Path:
        raise LakehouseError("no network")

    monkeypatch.setattr(go, "build", fail)
    assert terraform.main([]) == 1
    assert capsys.readouterr().err.startswith("error: no network\nOr install Terraform (developer.hashicorp.com/")
