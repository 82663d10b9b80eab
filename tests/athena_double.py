"""A double of Athena: statements and their results are what a test writes down; it executes nothing.

The form of results: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html. That SELECT has
the columns' names as its first row, that SHOW has none, and that INSERT only counts, is what users report.
"""
# ruff: noqa: N803 - arguments have AWS's names

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PAGE = 2  # rows


@dataclass(frozen=True)
class Result:
    """A statement's end: its kind, columns with their types, and rows. ``reason``: it fails."""

    substatement: str = "SELECT"
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: Sequence[Sequence[str | None]] = ()
    kind: str = "DML"
    count: int | None = None
    reason: str = ""


@dataclass
class AthenaDouble:
    """Results by statement. A statement is looked at twice before it ends."""

    results: dict[str, Result] = field(default_factory=dict)
    looked: Callable[[int], None] = lambda look: None  # called with the number of each look
    looks: int = 0
    _asked: list[str] = field(default_factory=list)

    def start_query_execution(self, *, QueryString: str, WorkGroup: str, **_: object) -> Mapping[str, Any]:
        self._asked.append(QueryString)
        return {"QueryExecutionId": f"q{len(self._asked)}"}

    def get_query_execution(self, *, QueryExecutionId: str) -> Mapping[str, Any]:
        self.looks += 1
        self.looked(self.looks)
        sql = self._asked[int(QueryExecutionId[1:]) - 1]
        found = self.results[sql]
        state = "RUNNING" if self.looks % 2 else "FAILED" if found.reason else "SUCCEEDED"
        status = {"State": state, **({"StateChangeReason": found.reason} if state == "FAILED" else {})}
        execution = {"QueryExecutionId": QueryExecutionId, "Query": sql, "Status": status}
        return {"QueryExecution": {**execution, "StatementType": found.kind, "SubstatementType": found.substatement}}

    def get_query_results(self, *, QueryExecutionId: str, NextToken: str = "0", **_: object) -> Mapping[str, Any]:
        found = self.results[self._asked[int(QueryExecutionId[1:]) - 1]]
        rows = [*([list(found.columns)] if found.kind == "DML" and found.columns else []), *found.rows]
        begin = int(NextToken)
        page = [
            {"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows[begin : begin + _PAGE]
        ]
        columns = [{"Name": name, "Type": of} for name, of in found.columns.items()]
        answer: dict[str, Any] = {"ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": columns}}}
        if begin + _PAGE < len(rows):
            answer["NextToken"] = str(begin + _PAGE)
        if found.count is not None:
            answer["UpdateCount"] = found.count
        return answer

    def stop_query_execution(self, *, QueryExecutionId: str) -> Mapping[str, Any]:
        return {}
