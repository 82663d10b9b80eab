"""From the file and a stack's name to what the bootstrap talks to."""

from __future__ import annotations

from pathlib import Path

from bootstrap.connections import CatalogConnection, Connections, StoreConnection
from lakehouse.runtimes.process.local import locate
from lakehouse.runtimes.process.place import with_secrets
from lakehouse.spec import Lakehouse, load


def connect(path: Path, stack: str) -> tuple[Lakehouse, Connections]:
    """The lakehouse of the file, and the connections to it as it stands in a local stack.

    Raises SpecError for a wrong file and UsageError where the file has no such stack.
    """
    lakehouse = load(path)
    local = locate(lakehouse, stack, path.resolve())
    store = local.endpoints.store
    return lakehouse, Connections(
        store=StoreConnection(
            endpoint=store.external,
            region=store.region,
            access_key=with_secrets(store.access_key, local.state.secret),
            secret_key=with_secrets(store.secret_key, local.state.secret),
        ),
        catalogs={
            each.name: CatalogConnection(
                kind="nessie",
                uri=f"{each.external}/iceberg",
                warehouse=each.warehouse,
                api=f"{each.external}/api/v2",
            )
            for each in local.endpoints.catalogs
        },
        cache=local.state.root / "cache",
    )
