"""Who holds the lock of Terraform's state: named, and waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import lock
from lakehouse.runtimes.state import terraform_state

HOLD = "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = terraform_state(tmp_path / "lakehouse.yaml", "local")
    path.write_text("{}")
    return path


@pytest.fixture
def holding(state: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock as Terraform does, with Terraform's note about it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    note = {"ID": "1", "Who": "me@there", "Created": "2026-11-25T12:03:04.5Z", "Operation": "OperationTypeApply"}
    (state.parent / f".{state.name}.lock.info").write_text(json.dumps(note))
    yield process
    process.communicate("\n")


def test_the_holder_is_named(state: Path, holding: subprocess.Popen[str]) -> None:
    found = lock.holder(state)
    assert found is not None
    assert found.pid == holding.pid
    assert (found.who, found.since) == ("me@there", "2026-11-25 12:03:04 UTC")
    assert f"pid {holding.pid}, python" in str(found)


def test_a_note_that_was_left_behind_is_no_lock(state: Path) -> None:
    (state.parent / f".{state.name}.lock.info").write_text('{"Who": "me@there", "Created": "2026"}')
    assert lock.holder(state) is None
    assert lock.holder(state.with_name("gone")) is None
    assert lock.wait(state) == ""


def test_one_that_ends_is_waited_for(
    state: Path, holding: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    threading.Timer(0.7, holding.kill).start()
    assert lock.wait(state) == ""
    assert time.monotonic() - began >= 0.7
    assert f"locked by another deploy (pid {holding.pid}, python" in capsys.readouterr().err


def test_one_that_does_not_end_is_named_with_the_fix(state: Path, holding: subprocess.Popen[str]) -> None:
    said = lock.wait(state, patience=0)
    assert f"`kill {holding.pid}` ends it" in said
    assert "-lock=false" not in said


def test_only_the_stacks_that_are_meant_are_asked(tmp_path: Path) -> None:
    for file, stack in (("lakehouse.yaml", "local"), ("lakehouse.yaml", "aws"), ("orders.yaml", "local")):
        terraform_state(tmp_path / file, stack).touch()

    def names(file: str, *words: str) -> list[str]:
        return [path.name for path in lock.states(tmp_path / file, words)]

    assert names("lakehouse.yaml", "deploy", "local", "--auto-approve") == ["terraform.local.tfstate"]
    assert names("lakehouse.yaml", "deploy") == ["terraform.aws.tfstate", "terraform.local.tfstate"]
    assert names("orders.yaml", "deploy", "local") == ["terraform.orders.local.tfstate"]


def test_who_holds_it_is_waited_for_by_others(state: Path) -> None:
    ask = "import sys, pathlib; from lakehouse.runtimes import lock; print(lock.holder(pathlib.Path(sys.argv[1])))"
    asked = [sys.executable, "-c", ask, str(state)]

    def seen() -> str:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout

    with lock.held(state):
        assert f"pid {os.getpid()}" in seen()
    assert seen() == "None\n"


def test_it_is_not_held_beside_another(state: Path, holding: subprocess.Popen[str]) -> None:
    with pytest.raises(LakehouseError, match=f"is still locked .pid {holding.pid}"), lock.held(state, patience=0):
        pytest.fail("two hold it")


def test_before_the_first_deploy_there_is_nothing_to_hold(tmp_path: Path) -> None:
    with lock.held(tmp_path / "terraform.local.tfstate"):
        assert not list(tmp_path.iterdir())
