"""The state of pipelines of all engines: what they do, what their tables lack, what a database keeps for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bootstrap.engines import kafka_topics, seatunnel
from bootstrap.engines.kafka_connect import Connector, ConnectWorker
from bootstrap.engines.kafka_topics import Partition
from bootstrap.engines.replication import SourceDatabase, kept
from bootstrap.engines.seatunnel import SeaTunnelJob, SeaTunnelServer
from bootstrap.remote.errors import RemoteError
from bootstrap.session.connect import kafka_connect
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.kinds.pipeline import password_of
from lakehouse.kinds.pipelines import connect, seatunnel_jobs
from lakehouse.kinds.pipelines.connectors import sink_of
from lakehouse.kinds.platform import kafka
from lakehouse.spec.pipelines import PipelineEntry
from lakehouse.text.metrics import Family

RUNNING, STOPPED, FAILED, STARTING, MISSING = "running", "stopped", "failed", "starting", "not deployed"
FINISHED = "finished"  # it read what has an end
UNKNOWN = "not known"  # its engine does not answer
After = Callable[[str, Mapping[Partition, int]], int | None]  # the messages of a topic that are after these places
EngineLook = Callable[[Mapping[str, PipelineEntry]], Iterable["PipelineStatus"]]  # an engine about pipelines of it
Behind = Callable[[str, str], int | None]  # the messages of a topic that a pipeline has not read
Keeps = Callable[[str, SourceDatabase], int | None]  # the bytes that a pipeline's slot keeps


@dataclass(frozen=True)
class PipelineStatus:
    """A pipeline as it is now.

    ``lag`` is the number of messages that its table does not have, ``kept`` the bytes that the database keeps of its
    log for it; None: not known, or it reads none.
    """

    name: str
    engine: str
    source: str
    to: str
    state: str
    lag: int | None
    problem: str = ""  # why it failed, or why its state is not known
    kept: int | None = None


def look(target: Target) -> list[PipelineStatus]:
    """The state of every pipeline of the file. Raises LakehouseError if none of their engines answers."""
    return together(
        target.lakehouse.pipelines,
        {
            connect.WORD: lambda own: _by_connect(target, own),
            seatunnel_jobs.WORD: lambda own: by_seatunnel(own, server(target).jobs(), _behind(target)),
        },
    )


def together(pipelines: Mapping[str, PipelineEntry], ask: Mapping[str, EngineLook]) -> list[PipelineStatus]:
    """What each engine says of its pipelines. Those of one that does not answer hide no others."""
    found: dict[str, PipelineStatus] = {}
    silent: list[LakehouseError] = []
    for engine, look_at in ask.items():
        own = _of(pipelines, engine)
        try:
            found |= {each.name: each for each in (look_at(own) if own else ())}
        except LakehouseError as error:
            silent.append(error)
            for name, each in own.items():
                found[name] = PipelineStatus(name, engine, described(each), each.to, UNKNOWN, None, str(error))
    if silent and all(each.state == UNKNOWN for each in found.values()):
        raise silent[0]
    return [found[name] for name in pipelines]


def _of(pipelines: Mapping[str, PipelineEntry], engine: str) -> dict[str, PipelineEntry]:
    return {name: each for name, each in pipelines.items() if each.engine == engine}


def _by_connect(target: Target, pipelines: Mapping[str, PipelineEntry]) -> Iterator[PipelineStatus]:
    address = str(target.local.place.external(kafka.WORD))

    def keeps(name: str, source: SourceDatabase) -> int | None:
        try:
            return kept(source, target.local.state.secret(password_of(name)))
        except RemoteError:
            return None

    return states(pipelines, worker(target), lambda topic, places: kafka_topics.after(address, topic, places), keeps)


def worker(target: Target) -> ConnectWorker:
    """The stack's Kafka Connect. Raises UsageError if the file has no pipeline, LakehouseError if it is down."""
    target.address(connect.WORD, "pipelines")
    there = kafka_connect(target.lakehouse, target.stack, target.local)
    assert there is not None  # it has that port
    return ConnectWorker(there.endpoint)


