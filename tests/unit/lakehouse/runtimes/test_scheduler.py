"""The scheduler's resource: when it starts, when it goes on, and when it is stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cdktf
import pytest

from lakehouse.cdk import local_exec
from lakehouse.runtimes import definitions, owner, scheduling
from lakehouse.runtimes.incarnation import record
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.runs import of_stack
from lakehouse.runtimes.scheduler import Scheduler
from lakehouse.runtimes.scheduling import service
from lakehouse.spec import LocalStack
from lakehouse.spec.schedule import Schedule
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse

DAILY, HOURLY = ({"drift": at, "notify": {"webhook": "hook.url"}} for at in ("0 1 * * *", "0 * * * *"))


@pytest.fixture(autouse=True)
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.runtimes.process.place.java", lambda feature: Path(f"/java-{feature}/bin/java"))


def synthesised(folder: Path, entry: dict[str, Any] | None, runtime: str = "process") -> tuple[str, dict[str, Any]]:
    """Why the scheduler starts, and its resource; what its step reads is in ``folder``/out."""
    found = lakehouse(folder, False, runtime=runtime, **({"schedule": entry} if entry else {}))
    options = found.stacks["local"]
    assert isinstance(options, LocalStack)
    local = locate(found, "local", folder / "lakehouse.yaml")
    stack = cdktf.TerraformStack(cdktf.App(), "local")
    contents = local_exec(stack, "bootstrap", trigger="1", up="true")
    scheduler = Scheduler(local, folder / "lakehouse.yaml", options.schedule)
    why = scheduler.add(stack, contents)  # type: ignore[arg-type]  # only its scope counts
    scheduler.write(folder / "out")
    return why, json.loads(cdktf.Testing.synth(stack))["resource"]["terraform_data"].get(scheduling.NAME, {})


@pytest.mark.parametrize("runtime", ["process", "docker"])
def test_it_starts_after_the_contents_on_each_runtime(tmp_path: Path, runtime: str) -> None:
    why, resource = synthesised(tmp_path, DAILY, runtime)
    assert why == "first start"
    assert resource["depends_on"] == ["terraform_data.bootstrap"]
    up, down = resource["provisioner"]
    assert "lakehouse.runtimes.scheduling up --state" in up["local-exec"]["command"]
    assert down["local-exec"]["when"] == "destroy"
    assert "hook.url" not in json.dumps(resource)


def test_it_goes_on_until_its_schedule_changes_or_it_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthesised(tmp_path, DAILY)
    own = of_stack(locate(lakehouse(tmp_path, False), "local", tmp_path / "lakehouse.yaml").state)
    record(own, "scheduler", definitions.read(tmp_path / "out/schedule/services.json")["scheduler"][1])
    assert synthesised(tmp_path, DAILY)[0] == "it does not run"
    monkeypatch.setattr(
        "lakehouse.runtimes.process.incarnation.healthy", lambda services, state, timeout: {"scheduler": True}
    )
    assert synthesised(tmp_path, DAILY)[0] == ""
    assert synthesised(tmp_path, HOURLY)[0] == "its schedule has changed"


def test_one_that_still_runs_without_a_schedule_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert synthesised(tmp_path, None) == ("", {})
    monkeypatch.setattr("lakehouse.runtimes.process.supervisor.Supervisor.alive", lambda self: True)
    why, resource = synthesised(tmp_path, None)
    assert why == ""
    assert "lakehouse.runtimes.scheduling down" in resource["provisioner"][0]["local-exec"]["command"]


def test_what_it_reads_has_no_address(tmp_path: Path) -> None:
    (tmp_path / "hook.url").write_text("https://hooks.example/hidden")
    found = lakehouse(tmp_path, False)
    local = locate(found, "local", tmp_path / "lakehouse.yaml")
    made = service(local, tmp_path / "lakehouse.yaml", Schedule.model_validate(DAILY))
    assert "hidden" not in repr(made)
    assert "hook.url" in repr(made)


def test_what_belongs_to_another_lakehouse_is_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local = locate(lakehouse(tmp_path, False), "local", tmp_path / "lakehouse.yaml")
    other = replace(local.claim, owner=replace(local.claim.owner, id="other", file=str(tmp_path / "other.yaml")))
    (tmp_path / "other.yaml").touch()
    owner.write_claim(tmp_path, local.claim)
    monkeypatch.chdir(tmp_path)
    stopped: list[str] = []
    monkeypatch.setattr(scheduling, "down", lambda state: stopped.append(str(state.root)))
    down = ["down", "--state", str(local.state.root)]
    owner.mark(local.state, other)
    assert scheduling.main(down) == 0
    assert stopped == []
    assert "does not belong to this lakehouse" in capsys.readouterr().out
    owner.mark(local.state, local.claim)
    assert scheduling.main(down) == 0
    assert stopped == [str(local.state.root)]
