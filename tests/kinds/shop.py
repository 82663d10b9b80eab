"""A PostgreSQL beside a lakehouse, whose changes pipelines read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse import packages
from lakehouse.kinds.platform import postgres
from tests.integration.deployment import until
from tests.ports import free
from tests.psql import psql

PASSWORD = "of-the-shop"
COLUMNS = {
    "id": "long",
    "word": "string",
    "price": "decimal(10, 2)",
    "at": "timestamptz",
    "_cdc": "struct<op: string, ts: timestamptz, offset: long, source: string>",
}


@dataclass(frozen=True)
class Shop:
    """A PostgreSQL that keeps what logical replication needs."""

    port: int
    host: str = "127.0.0.1"

    def sql(self, statement: str) -> str:
        return psql(self.port, "shop", "postgres", PASSWORD, statement, host=self.host)

    @property
    def slots(self) -> str:
        return self.sql("SELECT count(*) FROM pg_replication_slots")

    @property
    def slot(self) -> str:
        return self.sql("SELECT slot_name FROM pg_replication_slots")

    def pipeline(self, to: str) -> dict[str, Any]:
        """A pipeline of its table into one of the lakehouse's."""
        at = {"host": self.host, "port": self.port, "database": "shop", "user": "postgres", "table": "public.items"}
        return {"from": {"postgres": at}, "to": to, "commit_seconds": 2, "deletable": True}


@contextmanager
def open_shop(folder: Path, host: str = "127.0.0.1") -> Iterator[Shop]:
    """A shop with an empty table, which listens on that address of this machine."""
    home = packages.location(postgres.PACKAGE)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(home / "lib")}
    apart = ["unshare", "--user", "--map-user=1", "--map-group=1", "--"] if os.getuid() == 0 else []
    (folder / "password").write_text(PASSWORD)
    subprocess.run(
        [*apart, home / "bin/initdb", "-D", folder / "data", "-U", "postgres", "--auth=scram-sha-256",
         f"--pwfile={folder}/password", "--encoding=UTF8", "--no-locale"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    with (folder / "data/pg_hba.conf").open("a") as rules:  # as they are for the loopback address
        rules.write("host all all all scram-sha-256\nhost replication all all scram-sha-256\n")
    [port] = free(1)
    words = (f"listen_addresses={host}", f"port={port}", "wal_level=logical", f"unix_socket_directories={folder}")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*apart, home / "bin/postgres", "-D", folder / "data", *(part for word in words for part in ("-c", word))],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        made = Shop(port, host)
        until(lambda: psql(port, "postgres", "postgres", PASSWORD, "SELECT 1", host=host) == "1", 60)
        psql(port, "postgres", "postgres", PASSWORD, "CREATE DATABASE shop", host=host)
        made.sql("CREATE TABLE items (id bigint PRIMARY KEY, word text, price numeric(10, 2), at timestamptz)")
        yield made
    finally:
        server.terminate()
        server.wait(30)
