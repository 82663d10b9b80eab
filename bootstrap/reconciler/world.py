"""The running lakehouse as the reconciler reaches it: a value that is passed in, so that tests can pass another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap import catalogs
from bootstrap.catalogs.base import LiveCatalog
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.polaris_principals import PolarisPrincipals
from bootstrap.engines.kafka_connect import ConnectWorker
from bootstrap.engines.trino_files import TrinoFiles
from bootstrap.remote import retry
from bootstrap.remote.connections import Connections
from bootstrap.stores.buckets import BucketStore
from bootstrap.stores.folders import Folders
from bootstrap.stores.iam_users import IamUsers
from bootstrap.stores.minio_users import MinioUsers
from bootstrap.stores.users import UserAdmin
from lakehouse.kinds.catalogs.polaris import POLARIS
from lakehouse.runtimes.state import State

#: The clients of users' APIs, by the words of :attr:`lakehouse.spec.kinds.StoreRules.users`.
_USERS: dict[str, Callable[[Connections, State], UserAdmin]] = {"minio": MinioUsers, "iam": IamUsers}


@dataclass(frozen=True)
class World:
    """What the reconciler reads and writes. Each callable opens a client; none of them sends a request."""

    connections: Connections
    catalog: Callable[[str], LiveCatalog]  # by its name; raises Refused if the connections have none
    store: Callable[[], BucketStore]
    folders: Callable[[], Folders]
    files: Callable[[], MetadataFiles]
    users: Callable[[], UserAdmin] | None = None  # None: the store does not support users
    principals: Callable[[], PolarisPrincipals] | None = None  # None: no catalog's server has principals
    trino: Callable[[], TrinoFiles] | None = None  # None: no Trino here asks for passwords
    connect: Callable[[], ConnectWorker] | None = None  # None: there are no pipelines
    rounds: int = 5  # at most, with fresh facts each, if others write at the same time or answers are lost
    pause: Callable[[int], None] = retry.pause  # before the next round; takes the number of rounds so far

    @classmethod
    def of(cls, connections: Connections) -> World:
        """The lakehouse that these connections reach."""
        state, users = connections.user_keys, _USERS.get(connections.user_api)
        return cls(
            connections,
            catalog=lambda name: catalogs.connect(name, connections),
            store=lambda: BucketStore(connections),
            folders=lambda: Folders(connections),
            files=lambda: MetadataFiles(connections),
            users=(lambda: users(connections, state)) if users is not None and state is not None else None,
            principals=_principals(connections, state),
            trino=_trino(connections, state),
            connect=_connect(connections),
        )


def _trino(connections: Connections, state: State | None) -> Callable[[], TrinoFiles] | None:
    if state is None or not connections.trino_users:
        return None
    return lambda: TrinoFiles(state, apart=connections.trino_users == "docker", write=connections.trino_files)


def _connect(connections: Connections) -> Callable[[], ConnectWorker] | None:
    there = connections.connect
    return None if there is None else lambda: ConnectWorker(there.endpoint, connections.patience)


def _principals(connections: Connections, state: State | None) -> Callable[[], PolarisPrincipals] | None:
    if state is None or not any(each.kind == POLARIS.word for each in connections.catalogs.values()):
        return None
    return lambda: PolarisPrincipals(connections, state)
