"""Synthetic data: minute bars into bronze, then with Spark to silver.

Bronze is written through Spark Connect if there is one, otherwise by PyIceberg through our own commits. Either way the
rows are made here and sent in batches, so that memory stays bounded.
Silver is a separate job: Spark reads bronze, keeps the valid rows, each once, and merges them, so that a second run
changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from bootstrap import catalogs, output
from bootstrap.catalogs import tables
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.operations.bars import SCHEMA, BarPlan, bars
from bootstrap.session.connect import connect
from bootstrap.session.spark_sql import SparkEngine
from bootstrap.session.target import Target
from lakehouse.errors import UsageError
from lakehouse.iceberg.types import Struct
from lakehouse.spec import Lakehouse

_TABLE = "minute_aggs"
_ROWS_PER_APPEND = 400_000  # about 30 MB: Connect takes this many rows inside a query

#: Iceberg's types of the bars' columns.
_TYPES = {
    pa.string(): "string",
    pa.timestamp("us", tz="UTC"): "timestamptz",
    pa.float64(): "double",
    pa.int64(): "long",
}

# ROW_NUMBER: MERGE needs each key once. Bad prices and times outside the day are a feed's faults, not a market's.
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
WHEN MATCHED AND NOT ({same}) THEN UPDATE SET {set}
WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})
"""


@dataclass(frozen=True)
class Generated:
    """What was done. ``silver_rows`` are the rows that silver now has for the days; None if there is no Spark."""

    bronze: str
    silver: str
    appended: int
    bronze_seconds: float
    silver_rows: int | None
    silver_seconds: float


def generate(target: Target, *, rows: int, seed: int, days: int, replace: bool) -> Generated:
    """Makes the rows, appends them to bronze, merges them into silver.

    Raises UsageError if the file has no bronze and silver tables for minute bars, or the existing tables cannot take
    them; nothing is written then.
    """
    catalog = catalog_of(target.lakehouse, target.path.name)
    bronze, silver = f"{catalog}.bronze.{_TABLE}", f"{catalog}.silver.{_TABLE}"
    plan = BarPlan(rows, seed, days)
    days_made = ", ".join(f"'{day.isoformat()}'" for day in plan.dates)
    engine = target.lakehouse.engines.spark
    began = time.monotonic()
    alone = engine is None or not engine.connect
    _check(target, catalog, ("bronze",) if alone else ("bronze", "silver"))
    if alone:
        _by_pyiceberg(target, catalog, plan, days_made, replace=replace)
        return Generated(bronze, silver, rows, time.monotonic() - began, None, 0.0)
    session = SparkEngine(target)
    _by_spark(session, bronze, plan, days_made, replace=replace)
    wrote = time.monotonic()
    merged = _to_silver(session, bronze, silver, days_made, replace=replace)
    return Generated(bronze, silver, rows, wrote - began, merged, time.monotonic() - wrote)


def catalog_of(lakehouse: Lakehouse, file: str) -> str:
    """The first catalog that has the tables. Raises UsageError if none has."""
    wanted = set(SCHEMA.names)
    for name, catalog in lakehouse.catalogs.items():
        layers = (catalog.namespaces.get("bronze"), catalog.namespaces.get("silver"))
        if all(layer and _TABLE in layer.tables and wanted <= set(layer.tables[_TABLE].columns) for layer in layers):
            return name
    columns = ", ".join(SCHEMA.names)
    raise UsageError(f"{file}: no catalog has bronze.{_TABLE} and silver.{_TABLE}, both with the columns {columns}.")


def _check(target: Target, catalog: str, layers: Collection[str]) -> None:
    """Find everything that is known to fail before the first row is written."""
    names = [f"{layer}.{_TABLE}" for layer in layers]
    there = _facts(target, catalog, names)
    problems: list[str] = []
    for name in names:
        if name not in there:
            problems.append(f"there is no table {catalog}.{name}. `lakehouse apply` creates it")
        else:
            problems += [f"{catalog}.{name}: {problem}" for problem in misfits(there[name].schema)]
    if problems:
        raise UsageError("The made-up bars do not fit, and nothing was written.\n" + "\n".join(problems))


def _facts(target: Target, catalog: str, names: Collection[str]) -> Mapping[str, TableFacts]:
    connections = connect(target.path, target.stack)[1]
    return catalogs.connect(catalog, connections).read(names).tables


def misfits(schema: Struct) -> Iterator[str]:
    """Why a table with this schema cannot take the bars; other optional columns stay empty."""
    there = {field.name.lower(): field for field in schema.fields}
    for column in SCHEMA:
        have = there.pop(column.name, None)
        wanted = _TYPES[column.type]
        if have is None:
            yield f'the column "{column.name}" is missing. Add it: `{column.name}: {wanted}`, then `lakehouse apply`'
        elif have.type != wanted:
            yield f'the column "{column.name}" has the type {have.type!s}, but the bars have {wanted}'
    for further in there.values():
        if further.required:
            yield f'the column "{further.name}" is required, but the bars have no value for it. Make it optional'


def _by_spark(session: SparkEngine, bronze: str, plan: BarPlan, days: str, *, replace: bool) -> None:
    if replace:
        session.run(f"DELETE FROM {bronze} WHERE date IN ({days})")  # noqa: S608 - names and dates are ours
    with output.progress() as progress:
        task = progress.add_task("rows to bronze", total=plan.rows)
        for batch in _joined(bars(plan), _ROWS_PER_APPEND):
            session.append(batch, bronze)
            progress.advance(task, batch.num_rows)


def _by_pyiceberg(target: Target, catalog: str, plan: BarPlan, days: str, *, replace: bool) -> None:
    connections = connect(target.path, target.stack)[1]
    table = tables.load(catalogs.connect(catalog, connections), f"bronze.{_TABLE}", connections)
    with output.progress() as progress:
        task = progress.add_task("rows to bronze", total=plan.rows)
        # One transaction: a run that is interrupted leaves no rows, and no reader sees half of them.
        with table.transaction() as transaction:
            if replace:
                transaction.delete(f"date in ({days})")
            for batch in _joined(bars(plan), _ROWS_PER_APPEND):
                transaction.append(batch)
                progress.advance(task, batch.num_rows)


def _joined(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Merges batches into fewer and larger tables: each becomes a commit and a file in each partition."""
    pending: list[pa.Table] = []
    for each in tables:
        pending.append(each)
        if sum(table.num_rows for table in pending) >= rows:
            yield pa.concat_tables(pending)
            pending = []
    if pending:
        yield pa.concat_tables(pending)


def _to_silver(session: SparkEngine, bronze: str, silver: str, days: str, *, replace: bool) -> int:
    values = [name for name in SCHEMA.names if name not in ("ticker", "window_start", "date")]
    job = _TO_SILVER.format(
        bronze=bronze,
        silver=silver,
        dates=days,
        columns=", ".join(SCHEMA.names),
        values=", ".join(f"bronze.{name}" for name in SCHEMA.names),
        set=", ".join(f"silver.{name} = bronze.{name}" for name in values),
        same=" AND ".join(f"silver.{name} <=> bronze.{name}" for name in values),
    )
    with output.progress() as progress:
        progress.add_task("bronze to silver, by Spark", total=None)
        if replace:
            session.run(f"DELETE FROM {silver} WHERE date IN ({days})")  # noqa: S608 - names and dates are ours
        session.run(job)
        (count,) = next(session.run(f"SELECT count(*) FROM {silver} WHERE date IN ({days})").rows)  # noqa: S608
    return int(count)
