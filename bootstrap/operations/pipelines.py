"""The state of pipelines: what their tasks do, and how many messages are not in the table yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bootstrap.engines import kafka_topics
from bootstrap.engines.kafka_connect import Connector, ConnectWorker
from bootstrap.engines.kafka_topics import Partition
from bootstrap.remote.errors import RemoteError
from bootstrap.session.connect import kafka_connect
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds.pipelines import connect
from lakehouse.kinds.pipelines.connectors import sink_of
from lakehouse.kinds.platform import kafka
from lakehouse.spec.pipelines import PipelineEntry
from lakehouse.text.words import suggest

RUNNING, STOPPED, FAILED, STARTING, MISSING = "running", "stopped", "failed", "starting", "not deployed"
Ends = Callable[[Iterable[Partition]], Mapping[Partition, int]]


@dataclass(frozen=True)
class PipelineStatus:
    """A pipeline as it is now. ``lag`` is the number of messages that its table does not have; None: not known."""

    name: str
    engine: str
    source: str
    to: str
    state: str
    lag: int | None
    problem: str = ""  # why it failed


def look(target: Target) -> list[PipelineStatus]:
    """The state of every pipeline of the file. Raises the errors of :mod:`bootstrap.remote.errors`."""
    if not target.lakehouse.pipelines:
        return []
    address = str(target.local.place.external(kafka.WORD))
    return list(states(target.lakehouse.pipelines, worker(target), lambda asked: kafka_topics.ends(address, asked)))


def worker(target: Target) -> ConnectWorker:
    """The stack's Kafka Connect. Raises UsageError if the file has no pipeline, LakehouseError if it is down."""
    target.address(connect.WORD, "pipelines")
    there = kafka_connect(target.lakehouse, target.stack, target.local)
    assert there is not None  # it has that port
    return ConnectWorker(there.endpoint)


def states(pipelines: Mapping[str, PipelineEntry], worker: ConnectWorker, ends: Ends) -> Iterator[PipelineStatus]:
    """The state of each pipeline, given what Kafka says of the ends of topics."""
    every = worker.connectors()
    for name, pipeline in pipelines.items():
        own = [each for each in every.values() if each.pipeline == name]
        lag = _lag(worker, name, ends) if sink_of(name) in every else None
        state, problem = state_of(own)
        yield PipelineStatus(name, pipeline.engine, described(pipeline), pipeline.to, state, lag, problem)


def described(pipeline: PipelineEntry) -> str:
    """The source of a pipeline in a few words."""
    if (source := pipeline.source.postgres) is not None:
        return f"PostgreSQL {source.database}.{source.table}"
    return f"topic {pipeline.source.topic}"


def state_of(connectors: Iterable[Connector]) -> tuple[str, str]:
    """The state of a pipeline with these connectors, and why it failed.

    A connector may be RUNNING although its task failed, so the tasks count.
    """
    own = list(connectors)
    if not own:
        return MISSING, ""
    for each in own:
        for task in each.failures:
            return FAILED, f"{each.name}, task {task.id}: {task.why}"
        if each.state == "FAILED":
            return FAILED, f"{each.name} cannot start"
    if any(each.state in ("STOPPED", "PAUSED") for each in own):
        return STOPPED, ""
    running = all(each.tasks and all(task.state == "RUNNING" for task in each.tasks) for each in own)
    return (RUNNING if running else STARTING), ""


def _lag(worker: ConnectWorker, name: str, ends: Ends) -> int | None:
    """Messages of its topic that are not in its table. The sink keeps its place when it commits to the table."""
    try:
        done = {
            (each["partition"]["kafka_topic"], int(each["partition"]["kafka_partition"])): int(
                each["offset"]["kafka_offset"]
            )
            for each in worker.offsets(sink_of(name))
            if each["offset"]
        }
        return sum(max(0, end - done[each]) for each, end in ends(done).items()) if done else None
    except RemoteError:
        return None


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
