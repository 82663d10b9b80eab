"""What a stack that is stopped, or whose data goes, leaves in the databases that its pipelines read: their slots."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.engines import replication
from bootstrap.engines.replication import SourceDatabase
from bootstrap.remote.errors import RemoteError
from bootstrap.session.connect import kafka_connect
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.kinds.pipeline import password_of


def sources(target: Target) -> dict[str, SourceDatabase]:
    """Pipeline -> the database that it reads by a slot; of those pipelines of the file that were deployed."""
    if target.in_aws:
        return {}
    there = kafka_connect(target.lakehouse, target.stack, target.located)
    found: dict[str, SourceDatabase] = {}
    for name, connectors in (there.wanted if there else {}).items():
        source = next(filter(None, map(SourceDatabase.of, connectors.values())), None)
        # A deploy writes the password: without it, there was none, and asking for it would make one.
        if source is not None and target.located.state.kept(password_of(name)).is_file():
            found[name] = source
    return found


def left(target: Target) -> Iterator[str]:
    """What to know of the slots that a stopped stack leaves: it goes on there, and until then databases keep their log.

    Databases that cannot be asked have theirs, for all that is known.
    """
    for name, source in sources(target).items():
        try:
            size = replication.kept(source, _password(target, name))
        except RemoteError:
            size = 0
        if size is None:
            continue
        yield (
            f"Pipeline {name} will go on where it was, so its replication slot {source.slot} stays in {source}, where "
            "PostgreSQL keeps its log from now on, until its disk is full. If the stack stays down, "
            "`lakehouse destroy --data` drops the slot, or there: "
            f"SELECT pg_drop_replication_slot('{source.slot}')."
        )


def drop(target: Target) -> list[str]:
    """Drop the slot of each pipeline. Returns what to know of those that somebody else reads, which stay.

    Raises LakehouseError with the first that stays for another reason.
    """
    said = []
    for name, source in sources(target).items():
        try:
            # The stack is down. Who reads is a copy of it, as one that was restored beside it: both have this slot.
            dropped = replication.drop(source, _password(target, name), end_reader=False)
        except RemoteError as error:
            raise LakehouseError(
                f"pipelines.{name}: {str(error).rstrip('.')}. The stack's data is still there, with the password. "
                f"If the database is gone, remove pipelines.{name} from {target.path.name} first."
            ) from error
        if not dropped:
            said.append(f"The replication slot {source.slot} stays in {source}: another copy of this stack reads it.")
    return said


def _password(target: Target, pipeline: str) -> str:
    return target.located.state.secret(password_of(pipeline))
