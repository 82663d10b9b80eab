"""The sources of programs that are built."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.packages import cached, programs

NAMES = sorted(path.name for path in programs.MODULES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_each_module_is_pinned(name: str) -> None:
    lines = (programs.MODULES / name / "go.mod").read_text().splitlines()
    (tool,) = (line.removeprefix("tool ") for line in lines if line.startswith("tool "))
    sums = (programs.MODULES / name / "go.sum").read_text()
    replaced = [line.split(" => ")[1] for line in lines if line.startswith("replace ")]
    required = [line.removeprefix("require ").strip() for line in lines if " v" in line]
    pin = replaced[0] if replaced else next(each for each in required if f"{tool}/".startswith(f"{each.split()[0]}/"))
    assert f"{pin.removesuffix(' // indirect')} h1:" in sums


def test_another_pin_is_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cached.program("minio")
    monkeypatch.setattr(programs, "MODULES", tmp_path)
    (tmp_path / "minio").mkdir()
    for file in ("go.mod", "go.sum"):
        (tmp_path / "minio" / file).write_text("another")
    assert cached.program("minio") != before
    assert cached.program("minio").name == before.name == "minio"
