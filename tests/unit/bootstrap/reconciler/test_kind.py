"""The protocol: a new kind works from plan to apply, and the engine names no kind."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.apply import Outcome, apply
from bootstrap.reconciler.changes import Body, Change
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Inquiry, ObjectKind, Put, Registry
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.namespace import Namespaces
from bootstrap.reconciler.plan import Plan, from_json, plan
from bootstrap.reconciler.reconcile import reconcile
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Conflict
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse, world

KINDS = tuple(f"bootstrap.reconciler.{each}" for each in ("objects.", "tables", "seeds", "marks"))
ENGINE = Path(__file__).parents[4] / "bootstrap" / "reconciler"


@pytest.mark.parametrize(
    "module",
    [
        *("changes", "differences", "entries", "kind", "work", "world"),
        *("diff", "plan", "facts", "importing", "adding", "apply", "reconcile"),
    ],
)
def test_the_engine_knows_no_kind_by_name(module: str) -> None:
    words = {word for kind in OBJECTS for word in kind.words} - {each.name for each in fields(Change)}
    tree = ast.parse((ENGINE / f"{module}.py").read_text())
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not said & words
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in imported if name and name.startswith(KINDS)]


def test_each_word_is_one_kinds() -> None:
    words = [word for kind in OBJECTS for word in kind.words]
    assert len(words) == len(set(words)) > 5


@dataclass(frozen=True)
class NewServed(Body):
    location: str


@dataclass(frozen=True)
class ChangedServed(Body):
    location: str
    version: int


@dataclass(frozen=True)
class ServedGone(Body):
    version: int


@dataclass
class Server:
    """A server that has catalogs, each with a version that an update must name."""

    catalogs: dict[str, tuple[str, int]] = field(default_factory=dict)
    deletable: set[str] = field(default_factory=set)
    late: bool = False  # somebody changes each catalog just before we do

    def put(self, name: str, location: str, version: int) -> None:
        there = self.catalogs.get(name, ("", 0))[1] + self.late
        self.late = False
        if there != version:
            self.catalogs[name] = ("s3://theirs", there)
            raise Conflict(f"{name} has version {there}, not {version}")
        self.catalogs[name] = (location, version + 1)


class ServedCatalogs(ObjectKind):
    """Catalogs on such a server: made, updated by their version, and dropped with both keys."""

    words = ("catalog",)
    bodies = {"create": NewServed, "update": ChangedServed, "destroy": ServedGone}

    def __init__(self, server: Server) -> None:
        self.server = server

    def read(self, look: Inquiry) -> Put:
        found = dict(self.server.catalogs)

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, "catalog": found})

        return put

    def compare(self, found: Differences) -> None:
        for name, spec in found.lakehouse.catalogs.items():
            have = found.facts.own["catalog"].get(name)
            if have is None:
                found.changes.append(Change("create", "catalog", "", name, (), NewServed(spec.location)))
            elif have[0] != spec.location:
                line = Detail("~", f"location {have[0]} -> {spec.location}")
                body = ChangedServed(spec.location, have[1])
                found.changes.append(Change("update", "catalog", "", name, (line,), body))

    def compare_unnamed(self, found: Differences) -> None:
        for name, (_, version) in found.facts.own["catalog"].items():
            if name not in found.lakehouse.catalogs:
                change = Change("destroy", "catalog", "", name, (), ServedGone(version))
                found.destroy(change, marked=name in self.server.deletable)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case NewServed(location):
                self.server.put(change.name, location, 0)
            case ChangedServed(location, version):
                self.server.put(change.name, location, version)
            case _:
                del self.server.catalogs[change.name]
        return ""


def kinds(server: Server) -> Registry:
    return Registry(ServedCatalogs(server), Namespaces())


def planned(server: Server, spaces: Any, *, allow_destroy: bool = False) -> Plan:
    registry, wanted = kinds(server), lakehouse(spaces)
    facts = replace(Simulation().facts(), own={"catalog": dict(server.catalogs)})
    found = diff(wanted, facts, allow_destroy=allow_destroy, kinds=registry)
    return plan(found, allow_destroy=allow_destroy, kinds=registry)


def test_a_namespace_waits_for_its_catalog() -> None:
    steps = planned(Server(), {"n": {}}).steps
    assert [(step.address, step.needs) for step in steps] == [
        ("catalog lake", ()),
        ("namespace lake.n", ("catalog lake",)),
    ]


def reconciled(server: Server, **options: Any) -> Outcome:
    return reconcile(lakehouse({}), world(None), kinds=Registry(ServedCatalogs(server)), **options)


def test_a_catalog_on_a_server_is_made_updated_and_left_alone() -> None:
    server = Server()
    assert reconciled(server).exit_code == 0
    assert server.catalogs == {"lake": ("s3://warehouse/lake", 1)}
    server.catalogs["lake"] = ("s3://elsewhere", 7)
    assert [done.address for done in reconciled(server).done] == ["catalog lake"]
    assert server.catalogs == {"lake": ("s3://warehouse/lake", 8)}
    assert reconciled(server).done == ()


def test_an_update_that_comes_late_is_made_again_with_the_new_version() -> None:
    server = Server({"lake": ("s3://elsewhere", 7)}, late=True)
    assert reconciled(server).exit_code == 0
    assert server.catalogs == {"lake": ("s3://warehouse/lake", 9)}


@pytest.mark.parametrize("allow_destroy", [True, False])
@pytest.mark.parametrize("marked", [True, False])
def test_a_catalog_on_a_server_goes_with_both_keys(marked: bool, allow_destroy: bool) -> None:
    here = ("s3://warehouse/lake", 1)
    server = Server({"lake": here, "old": here}, {"old"} if marked else set())
    made = planned(server, {}, allow_destroy=allow_destroy)
    both = marked and allow_destroy
    assert [step.address for step in made.steps] == (["catalog old"] if both else [])
    assert made.unnamed == (() if both else ("catalog old",))
    assert bool(made.kept) == (marked and not allow_destroy)
    apply(made, world(None), kinds=kinds(server))
    assert set(server.catalogs) == ({"lake"} if both else {"lake", "old"})


def test_each_body_of_each_kind_reads_back_from_json() -> None:
    """A plan with all operations of all kinds: the values read back are equal, not only printed alike."""
    there = Simulation()
    key = {"deletable": True}
    content: Any = {
        "n": {"properties": {"a": "1"}, "tables": {"t": {"columns": {"a": "int"}}}},
        "o": {**key, "tables": {"u": {"columns": {"a": "int"}, **key}}},
    }
    there.apply(lakehouse(content, buckets={"warehouse": {}, "old": key}))
    wanted: Any = {
        "n": {"properties": {"a": "2"}, "tables": {"t": {"columns": {"a": "long"}}, "v": {"columns": {"b": "date"}}}},
        "p": {},
    }
    made = plan(
        there.diff(lakehouse(wanted, buckets={"warehouse": {"versioning": True}, "new": {}}), allow_destroy=True)
    )
    assert {(step.change.op, step.change.kind) for step in made.steps} == {
        (op, kind) for op in ("create", "update", "destroy") for kind in ("bucket", "namespace", "table")
    }
    assert from_json(json.loads(json.dumps(made.to_json()))).steps == made.steps
