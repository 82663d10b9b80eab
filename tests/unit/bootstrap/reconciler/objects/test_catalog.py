"""Catalogs of a server that creates them: what a plan says and what the server is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest

from bootstrap.catalogs.base import CatalogEntity, CatalogTerms, MakesCatalogs, Reading
from bootstrap.catalogs.polaris import TERMS
from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, TableFacts
from bootstrap.iceberg.view import ViewFacts, definition, new_metadata
from bootstrap.reconciler.changes import Body, Change, Diff, Op
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.facts import gather
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.reference import NewReference
from bootstrap.reconciler.plan import Plan, from_json, render
from bootstrap.reconciler.plan import plan as ordered
from bootstrap.reconciler.reconcile import make_plan, reconcile
from bootstrap.remote.errors import Conflict, Refused
from lakehouse.iceberg.types import Struct
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, world
from tests.unit.bootstrap.reconciler.simulation import lakehouse as in_memory

KINDS = OBJECTS.only("catalog")
STORAGE = {"storageType": "S3", "region": "us-east-1"}
BASE = "default-base-location"
ANYWHERE = "polaris.config.allow.unstructured.table.location"


class Server:
    """A server with catalogs, seen through its catalog ``quick``."""

    warehouse, storage, terms = "quick", STORAGE, TERMS

    def __init__(self) -> None:
        self.there: dict[str, CatalogEntity] = {}
        self.full: set[str] = set()
        self.tables: dict[str, TableFacts] = {}
        self.views: dict[str, ViewFacts] = {}
        self.asked: list[str] = []

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        read = {name: table for name, table in self.tables.items() if tables is None or name in tables}
        return CatalogFacts({"n": {}}, read, frozenset(self.tables.keys() - read.keys()), views=self.views)

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        self.asked.append(f"drop {name}")
        del self.tables[name]
        return ""

    def entities(self) -> Mapping[str, CatalogEntity]:
        return dict(self.there)

    def create_catalog(self, properties: Mapping[str, str], storage: Mapping[str, Any]) -> None:
        self.there[self.warehouse] = CatalogEntity(self.warehouse, 1, dict(properties), dict(storage))

    def update_catalog(self, version: int, properties: Mapping[str, str], storage: Mapping[str, Any]) -> None:
        if version != self.there[self.warehouse].version:
            raise Conflict("late")
        self.asked.append("update")
        self.there[self.warehouse] = CatalogEntity(self.warehouse, version + 1, dict(properties), dict(storage))

    def drop_catalog(self, name: str) -> None:
        if name in self.full:
            raise Refused("not empty")
        del self.there[name]

    def change(self, **of: Any) -> None:
        now = self.there[self.warehouse]
        self.there[self.warehouse] = replace(now, version=now.version + 1, **of)


def at(location: str, **properties: str) -> TableFacts:
    """A table at that location."""
    return TableFacts("", {"table-uuid": "1", "location": location, "properties": properties})


@pytest.fixture
def server() -> Server:
    made = Server()
    assert isinstance(made, MakesCatalogs)
    return made


def lakehouse(*, table: str = "", **of: Any) -> Lakehouse:
    """A lakehouse with a catalog, and a table at that location."""
    tables = {"t": {"columns": {"a": "int"}, "location": table}} if table else {}
    spec = {"location": "s3://one/lake", "namespaces": {"n": {"tables": tables}}, **of}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}, "two": {}},
            "catalogs": {"lake": spec},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
        }
    )


def plan(wanted: Lakehouse, server: Server, *, allow_destroy: bool = False) -> Plan:
    return make_plan(wanted, world(server), kinds=KINDS, allow_destroy=allow_destroy)


def whole(wanted: Lakehouse, server: Server) -> Plan:
    """The plan of all kinds of object, in a store that has the file's buckets."""
    store = MagicMock()
    store.facts.return_value = dict.fromkeys(wanted.buckets, BucketFacts(False, None))
    return make_plan(wanted, world(server, store=lambda: store))


def needs(made: Plan) -> dict[str, set[str]]:
    return {step.address: set(step.needs) for step in made.steps}


def bring(wanted: Lakehouse, server: Server, **options: Any) -> list[str]:
    """Apply the file. Returns the lines of its plan, which is kept in a file in between."""
    made = plan(wanted, server)
    assert from_json(made.to_json()) == made
    assert reconcile(wanted, world(server), kinds=KINDS, **options).exit_code == 0
    assert plan(wanted, server).steps == ()
    return [line.strip() for line in render(made) if line.strip()[0] in "+~-"]


