"""Spark for ingest: one append, and an end to what a killed client left running."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from bootstrap.session import clients
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.text import sql


class SparkLoader:
    """A session of Spark Connect, closed at the end of a ``with``."""

    def __init__(self, target: Target) -> None:
        self._session: Any = clients.spark(target)
        self._target = target

    @property
    def session_id(self) -> str:
        return str(self._session.session_id)

    def end(self, session_id: str) -> None:
        """End what runs in a former session. It is not an error if it has ended by itself."""
        clients.end_former(self._target, session_id)

    def __enter__(self) -> SparkLoader:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # an error of Spark's was reported where it happened
            clients.end_spark(self._session)

    def append(self, source: str, into: str, summary: Mapping[str, str]) -> None:
        """Appends a table's rows to another in one commit, whose snapshot's summary also contains ``summary``."""

        def do() -> None:
            self._session.sql(f"REFRESH TABLE {into}")  # to see what others changed a moment ago
            writer = self._session.table(source).writeTo(into)
            for key, value in summary.items():
                writer = writer.option(f"snapshot-property.{key}", value)
            writer.append()

        _plainly(do)

    def set_properties(self, table: str, properties: Mapping[str, str]) -> None:
        pairs = [f"{sql.string(key, 'spark')} = {sql.string(value, 'spark')}" for key, value in properties.items()]
        _plainly(lambda: self._session.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ({', '.join(pairs)})"))


def _plainly(do: Callable[[], Any]) -> None:
    try:
        do()
    except Exception as error:
        message = str(error).partition("\n\nJVM stacktrace:")[0].partition("\n\tat ")[0].strip()
        raise LakehouseError(message or type(error).__name__) from error
