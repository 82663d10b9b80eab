"""AWS's double for the suite: moto's server, with a bucket and Glue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from tests import moto
from tests.behaviour.servers import REGION, Servers

WAREHOUSE = "s3://warehouse/lake"


@dataclass(frozen=True)
class GlueServers(Servers):
    """The same as for other catalogs: one server is the store, the catalog and the rest of AWS."""

    def connections(self, cache: Path | None = None, *, kind: str = "glue", branch: str = "main") -> Connections:
        store = StoreConnection(self.store, REGION, self.access_key, self.secret_key)
        return Connections(store, {"lake": CatalogConnection("glue", self.catalog, WAREHOUSE)}, cache)

    def pyiceberg(self) -> dict[str, str]:
        keys = {"access-key-id": self.access_key, "secret-access-key": self.secret_key, "region": REGION}
        of_both = {f"{part}.{name}": value for part in ("glue", "s3") for name, value in keys.items()}
        addresses = {"glue.endpoint": self.catalog, "s3.endpoint": self.store}
        return {"type": "glue", "warehouse": WAREHOUSE, **of_both, **addresses}


@contextmanager
def glue() -> Iterator[GlueServers]:
    """A moto server that has the suite's bucket."""
    with moto.running() as url:
        moto.client("s3", url, REGION).create_bucket(Bucket="warehouse")
        yield GlueServers("moto", url, url, *moto.KEYS)