def test_it_is_created_with_its_location_and_what_the_project_needs(server: Server) -> None:
    lines = bring(lakehouse(properties={"team": "us"}), server)
    assert lines[:2] == ["+ catalog lake", f"+ {BASE} = s3://one/lake"]
    made = server.there["quick"]
    assert made.storage == {**STORAGE, "allowedLocations": ["s3://one/lake"]}
    assert made.properties == {BASE: "s3://one/lake", "polaris.config.drop-with-purge.enabled": "true", "team": "us"}


def test_a_table_elsewhere_has_its_location_allowed_and_another_tables_location_stays(server: Server) -> None:
    bring(lakehouse(table="s3://two/far"), server)
    made = server.there["quick"]
    assert made.storage["allowedLocations"] == ["s3://one/lake", "s3://two/far"]
    assert made.properties[ANYWHERE] == "true"
    unnamed = plan(lakehouse(), server).unnamed
    assert "location lake s3://two/far" in unnamed
    assert bring(lakehouse(), server) == []


def test_a_server_of_another_kind_has_its_own_names(server: Server) -> None:
    server.terms = CatalogTerms("root", "free", {"tidy": "yes"}, "places", frozenset({"theirs"}))
    bring(lakehouse(table="s3://two/far"), server)
    made = server.there["quick"]
    assert made.properties == {"root": "s3://one/lake", "tidy": "yes", "free": "true"}
    assert made.storage == {**STORAGE, "places": ["s3://one/lake", "s3://two/far"]}
    server.change(storage={**made.storage, "theirs": "1"})
    assert bring(lakehouse(managed="exclusive"), server) == [
        "~ catalog lake",
        "- property free",
        "~ storage places: [s3://one/lake, s3://two/far] -> [s3://one/lake]",
    ]
    [note] = plan(lakehouse(location="s3://two/lake"), server).refused
    assert "it is at s3://one/lake" in note.message


def test_an_exclusive_catalog_has_what_the_file_says_and_no_more(server: Server) -> None:
    bring(lakehouse(table="s3://two/far"), server)
    server.tables = {"n.near": at("s3://one/lake/n/near")}
    lines = bring(lakehouse(managed="exclusive"), server)
    assert f"- property {ANYWHERE}" in lines
    assert server.there["quick"].storage["allowedLocations"] == ["s3://one/lake"]


@pytest.mark.parametrize("folders", [{"location": "s3a://two/far/"}, {"write.data.path": "s3://two/far/data"}])
def test_an_exclusive_catalog_keeps_the_locations_of_the_tables_that_stay(
    server: Server, folders: dict[str, str]
) -> None:
    bring(lakehouse(table="s3://two/far"), server)
    now = server.there["quick"].storage
    wide = [*now["allowedLocations"], "s3://two", "s3://three"]
    server.change(storage={**now, "allowedLocations": wide})
    server.tables = {"n.t": at(folders.pop("location", "s3://one/lake/n/t"), **folders)}
    lines = bring(lakehouse(managed="exclusive"), server)
    assert server.there["quick"].storage["allowedLocations"] == ["s3://one/lake", "s3://two/far", "s3://two"]
    assert "s3://three" in lines[1]
    unnamed = plan(lakehouse(managed="exclusive"), server).unnamed
    assert {each for each in unnamed if each.startswith("location")} == {
        "location lake s3://two",
        "location lake s3://two/far",
    }
    bring(lakehouse(managed="exclusive", table="s3://two/far"), server)
    assert server.there["quick"].storage["allowedLocations"] == ["s3://one/lake", "s3://two/far"], "one is enough"


def test_an_exclusive_catalog_keeps_the_location_of_a_view_that_stays(server: Server) -> None:
    bring(lakehouse(table="s3://two/far"), server)
    there = new_metadata(definition({"spark": "SELECT 1"}, Struct(()), "lake", "n"), "s3://two/far/v", {}, 0)
    server.views = {"n.v": ViewFacts("", there)}
    bring(lakehouse(managed="exclusive"), server)
    assert server.there["quick"].storage["allowedLocations"] == ["s3://one/lake", "s3://two/far"]
    assert server.there["quick"].properties[ANYWHERE] == "true"
    server.views = {}
    bring(lakehouse(managed="exclusive"), server)
    assert server.there["quick"].storage["allowedLocations"] == ["s3://one/lake"]


