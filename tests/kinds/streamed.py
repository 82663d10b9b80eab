"""What tests of pipelines share, on processes and in containers: a pipeline's status, and rows through kills."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.deployment import Deployment, kill, until

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
