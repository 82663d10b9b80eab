"""Synthetic data: minute bars into bronze, then by Spark to silver.

Bronze is written by PyIceberg: the rows are made in Python, and it writes them to the store as they are, without a JVM,
without sending them through Spark Connect first, and in a lakehouse that has no Spark. Silver is a job of its own kind:
Spark reads bronze, keeps what is valid, once each, and merges it, so that a second run changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from bootstrap import clients, output
from bootstrap.bars import SCHEMA, Plan, bars
from bootstrap.target import Target
from lakehouse.errors import UsageError
from lakehouse.spec import Lakehouse

_TABLE = "minute_aggs"
_ROWS_PER_APPEND = 1_000_000  # some 80 MB in memory

# ROW_NUMBER: MERGE wants each key once. Bad prices and times outside the day are a feed's faults, not a market's.
_TO_SILVER = """
MERGE INTO {silver} AS silver
USING (
  SELECT {columns} FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY ticker, window_start ORDER BY volume DESC, close DESC) AS nth
    FROM {bronze}
    WHERE date IN ({dates})
      AND low > 0 AND close > 0 AND close BETWEEN low AND high AND open BETWEEN low AND high
      AND volume >= 0 AND transactions >= 0
  ) WHERE nth = 1
) AS bronze
ON silver.date = bronze.date AND silver.ticker = bronze.ticker AND silver.window_start = bronze.window_start
   AND silver.date IN ({dates})
WHEN MATCHED AND NOT ({same}) THEN UPDATE SET *
WHEN NOT MATCHED THEN INSERT *
"""


@dataclass(frozen=True)
class Generated:
    """What was done. ``silver_rows`` are those that silver holds of the days now; None where there is no Spark."""

    bronze: str
    silver: str
    appended: int
    bronze_seconds: float
    silver_rows: int | None
    silver_seconds: float


def generate(target: Target, *, rows: int, seed: int, days: int, replace: bool) -> Generated:
    """Makes the rows, appends them to bronze, merges them into silver.

    Raises UsageError where the file has no bronze and silver tables for minute bars.
    """
    catalog = catalog_of(target.lakehouse, target.path.name)
    plan = Plan(rows, seed, days)
    dates = [day.isoformat() for day in plan.dates]
    began = time.monotonic()
    appended = _to_bronze(target, catalog, plan, dates, replace=replace)
    wrote = time.monotonic()
    bronze, silver = f"{catalog}.bronze.{_TABLE}", f"{catalog}.silver.{_TABLE}"
    engine = target.lakehouse.engines.spark
    merged = _to_silver(target, bronze, silver, dates, replace=replace) if engine and engine.connect else None
    return Generated(bronze, silver, appended, wrote - began, merged, time.monotonic() - wrote)


def catalog_of(lakehouse: Lakehouse, file: str) -> str:
    """The first catalog that has the tables. Raises UsageError where none has."""
    wanted = set(SCHEMA.names)
    for name, catalog in lakehouse.catalogs.items():
        layers = (catalog.namespaces.get("bronze"), catalog.namespaces.get("silver"))
        if all(layer and _TABLE in layer.tables and wanted <= set(layer.tables[_TABLE].columns) for layer in layers):
            return name
    raise UsageError(
        f"{file}: no catalog has the tables bronze.{_TABLE} and silver.{_TABLE} with the columns {', '.join(SCHEMA.names)}."
    )


def _to_bronze(target: Target, catalog: str, plan: Plan, dates: list[str], *, replace: bool) -> int:
    table = clients.iceberg(target, catalog).load_table(f"bronze.{_TABLE}")
    with output.progress() as progress:
        task = progress.add_task("rows to bronze", total=plan.rows)
        # One transaction: a run that is interrupted leaves no rows, and no reader sees half of them.
        with table.transaction() as transaction:
            if replace:
                transaction.delete(f"date in ({_literals(dates)})")
            for batch in _joined(bars(plan), _ROWS_PER_APPEND):
                transaction.append(batch)
                progress.advance(task, batch.num_rows)
    return plan.rows


def _joined(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Fewer and larger tables: each becomes a commit and a file in each partition."""
    pending: list[pa.Table] = []
    for each in tables:
        pending.append(each)
        if sum(table.num_rows for table in pending) >= rows:
            yield pa.concat_tables(pending)
            pending = []
    if pending:
        yield pa.concat_tables(pending)


def _to_silver(target: Target, bronze: str, silver: str, dates: list[str], *, replace: bool) -> int:
    from bootstrap.sql import SparkEngine

    session = SparkEngine(target)
    literals = _literals(dates)
    values = [name for name in SCHEMA.names if name not in ("ticker", "window_start", "date")]
    job = _TO_SILVER.format(
        bronze=bronze,
        silver=silver,
        dates=literals,
        columns=", ".join(SCHEMA.names),
        same=" AND ".join(f"silver.{name} <=> bronze.{name}" for name in values),
    )
    session.run(f"REFRESH TABLE {bronze}")
    if replace:
        session.run(f"DELETE FROM {silver} WHERE date IN ({literals})")
    session.run(job)
    (count,) = next(session.run(f"SELECT count(*) FROM {silver} WHERE date IN ({literals})").rows)
    return int(count)


def _literals(dates: list[str]) -> str:
    return ", ".join(f"'{each}'" for each in dates)
