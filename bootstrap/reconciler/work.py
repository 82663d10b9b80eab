"""What changes are carried out with: the world's clients, each opened once for a whole apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from bootstrap.catalogs.base import LiveCatalog
from bootstrap.reconciler.recheck import Recheck
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Refused
from bootstrap.stores.buckets import BucketStore
from bootstrap.stores.users import UserAdmin


@dataclass
class ApplyWork:
    """One apply. ``purge``: the files of dropped tables are deleted too."""

    world: World
    purge: bool = False
    _catalogs: dict[str, LiveCatalog] = field(default_factory=dict)
    _rechecks: dict[str, Recheck] = field(default_factory=dict)

    @cached_property
    def store(self) -> BucketStore:
        return self.world.store()

    @cached_property
    def users(self) -> UserAdmin:
        if self.world.users is None:
            raise Refused("the store of this lakehouse does not support users")
        return self.world.users()

    def catalog(self, name: str) -> LiveCatalog:
        """The catalog of that name. Raises Refused if the connections have none."""
        if name not in self._catalogs:
            self._catalogs[name] = self.world.catalog(name)
        return self._catalogs[name]

    def recheck(self, name: str) -> Recheck:
        """The check of who uses which folder of a catalog now."""
        return self._rechecks.setdefault(name, Recheck(name, self.catalog(name)))

    def spare(self, shared: str) -> None:
        """Raises Refused if a purge would delete files of a live table; ``shared`` names it (empty: none)."""
        if self.purge and shared:
            rule = f"{shared}, so --purge would delete files of a live table"
            raise Refused(f"{rule}. Move that table first, or apply without --purge")
