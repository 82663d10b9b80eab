"""Replication slots of PostgreSQL: one that nobody reads any more keeps the server's log until its disk is full.

https://www.postgresql.org/docs/18/logicaldecoding-explanation.html#LOGICALDECODING-REPLICATION-SLOTS
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.remote.errors import Refused, RemoteError, Unreachable, first_line
from lakehouse.text import sql

_SECONDS = 30  # for the reader of a slot to end
_UNNOTICED = 90  # seconds in which PostgreSQL notices that a reader is gone, whatever became of it (wal_sender_timeout)
_PUBLICATION = "publication.name"


@dataclass(frozen=True)
class SourceDatabase:
    """A database that Debezium reads, as its connector's settings have it."""

    host: str
    port: int
    database: str
    user: str
    slot: str
    publication: str

    @classmethod
    def of(cls, config: Mapping[str, str]) -> SourceDatabase | None:
        """That of a connector with these settings; None: it reads no PostgreSQL."""
        if "slot.name" not in config:
            return None
        names = ("database.hostname", "database.port", "database.dbname", "database.user", "slot.name", _PUBLICATION)
        host, port, database, user, slot, publication = (config[each] for each in names)
        return cls(host, int(port), database, user, slot, publication)

    @property
    def place(self) -> tuple[str, int, str, str]:
        """Where the slot is, whoever reads it."""
        return self.host, self.port, self.database, self.slot

    def __str__(self) -> str:
        return f"{self.database} at {self.host}:{self.port}"


def drop(
    source: SourceDatabase, password: str, pause: Callable[[float], None] = time.sleep, *, end_reader: bool = True
) -> bool:
    """Drop the slot and the publication, if they are there, and end whoever reads the slot.

    Without ``end_reader``, one that goes on reading keeps both, and False is returned.
    Raises Refused if PostgreSQL does not do it, Unreachable if it does not answer.
    """

    def work(connection: Any) -> bool:
        if not _drop(connection, source.slot, pause, end_reader=end_reader):
            return False
        connection.run(f"DROP PUBLICATION IF EXISTS {sql.name(source.publication, 'trino')}")  # as in the standard
        return True

    try:
        return bool(_asked(source, password, work))
    except Refused as error:
        fix = f"Drop it there, SELECT pg_drop_replication_slot('{source.slot}'), or correct the cause, and try again"
        raise Refused(
            f"the replication slot {source.slot} of {source} stays, and keeps its log: {error}. {fix}"
        ) from None


def kept(source: SourceDatabase, password: str, patience: float = _SECONDS) -> int | None:
    """The bytes of its log that PostgreSQL keeps for the slot; None: there is no such slot.

    Raises Refused, or Unreachable if there is no answer in ``patience`` seconds.
    """
    return _asked(source, password, lambda connection: _kept(connection, source.slot), patience)


def _kept(connection: Any, slot: str) -> int | None:
    newest = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
    said = f"SELECT pg_wal_lsn_diff({newest}, restart_lsn) FROM pg_replication_slots WHERE slot_name = :slot"  # noqa: S608
    [[found]] = connection.run(said, slot=slot) or [[None]]
    return None if found is None else int(found)


def _asked(
    source: SourceDatabase, password: str, work: Callable[[Any], int | None], patience: float = _SECONDS
) -> int | None:
    """What ``work`` returns for a connection. Raises Refused or Unreachable."""
    outcome = _tried(source, password, work, patience)
    if isinstance(outcome, RemoteError):  # raised here: pg8000's own errors keep its socket open as long as they live
        raise outcome
    return outcome


def _tried(
    source: SourceDatabase, password: str, work: Callable[[Any], int | None], patience: float
) -> int | RemoteError | None:
    import pg8000.native as postgres

    try:
        connection = _connection(source, password, patience)
        try:
            return work(connection)
        finally:
            connection.close()
    except postgres.InterfaceError as error:
        fix = f"Its replication slot {source.slot} stays, and keeps its log: try again when it answers."
        return Unreachable("PostgreSQL", f"{source.host}:{source.port}", first_line(error), fix)
    except postgres.DatabaseError as error:
        said = error.args[0].get("M", "") if error.args and isinstance(error.args[0], dict) else first_line(error)
        return Refused(said or first_line(error))


def _connection(source: SourceDatabase, password: str, patience: float) -> Any:
    """A connection with TLS if the server has it. As Debezium, it asks for no proof of who the server is."""
    import pg8000.native as postgres

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    settings = {"host": source.host, "port": source.port, "database": source.database, "password": password}
    try:
        return postgres.Connection(source.user, ssl_context=context, timeout=patience, **settings)
    except postgres.InterfaceError as error:
        if "SSL" not in str(error):
            raise
        return postgres.Connection(source.user, timeout=patience, **settings)


def _drop(connection: Any, slot: str, pause: Callable[[float], None], *, end_reader: bool) -> bool:
    """Drop the slot. Returns False if somebody reads it and may go on."""
    for _ in range(_SECONDS if end_reader else _UNNOTICED):
        found = connection.run("SELECT active_pid FROM pg_replication_slots WHERE slot_name = :slot", slot=slot)
        if not found:
            return True
        [[reader]] = found
        if reader is None:
            break
        if end_reader:  # of a Connect that was killed: the server notices that only after a minute
            connection.run("SELECT pg_terminate_backend(:reader)", reader=reader)
        pause(1.0)
    else:
        if not end_reader:
            return False
    connection.run("SELECT pg_drop_replication_slot(:slot)", slot=slot)
    return True
