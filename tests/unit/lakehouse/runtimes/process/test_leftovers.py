"""Files outside the state folder are removed after the end of the service that left them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes.process import leftovers
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service


@pytest.mark.parametrize(("names", "kept"), [(["web"], ["db"]), ([], [])])
def test_the_files_of_the_service_that_has_ended_or_of_all_are_removed(
    tmp_path: Path, names: list[str], kept: list[str]
) -> None:
    state = State(tmp_path / "state")
    for name in ("web", "db"):
        (tmp_path / name).touch()
        leaves = (str(tmp_path / name), str(tmp_path / "never-there"))
        leftovers.note(state, Service(name, "", (), ("run",), Probe("tcp", 80), leaves=leaves))
    leftovers.note(state, Service("clean", "", (), ("run",), Probe("tcp", 80)))
    for _ in range(2):  # the second finds nothing to do
        leftovers.remove(state, *names)
        assert [name for name in ("web", "db") if (tmp_path / name).exists()] == kept
