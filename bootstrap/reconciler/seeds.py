"""Seeds: a table's first rows, from a file next to lakehouse.yaml. Loaded once, and replaced only on request.

The rows and the mark that they are loaded are in one commit, so a load that is repeated or killed adds them once or not
at all. pyiceberg writes the files: seeds are small and need no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.catalogs import tables
from bootstrap.catalogs.base import LiveCatalog
from bootstrap.reconciler.changes import Body
from bootstrap.reconciler.marks import SEED, SEED_FILES
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing, Refused, UnknownState, first_line
from lakehouse.errors import UsageError
from lakehouse.spec.model import Lakehouse

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table, Transaction


@dataclass(frozen=True)
class SeedRows(Body):
    """Rows to load: the file's name in lakehouse.yaml, and its digest at the time of the plan."""

    file: str
    digest: str


#: The type of :func:`load`: takes the catalog, the table, the seed and the connections.
Loader = Callable[[LiveCatalog, str, SeedRows, Connections], None]


def digests(lakehouse: Lakehouse, folder: Path) -> dict[str, str | None]:
    """The SHA-256 of each seed file by its name in lakehouse.yaml; None if it cannot be read."""
    tables = (t for c in lakehouse.catalogs.values() for n in c.namespaces.values() for t in n.tables.values())
    return {name: _digest(folder / name) for name in {table.seed for table in tables} if name is not None}


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def load(catalog: LiveCatalog, table: str, seed: SeedRows, connections: Connections) -> None:
    """Append the file's rows to the table and record its digest, in one commit.

    Raises Conflict if the table or the file changed meanwhile, Refused if the rows do not fit the table, UnknownState
    if the store failed.
    """
    path = connections.folder / seed.file
    if _digest(path) != seed.digest:
        raise Conflict(f"{path} changed since the plan was made")
    facts = catalog.read({table}).tables.get(table)
    if facts is None:
        raise Missing(f"there is no table {table}")
    if SEED in facts.properties:
        raise Conflict(f"table {table} was seeded in the meantime")
    with _typed(path):
        loaded = tables.at(catalog, table, facts.metadata_location, connections)
        rows = _rows(path, loaded)
        with loaded.transaction() as transaction:
            transaction.append(rows)
            transaction.set_properties(_marks(transaction, seed.digest))


@dataclass(frozen=True)
class Replaced:
    """What a replacement did: how many rows it removed, and how many it added."""

    removed: int
    added: int


def replace(
    catalog: LiveCatalog, table: str, name: str, connections: Connections, *, all_rows: bool = False
) -> Replaced:
    """Replace the rows that the file ``name`` added with those that it has now, in one commit.

    Other rows stay, unless ``all_rows``. Raises UsageError if the rows of the seed cannot be distinguished from others
    or were never loaded, and the errors of :func:`load`.
    """
    path = connections.folder / name
    digest = _digest(path)
    if digest is None:
        raise UsageError(f"there is no file {name}. Put it next to the lakehouse's file, or correct the name")
    with _typed(path):
        loaded = tables.load(catalog, table, connections)
        if SEED not in loaded.properties:
            raise UsageError(f"table {table} is not seeded yet. `lakehouse apply` loads {name}")
        former = _files(loaded, table, all_rows)
        rows = _rows(path, loaded)
        with loaded.transaction() as transaction:
            _overwrite(transaction, loaded, former, rows)
            transaction.set_properties(_marks(transaction, digest))
    return Replaced(sum(each.record_count for each in former), rows.num_rows)


def _files(loaded: Table, table: str, all_rows: bool) -> list[DataFile]:
    """The data files to remove: those that the seed's snapshot added, or all."""
    from pyiceberg.manifest import DataFileContent

    snapshot, _, count = loaded.properties.get(SEED_FILES, "").partition(" ")
    current = loaded.current_snapshot()
    entries = [
        entry
        for manifest in (current.manifests(loaded.io) if current else ())
        for entry in manifest.fetch_manifest_entry(loaded.io, discard_deleted=True)
        if entry.data_file.content == DataFileContent.DATA
    ]
    own = [each.data_file for each in entries if str(each.snapshot_id) == snapshot]
    if all_rows:
        return [each.data_file for each in entries]
    if not snapshot or len(own) != int(count):
        why = "were rewritten since (by compaction, an update or a delete)" if snapshot else "were loaded unmarked"
        raise UsageError(
            f"table {table}: rows of the seed {why}, and cannot be distinguished from others. --all-rows replaces "
            "every row of the table, whoever wrote it"
        )
    return own


def _overwrite(transaction: Transaction, loaded: Table, former: Sequence[DataFile], rows: pa.Table) -> None:
    from pyiceberg.io.pyarrow import _check_pyarrow_schema_compatible, _dataframe_to_data_files

    metadata = transaction.table_metadata
    _check_pyarrow_schema_compatible(metadata.schema(), rows.schema, format_version=metadata.format_version)
    with transaction.update_snapshot().overwrite() as change:
        for each in former:
            change.delete_data_file(each)
        if rows.num_rows:
            for each in _dataframe_to_data_files(metadata, rows, loaded.io, write_uuid=change.commit_uuid):
                change.append_data_file(each)


def _marks(transaction: Transaction, digest: str) -> dict[str, str]:
    """The properties that identify the rows just written."""
    snapshot = transaction.table_metadata.current_snapshot()
    assert snapshot is not None
    count = snapshot.summary["added-data-files"] if snapshot.summary else None  # None: the file has no rows
    return {SEED: digest, SEED_FILES: f"{snapshot.snapshot_id} {count or 0}"}


@contextmanager
def _typed(path: Path) -> Iterator[None]:
    """Turn the errors that libraries raise about the file or the store into errors of this project."""
    from pyiceberg.exceptions import ValidationError

    try:
        yield
    except (ValidationError, ValueError, TypeError, NotImplementedError) as error:  # also those of Arrow and pydantic
        raise Refused(f"{path}: {first_line(error)}") from error
    except OSError as error:  # Arrow raises it for all failures of the store
        raise UnknownState(f"{path}: {first_line(error)}") from error


def _rows(path: Path, table: Table) -> pa.Table:
    import pyarrow as pa
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    from bootstrap.files.columns import fitted
    from bootstrap.files.items import Item
    from bootstrap.files.places import LocalPlace

    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    item = Item(LocalPlace(str(path)), path.name, "parquet" if path.suffix.lower() == ".parquet" else "csv")
    return pa.concat_tables([schema.empty_table(), *fitted(item, path, schema)])
