from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import trial
from lakehouse.runtimes.definitions import service as read
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service

WATCH = Service("watch", "", (), ("watch",), Probe("http", 1), files=(File("conf/rules.yaml", "groups: []\n"),))


def test_a_program_that_does_not_take_its_files_is_quoted(tmp_path: Path) -> None:
    said = "echo bad rule in line 3 >&2; cat conf/rules.yaml; exit 1"
    with pytest.raises(LakehouseError) as raised:
        trial.check(State(tmp_path), [replace(WATCH, trial=("/bin/sh", "-c", said))])
    assert str(raised.value) == "watch does not take its files. It says:\n  groups: []\n  bad rule in line 3"


def test_a_program_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_SECONDS", 0.1)
    with pytest.raises(LakehouseError, match=r"watch did not say within 0.1 s whether it takes its files\."):
        trial.check(State(tmp_path), [replace(WATCH, trial=("/bin/sleep", "60"))])


def test_one_that_takes_them_goes_on_and_one_without_a_trial_is_not_run(tmp_path: Path) -> None:
    takes = ("/bin/sh", "-c", f"test -s conf/rules.yaml && touch {tmp_path}/ran")
    trial.check(State(tmp_path), [replace(WATCH, trial=takes), WATCH])
    assert (tmp_path / "ran").exists()


def test_it_is_known_when_it_is_deployed() -> None:
    from dataclasses import asdict

    tried = replace(WATCH, trial=("true", "-x"))
    assert read(asdict(tried)).trial == ("true", "-x")
    assert read({key: value for key, value in asdict(tried).items() if key != "trial"}).trial == ()
