"""A deployed schedule: it starts last, runs what the file says, outlives a kill, tells of failures, and is gone after a
destroy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes import scheduling
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.runs import Runs, of_stack
from tests.hook import listening
from tests.integration.deployment import Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]

YEARLY = "0 0 1 1 *"  # so only what a test asks for runs
BACKUP = {"at": YEARLY, "to": "backups", "keep": 1}


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with listening() as found:
        yield found


@pytest.fixture(params=["process", "docker"])
def scheduled(
    request: pytest.FixtureRequest, tmp_path: Path, hook: tuple[str, list[dict[str, Any]]]
) -> Iterator[Deployment]:
    schedule = {"drift": YEARLY, "backup": BACKUP, "notify": {"webhook": "hook.url"}}
    made = Deployment.make(
        tmp_path / "a lakehouse",
        {
            ("name",): f"it-schedule-{os.getpid()}",  # in Docker, containers and volumes have it in theirs
            ("engines",): {},
            ("stacks", "local", "runtime"): request.param,
            ("stacks", "local", "schedule"): schedule,
        },
    )
    address = made.folder / "hook.url"
    address.write_text(hook[0])
    address.chmod(0o600)
    with up(made):
        yield made
    assert scheduling.remains(made.local.state) == ""
    assert Runs(made.local.state).tasks() == ["backup", "drift"], "the records stay"
    made.lakehouse("destroy", "--data", "--yes")


def killed(deployment: Deployment) -> None:
    """Kill the scheduler (`kill -9`), and wait until another one serves."""
    supervisor = Supervisor(of_stack(deployment.local.state))
    before = supervisor.processes()["scheduler"].pid
    os.kill(before, 9)
    runs = Runs(deployment.local.state)
    until(lambda: supervisor.processes()["scheduler"].pid not in (0, before) and runs.served(), 60)


def test_a_schedule_is_deployed_runs_and_follows_the_file(
    scheduled: Deployment, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    assert scheduled.planned() == set()
    assert "Schedule: backup, drift." in scheduled.lakehouse("status")
    listed = json.loads(scheduled.lakehouse("schedule", "list", "--json"))
    assert (listed["scheduler"], [each["last"] for each in listed["tasks"]]) == (True, [None, None])
    assert "drift: ok" in scheduled.lakehouse("schedule", "run", "drift")
    for _ in range(2):
        assert "backup: ok" in scheduled.lakehouse("schedule", "run", "backup")
    assert len(list((scheduled.folder / "backups/backups").iterdir())) == 1
    assert hook[1] == []
    backups = scheduled.folder / "backups"
    backups.rename(scheduled.folder / "elsewhere")
    backups.write_text("a disk that is not there")
    assert "backup: failed" in scheduled.lakehouse("schedule", "run", "backup", code=1)
    assert "backup failed" in hook[1][0]["text"]
    scheduled.change("catalogs", "lake", "namespaces", "new", to={})
    assert "drift: drift" in scheduled.lakehouse("schedule", "run", "drift", code=2)
    assert "is not as lakehouse.yaml says" in hook[1][1]["text"]
    killed(scheduled)
    found = json.loads(scheduled.lakehouse("schedule", "history", "--json"))
    assert [(each["task"], each["outcome"], each["code"]) for each in found] == [
        ("drift", "ok", 0), ("backup", "ok", 0), ("backup", "ok", 0),
        ("backup", "failed", 2), ("drift", "drift", 2),
    ]  # fmt: skip
    scheduled.deploy()
    scheduled.change("stacks", "local", "schedule", to={"drift": "1 0 1 1 *"})
    assert scheduled.planned() == {"scheduler"}
    scheduled.deploy()
    assert Runs(scheduled.local.state).served()
    before = scheduled.file.read_text()
    scheduled.change("stacks", "local", "schedule", to=None)
    assert scheduled.planned() == {"scheduler"}
    scheduled.deploy()
    assert scheduling.remains(scheduled.local.state) == ""
    assert scheduled.planned() == {"scheduler"}, "its resource goes"
    scheduled.deploy()
    assert scheduled.planned() == set()
    scheduled.file.write_text(before)
    scheduled.deploy()
    assert Runs(scheduled.local.state).served()
