"""Stops pipelines, lets them go on, and says what happened to them."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.engines.kafka_connect import Connector, ConnectWorker
from bootstrap.engines.seatunnel import SeaTunnelServer
from bootstrap.session.pipelines import server, worker
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds.pipelines import connect, seatunnel_jobs
from lakehouse.kinds.pipelines.connectors import sink_of
from lakehouse.text.words import suggest


def start(target: Target, name: str) -> None:
    """Let a stopped pipeline go on, and start what has failed of it again. One that has ended starts over."""
    if _engine(target, name) == seatunnel_jobs.WORD:
        _known(server(target), name).start(name)
        return
    at = worker(target)
    for each in _connectors(at, name):
        if each.state in ("STOPPED", "PAUSED"):
            at.resume(each.name)
        else:
            at.restart(each.name)


def stop(target: Target, name: str) -> None:
    """Stop a pipeline until :func:`start`; what it has read to is kept."""
    if _engine(target, name) == seatunnel_jobs.WORD:
        _known(server(target), name).stop(name)
        return
    at = worker(target)
    for each in _connectors(at, name):
        at.stop(each.name)


def traces(target: Target, name: str) -> Iterator[str]:
    """What its failed tasks say, and the lines of its engine's log that are about it."""
    if _engine(target, name) == seatunnel_jobs.WORD:
        yield from _of_seatunnel(target, name)
        return
    at = worker(target)
    own = _connectors(at, name)
    for each in own:
        for task in each.failures:
            yield f"{each.name}, task {task.id} has failed:"
            yield from (f"  {line}" for line in task.trace.splitlines())
    named = [each.name for each in own]
    for line in target.local.runtime.log(connect.WORD, 5000).splitlines():
        if any(name in line for name in named):
            yield line


def _of_seatunnel(target: Target, name: str) -> Iterator[str]:
    at = server(target)
    if problem := _known(at, name).jobs()[name].problem:
        yield f"{name} has failed, at the latest:"
        yield from (f"  {line}" for line in problem.splitlines())
    for line in target.local.runtime.log(seatunnel_jobs.WORD, 5000).splitlines():
        if f"pipeline {name} " in line:
            yield line


def _known(at: SeaTunnelServer, name: str) -> SeaTunnelServer:
    if name not in at.jobs():
        raise LakehouseError(f"pipeline {name} does not exist yet. `lakehouse deploy` makes it.")
    return at


def _engine(target: Target, name: str) -> str:
    _ = target.local  # a stack in AWS has none, and says so
    if name not in target.lakehouse.pipelines:
        there = ", ".join(target.lakehouse.pipelines) or "none"
        fix = suggest(name, target.lakehouse.pipelines)
        raise UsageError(f'{target.path.name} has no pipeline "{name}"; it has: {there}.{fix}')
    return target.lakehouse.pipelines[name].engine


def _connectors(at: ConnectWorker, name: str) -> list[Connector]:
    found = [each for each in at.connectors().values() if each.pipeline == name]
    if not found:
        raise LakehouseError(f"pipeline {name} does not exist yet. `lakehouse apply` makes it.")
    return sorted(found, key=lambda each: each.name == sink_of(name))
