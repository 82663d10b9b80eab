"""Pipelines: connectors of Kafka Connect, one for each that reads or writes.

A connector that the file no longer names goes with both keys to deletion; its settings keep the second one. What
somebody else made there is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bootstrap.engines.kafka_connect import Connector
from bootstrap.engines.replication import SourceDatabase, drop, kept
from bootstrap.engines.slot_records import SlotRecord, SlotRecords
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Refused, RemoteError, Unreachable
from lakehouse.kinds import PIPELINES
from lakehouse.kinds.pipeline import password_of
from lakehouse.spec.model import Lakehouse

PIPELINE = "pipeline"
Configs = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class PipelineConnectors(Body):
    """Connectors to make or to change, those to remove, and those of which a task has failed."""

    table: str = ""  # the address of the table that they write to
    put: Configs = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()


@dataclass(frozen=True)
class PipelineFacts:
    """What the file wants of Connect, and what Connect has.

    ``reread`` are the connectors that have kept a place in a replication slot that was dropped while Connect was away.
    """

    wanted: Mapping[str, Configs]
    there: Mapping[str, Connector]
    reread: frozenset[str] = frozenset()

    def of(self, pipeline: str) -> dict[str, Connector]:
        """The connectors of a pipeline."""
        return {name: each for name, each in self.there.items() if each.pipeline == pipeline}


class Pipelines(ObjectKind):
    words = (PIPELINE,)
    bodies = {"create": PipelineConnectors, "update": PipelineConnectors, "destroy": PipelineConnectors}

    def prepare(self, lakehouse: Lakehouse, world: World) -> None:
        """Record the slots of connectors that are there, as of an earlier version, or come back without their entry."""
        state, connect = world.connections.user_keys, world.connect
        if state is None or connect is None:
            return
        records = SlotRecords(state)
        for each in connect().connectors().values():
            source = SourceDatabase.of(each.config)
            if source is None or not each.pipeline:
                continue
            record = records.of(source)
            if record is None or (record.dropped and each.pipeline not in lakehouse.pipelines):
                records.keep(SlotRecord(each.pipeline, each.deletable, source))

    def read(self, look: Inquiry) -> Put:
        connection = look.world.connections.connect
        if look.world.connect is None or connection is None:
            return super().read(look)
        there = look.world.connect().connectors()
        found = PipelineFacts(connection.wanted, there, frozenset(_without_slot(look.world, there)))

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, PIPELINE: found})

        return put

    def compare(self, found: Differences) -> None:
        facts: PipelineFacts | None = found.facts.own.get(PIPELINE)
        for name, wanted in facts.wanted.items() if facts else ():
            assert facts is not None
            there = facts.of(name)
            reread = facts.reread & wanted.keys()
            put = {
                each: dict(config)
                for each, config in wanted.items()
                if each in reread or not _same(there.get(each), config)
            }
            others = tuple(sorted(there.keys() - wanted.keys() | reread))
            failed = tuple(each for each in there if there[each].failures and each not in (*put, *others))
            if not (put or others or failed):
                continue
            pipeline = found.lakehouse.pipelines[name]
            if not there and (former := _former(facts, found.lakehouse, name)):
                same = f"pipeline {former}, which the file no longer has, reads the same into {pipeline.to}"
                message = f"{same}, and this one would read it from its beginning: each row would be there twice"
                fix = f"Name it {former}, or remove {former} first"
                found.refuse(address(PIPELINE, "", name), f"{message}. {fix}", ("pipelines", name))
                continue
            body = PipelineConnectors(address("table", pipeline.catalog, pipeline.table), put, others, failed)
            details = tuple(_details(there, body)) if there else (_route(found, name),)
            found.changes.append(Change("update" if there else "create", PIPELINE, "", name, details, body))

    def compare_unnamed(self, found: Differences) -> None:
        facts: PipelineFacts | None = found.facts.own.get(PIPELINE)
        if facts is None:
            return
        for connector in facts.there.values():
            if not connector.pipeline:
                found.stay(f"connector {connector.name}", marked=False)
        for name in sorted({each.pipeline for each in facts.there.values()} - facts.wanted.keys() - {""}):
            there = facts.of(name)
            body = PipelineConnectors(remove=tuple(there))
            change = Change("destroy", PIPELINE, "", name, (), body)
            gone = found.destroy(change, marked=all(each.deletable for each in there.values()), ours=True)
            if not gone and (entry := found.lakehouse.pipelines.get(name)) is not None:
                both = f"{PIPELINES[entry.engine].label} reads it now, and Kafka Connect still does"
                message = f"{both}: each row comes twice. Apply it with engine: connect and `deletable: true`"
                fix = "and change the engine with --allow-destroy then"
                found.keep(change.address, f"{message}, {fix}", ("pipelines", name, "engine"))

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """The table comes first."""
        assert isinstance(change.body, PipelineConnectors)
        yield change.body.table

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, PipelineConnectors)
        for name in change.body.remove:
            _remove(name, change.name, work)
        state = work.world.connections.user_keys
        for name, config in change.body.put.items():
            if state is not None:  # before the connector, which makes the slot
                SlotRecords(state).connector(change.name, config)
            try:
                work.connect.put(name, config)
            except RemoteError as error:
                raise _explained(error, config, change.name, work) from None
        for name in change.body.restart:
            work.connect.restart(name)
        return ""


def _explained(error: RemoteError, config: Mapping[str, str], pipeline: str, work: ApplyWork) -> RemoteError:
    """The same, or what the database says. Connect 4.3.1 fails over Debezium's answer that it is not let in."""
    source, state = SourceDatabase.of(config), work.world.connections.user_keys
    if source is None or state is None:
        return error
    try:
        kept(source, state.secret(password_of(pipeline)))
    except Refused as why:
        fix = f"Correct `user`, or {password_of(pipeline)} in the stack's credentials, and deploy again"
        return Refused(f"{source} does not let {source.user} in: {why}. {fix}")
    except Unreachable:
        return Refused(f"{source} does not answer. Correct `host` and `port`, or start it, and deploy again")
    return error


