"""What doctor says of pipelines."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.doctor.pipelines import finding
from bootstrap.session.pipelines import FAILED, MISSING, RUNNING, STOPPED, UNKNOWN, PipelineStatus
from lakehouse.spec.monitoring import Thresholds

GIB = 1024**3


def status(state: str, name: str = "orders", lag: int | None = 0, **more: Any) -> PipelineStatus:
    return PipelineStatus(name, "connect", "topic orders", "lake.raw.orders", state, lag, **more)


@pytest.mark.parametrize(
    ("found", "severity", "said", "fix"),
    [
        (status(RUNNING), "ok", "2 running", ""),
        (status(STOPPED), "ok", "1 running, orders is stopped", ""),
        (
            status(FAILED, problem="orders-sink, task 0: why"),
            "error",
            "orders-sink, task 0: why",
            "pipelines logs orders",
        ),
        (status(RUNNING, lag=10_001), "warning", "lacks 10,001 messages", "pipelines logs orders"),
        (status(STOPPED, kept=3 * GIB), "warning", "keeps 3.0 GiB of its log for orders", "pipelines start orders"),
        (status(MISSING, lag=None), "warning", "orders: not there", "`lakehouse apply`"),
        (
            status(UNKNOWN, lag=None, problem="connect does not answer"),
            "error",
            "orders: not known",
            "lakehouse status",
        ),
    ],
)
def test_what_is_seen_and_what_to_do(found: PipelineStatus, severity: str, said: str, fix: str) -> None:
    made = finding([status(RUNNING, name="other"), found], Thresholds())
    assert made.severity == severity
    assert said in made.found
    assert fix in made.fix


@pytest.mark.parametrize(("engine", "cause"), [("connect", "its task has failed"), ("seatunnel", "its SQL")])
def test_the_cause_is_of_the_engine(engine: str, cause: str) -> None:
    failed = PipelineStatus("a", engine, "topic a", "lake.raw.orders", FAILED, None, "why")
    assert cause in finding([failed], Thresholds()).cause


def test_what_failed_comes_first() -> None:
    found = [status(RUNNING, kept=3 * GIB), status(FAILED, name="other")]
    assert finding(found, Thresholds()).severity == "error"


def test_others_that_failed_are_named() -> None:
    found = [status(FAILED, problem="why"), status(RUNNING, name="good"), *(status(FAILED, name=each) for each in "ab")]
    assert finding(found, Thresholds()).found == "orders has failed: why (failed too: a, b)"


def test_what_is_too_much_is_for_the_file_to_say() -> None:
    found = [status(RUNNING, lag=20_000, kept=3 * GIB)]
    assert finding(found, Thresholds(lag_messages=20_000, slot_mib=3 * 1024)).severity == "ok"
    assert finding(found, Thresholds(lag_messages=20_000)).severity == "warning"
