"""SQL with Athena, for a stack in AWS. https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bootstrap.session import aws
from bootstrap.session.interrupts import briefly
from bootstrap.session.results import EngineName, SqlFailure, SqlResult
from bootstrap.session.target import Target
from bootstrap.session.values import JsonText, ValueDecoder, trimmed
from lakehouse.access.names import OPERATORS
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import AwsStack

_WAITS = (0.2, 0.5, 1.0)  # seconds between two looks at a statement; the last for all that follow
_PLACE = re.compile(r"(?:^|(?<=: ))line (\d+):(\d+): ")
_USE = re.compile(r"\s*USE\s+(\S+?)\s*;?\s*", re.IGNORECASE)
# The rest (char, varchar, dates, times, intervals, uuid) is text in the form of session.values, and so are arrays, maps
# and rows, of which Athena sends only its own text.
_DECODERS: Mapping[str, ValueDecoder] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), int),
    **dict.fromkeys(("float", "real", "double"), float),
    "decimal": Decimal,
    "boolean": lambda value: value == "true",
    "varbinary": bytes.fromhex,  # it sends pairs of digits with blanks between
    "json": JsonText,
    **dict.fromkeys(("time", "timestamp"), trimmed),
    "timestamp with time zone": lambda value: _zoned(value),
}


def workgroup(target: Target) -> str:
    """The workgroup of the caller: a principal's own, or that of the users who deploy.

    Raises UsageError if the stack has no Athena, LakehouseError if AWS refuses the credentials.
    """
    there = target.lakehouse.stacks[target.stack]
    assert isinstance(there, AwsStack)
    job = "Query them in a job: `lakehouse run`"
    if there.engines != "managed":
        raise UsageError(f"stacks.{target.stack} has no Athena, but clusters on instances (engines: {there.engines}).")
    if there.store_has_tables:
        raise UsageError(f"stacks.{target.stack} has no Athena, as its tables are in S3 Tables. {job}.")
    if target.lakehouse.engines.trino is None:
        raise UsageError(
            f"stacks.{target.stack} has no Athena, because {target.path.name} has no engines.trino. Add it, deploy the "
            "stack again, or use a job: `lakehouse run`."
        )
    caller = aws.caller(target.lakehouse, target.stack)
    return caller.own.workgroup(caller.principal or OPERATORS)


class AthenaEngine:
    """A session with Athena: it keeps nothing between statements, so ``USE`` is kept here."""

    dialect: EngineName = "trino"

    def __init__(
        self, target: Target, group: str, *, waits: Sequence[float] = _WAITS, seconds: float | None = None
    ) -> None:
        """``group``: the workgroup. ``seconds``: after which a statement is cancelled."""
        self._client = aws.client("athena", target.region)
        self._group, self._waits, self._seconds = group, waits, seconds
        self._catalogs = tuple(target.lakehouse.catalogs)
        self._where = f"stacks.{target.stack} is in AWS"
        self._region = target.region
        self._database = ""
        self._running = ""

    def run(self, statement: str) -> SqlResult:
        if used := _USE.fullmatch(statement):
            self._database = self._named(used[1])
            return SqlResult((), iter(()))
        found = self._asked(lambda: self._finish(statement))
        pages = self._pages(found["QueryExecutionId"])
        first = self._asked(lambda: next(pages))
        kind = str(found.get("SubstatementType", ""))
        columns = first["ResultSet"].get("ResultSetMetadata", {}).get("ColumnInfo", [])
        labels = tuple(each["Name"] for each in columns)
        if labels in ((), ("rows",)) and kind != "SELECT":  # Athena counts in a table what a statement changed
            return SqlResult((), iter(()), _did(found, first))
        header = found.get("StatementType") == "DML"
        return SqlResult(labels, self._batches(first, pages, [each["Type"] for each in columns], header=header))

    def cancel(self) -> None:
        running, self._running = self._running, ""
        if running:
            briefly(lambda: self._client.stop_query_execution(QueryExecutionId=running))

    def close(self) -> None:
        self.cancel()

    def _finish(self, statement: str) -> Mapping[str, Any]:
        """Runs a statement to its end. Raises SqlFailure if it fails or is cancelled."""
        context = {"QueryExecutionContext": {"Database": self._database}} if self._database else {}
        started = self._client.start_query_execution(QueryString=statement, WorkGroup=self._group, **context)
        self._running = started["QueryExecutionId"]
        deadline = None if self._seconds is None else time.monotonic() + self._seconds
        waits = iter(self._waits)
        wait = next(waits)
        while True:
            found: Mapping[str, Any] = self._client.get_query_execution(QueryExecutionId=self._running)
            found = found["QueryExecution"]
            state = found["Status"]["State"]
            if state == "SUCCEEDED":
                self._running = ""
                return found
            if state in ("FAILED", "CANCELLED"):
                self._running = ""
                raise self._failure(found["Status"])
            if deadline is not None and time.monotonic() > deadline:
                self.cancel()
                raise SqlFailure(f"Athena did not end this within {self._seconds:.0f} s; it was cancelled")
            time.sleep(wait)
            wait = next(waits, wait)

    def _failure(self, status: Mapping[str, Any]) -> SqlFailure:
        reason = str(status.get("StateChangeReason") or status["State"])
        place = None
        if found := _PLACE.search(reason):
            place = int(found[1]), int(found[2])
            reason = reason[: found.start()] + reason[found.end() :]
        for catalog in self._catalogs:
            if re.search(rf"\b{re.escape(catalog)}\b.* does not exist", reason):
                reason += f". In Athena a table is called NAMESPACE.TABLE, without {catalog}"
        return SqlFailure(reason, place)

    def _named(self, name: str) -> str:
        """The database of ``USE``: other engines name the catalog too, which Athena does not know."""
        catalog, _, rest = name.replace('"', "").replace("`", "").partition(".")
        return rest if rest and catalog in (*self._catalogs, "AwsDataCatalog") else f"{catalog}{'.' * bool(rest)}{rest}"

    def _pages(self, execution: str) -> Iterator[Mapping[str, Any]]:
        yield from self._client.get_paginator("get_query_results").paginate(QueryExecutionId=execution)

    def _batches(
        self, first: Mapping[str, Any], pages: Iterator[Mapping[str, Any]], types: Sequence[str], *, header: bool
    ) -> Iterator[Sequence[Sequence[Any]]]:
        decoders = [_DECODERS.get(each, lambda value: value) for each in types]
        page: Mapping[str, Any] | None = first
        while page is not None:
            rows = [_texts(each) for each in page["ResultSet"]["Rows"]]
            yield [
                [None if value is None else decode(value) for decode, value in zip(decoders, row, strict=True)]
                for row in rows[header:]
            ]
            header = False
            page = self._asked(lambda: next(pages, None))

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            with aws.plainly(self._where, "the statement", self._region):
                return ask()
        except SqlFailure:
            raise
        except LakehouseError as error:
            raise SqlFailure(str(error)) from error


def _texts(row: Mapping[str, Any]) -> list[str | None]:
    return [each.get("VarCharValue") for each in row["Data"]]


def _did(execution: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    what = str(execution.get("SubstatementType") or execution.get("StatementType") or "").replace("_", " ")
    count = answer.get("UpdateCount")
    if count is None or execution.get("StatementType") != "DML":
        return what
    return f"{what}: {count} row{'' if count == 1 else 's'}"


def _zoned(value: str) -> str:
    """ISO 8601 in UTC; another zone keeps its name, behind a blank."""
    moment, _, zone = value.rpartition(" ")
    return f"{trimmed(moment)}+00:00" if zone == "UTC" else f"{trimmed(moment)} {zone}"
