"""How the bootstrap reaches a running lakehouse: plain values, built by the runtime that started it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bootstrap.remote.auth import NONE, Auth
from lakehouse.runtimes.state import State


@dataclass(frozen=True)
class StoreConnection:
    """The object store, as seen from outside."""

    endpoint: str | None  # None: AWS itself
    region: str
    access_key: str | None = None  # None: the environment's own credentials
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)  # of temporary keys
    trust: str | None = None  # the file of an authority's certificate, if the system does not trust it
    has_tables: bool = field(default=False, kw_only=True)  # it has table buckets, by the API of S3 Tables


@dataclass(frozen=True)
class AwsAccount:
    """The region and the keys for a catalog that AWS runs."""

    region: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class CatalogConnection:
    """One catalog.

    ``uri`` is the Iceberg REST address without ``/v1``, ``warehouse`` the name by which the server knows the catalog,
    and ``api`` the address of the server's own interface (Nessie's, up to and including ``/api/v2``; for AIStor's
    tables, the one that makes warehouses). ``headers`` go
    with every request, and ``auth`` authenticates it. For Glue, ``uri`` is its address (empty: AWS itself) and
    ``warehouse`` the ``s3://`` location of its databases; without an ``account`` it has the store's region and keys.
    """

    kind: str  # its word in the file
    uri: str
    warehouse: str = ""
    api: str = ""
    branch: str = "main"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: Auth = NONE
    trust: str | None = None  # the file of an authority's certificate, if the system does not trust it
    account: AwsAccount | None = None
    storage: Mapping[str, Any] | None = None  # of a server that makes catalogs: its settings for the files


@dataclass(frozen=True)
class BucketOwner:
    """The owner of new buckets. Only buckets with this mark may be emptied or deleted."""

    id: str  # empty: the state folder has no mark yet, so no bucket can have one
    lakehouse: str
    stack: str
    unmarked: Path | None = None  # the state folder of an earlier version, until its buckets carry the mark

    def __str__(self) -> str:
        return f"{self.id} {self.lakehouse}/{self.stack}"


@dataclass(frozen=True)
class ConnectConnection:
    """Kafka Connect, and the connectors that the file's pipelines need there: pipeline -> connector -> settings."""

    endpoint: str
    wanted: Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Connections:
    """Everything that the bootstrap talks to. ``cache`` is a folder for facts that can be read again; None: no cache.

    ``folder`` is the folder of the lakehouse's file; the seeds are next to the file.
    """

    store: StoreConnection
    catalogs: Mapping[str, CatalogConnection]
    cache: Path | None = None
    patience: float = 30.0  # seconds one request may take
    parallel: int = 8  # simultaneous requests, for each server
    folder: Path = Path()
    owner: BucketOwner | None = None  # None: buckets carry no such mark (in AWS they are Terraform's)
    user_keys: State | None = None  # keeps the keys of users of the store and of catalogs; None: nobody's are managed
    # Where a Trino that asks for passwords runs; empty: none does.
    trino_users: Literal["", "process", "docker", "hosts"] = ""
    # Writes a file of its configuration, by path and text, where it runs; None: where this program runs.
    trino_files: Callable[[str, str], None] | None = None
    connect: ConnectConnection | None = None  # None: no pipeline of the stack needs it
    # The pipelines whose jobs SeaTunnel runs, which may be of an earlier file (None: nobody knows); None: it runs none.
    jobs: Callable[[], Collection[str] | None] | None = None
    user_api: str = ""  # as in :attr:`lakehouse.spec.kinds.StoreRules.users`
