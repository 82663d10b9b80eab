"""SQL on a running lakehouse, with Trino or Spark Connect: statements in, rows out."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

from bootstrap.session import clients
from bootstrap.session.statements import SqlStatement
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

EngineName = Literal["trino", "spark"]
RowFormat = Literal["table", "csv", "json"]


@dataclass(frozen=True)
class SqlResult:
    """A statement's result; no columns: no result. ``rows`` may come from the engine while they are read."""

    columns: tuple[str, ...]
    rows: Iterator[Sequence[Any]]


class SqlEngine(Protocol):
    """A session of an engine: USE and SET in one statement apply to the next."""

    dialect: EngineName

    def run(self, statement: str) -> SqlResult:
        """Runs one statement. Raises LakehouseError with the engine's own message."""


def open_engine(target: Target, name: EngineName | None) -> SqlEngine:
    """A new session: by default with Trino, or with Spark if the file has no Trino."""
    chosen = name or ("trino" if target.lakehouse.engines.trino is not None else "spark")
    return TrinoEngine(target) if chosen == "trino" else SparkEngine(target)


class TrinoEngine:
    """https://github.com/trinodb/trino-python-client"""

    dialect: EngineName = "trino"

    def __init__(self, target: Target) -> None:
        self._connection = clients.trino(target)

    def run(self, statement: str) -> SqlResult:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            columns = tuple(column[0] for column in cursor.description or ())
        except Exception as error:
            raise _trino_error(error) from error
        # INSERT and the like return an unnamed count: the update type shows that it is not a result table.
        if cursor.update_type and columns in ((), ("rows",)):
            return SqlResult((), self._rows(cursor))
        return SqlResult(columns, self._rows(cursor))

    @staticmethod
    def _rows(cursor: Any) -> Iterator[Sequence[Any]]:
        try:
            while batch := cursor.fetchmany(1000):
                yield from batch
        except Exception as error:
            raise _trino_error(error) from error


def _trino_error(error: Exception) -> LakehouseError:
    from trino.exceptions import TrinoQueryError

    if isinstance(error, TrinoQueryError):
        return LakehouseError(f"{error.message} ({error.error_name})")
    return LakehouseError(f"{type(error).__name__}: {error}")


class SparkEngine:
    """https://spark.apache.org/docs/latest/spark-connect-overview.html"""

    dialect: EngineName = "spark"

    def __init__(self, target: Target) -> None:
        self._session = clients.spark(target)

    def run(self, statement: str) -> SqlResult:
        try:
            frame: Any = self._session.sql(statement)
            # Arrow keeps instants as they are; collect() would turn them into this machine's local time.
            table: pa.Table = frame.toArrow() if hasattr(frame, "toArrow") else _arrow(frame)
        except Exception as error:
            raise _spark_error(error) from error
        batches = (
            zip(*(column.to_pylist() for column in batch.columns), strict=True) for batch in table.to_batches(1000)
        )
        return SqlResult(tuple(table.column_names), (row for batch in batches for row in batch))

    def append(self, rows: pa.Table, table: str) -> None:
        """Appends rows to a table, in one commit. Raises LakehouseError with Spark's own message."""
        try:
            create: Any = self._session.createDataFrame
            create(rows).writeTo(table).append()
        except Exception as error:
            raise _spark_error(error) from error

    def close(self) -> None:
        """Ends the session, and what runs in it."""
        clients.end_spark(self._session)


def _arrow(frame: Any) -> pa.Table:
    """toArrow for the client of Spark 3.5, which has none."""
    client = frame._session.client
    table: pa.Table = client.to_table(frame._plan.to_proto(client))[0]
    return table


def _spark_error(error: Exception) -> LakehouseError:
    # The server's stack trace follows the message.
    message = str(error).partition("\n\nJVM stacktrace:")[0].partition("\n\tat ")[0].strip()
    return LakehouseError(message or type(error).__name__)


