"""A table's commit: finished, as a value (:class:`TableChange`), and unfinished (:class:`Draft`).

Commits are those of the Iceberg REST catalog: requirements that must hold, updates to make.
https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml (CommitTableRequest)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.iceberg.evolve import Detail, FormatProblem
from bootstrap.iceberg.schema import walk
from bootstrap.reconciler.tables.wanted import WantedTable
from lakehouse.iceberg.types import Struct

Json = dict[str, Any]


@dataclass(frozen=True)
class TableChange:
    """A commit and its description. Empty ``updates``: nothing to do. ``kept``: columns that the file does not name."""

    requirements: tuple[Json, ...]
    updates: tuple[Json, ...]
    details: tuple[Detail, ...]
    problems: tuple[FormatProblem, ...]
    kept: tuple[str, ...] = ()


@dataclass
class Draft:
    """The unfinished commit for the table ``wanted``, whose columns will be ``schema``."""

    wanted: WantedTable
    schema: Struct
    requirements: list[Json] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    problems: list[FormatProblem] = field(default_factory=list)

    def require(self, kind: str, **value: Any) -> None:
        """``require("table-uuid", uuid=...)``: the commit fails if that no longer holds."""
        self.requirements.append({"type": f"assert-{kind}", **value})

    def update(self, action: str, **value: Any) -> None:
        self.updates.append({"action": action, **value})

    def tell(self, symbol: str, text: str) -> None:
        self.details.append(Detail(symbol, text))

    def refuse(self, column: str, message: str) -> None:
        self.problems.append(FormatProblem(column, message))

    def sources(self, terms: Iterable[tuple[str, str]], key: str) -> list[tuple[int, str]]:
        """(column id, transform) for each (column, transform) of the file's ``key``. Refuses unknown columns."""
        terms = list(terms)
        if not terms:
            return []
        ids = {path: each.id for path, each in walk(self.schema)}
        for column, _ in terms:
            if column not in ids:
                self.refuse(column, f"{key} names a column that does not exist. Name one of `columns`")
        return [(ids[column], transform) for column, transform in terms if column in ids]

    def finished(self, kept: tuple[str, ...] = ()) -> TableChange:
        """The commit. Without updates it has no requirements."""
        requirements = tuple(self.requirements) if self.updates else ()
        return TableChange(requirements, tuple(self.updates), tuple(self.details), tuple(self.problems), kept)
