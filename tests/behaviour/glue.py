"""AWS's double for the suite: moto's server, with a bucket and Glue."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import requests

from bootstrap.connections import CatalogConnection, Connections, StoreConnection
from tests.behaviour.servers import REGION, Servers, free_ports

WAREHOUSE = "s3://warehouse/lake"


@dataclass(frozen=True)
class GlueServers(Servers):
    """The same as of other catalogs: one server is the store, the catalog and everything else of AWS."""

    def connections(self, cache: Path | None = None, *, kind: str = "glue", branch: str = "main") -> Connections:
        store = StoreConnection(self.store, REGION, self.access_key, self.secret_key)
        return Connections(store, {"lake": CatalogConnection("glue", self.catalog, WAREHOUSE)}, cache)

    def pyiceberg(self) -> dict[str, str]:
        keys = {"access-key-id": self.access_key, "secret-access-key": self.secret_key, "region": REGION}
        of_both = {f"{part}.{name}": value for part in ("glue", "s3") for name, value in keys.items()}
        addresses = {"glue.endpoint": self.catalog, "s3.endpoint": self.store}
        return {"type": "glue", "warehouse": WAREHOUSE, **of_both, **addresses}


@contextmanager
def running() -> Iterator[str]:
    """The address of a moto server, for as long as the context lasts."""
    [port] = free_ports(1)
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 60
            while not _answers(url):
                assert process.poll() is None, "moto's server ended"
                assert time.monotonic() < deadline, "moto's server does not answer"
                time.sleep(0.1)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/moto-api/", timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def glue() -> Iterator[GlueServers]:
    """A moto server that has the suite's bucket."""
    with running() as url:
        made = GlueServers("moto", url, url, "behaviour", "not checked by moto")
        session = boto3.Session(made.access_key, made.secret_key, region_name=REGION)
        session.client("s3", endpoint_url=url).create_bucket(Bucket="warehouse")
        yield made
