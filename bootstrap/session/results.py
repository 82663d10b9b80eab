"""What every engine that runs SQL has in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, Protocol

from lakehouse.errors import LakehouseError

EngineName = Literal["trino", "spark"]


@dataclass(frozen=True)
class SqlResult:
    """A statement's result. Its values are those of :mod:`bootstrap.session.values`.

    ``batches`` come from the engine while they are read; an empty one says that it still works. A statement without
    columns has no result, but ends only when its batches are read; then ``did`` says what it did, as in
    ``INSERT: 2 rows``.
    """

    columns: tuple[str, ...]
    batches: Iterator[Sequence[Sequence[Any]]]
    did: str = ""

    @property
    def rows(self) -> Iterator[Sequence[Any]]:
        """The rows, one by one."""
        return chain.from_iterable(self.batches)


class SqlFailure(LakehouseError):
    """A statement that failed, with the engine's own message; ``place`` is its line and column in the statement."""

    def __init__(self, message: str, place: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.place = place


class SqlEngine(Protocol):
    """A session of an engine: USE and SET in one statement apply to the next."""

    dialect: EngineName

    def run(self, statement: str) -> SqlResult:
        """Runs one statement. Raises SqlFailure with the engine's own message, here or while rows are read."""

    def cancel(self) -> None:
        """Cancels the statement that runs, if one does. Gives up after some seconds, without an error."""

    def close(self) -> None:
        """Ends the session, and what runs in it."""
