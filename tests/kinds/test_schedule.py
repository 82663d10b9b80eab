"""A deployed schedule: it starts last, runs what the file says, follows the file, and is gone after a destroy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.runtimes import scheduling
from lakehouse.runtimes.runs import Runs
from tests.integration.deployment import Deployment, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]

YEARLY = "0 0 1 1 *"  # so only what a test asks for runs
BACKUP = {"at": YEARLY, "to": "backups", "keep": 1}


@pytest.fixture(params=["process", "docker"])
def scheduled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path / "a lakehouse",
        {
            ("engines",): {},
            ("stacks", "local", "runtime"): request.param,
            ("stacks", "local", "schedule"): {"drift": YEARLY, "backup": BACKUP},
        },
    )
    with up(made):
        yield made
    assert scheduling.remains(made.local.state) == ""
    assert Runs(made.local.state).tasks() == ["backup", "drift"], "the records stay"


def test_a_schedule_is_deployed_runs_and_follows_the_file(scheduled: Deployment) -> None:
    assert scheduled.planned() == set()
    assert "Schedule: backup, drift." in scheduled.lakehouse("status")
    listed = json.loads(scheduled.lakehouse("schedule", "list", "--json"))
    assert (listed["scheduler"], [each["last"] for each in listed["tasks"]]) == (True, [None, None])
    assert "drift: ok" in scheduled.lakehouse("schedule", "run", "drift")
    for _ in range(2):
        assert "backup: ok" in scheduled.lakehouse("schedule", "run", "backup")
    assert len(list((scheduled.folder / "backups/backups").iterdir())) == 1
    scheduled.change("catalogs", "lake", "namespaces", "new", to={})
    assert "drift: drift" in scheduled.lakehouse("schedule", "run", "drift", code=2)
    found = json.loads(scheduled.lakehouse("schedule", "history", "--json"))
    assert [(each["task"], each["outcome"], each["code"]) for each in found] == [
        ("drift", "ok", 0), ("backup", "ok", 0), ("backup", "ok", 0), ("drift", "drift", 2),
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
