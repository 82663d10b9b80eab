"""A lakehouse in memory that somebody else changes while a plan is carried out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyiceberg.exceptions import CommitFailedException

from bootstrap.catalogs.base import Reading
from bootstrap.catalogs.references import CatalogReferences, ReferenceKind
from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, ReferenceFacts
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.objects.bucket import BucketSettings
from bootstrap.reconciler.objects.namespace import ChangedProperties, NewNamespace
from bootstrap.reconciler.objects.rename import Renamed
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Exists, Missing
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation
from tests.unit.bootstrap.reconciler.simulation import world as reached


class World(Simulation):
    """A lakehouse in memory, behind a catalog and a store as :mod:`bootstrap.reconciler` asks them.

    ``meanwhile``: what somebody else does just before a change is carried out for the first time, by its address; where
    it returns an error, the change meets it. ``always``: the error that a change meets each time.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(Limits("Nessie", references=True, renames=True))
        self.refs: dict[str, ReferenceFacts] = {}
        self.meanwhile: dict[str, Callable[[], Exception | None]] = {}
        self.always: dict[str, Exception] = {}
        self.tried: list[str] = []
        self.lock = threading.Lock()
        connections = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, parallel=2, folder=folder)
        lake: Any = Lake(self)
        store: Any = Store(self)
        self.reached = reached(None, connections=connections, catalog=lambda name: lake, store=lambda: store)

    def facts(self) -> Facts:
        found = super().facts()
        lake = replace(found.catalogs["lake"], references=dict(self.refs))
        return Facts(found.buckets, {"lake": lake})

    def does(self, address: str, change: Change | None = None) -> None:
        with self.lock:
            self.tried.append(address)
            error = self.meanwhile.pop(address, lambda: self.always.get(address))()
            if error is not None:
                raise error
            if change is not None:
                self.carry_out(change)


class Store:
    def __init__(self, world: World) -> None:
        self.world = world

    def facts(self, buckets: Collection[str], owner: str | None = None) -> Mapping[str, BucketFacts]:
        return self.world.facts().buckets

    def create(self, name: str, settings: Mapping[str, Any]) -> list[str]:
        self.world.does(f"bucket {name}", Change("create", "bucket", "", name, (), BucketSettings(settings)))
        return []

    def update(self, name: str, settings: Mapping[str, Any]) -> list[str]:
        self.world.does(f"bucket {name}", Change("update", "bucket", "", name, (), BucketSettings(settings)))
        return []


class Lake:
    def __init__(self, world: World) -> None:
        self.world, self.references = world, References(world)

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        found = self.world.facts().catalogs["lake"]
        read = {name: of for name, of in found.tables.items() if tables is None or name in tables}
        return replace(found, tables=read, others=frozenset(found.tables.keys() - read.keys()))

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        return self.facts(None, lambda count, of: None)

    def read(self, names: Collection[str]) -> CatalogFacts:
        return self.facts(names, lambda count, of: None)

    def locations(self) -> Mapping[str, str]:
        tables = self.world.tables.items()
        return {name: f"{table.location}/metadata/00000-x.metadata.json" for name, table in tables}

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None:
        change = Change("create", "namespace", "lake", name, (), NewNamespace(properties))
        if name in self.world.namespaces:
            raise Exists(f"there is a namespace {name} already")
        self.world.does(f"namespace lake.{name}", change)

    def drop_namespace(self, name: str) -> None:
        self.world.does(f"namespace lake.{name}", Change("destroy", "namespace", "lake", name))

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        self.world.does(f"table lake.{name}")
        updates = [each for each in commit["updates"] if each["action"] != "assign-uuid"]
        creates = {"type": "assert-create"} in commit["requirements"]
        if creates and name in self.world.tables:
            raise Exists(f"there is a table {name} already")
        try:
            self.world.commit(name, {**commit, "updates": updates}, creates=creates)
        except CommitFailedException as error:
            raise Conflict(str(error)) from error

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None:
        change = Change("update", "namespace", "lake", name, (), ChangedProperties(updates, tuple(removals)))
        self.world.does(f"namespace lake.{name}", change)

    def rename_table(self, former: str, name: str, identity: str) -> None:
        self.world.does(f"rename lake.{name}")
        if former not in self.world.tables:
            raise Missing(f"there is no table {former}")
        self.world.carry_out(Change("update", "rename", "lake", name, (), Renamed(former, identity)))

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        self.world.does(f"table lake.{name}")
        if str(self.world.tables[name].table_uuid) != identity:
            raise Conflict(f"{name} is another table")
        del self.world.tables[name]
        return ""


class References(CatalogReferences):
    def __init__(self, world: World) -> None:
        self.world, self.main = world, "main"

    def create(self, name: str, kind: ReferenceKind, source: str | None = None) -> Any:
        self.world.does(f"{kind} lake.{name}")
        self.world.refs[name] = ReferenceFacts(kind, "H0")

    def delete(self, name: str, kind: ReferenceKind, expected: str | None = None) -> None:
        self.world.does(f"{kind} lake.{name}")
        if self.world.refs[name].points_to != expected:
            raise Conflict(f"{name} moved meanwhile")
        del self.world.refs[name]