@pytest.mark.parametrize(
    ("location", "stays"),
    [
        ("s3://two/far", True),
        ("s3://one/lake/other/t", True),
        ("s3://one/lake/n-2/t", True),
        ("s3://one/lake/n/t-2", False),
    ],
)
def test_tables_may_be_anywhere_while_one_is(server: Server, location: str, stays: bool) -> None:
    bring(lakehouse(table="s3://two/far"), server)
    server.tables = {"n.t": at(location)}
    bring(lakehouse(managed="exclusive"), server)
    assert (ANYWHERE in server.there["quick"].properties) is stays
    assert (f"property lake.{ANYWHERE}" in plan(lakehouse(managed="exclusive"), server).unnamed) is stays


def test_a_location_goes_after_its_table(server: Server) -> None:
    bring(lakehouse(table="s3://two/far"), server)
    server.tables = {"n.t": at("s3://two/far", **{"lakehouse.deletable": "true"})}
    both = OBJECTS.only("catalog", "table")
    wanted = lakehouse(managed="exclusive")
    steps = {each.address: each for each in make_plan(wanted, world(server), kinds=both, allow_destroy=True).steps}
    assert steps["catalog lake"].needs == ("table lake.n.t",)
    assert reconcile(wanted, world(server), kinds=both, allow_destroy=True, purge=True).exit_code == 0
    assert server.asked == ["drop n.t", "update"]
    assert server.there["quick"].storage["allowedLocations"] == ["s3://one/lake"]
    assert make_plan(wanted, world(server), kinds=both, allow_destroy=True).steps == ()


def test_a_location_comes_before_its_table(server: Server) -> None:
    bring(lakehouse(), server)
    assert needs(whole(lakehouse(table="s3://two/far"), server)) == {
        "catalog lake": set(),
        "table lake.n.t": {"catalog lake"},
    }


def test_what_others_changed_is_set_back_and_what_they_added_stays(server: Server) -> None:
    bring(lakehouse(properties={"team": "us"}), server)
    now = server.there["quick"]
    server.change(
        properties={**now.properties, "team": "them", "theirs": "1"},
        storage={**now.storage, "region": "eu", "allowedKmsKeys": [], "pathStyleAccess": False},
    )
    lines = bring(lakehouse(properties={"team": "us"}), server)
    assert lines == ["~ catalog lake", "~ property team: them -> us", "~ storage region: eu -> us-east-1"]
    assert server.there["quick"].properties["theirs"] == "1"
    assert "property lake.theirs" in plan(lakehouse(properties={"team": "us"}), server).unnamed


def test_a_stack_that_becomes_secure_and_open_again_has_its_store_s_new_address_each_time(server: Server) -> None:
    """The server keeps it: at the former one it would reach no file, and hand out keys for it."""
    plain, secure = ({**STORAGE, "endpoint": f"{scheme}://127.0.0.1:9000"} for scheme in ("http", "https"))
    server.storage = plain
    bring(lakehouse(table="s3://two/far"), server)
    for storage, line in (
        (secure, "http://127.0.0.1:9000 -> https://127.0.0.1:9000"),
        (plain, "https://127.0.0.1:9000 -> http://127.0.0.1:9000"),
    ):
        server.storage = storage
        lines = bring(lakehouse(table="s3://two/far"), server)
        assert lines == ["~ catalog lake", f"~ storage endpoint: {line}"]
        assert server.there["quick"].storage["endpoint"] == storage["endpoint"]
        assert bring(lakehouse(table="s3://two/far"), server) == []


def test_a_missing_privilege_is_a_change(server: Server) -> None:
    bring(lakehouse(), server)
    server.change(readable=False)
    assert bring(lakehouse(), server) == ["~ catalog lake", "+ privilege to read and write data"]


def test_it_is_not_moved(server: Server) -> None:
    bring(lakehouse(), server)
    [note] = plan(lakehouse(location="s3://two/lake"), server).refused
    assert "it is at s3://one/lake on its server, and a catalog cannot be moved" in note.message


def test_nothing_is_created_in_one_that_is_not_moved(server: Server) -> None:
    bring(lakehouse(), server)
    table = {"columns": {"a": "int"}}
    there = Simulation(Limits(references=True))
    there.apply(in_memory({"n": {"tables": {"t": table}}}))
    spaces = {
        "n": {"tables": {"t": {**table, "seed": "t.csv"}, "new": table}, "properties": {"team": "us"}},
        "new.inner": {"tables": {"t": table}},
    }
    moved = lakehouse(location="s3://two/lake", namespaces=spaces, branches={"etl": {"from": "main"}})
    facts = gather(moved, world(server), kinds=KINDS)
    found = diff(moved, replace(facts, catalogs=there.facts().catalogs, seeds={"t.csv": "1"}))
    first, *others = found.refused
    assert first.address == "catalog lake"
    assert {each.address for each in others} == {
        "namespace lake.new",
        "namespace lake.new.inner",
        "table lake.n.new",
        "table lake.new.inner.t",
        "seed lake.n.t",
        "branch lake.etl",
    }
    assert all('first fix "catalog lake"' in each.message for each in others)
    assert {each.address for each in found.changes} == {"bucket one", "bucket two", "namespace lake.n"}


