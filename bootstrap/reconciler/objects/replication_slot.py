"""Replication slots of PostgreSQL that no pipeline reads any more, because Kafka Connect left the file with them, or
because a pipeline reads another database now.

A slot without a pipeline goes with both keys to deletion, as the pipeline would have; its record keeps the second one.
It is the place at which the pipeline was: with the slot, what changed since then could still be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bootstrap.engines.replication import SourceDatabase, drop, kept
from bootstrap.engines.slot_records import SlotRecord, SlotRecords
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Change, Note
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Inquiry, ObjectKind, Put
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Refused, RemoteError, Unreachable
from lakehouse.kinds.pipeline import password_of
from lakehouse.runtimes.state import State
from lakehouse.spec.model import Lakehouse

SLOT = "slot"
_PATIENCE = 5.0  # seconds that a database may take to answer a plan


class ReplicationSlots(ObjectKind):
    words = (SLOT,)

    def prepare(self, lakehouse: Lakehouse, world: World) -> None:
        """Note the slots that somebody else has dropped."""
        records = _records(world)
        for each in _unread(world):
            if records is not None and not _there(world, each):
                records.keep(replace(each, dropped=True))

    def read(self, look: Inquiry) -> Put:
        found = tuple(unread(look.world))

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, SLOT: found})

        return put

    def compare(self, found: Differences) -> None:
        """The file names none."""

    def compare_unnamed(self, found: Differences) -> None:
        records: tuple[SlotRecord, ...] = found.facts.own.get(SLOT, ())
        for each in records:
            change = Change("destroy", SLOT, "", each.name, (Detail("-", f"pipeline {each.pipeline} read by it"),))
            if each.deletable and found.allow_destroy:
                found.destroy(change, marked=True)
            else:
                found.unnamed.append(change.address)
                found.kept.append(Note(change.address, f"no pipeline reads it, and it stays: {how_to_drop(each)}"))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        records, state = _records(work.world), work.world.connections.user_keys
        record = next((each for each in records or () if each.name == change.name), None)
        if records is None or state is None or record is None:
            return ""  # somebody has deleted its record
        way_out = f"If that database is gone, delete {records.path(record.source)}"
        try:
            dropped = drop(record.source, password(state, record), end_reader=False)
        except Unreachable as error:
            raise Refused(f"{error} {way_out}") from None
        if not dropped:
            raise Refused(
                f"somebody reads it: another copy of this stack, or a Kafka Connect that has not ended. Stop who reads "
                f"it and apply again, or, if the slot is now theirs, delete {records.path(record.source)}"
            )
        records.keep(replace(record, dropped=True))
        return ""


def unread(world: World) -> Iterator[SlotRecord]:
    """The slots that no pipeline of the file and no connector reads. One whose database does not answer is there."""
    return (each for each in _unread(world) if _there(world, each))


def how_to_drop(record: SlotRecord) -> str:
    """What a slot that stays does, and what drops it."""
    second = f" and `deletable: true` on pipeline {record.pipeline}, applied before its entry is removed"
    return (
        f"{record.source} keeps its log for it until its disk is full. Dropping it takes --allow-destroy"
        f"{'' if record.deletable else second}; or, there, SELECT pg_drop_replication_slot('{record.source.slot}')"
    )


def _unread(world: World) -> list[SlotRecord]:
    records = [each for each in _records(world) or () if not each.dropped]
    if not records:
        return []
    connection, connect = world.connections.connect, world.connect
    configs = [config for each in (connection.wanted.values() if connection else ()) for config in each.values()]
    configs += [each.config for each in (connect().connectors().values() if connect else ())]
    read = {source.place for config in configs if (source := SourceDatabase.of(config)) is not None}
    return [each for each in records if each.source.place not in read]


def _records(world: World) -> SlotRecords | None:
    """The records of a stack on this machine; None: stacks in AWS have no pipelines."""
    state = world.connections.user_keys
    return None if state is None else SlotRecords(state)


def _there(world: World, record: SlotRecord) -> bool:
    state = world.connections.user_keys
    assert state is not None  # it has records
    try:
        return kept(record.source, password(state, record), _PATIENCE) is not None
    except RemoteError:
        return True


def password(state: State, record: SlotRecord) -> str:
    """The password of a pipeline. Raises Refused if it is gone: asking for it would make another one."""
    name = password_of(record.pipeline)
    if not state.kept(name).is_file():
        raise Refused(f"the password of pipeline {record.pipeline} is no longer there: {state.kept(name)} is missing")
    return state.secret(name)
