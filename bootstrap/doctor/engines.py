"""What Trino answers: thin, decides nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from bootstrap.iceberg.metadata import TableFacts

_LACKED = "error_type = 'INSUFFICIENT_RESOURCES' AND error_code LIKE '%MEMORY%'"


def failure(target: Target, catalog: str, statement: str) -> str:
    """Trino's message if it fails; empty if it succeeds."""
    from trino.exceptions import Error

    try:
        _rows(target, catalog, statement)
    except (Error, OSError, LakehouseError) as failed:
        return str(getattr(failed, "message", failed)).partition("\n")[0]
    return ""


def schemas(catalog: str) -> str:
    """The statement that needs only the catalog's server."""
    return f'SHOW SCHEMAS FROM "{catalog}"'


def manifests(table: str) -> str:
    """The statement that reads a file of the table: the list of its manifests, however large the table is."""
    catalog, namespace, name = table.split(".")
    return f'SELECT 1 FROM "{catalog}"."{namespace}"."{name}$manifests" LIMIT 1'  # noqa: S608 - :func:`sample` chose it


def sample(catalog: str, tables: Mapping[str, TableFacts]) -> str:
    """A table of the catalog that has rows and that Trino surely sees; empty if there is none."""
    for name, of in tables.items():
        plain = name.startswith(f"{catalog}.") and name.count(".") == 2 and name == name.lower() and '"' not in name
        if plain and of.format_version <= 2 and of.metadata.get("current-snapshot-id") not in (None, -1):
            return name
    return ""


def memory(target: Target) -> tuple[dict[str, int], int]:
    """How many of the queries that Trino remembers lacked memory, by the name of the limit; and how many it remembers.

    Raises the errors of Trino's client.
    """
    counted = "SELECT error_code, count(*) FROM system.runtime.queries"
    failed = _rows(target, "system", f"{counted} WHERE {_LACKED} GROUP BY 1 ORDER BY 2 DESC")
    [[count]] = _rows(target, "system", "SELECT count(*) FROM system.runtime.queries")
    return dict(failed), count


def _rows(target: Target, catalog: str, statement: str) -> list[Any]:
    from bootstrap.session.clients import trino

    with trino(target, catalog) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        return list(cursor.fetchall())
