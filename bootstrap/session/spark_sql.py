"""SQL with Spark Connect. https://spark.apache.org/docs/latest/spark-connect-overview.html"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bootstrap.session import arrow_values, clients
from bootstrap.session.interrupts import briefly
from bootstrap.session.results import EngineName, SqlFailure, SqlResult
from bootstrap.session.statements import command
from bootstrap.session.target import Target

if TYPE_CHECKING:
    import pyarrow as pa

# Where the parser and the analyser (from 0), and where an expression (from 1) found the fault.
_PLACE = re.compile(r"[;\s(]*line (\d+),? pos (\d+)[;)]*")
_AT = re.compile(r"\s*== SQL .*?\(line (\d+), position (\d+)\) ==")
_REST = re.compile(r"\n\nJVM stacktrace:|\n\tat |\n'?[A-Z]\w+ \[|\n+== SQL")  # stack, plan, and the SQL again
_SILENT = ("USE", "SET", "RESET")  # they change the session only


class SparkEngine:
    """A session of Spark Connect."""

    dialect: EngineName = "spark"

    def __init__(self, target: Target) -> None:
        self._session = clients.spark(target)
        self._closed = False

    def run(self, statement: str) -> SqlResult:
        try:
            frame: Any = self._session.sql(statement)
            stream = _stream(frame)
            columns = tuple(next(stream).names)  # the schema comes before the rows
        except Exception as error:
            raise _failure(error) from error
        did = "" if columns else command(statement, self.dialect)
        return SqlResult(columns, _batches(stream), "" if did in _SILENT else did)

    @property
    def session_id(self) -> str:
        """What :func:`clients.end_former` ends, if this process is killed."""
        session: Any = self._session  # the types are those of the other kind of session
        return str(session.session_id)

    def append(self, rows: pa.Table, table: str) -> None:
        """Appends rows to a table, in one commit. Raises SqlFailure with Spark's own message."""
        try:
            create: Any = self._session.createDataFrame
            create(rows).writeTo(table).append()
        except Exception as error:
            raise _failure(error) from error

    def cancel(self) -> None:
        briefly(self._session.interruptAll)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if briefly(self._session.interruptAll):  # else the server does not answer, and would not now
                self._session.stop()  # forgets it even if the server has ended it already


def _stream(frame: Any) -> Iterator[Any]:
    """The schema, then tables of rows as they come. Arrow keeps instants; collect() would make them local times."""
    client = frame._session.client
    read = client.to_table_as_iterator
    plan = frame._plan.to_proto(client)
    # The client of Spark 3.5 has no observations.
    stream: Iterator[Any] = read(plan, {}) if len(inspect.signature(read).parameters) > 1 else read(plan)
    return stream


def _batches(stream: Iterator[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    try:
        for table in stream:
            for batch in table.to_batches():
                yield list(arrow_values.rows(batch))
    except Exception as error:
        raise _failure(error) from error


def _failure(error: Exception) -> SqlFailure:
    """Spark's message without the server's stack trace, the plan and the repeated SQL."""
    message, place = str(error).strip(), None
    if found := _PLACE.search(message):
        place = int(found[1]), int(found[2]) + 1
        message = message[: found.start()] + message[found.end() :]
    elif found := _AT.search(message):
        place = int(found[1]), int(found[2])
    message = _REST.split(message, maxsplit=1)[0].strip()
    return SqlFailure(message or type(error).__name__, place)