def server(target: Target) -> SeaTunnelServer:
    """The stack's SeaTunnel. Raises UsageError if the file has no pipeline of it, LakehouseError if it is down."""
    target.address(seatunnel_jobs.WORD, "pipelines of SeaTunnel")
    return SeaTunnelServer(target.local.place.external(seatunnel_jobs.WORD).url("http"))


def by_seatunnel(
    pipelines: Mapping[str, PipelineEntry], jobs: Mapping[str, SeaTunnelJob], behind: Behind
) -> Iterator[PipelineStatus]:
    """The state of each pipeline, given what SeaTunnel says of it, and Kafka of its topic."""
    for name, pipeline in pipelines.items():
        state, problem = MISSING, ""
        if (job := jobs.get(name)) is not None:
            state = _STATES.get(job.state, STARTING)
            # It has failed until it has run for as long as it waits after a failure; then it has no problem.
            state = FAILED if state in (STARTING, RUNNING) and job.problem else state
            problem = job.why if state == FAILED else ""
        topic = pipeline.source.topic
        lag = None if topic is None or job is None else behind(name, topic)
        yield PipelineStatus(name, pipeline.engine, described(pipeline), pipeline.to, state, lag, problem)


def _behind(target: Target) -> Behind:
    def behind(name: str, topic: str) -> int | None:
        try:
            group = seatunnel_jobs.group(target.lakehouse, name)
            return kafka_topics.behind(str(target.local.place.external(kafka.WORD)), group, topic)
        except RemoteError:
            return None

    return behind


_STATES = {
    seatunnel.RUNNING: RUNNING,
    seatunnel.FINISHED: FINISHED,
    seatunnel.STOPPED: STOPPED,
    seatunnel.FAILED: FAILED,
}


def states(
    pipelines: Mapping[str, PipelineEntry], worker: ConnectWorker, after: After, keeps: Keeps
) -> Iterator[PipelineStatus]:
    """The state of each pipeline, given what Kafka says of the ends of topics, and databases of their slots."""
    every = worker.connectors()
    for name, pipeline in pipelines.items():
        own = [each for each in every.values() if each.pipeline == name]
        lag = _lag(worker, every[sink_of(name)], after) if sink_of(name) in every else None
        read = next((found for each in own if (found := SourceDatabase.of(each.config)) is not None), None)
        state, problem = state_of(own)
        held = None if read is None else keeps(name, read)
        yield PipelineStatus(name, pipeline.engine, described(pipeline), pipeline.to, state, lag, problem, held)


def families(found: Iterable[PipelineStatus]) -> Iterator[Family]:
    """The metrics of pipelines."""
    every = [each for each in found if each.state != UNKNOWN]
    yield Family("lakehouse_pipeline_failed", "Whether the pipeline has failed, or was never made",
                 [({"pipeline": each.name}, float(each.state in (FAILED, MISSING))) for each in every])  # fmt: skip
    lags = [({"pipeline": each.name}, float(each.lag)) for each in every if each.lag is not None]
    yield Family("lakehouse_pipeline_lag_messages", "Messages that its table does not have", lags)
    held = [({"pipeline": each.name}, float(each.kept)) for each in every if each.kept is not None]
    yield Family("lakehouse_pipeline_slot_kept_bytes", "Bytes of its log that the database keeps for it", held)


def described(pipeline: PipelineEntry) -> str:
    """The source of a pipeline in a few words."""
    source = pipeline.source
    if source.postgres is not None:
        return f"PostgreSQL {source.postgres.database}.{source.postgres.table}"
    if source.mysql is not None:
        return f"MySQL {source.mysql.table}"
    if source.jdbc is not None:
        return f"{source.jdbc.url} {source.jdbc.table or 'by a query'}"
    if source.files is not None:
        return f"files of {source.files.path}"
    if source.http is not None:
        return source.http.url
    return f"the job in {source.config}" if source.config is not None else f"topic {source.topic}"


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


def _lag(worker: ConnectWorker, sink: Connector, after: After) -> int | None:
    """Messages of its topic that are not in its table. The sink keeps its place when it commits to the table."""
    try:
        done = {
            (each["partition"]["kafka_topic"], int(each["partition"]["kafka_partition"])): int(
                each["offset"]["kafka_offset"]
            )
            for each in worker.offsets(sink.name)
            if each["offset"]
        }
        return after(sink.config["topics"], done)
    except RemoteError:
        return None
