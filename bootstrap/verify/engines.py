"""The engines of a verification: each can write a table, read one, and list its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from bootstrap.session import clients
from bootstrap.session.batch import BatchJob
from bootstrap.session.spark_sql import SparkEngine
from bootstrap.session.target import Target
from bootstrap.session.trino_sql import TrinoEngine
from lakehouse.text.sql import Dialect, path

_PATIENCE = 180.0  # seconds that a statement of Trino may take


class VerifiedTable(NamedTuple):
    """A table's full name."""

    catalog: str
    namespace: str
    name: str


class VerifiedEngine(Protocol):
    """An engine under test. What it raises is reported to the user as the check's failure."""

    name: str
    table: str  # the name of the table that it writes
    services: tuple[str, ...]  # whose logs show more if it fails
    views: str  # the engine whose SQL of a view it runs; empty if it reads no views

    def keeps_history(self, catalog: str) -> bool:
        """Whether its commits in that catalog keep the earlier snapshots, and it can read them."""

    def write(self, table: VerifiedTable, numbers: Sequence[int]) -> None:
        """Creates the table, with one column, and writes one row for each number, each in a separate commit."""

    def read(self, table: VerifiedTable, snapshot: int | None = None) -> list[int]:
        """The numbers in the table, now or as of a snapshot, in order."""

    def snapshots(self, table: VerifiedTable) -> list[int]:
        """The table's snapshots, the oldest first."""

    def look(self, view: VerifiedTable) -> None:
        """Has the engine analyse the view's query and compare its columns. Reads no rows."""

    def stop(self) -> None:
        """Aborts running work, and closes."""


class Sql:
    """The common part of engines with SQL: ``dialect`` is how they quote, ``as_of`` their syntax of time travel."""

    dialect: Dialect = "spark"
    as_of = "VERSION AS OF"
    views = ""

    def keeps_history(self, catalog: str) -> bool:
        return True

    def full(self, table: VerifiedTable, suffix: str = "") -> str:
        return path(table, self.dialect) + suffix

    def metadata(self, table: VerifiedTable) -> str:
        return self.full(table, ".snapshots")

    def create(self, table: VerifiedTable) -> str:
        return f"CREATE TABLE {self.full(table)} (number BIGINT)"

    def write(self, table: VerifiedTable, numbers: Sequence[int]) -> None:
        self._execute(self.create(table))
        for number in numbers:
            self._execute(f"INSERT INTO {self.full(table)} VALUES ({number})")  # noqa: S608

    def read(self, table: VerifiedTable, snapshot: int | None = None) -> list[int]:
        version = "" if snapshot is None else f" {self.as_of} {snapshot}"
        return sorted(self._numbers(f"SELECT number FROM {self.full(table)}{version}"))  # noqa: S608

    def snapshots(self, table: VerifiedTable) -> list[int]:
        return self._numbers(f"SELECT snapshot_id FROM {self.metadata(table)} ORDER BY committed_at")  # noqa: S608

    def look(self, view: VerifiedTable) -> None:
        # Spark has a name for each level of a nested namespace, Trino one for all.
        levels = view.namespace.split(".") if self.dialect == "spark" else [view.namespace]
        full = path((view.catalog, *levels, view.name), self.dialect)
        self._execute(f"SELECT * FROM {full} LIMIT 0")  # noqa: S608

    def _execute(self, sql: str) -> None:
        raise NotImplementedError

    def _numbers(self, sql: str) -> list[int]:
        raise NotImplementedError


class VerifiedTrino(Sql):
    """Trino, through its client."""

    name, table = "Trino", "by_trino"
    services: tuple[str, ...] = ("trino",)
    dialect: Dialect = "trino"
    views = "trino"
    as_of = "FOR VERSION AS OF"

    def __init__(self, target: Target) -> None:
        self._target = target

    def metadata(self, table: VerifiedTable) -> str:
        return self.full(table._replace(name=f"{table.name}$snapshots"))

    def _execute(self, sql: str) -> None:
        for _ in TrinoEngine(self._target, seconds=_PATIENCE).run(sql).rows:
            pass

    def _numbers(self, sql: str) -> list[int]:
        return [int(row[0]) for row in TrinoEngine(self._target, seconds=_PATIENCE).run(sql).rows]

    def stop(self) -> None:
        """Does nothing: no work outlives a statement."""


class VerifiedConnect(Sql):
    """Spark Connect, through the PySpark client."""

    name, table = "Spark Connect", "by_connect"
    views = "spark"

    def __init__(self, target: Target) -> None:
        self._target = target
        self.services = _with_worker(target, "spark-connect")
        self._session: SparkEngine | None = None

    def _engine(self) -> SparkEngine:
        if self._session is None:
            self._session = SparkEngine(self._target)
        return self._session

    def _execute(self, sql: str) -> None:
        self._engine().run(sql)

    def _numbers(self, sql: str) -> list[int]:
        return [int(row[0]) for row in self._engine().run(sql).rows]

    def stop(self) -> None:
        if self._session is not None:
            self._session.close()


class Batch(Sql):
    """A batch job, submitted to the cluster's master."""

    name, table = "Spark batch", "by_batch"

    def __init__(self, target: Target) -> None:
        self._job = BatchJob(target)
        self.services = _with_worker(target, "spark-master")

    def _execute(self, sql: str) -> None:
        self._job.execute(sql)

    def _numbers(self, sql: str) -> list[int]:
        return [int(row[0]) for row in self._job.run(sql)]

    def stop(self) -> None:
        self._job.close()


def _with_worker(target: Target, service: str) -> tuple[str, ...]:
    """The service and a worker of its cluster. Without a cluster it is Spark Connect, or runs beside that."""
    engine = target.lakehouse.engines.spark
    return (service, "spark-worker-1") if engine is None or engine.cluster else ("spark-connect",)


class PyIceberg:
    """PyIceberg in this process: the catalog and the store without an engine between."""

    name, table = "PyIceberg", "by_pyiceberg"
    views = ""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.services = (
            () if target.in_aws else tuple(each.service for each in target.local.endpoints.catalogs if each.service)
        )

    def keeps_history(self, catalog: str) -> bool:
        if self._target.in_aws:
            return True
        kinds = {each.name: each.kind for each in self._target.local.endpoints.catalogs}
        return kinds[catalog].can.history

    def write(self, table: VerifiedTable, numbers: Sequence[int]) -> None:
        import pyarrow as pa

        schema = pa.schema([pa.field("number", pa.int64())])
        made = clients.iceberg(self._target, table.catalog).create_table(table[1:], schema)
        for number in numbers:
            made.append(pa.table({"number": [number]}, schema))

    def read(self, table: VerifiedTable, snapshot: int | None = None) -> list[int]:
        found: list[int] = self._load(table).scan(snapshot_id=snapshot).to_arrow()["number"].to_pylist()
        return sorted(found)

    def snapshots(self, table: VerifiedTable) -> list[int]:
        ordered = sorted(self._load(table).snapshots(), key=lambda each: each.timestamp_ms)
        return [each.snapshot_id for each in ordered]

    def look(self, view: VerifiedTable) -> None:
        """Does nothing: it runs no SQL."""

    def stop(self) -> None:
        """Does nothing: no work outlives a call."""

    def _load(self, table: VerifiedTable) -> Any:
        return clients.iceberg(self._target, table.catalog).load_table(table[1:])
