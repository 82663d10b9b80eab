"""What tests of pipelines share, on processes and in containers: a pipeline's status, rows through kills, and a commit
whose end Kafka has forgotten. `slotted.py` has what they share of replication slots."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from lakehouse.kinds.pipelines import connectors
from tests.integration.deployment import Deployment, kill, until
from tests.kinds.lost_ends import cut_last_end, is_undecided, partition_of_group

#: kafka-python leaves sockets open that it could not connect while the broker is killed.
SOCKETS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def status(stack: Deployment) -> dict[str, Any]:
    """What is known of each pipeline."""
    return {each["name"]: each for each in json.loads(stack.lakehouse("pipelines", "status", "--json", code=None))}


def assert_once_through_kills(
    stack: Deployment, send: Callable[[int, int], None], counted: Callable[[], list[int]], killed: list[str]
) -> None:
    """Kill services while rows come. ``send`` takes the first and how many; ``counted`` has rows and different keys."""
    [before, _] = counted()
    for part in range(3):
        send(before + part * 400, 400)
        time.sleep(part)  # before, at and after a commit
        kill(stack, *killed)
    until(lambda: counted()[1] == before + 1200, 240)
    time.sleep(10)
    assert counted() == [before + 1200, before + 1200]


def assert_goes_on_after_a_stop(
    stack: Deployment, pipeline: str, send: Callable[[int, int], None], counted: Callable[[], list[int]]
) -> None:
    """Stop a pipeline, send 100 rows, and start it."""
    until(lambda: status(stack)[pipeline]["lag"] == 0, 120)
    [before, _] = counted()
    stack.lakehouse("pipelines", "stop", pipeline)
    until(lambda: status(stack)[pipeline]["state"] == "stopped", 60)
    send(before, 100)
    assert "is stopped" not in stack.lakehouse("plan", code=None)
    until(lambda: status(stack)[pipeline]["lag"] == 100, 60)
    stack.lakehouse("pipelines", "start", pipeline)
    until(lambda: counted() == [before + 100, before + 100], 120)


def assert_goes_on_after_a_lost_end(
    stack: Deployment,
    pipeline: str,
    send: Callable[[int, int], None],
    counted: Callable[[], list[int]],
    kafka_down: Callable[[], AbstractContextManager[Path]],
) -> None:
    """Its place is in a transaction without an end: so it has none, and stands still until the worker ends that.

    While Kafka is down, ``kafka_down`` gives the folder of its partitions.
    """
    [before, _] = counted()
    send(before, 100)
    until(lambda: counted() == [before + 100, before + 100], 120)
    stack.lakehouse("pipelines", "stop", pipeline)
    until(lambda: status(stack)[pipeline]["state"] == "stopped", 60)
    time.sleep(5)  # until the broker has noted that the last commit is complete
    place = partition_of_group(f"connect-{connectors.sink_of(pipeline)}", 8)
    with kafka_down() as data:
        cut_last_end(data, place)
    send(before + 100, 100)
    assert is_undecided(f"127.0.0.1:{stack.port('kafka')}", place)
    stack.lakehouse("pipelines", "start", pipeline)
    until(lambda: counted()[1] == before + 200, 400, lambda: stack.local.runtime.log("connect", 100))
    time.sleep(10)
    assert counted() == [before + 200, before + 200]
    assert "had no end, and has that which the broker noted, a commit" in stack.local.runtime.log("connect", 10_000)
    until(lambda: status(stack)[pipeline]["state"] == "running", 120)
