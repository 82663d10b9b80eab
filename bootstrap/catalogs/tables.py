"""A table as a pyiceberg object, read from its metadata file and committed through our catalog.

Nessie's Iceberg REST endpoint shows the schema of the last written rows as the table's schema. So the lakehouse's own
commands do not write rows through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bootstrap.catalogs.base import LiveCatalog
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing

if TYPE_CHECKING:
    from pyiceberg.table import Table


def load(catalog: LiveCatalog, name: str, connections: Connections) -> Table:
    """The table ``name`` of the catalog. Raises Missing if there is none."""
    facts = catalog.read({name}).tables.get(name)
    if facts is None:
        raise Missing(f"there is no table {name}")
    return at(catalog, name, facts.metadata_location, connections)


def at(catalog: LiveCatalog, name: str, location: str, connections: Connections) -> Table:
    """The table ``name`` with the metadata file at ``location``. Raises ValueError if pyiceberg cannot read it."""
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadataUtil

    files = MetadataFiles(connections)
    through: Any = _Commits(catalog, name)
    metadata = TableMetadataUtil.parse_obj(files.read(location))
    return Table(tuple(name.split(".")), metadata, location, files.io, through)


class _Commits:
    """Stands in for pyiceberg's catalog: the one commit of a transaction goes through ours."""

    def __init__(self, catalog: LiveCatalog, table: str) -> None:
        self._catalog, self._table = catalog, table

    def commit_table(self, table: Any, requirements: Iterable[Any], updates: Iterable[Any]) -> Any:
        commit = {
            "requirements": [each.model_dump(mode="json", by_alias=True) for each in requirements],
            "updates": [each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in updates],
        }
        self._catalog.commit_table(self._table, commit)
        return table

    def supports_server_side_planning(self) -> bool:
        return False

    def _delete_old_metadata(self, *metadata: Any) -> None:
        """Left to `lakehouse maintain`."""
