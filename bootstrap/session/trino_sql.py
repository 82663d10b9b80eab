"""SQL with Trino. https://trino.io/docs/current/develop/client-protocol.html"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bootstrap.session import clients
from bootstrap.session.interrupts import briefly
from bootstrap.session.results import EngineName, SqlFailure, SqlResult
from bootstrap.session.target import Target
from bootstrap.session.trino_values import decoder
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from trino.client import TrinoQuery, TrinoRequest

_PLACE = re.compile(r"line \d+:\d+: ")
# They change the session only; a result says nothing about them.
_SILENT = ("USE", "SET SESSION", "RESET SESSION", "SET TIME ZONE", "SET PATH", "SET ROLE", "PREPARE", "DEALLOCATE")


class TrinoEngine:
    """A session with Trino."""

    dialect: EngineName = "trino"

    def __init__(self, target: Target, *, seconds: float | None = None) -> None:
        """``seconds``: after which Trino ends a statement."""
        self._request = clients.trino_requests(target, seconds=seconds)
        self._running: TrinoRequest | None = None

    def run(self, statement: str) -> SqlResult:
        from trino.client import TrinoQuery

        self._running = self._request()
        # Values as the server sends them: the client's own types lose nanoseconds, and years beyond 9999.
        query = TrinoQuery(self._running, statement, legacy_primitive_types=True)
        try:
            first = query.execute().rows
            columns = query.columns or ()
        except Exception as error:
            raise _failure(error) from error
        names = tuple(each["name"] for each in columns)
        # INSERT and the like return an unnamed count: the update type shows that it is not a result table.
        if query.update_type and names in ((), ("rows",)):
            return SqlResult((), self._batches(query, (), ()), _did(query.update_type, query.update_count))
        return SqlResult(names, self._batches(query, first, [each["typeSignature"] for each in columns]))

    def cancel(self) -> None:
        request, self._running = self._running, None
        if request is not None and request.next_uri is not None:
            request.max_attempts = 1
            address = request.next_uri
            briefly(lambda: request.delete(address))

    def close(self) -> None:
        self.cancel()

    def _batches(
        self, query: TrinoQuery, first: Sequence[Any], signatures: Sequence[Any]
    ) -> Iterator[Sequence[Sequence[Any]]]:
        decoders = [decoder(each) for each in signatures]
        rows: Any = first
        try:
            while True:
                yield [[decode(value) for decode, value in zip(decoders, row, strict=True)] for row in rows]
                if query.finished:
                    return
                rows = query.fetch()
        except Exception as error:
            raise _failure(error) from error


def _did(update: str, count: int | None) -> str:
    if update in _SILENT:
        return ""
    return update if count is None else f"{update}: {count} row{'' if count == 1 else 's'}"


def _failure(error: Exception) -> LakehouseError:
    from trino.exceptions import HttpError, TrinoConnectionError, TrinoQueryError

    if isinstance(error, TrinoQueryError):
        if error.error_name == "SERVER_STARTING_UP":
            return SqlFailure(
                f"Trino has just started, and takes no statements yet: try again soon ({error.error_name})"
            )
        return SqlFailure(f"{_PLACE.sub('', error.message, count=1)} ({error.error_name})", error.error_location)
    if isinstance(error, TrinoConnectionError):
        return SqlFailure(f"Trino no longer answers ({error}). `lakehouse status` shows whether it runs.")
    if isinstance(error, HttpError):  # its message has the whole page
        said = str(error).partition(":")[0]
        if said == "error 401":
            return SqlFailure(
                "Trino was started with another password than the state folder has. Put the former file back, or make "
                "a new one: `lakehouse secret rotate trino-password`, then `lakehouse deploy`, which restarts Trino."
            )
        return SqlFailure(
            f"the server at Trino's address does not answer as Trino does ({said}). `lakehouse doctor` helps."
        )
    return SqlFailure(f"{type(error).__name__}: {error}")
