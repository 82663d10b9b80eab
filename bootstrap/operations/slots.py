"""What a stack that is stopped, or whose data goes, leaves in the databases that its pipelines read: their slots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bootstrap.engines import replication
from bootstrap.engines.replication import SourceDatabase
from bootstrap.engines.slot_records import SlotRecord, SlotRecords
from bootstrap.reconciler.objects import replication_slot
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import RemoteError
from bootstrap.session.connect import connect, kafka_connect
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.kinds.pipeline import password_of


def sources(target: Target) -> list[SlotRecord]:
    """The slots of the stack: those of pipelines of the file that were deployed, and those that were recorded."""
    if target.in_aws:
        return []
    found: dict[object, SlotRecord] = {}
    there = kafka_connect(target.lakehouse, target.stack, target.located)
    for name, connectors in (there.wanted if there else {}).items():
        source = next(filter(None, map(SourceDatabase.of, connectors.values())), None)
        # A deploy writes the password: without it, there was none, and asking for it would make one.
        if source is not None and target.located.state.kept(password_of(name)).is_file():
            found[source.place] = SlotRecord(name, target.lakehouse.pipelines[name].deletable, source)
    for each in _records(target):
        if not each.dropped:
            found.setdefault(each.source.place, each)
    return list(found.values())


def left(target: Target) -> Iterator[str]:
    """What to know of the slots that a stopped stack leaves: it goes on there, and until then databases keep their log.

    Databases that cannot be asked have theirs, for all that is known.
    """
    for each in sources(target):
        source = each.source
        try:
            size = replication.kept(source, _password(target, each))
        except RemoteError:
            size = 0
        if size is None:
            continue
        why = f"Pipeline {each.pipeline} will go on where it was, so its"
        if each.pipeline not in target.lakehouse.pipelines:
            why = f"Pipeline {each.pipeline} is no longer in {target.path.name}, but its"
        yield (
            f"{why} replication slot {source.slot} stays in {source}, where PostgreSQL keeps its log from now on, "
            "until its disk is full. If the stack stays down, "
            "`lakehouse destroy --data` drops the slot, or there: "
            f"SELECT pg_drop_replication_slot('{source.slot}')."
        )


def unread(target: Target) -> Iterator[str]:
    """What to know of the slots that no pipeline of a stack that runs reads any more."""
    if target.in_aws or not any(not each.dropped for each in _records(target)):
        return
    try:
        _, connections = connect(target.path, target.stack)
        found = list(replication_slot.unread(World.of(connections)))
    except RemoteError:
        return  # the plan says what does not answer
    for each in found:
        yield f"No pipeline reads the replication slot {each.name}: {replication_slot.how_to_drop(each)}."


def drop(target: Target) -> list[str]:
    """Drop the slot of each pipeline. Returns what to know of those that somebody else reads, which stay.

    Raises LakehouseError with the first that stays for another reason.
    """
    said = []
    for each in sources(target):
        source = each.source
        try:
            # The stack is down. Who reads is a copy of it, as one that was restored beside it: both have this slot.
            dropped = replication.drop(source, _password(target, each), end_reader=False)
        except RemoteError as error:
            raise LakehouseError(
                f"pipelines.{each.pipeline}: {str(error).rstrip('.')}. The stack's data is still there, with the "
                f"password. If the database is gone, {_way_out(target, each)} first."
            ) from error
        if not dropped:
            said.append(f"The replication slot {source.slot} stays in {source}: another copy of this stack reads it.")
    return said


def _way_out(target: Target, of: SlotRecord) -> str:
    """What makes a stack forget a slot."""
    steps = []
    if of.pipeline in target.lakehouse.pipelines:
        steps.append(f"remove pipelines.{of.pipeline} from {target.path.name}")
    if (record := _record(target, of.source)) is not None:
        steps.append(f"delete {record}")
    return " and ".join(steps)


def _records(target: Target) -> SlotRecords:
    return SlotRecords(target.located.state)


def _record(target: Target, source: SourceDatabase) -> Path | None:
    path = _records(target).path(source)
    return path if path.is_file() else None


def _password(target: Target, of: SlotRecord) -> str:
    return replication_slot.password(target.located.state, of)
