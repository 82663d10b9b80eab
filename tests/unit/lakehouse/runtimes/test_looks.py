"""Which stacks the CDK app checks when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes import contents, looks
from lakehouse.runtimes.incarnation import Incarnation, record
from lakehouse.runtimes.looks import begin
from lakehouse.runtimes.state import State
from lakehouse.spec import load

FILE = Path(__file__).parents[4] / "lakehouse.yaml"


def test_only_what_was_bootstrapped_and_listens_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE.read_text())
    monkeypatch.setattr("lakehouse.packages.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    lakehouse = load(path)
    asked: list[Any] = []
    monkeypatch.setattr(looks, "_start", lambda name, path: asked.append(name))
    monkeypatch.setattr(looks, "is_open", lambda port, host: True)
    begin(lakehouse, path)
    assert asked == []
    state = State(tmp_path / ".lakehouse" / "local")
    record(state, contents.NAME, Incarnation("a" * 12, "1"))
    begin(lakehouse, path)
    assert asked == ["local"]
    monkeypatch.setattr(looks, "is_open", lambda port, host: False)
    begin(lakehouse, path)
    assert asked == ["local"]
