"""One module for each kind of catalog, behind one interface (:class:`bootstrap.catalogs.base.LiveCatalog`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bootstrap.catalogs.base import LiveCatalog
from bootstrap.catalogs.glue import GlueCatalog
from bootstrap.catalogs.hive import HiveCatalog
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.polaris import PolarisCatalog
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.catalogs.s3tables import S3TablesCatalog
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Refused

#: By the kind's name. ``rest`` is any catalog that speaks Iceberg REST.
CATALOGS: Mapping[str, Callable[[str, CatalogConnection, Connections], LiveCatalog]] = {
    "nessie": NessieCatalog,
    "glue": GlueCatalog,
    "hive": HiveCatalog,
    "polaris": PolarisCatalog,
    "s3tables": S3TablesCatalog,
    "rest": RestCatalog,
}


def connect(name: str, connections: Connections) -> LiveCatalog:
    """The catalog of that name. Raises Refused if the connections have none."""
    connection = connections.catalogs.get(name)
    if connection is None:
        raise Refused(f'catalog "{name}" is in the file, but this stack has no such catalog. Add it under `stacks`')
    return CATALOGS[connection.kind](name, connection, connections)


__all__ = ["LiveCatalog", "connect"]
