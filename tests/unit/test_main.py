"""The CDK app: what an engine does not support stops a deploy, but not a destroy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

import main
from lakehouse.spec import SpecError

FILE = Path(__file__).parents[2] / "lakehouse.yaml"


class Parent:
    def __init__(self, *words: str) -> None:
        self.words = words

    def cmdline(self) -> list[str]:
        return list(self.words)


def run_by(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parents: list[Any] = [Parent("sh", "-c", "x"), Parent("node", "/a/bin/cdktf", command, "local"), Parent("bash")]
    monkeypatch.setattr(psutil.Process, "parents", lambda self: parents)


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_what_an_engine_cannot_carry_stops_a_deploy_and_no_destroy(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FILE.read_text()
    path = tmp_path / "lakehouse.yaml"
    path.write_text(text.replace("open: double", "open: time", 1))
    run_by(command, monkeypatch)
    if command == "destroy":
        assert main._load(path).name == "demo"
        path.write_text(text.replace("open: double", "open: doubl", 1))
    with pytest.raises(SpecError):
        main._load(path)


@pytest.mark.parametrize(("command", "count"), [("deploy", 1), ("diff", 1), ("destroy", 0)])
def test_warnings_of_a_valid_file_are_for_what_stays(
    command: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE.read_text().replace("write.parquet.compression-codec", "write.parquet.compresion-codec"))
    run_by(command, monkeypatch)
    assert len(main._warnings(main._load(path), path)) == count
