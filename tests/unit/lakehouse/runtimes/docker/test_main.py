"""The steps' command line."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.runtimes import definitions, generations, owner
from lakehouse.runtimes.docker import containers
from lakehouse.runtimes.docker.__main__ import main
from lakehouse.runtimes.generations import NOTHING
from lakehouse.runtimes.incarnation import Incarnation, recorded
from lakehouse.runtimes.process.supervisor import WATCH, Supervisor
from lakehouse.runtimes.processes import belonging
from lakehouse.services.service import File, Probe
from tests.unit.lakehouse.runtimes.docker.pretended import OUTSIDE, Pretended, make


def test_a_step_imports_neither_the_model_of_the_file_nor_dockers_client() -> None:
    """Terraform starts one step for each service. It reads only the planned containers, and mostly needs no Docker."""
    slow = ["pydantic", "lakehouse.spec", "lakehouse.kinds", "cdktf", "docker", "boto3", "requests"]
    code = f"import sys, lakehouse.runtimes.docker.__main__; print(sorted(set({slow}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_runs_outside_of_containers_is_started_and_stopped_by_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of Terraform's resources, with a supervisor that really runs and no Docker."""
    stack = make(tmp_path)
    stack.prepare(Pretended())
    folder = tmp_path / "synthesised"
    folder.mkdir()
    ready = tmp_path / "ready"
    watcher = replace(
        OUTSIDE,
        command=("/bin/sh", "-c", f"touch '{ready}'; exec sleep 300"),
        probe=Probe("exec", command=("/usr/bin/test", "-f", str(ready)), patience=30),
        files=(File("hook.url", "http://hook"),),
    )
    definitions.write(folder, (watcher,), {watcher.name: Incarnation("d", "1")})
    containers.write(folder, stack.containers)
    generations.write(folder, NOTHING)
    owner.write_claim(folder, stack.claim)
    monkeypatch.chdir(folder)

    def step(*words: str) -> int:
        return main([*words, "--state", str(stack.state.root)])

    supervisor = Supervisor(stack.state)
    try:
        assert step("supervisor-up", "--start", "1") == 0
        assert step("up", "watcher") == 0
        assert supervisor.processes()["watcher"].up
        assert recorded(stack.state, "watcher") == Incarnation("d", "1")
        assert f"[program:{WATCH}]" not in stack.state.supervisor_conf.read_text(), "on Docker nothing watches the disk"
        assert (stack.state.config("watcher") / "hook.url").stat().st_mode & 0o777 == 0o600
        assert step("down", "watcher") == 0
        assert supervisor.processes() == {}
        assert supervisor.alive()
        assert step("up", "watcher") == 0
        stack.prepare(Pretended())
        assert list(belonging(stack.state)) == [], "the file no longer names it"
        assert step("supervisor-up", "--start", "2") == 0
        assert step("up", "watcher") == 0
    finally:
        assert step("supervisor-down") == 0
    assert list(belonging(stack.state)) == []


def test_a_step_stops_nothing_of_another_lakehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = make(tmp_path)
    stack.prepare(Pretended())
    containers.write(tmp_path, stack.containers)
    other = tmp_path / "other.yaml"
    owner.write_claim(tmp_path, replace(stack.claim, owner=replace(stack.claim.owner, file=str(other))))
    other.touch()
    monkeypatch.chdir(tmp_path)
    assert main(["supervisor-down", "--state", str(stack.state.root)]) == 0
    assert "does not belong to this lakehouse" in capsys.readouterr().out
    assert stack.state.conf_d.exists(), "it would be gone"
