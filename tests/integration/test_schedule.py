"""A real scheduler under a real supervisor, for a lakehouse that is down: its runs fail, and somebody is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lakehouse.runtimes import definitions, scheduling
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.runs import FAILED, Runs, of_stack
from lakehouse.runtimes.state import write_private
from lakehouse.spec.schedule import Schedule
from tests import hook
from tests.integration.deployment import until
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def test_a_missed_run_is_made_up_told_and_not_lost_with_the_scheduler(tmp_path: Path) -> None:
    with hook.listening() as (address, received):
        _missed(tmp_path, address, received)


def _missed(tmp_path: Path, address: str, received: list[dict[str, str]]) -> None:
    folder = tmp_path / "a lakehouse"
    folder.mkdir()
    (folder / "hook.url").write_text(address)
    (folder / "hook.url").chmod(0o600)
    entry = {"drift": "0 0 1 1 *", "notify": {"webhook": "hook.url"}}  # once a year, so only what was missed runs
    file, found = folder / "lakehouse.yaml", lakehouse(folder, False, schedule=entry)
    local = locate(found, "local", file)
    state, own, runs = local.state, of_stack(local.state), Runs(local.state)
    write_private(own.root / "since.json", json.dumps({"drift": {"at": entry["drift"], "since": 0.0}}))
    (tmp_path / scheduling.FOLDER).mkdir()
    made = scheduling.service(local, file, Schedule.model_validate(entry))
    definitions.write(tmp_path / scheduling.FOLDER, (made,), {made.name: Incarnation.new("1")})
    try:
        scheduling.up(state, tmp_path)
        assert runs.served()
        until(lambda: [each.outcome for each in runs.of("drift")] == [FAILED] and bool(runs.of("drift")[0].told), 60)
        (run,) = runs.of("drift")
        assert (run.code, run.told) == (1, "webhook: sent")
        (message,) = received
        assert message["text"].startswith("*demo, stack local: drift failed (exit code 1)*")
        assert "Error" in runs.log(run).read_text()
        before = Supervisor(own).processes()["scheduler"].pid
        os.kill(before, 9)
        until(lambda: Supervisor(own).processes()["scheduler"].pid not in (0, before) and runs.served(), 30)
        assert runs.of("drift") == [run]  # it is not made up twice
    finally:
        scheduling.down(state)
    assert not runs.served()
    assert scheduling.remains(state) == ""
