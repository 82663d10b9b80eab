"""Athena for a verification, through the workgroup of the user who deploys.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html
"""

from __future__ import annotations

import time

from bootstrap.session.target import Target
from bootstrap.verify.engines import Sql, VerifiedTable
from lakehouse.access.names import OPERATORS, names
from lakehouse.errors import LakehouseError
from lakehouse.text.sql import Dialect, path, string

_PATIENCE = 300.0  # seconds for one statement; Athena queues them
_WAIT = 0.5


class VerifiedAthena(Sql):
    """SQL with Athena. Statements that create a table are in Hive's dialect, all others in Trino's."""

    name, table = "Athena", "by_athena"
    services: tuple[str, ...] = ()
    dialect: Dialect = "trino"
    as_of = "FOR VERSION AS OF"

    def __init__(self, target: Target, wait: float = _WAIT) -> None:
        from bootstrap.session import aws

        self._target, self._wait = target, wait
        # Account and ARNs do not matter for a workgroup's name.
        self._workgroup = names(target.lakehouse, target.stack, "").workgroup(OPERATORS)
        self._client = aws.client("athena", target.region)
        self._running = ""

    def full(self, table: VerifiedTable, suffix: str = "") -> str:
        return f'"{table.namespace}"."{table.name}"{suffix}'  # Glue's databases are all in one catalog

    def metadata(self, table: VerifiedTable) -> str:
        return self.full(table._replace(name=f"{table.name}$snapshots"))

    def create(self, table: VerifiedTable) -> str:
        at = f"{self._target.lakehouse.catalogs[table.catalog].location}/{table.namespace}/{table.name}/"
        properties = "TBLPROPERTIES ('table_type' = 'ICEBERG')"
        # Athena creates tables in Hive's dialect, and reads them in Trino's.
        name, where = path((table.namespace, table.name), "spark"), string(at, "spark")
        return f"CREATE TABLE {name} (number bigint) LOCATION {where} {properties}"

    def _execute(self, sql: str) -> None:
        self._run(sql)

    def _numbers(self, sql: str) -> list[int]:
        pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=self._run(sql))
        rows = [row["Data"][0].get("VarCharValue", "") for page in pages for row in page["ResultSet"]["Rows"]]
        return [int(value) for value in rows[1:]]  # the first row names the columns

    def _run(self, sql: str) -> str:
        """The id of a statement that succeeded."""
        self._running = self._client.start_query_execution(QueryString=sql, WorkGroup=self._workgroup)[
            "QueryExecutionId"
        ]
        deadline = time.monotonic() + _PATIENCE
        while True:
            status = self._client.get_query_execution(QueryExecutionId=self._running)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                done, self._running = self._running, ""
                return done
            if status["State"] in ("FAILED", "CANCELLED"):
                raise LakehouseError(f"Athena: {status.get('StateChangeReason', status['State'])}: {sql}")
            if time.monotonic() > deadline:
                raise LakehouseError(f"Athena did not finish this within {_PATIENCE:.0f} s: {sql}")
            time.sleep(self._wait)

    def stop(self) -> None:
        if self._running:
            self._client.stop_query_execution(QueryExecutionId=self._running)
