"""The calls of :mod:`lakehouse.access.engines`, made for real in Trino with each principal's own password.

Nothing is left behind: changes are only analysed, which asks Trino's access control too, and what a principal creates
or drops is a table of the test, in each namespace.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bootstrap.session import clients
from bootstrap.session.target import Target
from bootstrap.session.trino_login import TrinoLogin, authority
from lakehouse.access.engines import EngineCall, engine_calls
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse
from lakehouse.spec.roles import MASK
from lakehouse.text import sql

#: The beginning of the names of the test's tables.
OURS = "lakehouse_access_test_"
_SIDE_BY_SIDE = 4
_ANALYSE = "EXPLAIN (TYPE VALIDATE)"
_DENIED = ("PERMISSION_DENIED",)
#: ALTER TABLE ... EXECUTE is refused like this for a table with a filter or mask.
_REFUSED = (*_DENIED, "NOT_SUPPORTED")
#: Also in a text or a name: such a filter is rare, and only not tried.
_SUBQUERY = re.compile(r"\b(select|table)\b", re.IGNORECASE)

Ask = Callable[[str], list[list[Any]]]  # sends a statement, and returns its rows


@dataclass(frozen=True)
class TrinoOutcome:
    """A call, and whether Trino allowed it."""

    call: EngineCall
    allowed: bool


def calls(lakehouse: Lakehouse) -> list[EngineCall]:
    """The calls that can be tried: in namespaces that every kind of catalog shows to Trino, and not on views.

    A table of the file is never dropped.
    """
    return [
        call
        for call in engine_calls(lakehouse)
        if "." not in call.namespace
        and lakehouse.access.principals[call.principal].is_known_to("trino")
        and call.name not in lakehouse.catalogs[call.catalog].namespaces[call.namespace].views
        and not (call.operation == "drop" and call.name)
    ]


def outcomes(
    wanted: Sequence[EngineCall], target: Target, password: Callable[[str], str | None]
) -> Iterator[TrinoOutcome]:
    """Make the calls, in their order. ``password`` is a principal's; None: it reaches nothing.

    Raises LakehouseError if Trino does not answer, or answers neither yes nor no.
    """
    trust = str(authority(target))
    words = {name: password(name) for name in dict.fromkeys(call.principal for call in wanted)}
    asks = {name: _asking(target, TrinoLogin(name, word, trust)) for name, word in words.items() if word}
    owner = _asking(target, None)
    spaces = list(dict.fromkeys((call.catalog, call.namespace) for call in wanted))
    narrowed = {_of(call): call for call in wanted if call.filters or call.masks}
    with _tables(owner, spaces) as name, ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:

        def outcome(call: EngineCall) -> TrinoOutcome:
            ask = asks.get(call.principal)
            if ask is None:
                return TrinoOutcome(call, allowed=False)
            if call.operation == "read-all" and _of(call) in narrowed:
                return TrinoOutcome(call, _sees_hidden(narrowed[_of(call)], ask))
            return TrinoOutcome(call, _may(call, ask, owner, call.name or name))

        yield from threads.map(outcome, wanted)


def _of(call: EngineCall) -> tuple[str, ...]:
    """Whose call it is, and on what."""
    return call.principal, call.catalog, call.namespace, call.name


def _may(call: EngineCall, ask: Ask, owner: Ask, table: str) -> bool:
    place = (call.catalog, call.namespace, table)
    name = sql.path(place, "trino")
    match call.operation:
        case "list":
            tables = _answer(ask, f"SHOW TABLES FROM {sql.path(place[:2], 'trino')}")
            return tables is not None and [table] in tables
        case "load":
            return bool(_answer(ask, f"DESCRIBE {name}"))
        case "read" | "read-all":
            return _answer(ask, f"SELECT * FROM {name} LIMIT 0") is not None  # noqa: S608 - quoted
        case "history":
            files = sql.path((*place[:2], f"{table}$files"), "trino")
            return _answer(ask, f"SELECT * FROM {files} LIMIT 0") is not None  # noqa: S608 - quoted
        case "write":
            changes = [f"INSERT INTO {name} SELECT * FROM {name}", f"DELETE FROM {name} WHERE false"]  # noqa: S608
            found = [_answer(ask, f"{_ANALYSE} {each}") is not None for each in changes]
            return all(found) if call.allowed else any(found)
        case "execute":
            return _answer(ask, f"{_ANALYSE} ALTER TABLE {name} EXECUTE optimize", _REFUSED) is not None
        case "create":
            return _answer(ask, f"{_ANALYSE} CREATE OR REPLACE TABLE {name} AS SELECT 1 AS a") is not None
        case "drop":
            with _tables(owner, [place[:2]]) as own:
                return _answer(ask, f"DROP TABLE {sql.path((*place[:2], own), 'trino')}") is not None


def _sees_hidden(call: EngineCall, ask: Ask) -> bool:
    """Whether it sees a row or a value that a filter or mask must hide: as far as that can be asked of the rows.

    A filter beside masks is not tried, because a condition of the query sees masked values. One with a subquery is not,
    because Trino reads the names in it from the table's schema and with the owner's rights. Nor are expressions.
    """
    name = sql.path((call.catalog, call.namespace, call.name), "trino")
    hidden = [f"{sql.name(column.lower(), 'trino')} IS NOT NULL" for column, mask in call.masks if mask == MASK]
    if call.filters and not call.masks and not any(map(_SUBQUERY.search, call.filters)):
        hidden.append(f"NOT coalesce({' OR '.join(f'({each})' for each in call.filters)}, false)")
    return any(_answer(ask, f"SELECT 1 FROM {name} WHERE {each} LIMIT 1") for each in hidden)  # noqa: S608


def _answer(ask: Ask, statement: str, denied: Sequence[str] = _DENIED) -> list[list[Any]] | None:
    """The rows; None if Trino refused the statement."""
    from trino.exceptions import Error, HttpError, TrinoQueryError

    try:
        return ask(statement)
    except TrinoQueryError as error:
        if error.error_name in denied:
            return None
        raise LakehouseError(f"Trino answered neither yes nor no to `{statement}`: {error.message}") from error
    except HttpError as error:
        if str(error).partition(":")[0] == "error 401":
            return None  # it has no such user, or another password
        raise LakehouseError(f"Trino answered neither yes nor no to `{statement}`: {error}") from error
    except Error as error:
        raise LakehouseError(f"Trino did not answer: {error}") from error


@contextmanager
def _tables(owner: Ask, spaces: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A table of the test in each namespace, for as long as the context lasts. Yields their name."""
    name = f"{OURS}{uuid.uuid4().hex[:8]}"
    paths = [sql.path((*space, name), "trino") for space in spaces]
    try:
        for each in paths:
            owner(f"CREATE TABLE {each} (a integer)")
        yield name
    finally:
        for each in paths:
            owner(f"DROP TABLE IF EXISTS {each}")


def _asking(target: Target, login: TrinoLogin | None) -> Ask:
    """Sends a statement as that user, by default as the owner."""

    def ask(statement: str) -> list[list[Any]]:
        with clients.trino(target, login=login) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())

    return ask
