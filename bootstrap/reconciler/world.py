"""The running lakehouse as the reconciler reaches it: a value that is passed in, so that tests can pass another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap import catalogs
from bootstrap.catalogs.base import LiveCatalog
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.remote import retry
from bootstrap.remote.connections import Connections
from bootstrap.stores.buckets import BucketStore
from bootstrap.stores.folders import Folders
from bootstrap.stores.users import UserAdmin


@dataclass(frozen=True)
class World:
    """What the reconciler reads and writes. Each callable opens a client; none of them sends a request."""

    connections: Connections
    catalog: Callable[[str], LiveCatalog]  # by its name; raises Refused if the connections have none
    store: Callable[[], BucketStore]
    folders: Callable[[], Folders]
    files: Callable[[], MetadataFiles]
    users: Callable[[], UserAdmin] | None = None  # None: the store does not support users
    rounds: int = 5  # at most, with fresh facts each, if others write at the same time or answers are lost
    pause: Callable[[int], None] = retry.pause  # before the next round; takes the number of rounds so far

    @classmethod
    def of(cls, connections: Connections) -> World:
        """The lakehouse that these connections reach."""
        state = connections.user_keys
        return cls(
            connections,
            catalog=lambda name: catalogs.connect(name, connections),
            store=lambda: BucketStore(connections),
            folders=lambda: Folders(connections),
            files=lambda: MetadataFiles(connections),
            users=(lambda: UserAdmin(connections, state)) if state is not None else None,
        )
