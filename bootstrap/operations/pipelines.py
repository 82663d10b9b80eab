"""Stops pipelines, lets them go on, and says what happened to them."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.engines.kafka_connect import Connector, ConnectWorker
from bootstrap.session.pipelines import worker
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds.pipelines import connect
from lakehouse.kinds.pipelines.connectors import sink_of
from lakehouse.text.words import suggest


def start(target: Target, name: str) -> None:
    """Let a stopped pipeline go on, and start what has failed of it again."""
    at = worker(target)
    for each in _connectors(target, at, name):
        if each.state in ("STOPPED", "PAUSED"):
            at.resume(each.name)
        else:
            at.restart(each.name)


def stop(target: Target, name: str) -> None:
    """Stop a pipeline until :func:`start`; what it has read to is kept."""
    at = worker(target)
    for each in _connectors(target, at, name):
        at.stop(each.name)


def traces(target: Target, name: str) -> Iterator[str]:
    """What its failed tasks say, and the lines of Connect's log that are about it."""
    at = worker(target)
    own = _connectors(target, at, name)
    for each in own:
        for task in each.failures:
            yield f"{each.name}, task {task.id} has failed:"
            yield from (f"  {line}" for line in task.trace.splitlines())
    named = [each.name for each in own]
    for line in target.local.runtime.log(connect.WORD, 5000).splitlines():
        if any(name in line for name in named):
            yield line


def _connectors(target: Target, at: ConnectWorker, name: str) -> list[Connector]:
    if name not in target.lakehouse.pipelines:
        there = ", ".join(target.lakehouse.pipelines) or "none"
        fix = suggest(name, target.lakehouse.pipelines)
        raise UsageError(f'{target.path.name} has no pipeline "{name}"; it has: {there}.{fix}')
    found = [each for each in at.connectors().values() if each.pipeline == name]
    if not found:
        raise LakehouseError(f"pipeline {name} does not exist yet. `lakehouse apply` makes it.")
    return sorted(found, key=lambda each: each.name == sink_of(name))