def test_one_that_the_file_does_not_name_goes_with_two_keys(server: Server) -> None:
    bring(lakehouse(), server)
    for name, owner in (("ours", "demo"), ("theirs", "another")):
        properties = {BASE: f"s3://one/{name}", "lakehouse.deletable": owner}
        server.there[name] = CatalogEntity(name, 1, properties, STORAGE)
    server.there["nobodys"] = CatalogEntity("nobodys", 1, {BASE: "s3://one/n"}, STORAGE)
    without = plan(lakehouse(), server)
    assert without.steps == ()
    assert set(without.unnamed) == {"catalog nobodys", "catalog ours", "catalog theirs"}
    assert [step.address for step in plan(lakehouse(), server, allow_destroy=True).steps] == ["catalog ours"]
    server.full.add("ours")
    failed = reconcile(lakehouse(), world(server), kinds=KINDS, allow_destroy=True)
    assert [each.address for each in failed.failed] == ["catalog ours"]
    server.full.clear()
    assert reconcile(lakehouse(), world(server), kinds=KINDS, allow_destroy=True).exit_code == 0
    assert set(server.there) == {"quick", "nobodys", "theirs"}


def test_the_key_is_kept_with_the_catalog_and_taken_away_again(server: Server) -> None:
    bring(lakehouse(deletable=True), server)
    assert server.there["quick"].properties["lakehouse.deletable"] == "demo"
    bring(lakehouse(), server)
    assert "lakehouse.deletable" not in server.there["quick"].properties


def test_another_catalog_of_the_servers_name_is_never_destroyed(server: Server) -> None:
    bring(lakehouse(), server)
    server.there["lake"] = CatalogEntity("lake", 1, {"lakehouse.deletable": "demo"}, STORAGE)
    found = plan(lakehouse(), server, allow_destroy=True)
    assert found.steps == ()
    assert found.unnamed == ("catalog lake",)


@pytest.mark.parametrize(
    ("op", "kind", "name"),
    [("update", "namespace", "n"), ("update", "table", "n.t"), ("create", "seed", "n.t"), ("create", "branch", "etl")],
)
def test_each_kind_of_object_in_it_waits_for_its_update(op: Op, kind: str, name: str) -> None:
    body = NewReference("main", deletable=False) if kind == "branch" else Body()
    made = ordered(Diff((Change(op, kind, "lake", name, body=body), Change("update", "catalog", "", "lake"))))
    assert needs(made) == {"catalog lake": set(), f"{kind} lake.{name}": {"catalog lake"}}


class Reads(Server):
    """A server that reads tables itself, by the address of the store that it was given."""

    def at(self, address: str) -> Reads:
        self.storage = {**STORAGE, "endpoint": address, "stsEndpoint": address}
        return self

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        have = self.there.get(self.warehouse)
        if have is not None and have.storage["stsEndpoint"] != self.storage["stsEndpoint"]:
            raise Refused("the store does not answer")
        return super().facts(tables, reading)


def test_a_server_gets_the_stores_present_addresses_before_it_is_asked_for_tables() -> None:
    server = Reads().at("http://127.0.0.1:1")
    bring(lakehouse(), server)
    server.change(
        storage={**server.there["quick"].storage, "allowedLocations": ["s3://one/lake", "s3://more"], "userArn": "x"}
    )
    server.at("https://127.0.0.1:1")
    with pytest.raises(Refused):
        plan(lakehouse(), server)
    assert reconcile(lakehouse(), world(server), kinds=KINDS).exit_code == 0
    made = server.there["quick"].storage
    assert made["allowedLocations"] == ["s3://one/lake", "s3://more"]
    assert (made["endpoint"], made["stsEndpoint"]) == ("https://127.0.0.1:1", "https://127.0.0.1:1")
    assert server.asked == ["update"]
    assert reconcile(lakehouse(), world(server), kinds=KINDS).exit_code == 0
    assert server.asked == ["update"]


def test_a_catalog_at_another_place_is_not_given_addresses() -> None:
    server = Reads().at("http://127.0.0.1:1")
    bring(lakehouse(), server)
    server.change(properties={BASE: "s3://two/other"})
    server.at("https://127.0.0.1:1")
    with pytest.raises(Refused):
        reconcile(lakehouse(), world(server), kinds=KINDS)
    assert server.asked == []
