"""Seeds: the rows that a table begins with, from a file beside lakehouse.yaml, loaded once.

Rows and the mark that they are loaded come in one commit, so that a load that is repeated or killed brings them once or
not at all. pyiceberg writes the files; seeds are small, and need no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.catalogs import tables
from bootstrap.catalogs.base import Catalog
from bootstrap.connections import Connections
from bootstrap.errors import Conflict, Missing, Refused, UnknownState, first_line
from bootstrap.reconciler.wanted import SEED
from lakehouse.spec.model import Lakehouse

if TYPE_CHECKING:
    import pyarrow as pa


def digests(lakehouse: Lakehouse, folder: Path) -> dict[str, str | None]:
    """The SHA-256 of each seed file by its name in lakehouse.yaml; None where it cannot be read."""
    tables = (t for c in lakehouse.catalogs.values() for n in c.namespaces.values() for t in n.tables.values())
    return {name: _digest(folder / name) for name in {table.seed for table in tables} if name is not None}


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def load(catalog: Catalog, table: str, body: Mapping[str, str], connections: Connections) -> None:
    """Append the file's rows to the table and remember its digest, in one commit.

    ``body``: ``file``, its name, and ``digest``. Raises Conflict where the table or the file changed meanwhile, Refused
    for rows that do not fit, UnknownState where the store failed.
    """
    from pyiceberg.exceptions import ValidationError
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    path = connections.folder / body["file"]
    if _digest(path) != body["digest"]:
        raise Conflict(f"{path} changed since the plan was made")
    facts = catalog.facts({table}, lambda count, of: None).tables.get(table)
    if facts is None:
        raise Missing(f"there is no table {table}")
    if SEED in facts.properties:
        raise Conflict(f"table {table} was seeded meanwhile")
    try:
        loaded = tables.at(catalog, table, facts.metadata_location, connections)
        rows = _rows(path, schema_to_pyarrow(loaded.schema(), include_field_ids=False))
        with loaded.transaction() as transaction:
            transaction.append(rows)
            transaction.set_properties({SEED: body["digest"]})
    except (ValidationError, ValueError, TypeError, NotImplementedError) as error:  # Arrow's and pydantic's among them
        raise Refused(f"{path}: {first_line(error)}") from error
    except OSError as error:  # Arrow's way to say anything of the store
        raise UnknownState(f"{path}: {first_line(error)}") from error


def _rows(path: Path, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    from bootstrap.ingest.columns import fitted
    from bootstrap.ingest.items import Item
    from bootstrap.ingest.places import LocalPlace

    item = Item(LocalPlace(str(path)), path.name, "parquet" if path.suffix.lower() == ".parquet" else "csv")
    return pa.concat_tables([schema.empty_table(), *fitted(item, path, schema)])
