"""A catalog in memory: pyiceberg carries out the commits, so that another implementation judges the plans."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

from pydantic import TypeAdapter
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadataV1
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, ReferenceFacts, TableFacts, compact
from bootstrap.iceberg.view import ViewFacts, compact_view, new_metadata, next_metadata
from bootstrap.reconciler.changes import Change, Diff
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects.bucket import BucketSettings
from bootstrap.reconciler.objects.namespace import ChangedProperties, NewNamespace
from bootstrap.reconciler.objects.reference import MarkedReference, NewReference, ReferenceGone
from bootstrap.reconciler.objects.rename import Renamed
from bootstrap.reconciler.objects.rename_namespace import RenamedNamespace
from bootstrap.reconciler.objects.table import TableCommit, TableGone
from bootstrap.reconciler.objects.view import ChangedView, NewView, ViewGone
from bootstrap.reconciler.plan import plan
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections, StoreConnection
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Limits

_UPDATES: TypeAdapter[tuple[TableUpdate, ...]] = TypeAdapter(tuple[TableUpdate, ...])
_REQUIREMENTS: TypeAdapter[tuple[TableRequirement, ...]] = TypeAdapter(tuple[TableRequirement, ...])


def lakehouse(
    namespaces: Mapping[str, Any],
    *,
    managed: str = "shared",
    references: Mapping[str, Any] | None = None,
    **more: Any,
) -> Lakehouse:
    """A lakehouse with one catalog, ``lake``, and these namespaces, branches and tags in it."""
    catalog = {"location": "s3://warehouse/lake", "managed": managed, "namespaces": namespaces, **(references or {})}
    return Lakehouse.model_validate(
        {
            "name": "unit",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": catalog},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
            **more,
        }
    )


def world(of: Any, **more: Any) -> World:
    """A world whose catalogs and store are all ``of``, with empty folders; ``more`` are other fields."""
    connections = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, parallel=4)
    given = {"connections": connections, "catalog": lambda name: of, "store": lambda: of}
    return World(**{**given, "folders": EmptyFolders, "files": MagicMock, "pause": lambda attempt: None, **more})


class EmptyFolders:
    """A store in which all folders are empty."""

    def held(self, location: str) -> bool:
        return False

    def look(self, locations: Any) -> None: ...


class Simulation:
    """The existing objects, on which changes are carried out one by one."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.buckets: dict[str, BucketFacts] = {}
        self.namespaces: dict[str, dict[str, str]] = {}
        self.tables: dict[str, Any] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.there: dict[str, ReferenceFacts] = {}
        self.limits = limits or Limits(renames=True)
        self.commits = 0

    def facts(self) -> Facts:
        tables = {
            name: TableFacts(f"s3://warehouse/{name}/{self.commits}", compact(json.loads(table.model_dump_json())))
            for name, table in self.tables.items()
        }
        references = dict(self.there)
        views = {name: ViewFacts("", compact_view(view)) for name, view in self.views.items()}
        lake = CatalogFacts(dict(self.namespaces), tables, limits=self.limits, references=references, views=views)
        return Facts(dict(self.buckets), {"lake": lake})

    def diff(self, wanted: Lakehouse, *, allow_destroy: bool = False) -> Diff:
        return diff(wanted, self.facts(), allow_destroy=allow_destroy)

    def apply(self, wanted: Lakehouse, *, allow_destroy: bool = False) -> Diff:
        """Carry out the diff, in the plan's order. Returns the diff."""
        found = self.diff(wanted, allow_destroy=allow_destroy)
        for step in plan(found).steps:
            self.carry_out(step.change)
        return found

    def carry_out(self, change: Change) -> None:
        name = change.name
        match change.kind, change.body:
            case "bucket", BucketSettings(settings):
                known: Any = self.buckets.get(name, BucketFacts(False, None))
                self.buckets[name] = replace(known, **settings)
            case "namespace", NewNamespace(properties):
                parent = name.rpartition(".")[0]
                assert name not in self.namespaces
                assert not parent or parent in self.namespaces, "a namespace comes after its parent"
                self.namespaces[name] = dict(properties)
            case "namespace", ChangedProperties(updates, removals):
                kept = {k: v for k, v in self.namespaces[name].items() if k not in removals}
                self.namespaces[name] = {**kept, **updates}
            case "namespace", _:
                inside = [
                    other for other in (*self.namespaces, *self.tables, *self.views) if other.startswith(f"{name}.")
                ]
                assert not inside, "a namespace goes after what is in it"
                del self.namespaces[name]
            case "branch" | "tag", ReferenceGone():
                del self.there[name]
            case "branch" | "tag", NewReference(_, deletable) | MarkedReference(deletable):
                self.there[name] = ReferenceFacts(change.kind, "hash", deletable)
            case "rename-namespace", RenamedNamespace(former, spaces, tables):
                assert tables.keys() == {each for each in self.tables if each.startswith(f"{former}.")}
                assert spaces.keys() == {each for each in self.namespaces if f"{each}.".startswith(f"{former}.")}
                for things, moving in ((self.namespaces, spaces), (self.tables, tables)):
                    for each in moving:
                        assert name + each.removeprefix(former) not in things
                        things[name + each.removeprefix(former)] = things.pop(each)
            case "rename", Renamed(former, identity):
                assert name not in self.tables
                assert name.rpartition(".")[0] in self.namespaces
                assert str(self.tables[former].table_uuid) == identity
                self.tables[name] = self.tables.pop(former)
            case "table", TableGone():
                del self.tables[name]
            case "table", TableCommit(requirements, updates):
                assert name.rpartition(".")[0] in self.namespaces, "a table comes after its namespace"
                commit = {"requirements": requirements, "updates": updates}
                self.commit(name, commit, creates=change.op == "create")
            case "view", NewView(location, definition, properties):
                assert name.rpartition(".")[0] in self.namespaces, "a view comes after its namespace"
                assert name not in self.views
                self.views[name] = new_metadata(definition, location, properties, 0)
            case "view", ChangedView(identity, version, definition, updates, removals):
                there = ViewFacts("", self.views[name])
                assert (there.uuid, there.version) == (identity, version)
                self.views[name] = next_metadata(there.metadata, definition, updates, removals, 0)
            case "view", ViewGone():
                del self.views[name]
            case _:
                raise AssertionError(change.address)

    def commit(self, name: str, body: Mapping[str, Any], *, creates: bool) -> None:
        current = self.tables.get(name)
        assert creates == (current is None)
        for requirement in _REQUIREMENTS.validate_python(body["requirements"]):
            requirement.validate(current)
        updates = list(body["updates"])
        if creates:
            updates.insert(0, {"action": "assign-uuid", "uuid": str(uuid.uuid4())})
        base = current or TableMetadataV1.model_construct(last_column_id=-1, schema=Schema())
        self.commits += 1
        self.tables[name] = update_table_metadata(
            base, _UPDATES.validate_python(updates), enforce_validation=creates, metadata_location=None
        )
