"""Commands that check whether a service is ready."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lakehouse.runtimes import probe
from lakehouse.runtimes.probe import Asked, ready
from lakehouse.services.service import Probe


@pytest.mark.parametrize(("code", "well"), [("0", True), ("3", False)])
def test_a_command_ends_well_or_not(tmp_path: Path, code: str, well: bool) -> None:
    command = ("/bin/sh", "-c", 'echo "$WORD" > said; exit ' + code)
    assert ready(Probe("exec", command=command), Asked(tmp_path, environment={"WORD": "hello"})) is well
    assert (tmp_path / "said").read_text() == "hello\n"


def test_a_command_that_is_not_there_or_hangs_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ready(Probe("exec", command=("/no/such/program",)), Asked(tmp_path))
    monkeypatch.setattr(probe, "COMMAND_SECONDS", 0.2)
    assert not ready(Probe("exec", command=(sys.executable, "-c", "import time; time.sleep(60)")), Asked(tmp_path))


def test_a_command_sees_no_credentials_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert ready(Probe("exec", command=("/bin/sh", "-c", 'test -z "$AWS_SECRET_ACCESS_KEY"')), Asked(tmp_path))
