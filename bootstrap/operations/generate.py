"""Data to play with: minute bars in the file's own tables, and data sets that bring their tables.

The rows are made here, in batches, so that memory stays bounded, and are written in one commit.
The bars' silver is a separate job: Spark reads bronze, keeps the valid rows, each once, and merges them, so that a
second run changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any

import pyarrow as pa

from bootstrap import catalogs, output
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.operations import orders, taxi
from bootstrap.operations.bars import SCHEMA, BarPlan, bars
from bootstrap.operations.rows import Run, write
from bootstrap.session import clients
from bootstrap.session.connect import connect
from bootstrap.session.results import SqlFailure
from bootstrap.session.spark_sql import SparkEngine
from bootstrap.session.target import Target
from lakehouse.errors import UsageError
from lakehouse.iceberg.types import Struct
from lakehouse.spec import Lakehouse

_TABLE = "minute_aggs"
_ATTEMPTS = 3  # of a merge

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
    """What was done. ``silver_rows`` are the rows that silver now has for the days; None if there is no Spark.

    ``written`` is False if a run with the same options, which did not end, wrote bronze's rows before.
    """

    bronze: str
    silver: str
    rows: int
    written: bool
    bronze_seconds: float
    silver_rows: int | None
    silver_seconds: float


def generate(target: Target, *, rows: int, seed: int, days: int, replace: bool) -> Generated:
    """Makes the bars, appends them to bronze, merges them into silver.

    Raises UsageError if the file has no bronze and silver tables for minute bars, or the existing tables cannot take
    them; nothing is written then.
    """
    catalog = catalog_of(target.lakehouse, target.path.name)
    bronze, silver = f"{catalog}.bronze.{_TABLE}", f"{catalog}.silver.{_TABLE}"
    plan = BarPlan(rows, seed, days)
    days_made = ", ".join(f"'{day.isoformat()}'" for day in plan.dates)
    engine = target.lakehouse.engines.spark
    began = time.monotonic()
    alone = engine is None or not engine.connect or target.in_aws  # where Spark has no sessions
    _check(target, catalog, ("bronze",) if alone else ("bronze", "silver"))
    session = None if alone else SparkEngine(target)  # if Spark does not answer, nothing is written
    try:
        options = {"dataset": "bars", "catalog": catalog, "rows": rows, "seed": seed, "days": days, "replace": replace}
        with Run.begin(target, **options) as run:
            if session is not None:
                if run.session:
                    clients.end_former(target, run.session)
                run.keep(session.session_id)
            where = f"date in ({days_made})" if replace else None
            written = write(target, catalog, f"bronze.{_TABLE}", bars(plan), rows, run, where)
            wrote = time.monotonic()
            merged = None if session is None else _to_silver(session, bronze, silver, days_made, replace=replace)
    finally:
        if session is not None:
            session.close()
    return Generated(bronze, silver, rows, written, wrote - began, merged, time.monotonic() - wrote)


@dataclass(frozen=True)
class Dataset:
    """A data set with a table of its own, ``NAMESPACE.TABLE``."""

    table: str
    schema: pa.Schema
    make: Callable[[int, int], Iterator[pa.Table]]  # of rows and a seed


DATASETS = {
    "taxi": Dataset("taxi.trips", taxi.SCHEMA, taxi.trips),
    "orders": Dataset("shop.orders", orders.SCHEMA, orders.orders),
}


def generate_dataset(
    target: Target, catalog: str, name: str, *, rows: int, seed: int, replace: bool
) -> tuple[str, bool]:
    """Makes the rows of a data set in its table, which is created if it is missing.

    Returns the table's full name, and whether rows were written: not if a run with the same options, which did not end,
    wrote them before. Raises UsageError if the existing table cannot take the rows; nothing is written then.
    """
    from pyiceberg.expressions import AlwaysTrue

    dataset = DATASETS[name]
    full, namespace = f"{catalog}.{dataset.table}", dataset.table.partition(".")[0]
    in_namespace: dict[str, str] = {}
    if target.in_aws:
        target = replaced(target, lakehouse=connect(target.path, target.stack)[0])
        # Glue requires a database's location; the others choose it.
        in_namespace["location"] = f"{target.lakehouse.catalogs[catalog].location}/{namespace}"
    if dataset.table not in (there := _facts(target, catalog, [dataset.table])):
        client = clients.iceberg(target, catalog)
        client.create_namespace_if_not_exists(namespace, in_namespace)
        client.create_table_if_not_exists(dataset.table, dataset.schema)
        there = _facts(target, catalog, [dataset.table])
    if problems := list(_misfits(there[dataset.table].metadata, dataset.schema)):
        listed = "\n".join(f"{full}: {problem}" for problem in problems)
        raise UsageError(f"The rows do not fit, and nothing was written.\n{listed}")
    everything = AlwaysTrue() if replace else None  # any column of other people's rows may be empty
    with Run.begin(target, dataset=name, catalog=catalog, rows=rows, seed=seed, replace=replace) as run:
        written = write(target, catalog, dataset.table, dataset.make(rows, seed), rows, run, everything)
    return full, written


def _misfits(metadata: Mapping[str, Any], schema: pa.Schema) -> Iterator[str]:
    """Why an existing table cannot take rows of the schema; further optional columns stay empty."""
    from pyiceberg.table.metadata import TableMetadataUtil

    there = {each.name: each for each in TableMetadataUtil.parse_obj(dict(metadata)).schema().fields}
    for column in schema.names:
        if there.pop(column, None) is None:
            yield f'the column "{column}" is missing'
    for further in there.values():
        if further.required:
            yield f'the column "{further.name}" is required, but the rows have no value for it. Make it optional'


def first_catalog(target: Target, given: str | None) -> str:
    """The catalog that is meant: by default the first of the file. Raises UsageError if the file has no such one."""
    known = list(target.lakehouse.catalogs)
    if given is not None and given not in known:
        raise UsageError(f'{target.path.name} has no catalog "{given}"; it has: {", ".join(known)}.')
    return given or known[0]


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
        for table in (bronze, silver):  # others wrote since Spark last looked
            session.run(f"REFRESH TABLE {table}")
        if replace:
            session.run(f"DELETE FROM {silver} WHERE date IN ({days})")  # noqa: S608 - names and dates are checked
        _merge(session, job)
        (count,) = next(session.run(f"SELECT count(*) FROM {silver} WHERE date IN ({days})").rows)  # noqa: S608
    return int(count)


def _merge(session: SparkEngine, job: str) -> None:
    """Run a merge, which may be repeated: if a killed run's merge ends in the meantime, Iceberg refuses this one."""
    for attempt in range(_ATTEMPTS):
        try:
            session.run(job)
            return
        except SqlFailure as error:
            if "conflicting" not in str(error) or attempt + 1 == _ATTEMPTS:
                raise