def run(
    engine: SqlEngine,
    statements: Sequence[SqlStatement],
    form: RowFormat,
    out: IO[str],
    source: str,
    times: IO[str] | None = None,
) -> None:
    """Runs the statements in order and prints their results; stops at the first that fails.

    ``times`` gets a line for each with the seconds that it took, its rows included.

    Raises LakehouseError that names the statement of ``source`` that failed and why.
    """
    if not statements:
        raise UsageError(f"{source} contains no statement to run.")
    for number, statement in enumerate(statements, 1):
        began = time.monotonic()
        try:
            show(engine.run(statement.text), form, out)
        except LakehouseError as error:
            which = f" (statement {number} of {len(statements)})" if len(statements) > 1 else ""
            raise LakehouseError(f"{source}:{statement.line}{which}: {error}") from error
        out.flush()
        if times is not None:
            print(f"{time.monotonic() - began:.2f} s", file=times)


def show(result: SqlResult, form: RowFormat, out: IO[str]) -> None:
    """Prints a result: a table for people, CSV with a header (RFC 4180), or one JSON object per row and line."""
    if not result.columns:
        for _ in result.rows:  # Trino runs a statement to its end only while its rows are read
            pass
    elif form == "table":
        out.writelines(f"{line}\n" for line in table(result.columns, result.rows))
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows(["" if value is None else text(value) for value in row] for row in result.rows)
    else:
        names = distinct(result.columns)
        for row in result.rows:
            values = dict(zip(names, row, strict=True))
            out.write(json.dumps(values, default=text, ensure_ascii=False) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table as psql prints it, numbers right-aligned, followed by the row count."""
    from rich.cells import cell_len

    raw = list(rows)
    cells = [[_cell(value) for value in row] for row in raw]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    right = [
        all(isinstance(value, int | float | Decimal) or value is None for value in column) and bool(raw)
        for column in (zip(*raw, strict=True) if raw else ((),) * len(columns))
    ]

    def line(values: Sequence[str], to_right: Sequence[bool]) -> str:
        padded = []
        for value, width, is_right in zip(values, widths, to_right, strict=True):
            blanks = " " * (width - cell_len(value))
            padded.append(blanks + value if is_right else value + blanks)
        return f" {' | '.join(padded)}".rstrip()

    yield line(columns, right)
    yield f"-{'-+-'.join('-' * width for width in widths)}-"
    for row in cells:
        yield line(row, right)
    yield f"({len(raw)} row{'' if len(raw) == 1 else 's'})"


def _cell(value: Any) -> str:
    return "NULL" if value is None else text(value).replace("\n", "\\n")


def text(value: Any) -> str:
    """A value as text: ISO 8601 for times, 0x and hexadecimal for bytes, JSON for lists, maps and structs."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return f"0x{value.hex()}"
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=text, ensure_ascii=False)
    return str(value)


def distinct(columns: Sequence[str]) -> list[str]:
    """The names, with a number added to repeated ones, so that no value of a row is lost."""
    found: list[str] = []
    for name in columns:
        unique, count = name, 2
        while unique in found:
            unique, count = f"{name}_{count}", count + 1
        found.append(unique)
    return found


def source_of(file: str | None, expression: str | None) -> tuple[str, str]:
    """The SQL to run and the name of its source: an expression, a file, or standard input (``-`` or a pipe).

    Raises UsageError if there is none, or both.
    """
    if expression is not None and file is not None:
        raise UsageError(f"Both -e and {file} are given: choose one.")
    if expression is not None:
        return expression, "-e"
    if file is None and sys.stdin.isatty():
        raise UsageError("No SQL: give a FILE, -e SQL, or a pipe. To type SQL, use `lakehouse shell`.")
    if file is None or file == "-":
        return sys.stdin.read(), "standard input"
    try:
        with open(file, encoding="utf-8") as opened:
            return opened.read(), file
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
