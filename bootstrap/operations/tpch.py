"""The tables of TPC-H, made by Trino's connector: the same rows for everybody. https://trino.io/docs/current/connector/tpch.html"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap import output
from bootstrap.session.alone import alone
from bootstrap.session.results import SqlEngine
from bootstrap.session.target import Target
from bootstrap.session.trino_sql import TrinoEngine
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.text.sql import path

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")
_SOURCE = "lakehouse_tpch"  # a catalog that exists while the tables are made
_MARK = "/* lakehouse generate */"


def tpch(target: Target, catalog: str, *, scale: float, replace: bool) -> Iterator[tuple[str, int, bool]]:
    """Makes the tables in the namespace ``tpch``: each name, its rows, and whether it was made now.

    A table is made by one statement, so a killed run leaves whole tables, which the next run keeps. If one fails, those
    that this run made are dropped again. Raises UsageError if a table has other rows, and
    LakehouseError if another run makes tables; nothing is written then.
    """
    if target.in_aws:
        raise UsageError(
            f"TPC-H is made by a connector of Trino, which Athena does not have: not in stacks.{target.stack}. "
            "Use another --dataset, or load files: `lakehouse ingest`."
        )
    if target.lakehouse.engines.trino is None:
        raise UsageError(f"{target.path.name}: TPC-H is made by Trino. Add `trino: {{}}` to `engines`, and deploy.")
    with alone(target.scratch / "generate-tpch.lock", "`lakehouse generate --dataset tpch`"):
        trino = TrinoEngine(target)
        _end_former(trino)
        # Columns have the names of the standard, such as l_orderkey, and decimals, so that its queries run as they are.
        settings = "\"tpch.column-naming\" = 'STANDARD', \"tpch.double-type-mapping\" = 'DECIMAL'"
        _do(trino, f"CREATE CATALOG IF NOT EXISTS {_SOURCE} USING tpch WITH ({settings})")
        try:
            yield from _make(trino, catalog, f"sf{scale:g}", replace=replace)
        finally:
            _do(trino, f"DROP CATALOG IF EXISTS {_SOURCE}")


def _make(trino: SqlEngine, catalog: str, size: str, *, replace: bool) -> Iterator[tuple[str, int, bool]]:
    _do(trino, f"CREATE SCHEMA IF NOT EXISTS {path((catalog, 'tpch'), 'trino')}")
    rows = {name: _count(trino, (_SOURCE, size, name)) for name in TABLES}
    there = {str(row[0]) for row in trino.run(f"SHOW TABLES FROM {path((catalog, 'tpch'), 'trino')}").rows}
    have = {name: _count(trino, (catalog, "tpch", name)) for name in TABLES if name in there}
    others = [
        f"{catalog}.tpch.{name} has {have[name]} rows, not {rows[name]}" for name in have if have[name] != rows[name]
    ]
    if others and not replace:
        listed = "\n".join(others)
        raise UsageError(f"Tables with other rows exist, and nothing was written. --replace replaces them.\n{listed}")
    made: list[str] = []
    try:
        with output.progress() as progress:
            task = progress.add_task(f"rows to {catalog}.tpch", total=sum(rows.values()))
            for name in TABLES:
                keep = have.get(name) == rows[name]
                if not keep:
                    create = "CREATE OR REPLACE TABLE" if name in have else "CREATE TABLE"
                    to, of = path((catalog, "tpch", name), "trino"), path((_SOURCE, size, name), "trino")
                    _do(trino, f"{_MARK} {create} {to} AS SELECT * FROM {of}")  # noqa: S608 - the names are in this file
                    if name not in have:  # only now: if it failed, another's table may have the name
                        made.append(name)
                progress.advance(task, rows[name])
                yield name, rows[name], not keep
    except LakehouseError:
        for name in made:
            _do(trino, f"DROP TABLE IF EXISTS {path((catalog, 'tpch', name), 'trino')}")
        raise


def _end_former(trino: SqlEngine) -> None:
    """End what a killed run left running: it would still write its table."""
    running = f"query LIKE '{_MARK}%' AND state NOT IN ('FINISHED', 'FAILED')"
    for (query,) in list(trino.run(f"SELECT query_id FROM system.runtime.queries WHERE {running}").rows):  # noqa: S608
        _do(trino, f"CALL system.runtime.kill_query(query_id => '{query}', message => 'generate runs again')")


def _count(trino: SqlEngine, name: tuple[str, ...]) -> int:
    (row,) = trino.run(f"SELECT count(*) FROM {path(name, 'trino')}").rows  # noqa: S608 - the names are in this file
    return int(row[0])


def _do(trino: SqlEngine, statement: str) -> None:
    for _ in trino.run(statement).batches:
        pass