def _remove(name: str, pipeline: str, work: ApplyWork) -> None:
    """Remove a connector, and before it the replication slot that it reads. If that fails, it stays, stopped."""
    there = work.connect.connectors().get(name)
    source = SourceDatabase.of(there.config) if there else None
    if source is not None:
        state = work.world.connections.user_keys
        assert state is not None  # of a stack on this machine
        work.connect.stop(name)
        drop(source, state.secret(password_of(pipeline)))
        SlotRecords(state).forget(source)
    work.connect.remove(name)


def _without_slot(world: World, there: Mapping[str, Connector]) -> Iterator[str]:
    """The connectors whose slot was dropped by an apply while Connect was not there."""
    state = world.connections.user_keys
    records = None if state is None else SlotRecords(state)
    for name, each in there.items():
        source = SourceDatabase.of(each.config)
        record = None if records is None or source is None else records.of(source)
        if record is not None and record.dropped:
            yield name


def _former(facts: PipelineFacts, lakehouse: Lakehouse, name: str) -> str:
    """The pipeline that reads and writes the same, and that has lost its entry, as if it had another name now."""
    own = {_flow(each) for each in facts.wanted[name].values()}
    for former in sorted({each.pipeline for each in facts.there.values()} - lakehouse.pipelines.keys() - {""}):
        if {_flow(each.config) for each in facts.of(former).values()} == own:
            return former
    return ""


# Of Debezium's connectors, and of the sink. The topic between these has the name of the pipeline.
_READ = ("database.hostname", "database.port", "database.dbname", "table.include.list")
_WRITTEN = ("topics", "iceberg.catalog", "iceberg.tables")


def _flow(config: Mapping[str, str]) -> tuple[str, ...]:
    """What a connector reads, and where it writes, whatever its pipeline is called."""
    found = tuple(config.get(key, "") for key in (*_READ, *_WRITTEN))
    return tuple("" if each.startswith("cdc-") else each for each in found)


def _same(there: Connector | None, wanted: Mapping[str, str]) -> bool:
    return there is not None and dict(there.config) == dict(wanted)


def _route(found: Differences, name: str) -> Detail:
    pipeline = found.lakehouse.pipelines[name]
    source = pipeline.source
    if source.changes is None:
        start = f"topic {source.topic}"
    else:
        start = f"{'MySQL' if source.mysql else 'PostgreSQL'}'s {source.changes.table}"
    return Detail("+", f"{start} -> {pipeline.to}")


def _details(there: Mapping[str, Connector], body: PipelineConnectors) -> Iterator[Detail]:
    for name in body.remove:
        if name in body.put:
            yield Detail("~", f"{name}: reads all rows again, because its replication slot was dropped")
        else:
            yield Detail("-", f"connector {name}")
    for name, config in body.put.items():
        if name not in there:
            yield Detail("+", f"connector {name}")
            continue
        old = there[name].config
        for key in sorted(old.keys() | config.keys()):
            if old.get(key) != config.get(key):
                yield Detail("~", f"{name}: {key}: {old.get(key, 'not set')} -> {config.get(key, 'not set')}")
    for name in body.restart:
        for task in there[name].failures:
            yield Detail("~", f"{name}: task {task.id} has failed: {task.why}")
