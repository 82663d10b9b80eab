"""Metrics of the catalogs' databases in PostgreSQL, each asked as its own user: that needs no further one.

https://www.postgresql.org/docs/18/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.text.metrics import Family, MetricKind

_QUESTION = """
SELECT numbackends, current_setting('max_connections')::int, pg_database_size(datname), xact_commit, xact_rollback,
       deadlocks
FROM pg_stat_database WHERE datname = current_database()
"""
_FAMILIES: tuple[tuple[str, str, MetricKind], ...] = (
    ("connections", "Connections to the database", "gauge"),
    ("connections_max", "Connections that its server takes, to all its databases together", "gauge"),
    ("size_bytes", "Size of the database", "gauge"),
    ("commits_total", "Transactions that were committed", "counter"),
    ("rollbacks_total", "Transactions that were rolled back", "counter"),
    ("deadlocks_total", "Deadlocks", "counter"),
)


@dataclass(frozen=True)
class AskedDatabase:
    """A database, and who asks it. ``secret`` is the name of that user's password."""

    host: str
    port: int
    name: str
    user: str
    secret: str


def families(databases: Sequence[AskedDatabase], password: Callable[[str], str], seconds: float) -> Iterator[Family]:
    """The metrics of each database that answers within so many seconds. ``password`` gets the name of a secret.

    One that does not answer has only `lakehouse_database_up`, which is 0 then.
    """
    found = [(each.name, _asked(each, password(each.secret), seconds)) for each in databases]
    yield Family(
        "lakehouse_database_up",
        "Whether the database answers",
        [({"database": name}, float(answer is not None)) for name, answer in found],
    )
    for nth, (name, meaning, kind) in enumerate(_FAMILIES):
        values = [({"database": each}, float(answer[nth])) for each, answer in found if answer is not None]
        yield Family(f"lakehouse_database_{name}", meaning, values, kind)


def _asked(database: AskedDatabase, password: str, seconds: float) -> Sequence[Any] | None:
    import pg8000.native as postgres  # many stacks have no PostgreSQL

    try:
        connection = postgres.Connection(
            database.user, host=database.host, port=database.port, database=database.name, password=password,
            timeout=seconds,
        )  # fmt: skip
    except (postgres.Error, OSError):
        return None
    try:
        [answer] = connection.run(_QUESTION)
        return list(answer)
    except (postgres.Error, OSError):
        return None
    finally:
        connection.close()
