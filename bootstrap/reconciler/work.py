"""What changes are carried out with: the world's clients, each opened once for a whole apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from bootstrap.catalogs.base import LiveCatalog
from bootstrap.catalogs.polaris_principals import PolarisPrincipals
from bootstrap.engines.kafka_connect import ConnectWorker
from bootstrap.engines.trino_files import TrinoFiles
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Refused
from bootstrap.stores.buckets import BucketStore
from bootstrap.stores.users import UserAdmin

T = TypeVar("T")


@dataclass
class ApplyWork:
    """One apply. ``purge``: the files of dropped tables are deleted too."""

    world: World
    purge: bool = False
    _catalogs: dict[str, LiveCatalog] = field(default_factory=dict)
    _kept: dict[tuple[Any, str], Any] = field(default_factory=dict)

    @cached_property
    def store(self) -> BucketStore:
        return self.world.store()

    @cached_property
    def users(self) -> UserAdmin:
        if self.world.users is None:
            raise Refused("the store of this lakehouse does not support users")
        return self.world.users()

    @cached_property
    def principals(self) -> PolarisPrincipals:
        if self.world.principals is None:
            raise Refused("no catalog of this lakehouse has principals")
        return self.world.principals()

    @cached_property
    def trino(self) -> TrinoFiles:
        if self.world.trino is None:
            raise Refused("no Trino of this lakehouse asks for passwords")
        return self.world.trino()

    @cached_property
    def connect(self) -> ConnectWorker:
        if self.world.connect is None:
            raise Refused("this lakehouse has no Kafka Connect")
        return self.world.connect()

    def catalog(self, name: str) -> LiveCatalog:
        """The catalog of that name. Raises Refused if the connections have none."""
        if name not in self._catalogs:
            self._catalogs[name] = self.world.catalog(name)
        return self._catalogs[name]

    def kept(self, make: Callable[[str, LiveCatalog], T], name: str) -> T:
        """A helper that a kind of object makes for a catalog, once for the whole apply."""
        found: T = self._kept.setdefault((make, name), make(name, self.catalog(name)))
        return found

    def spare(self, shared: str) -> None:
        """Check a purge; ``shared`` names a live table in the same folder, if any. Raises Refused if there is one."""
        if self.purge and shared:
            rule = f"{shared}, so --purge would delete files of a live table"
            raise Refused(f"{rule}. Move that table first, or apply without --purge")
