"""One module a kind of catalog, behind one interface (:class:`bootstrap.catalogs.base.Catalog`)."""

from __future__ import annotations

from bootstrap.catalogs.base import Catalog
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Refused


def connect(name: str, connections: Connections) -> Catalog:
    """The catalog of that name. Raises Refused where the connections have none."""
    connection = connections.catalogs.get(name)
    if connection is None:
        raise Refused(f'catalog "{name}" is in the file, but this stack has no such catalog. Add it under `stacks`')
    if connection.kind == "nessie":
        from bootstrap.catalogs.nessie import NessieCatalog

        return NessieCatalog(name, connection, connections)
    if connection.kind == "glue":
        from bootstrap.catalogs.glue import GlueCatalog

        return GlueCatalog(name, connection, connections)
    from bootstrap.catalogs.rest import RestCatalog

    return RestCatalog(name, connection, connections)


__all__ = ["Catalog", "connect"]
