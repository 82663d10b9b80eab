"""What a catalog that speaks Iceberg REST is asked when it is read; the server's answers are a script."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bootstrap.catalogs.base import SeenView
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Missing, Refused, UnknownState

SPACES = {"a": {"owner": "us"}, "a.b": {}, "a.b.c": {}, "z": {}}
TABLES, VIEWS = ("a.t", "a.u", "a.b.t", "z.t"), ("a.v", "z.v")


class Server:
    """Namespaces, tables and views by their dotted names. ``gone`` cannot be read, ``late`` nor listed again."""

    def __init__(self, gone: tuple[str, ...] = (), late: tuple[str, ...] = ()) -> None:
        self.late = late
        self.gone, self.asked, self.sent, self.killed = gone, Counter[str](), list[Any](), 0
        self.metadata = METADATA

    def get(self, path: str, **query: Any) -> Any:
        path = path.removeprefix("/v1/")
        if path == "config":
            return {}
        parent = (query.get("parent") or "").replace("\x1f", ".")
        self.asked[f"{path.replace('%1F', '.')}{'?' + parent if parent else ''}"] += 1
        space, _, rest = path.removeprefix("namespaces").removeprefix("/").replace("%1F", ".").partition("/")
        kind, _, name = rest.partition("/")
        if {parent, space, f"{space}.{name}"} & {*self.gone, *self.late}:
            raise Missing("HTTP 404")
        if not space:
            inside = [each for each in SPACES if each.rpartition(".")[0] == parent]
            return {"namespaces": [each.split(".") for each in inside]}
        if not kind:
            return {"properties": SPACES[space]}
        if not name:
            there = set(TABLES if kind == "tables" else VIEWS) - set(self.late if max(self.asked.values()) > 1 else ())
            found = [each.rsplit(".", 1) for each in sorted(there)]
            return {"identifiers": [{"namespace": of.split("."), "name": each} for of, each in found if of == space]}
        if f"{space}.{name}" not in (TABLES if kind == "tables" else VIEWS):
            raise Missing("HTTP 404")
        return {
            "metadata-location": f"s3://w/{path}",
            "metadata": self.metadata | {"location": f"s3://w/{space}/{name}"},
        }

    def post(self, path: str, body: Any) -> None:
        self.sent.append(body["updates"])
        if len(self.sent) == self.killed:
            raise UnknownState("killed")


METADATA: dict[str, Any] = {
    "table-uuid": "u", "view-uuid": "u", "properties": {}, "current-schema-id": 0, "partition-specs": [],
    "schemas": [{"type": "struct", "schema-id": 0, "fields": []}],
    "current-version-id": 1, "versions": [{"version-id": 1, "schema-id": 0, "representations": []}],
}  # fmt: skip


def catalog(server: Server) -> RestCatalog:
    store = StoreConnection("http://127.0.0.1:1", "us-east-1", "key", "secret")
    made = RestCatalog("lake", CatalogConnection("rest", "http://127.0.0.1:1"), Connections(store, {}))
    made.http = server  # type: ignore[assignment]
    return made


def read(server: Server, names: set[str] | None) -> CatalogFacts:
    return catalog(server).facts(names, lambda count, of: None)


def test_all_names_are_listed_and_only_the_chosen_are_read() -> None:
    server = Server()
    found = read(server, {"a.t", "z.v", "a.new"})
    assert dict(found.namespaces) == SPACES
    assert (set(found.tables), set(found.others)) == ({"a.t"}, {"a.u", "a.b.t", "z.t"})
    assert (set(found.views), set(found.other_views)) == ({"z.v"}, {"a.v"})
    assert set(server.asked.values()) == {1}


def test_what_was_only_listed_is_read_later_and_nothing_is_asked_twice() -> None:
    server = Server()
    one = catalog(server)
    found = one.completed(one.facts({"a.t"}, lambda count, of: None))
    assert found == read(Server(), None)
    assert (set(found.tables), set(found.views)) == (set(TABLES), set(VIEWS))
    assert found.others | found.other_views == frozenset()
    assert set(server.asked.values()) == {1}


@pytest.mark.parametrize("gone", ["a.b", "a.b.c", "z"])
def test_a_namespace_that_is_dropped_meanwhile_is_left_out_with_what_is_in_it(gone: str) -> None:
    found = read(Server((gone,)), None)
    assert gone not in found.namespaces
    assert {each for each in TABLES if each.rpartition(".")[0] != gone} == set(found.tables)


@pytest.mark.parametrize("wanted", [None, {"a.t", "z.v"}])
def test_what_is_listed_and_cannot_be_read_is_of_another_format_or_gone_meanwhile(wanted: set[str] | None) -> None:
    """Somebody else has renamed it between the list and the load."""
    other = read(Server(gone=("a.t", "z.v")), wanted)
    assert {"a.t", "z.v"} <= other.others | other.other_views
    vanished = read(Server(late=("a.t", "z.v")), wanted)
    known = {*vanished.tables, *vanished.views, *vanished.others, *vanished.other_views}
    assert known == {*TABLES, *VIEWS} - {"a.t", "z.v"}


def test_a_few_tables_and_views_are_read_without_any_list() -> None:
    server = Server()
    found = catalog(server).read({"a.t", "a.v", "a.new"})
    assert (set(found.tables), set(found.views), set(found.others | found.other_views)) == ({"a.t"}, {"a.v"}, set())
    assert {each.rpartition("/")[0] for each in server.asked} == {"namespaces/a/tables", "namespaces/a/views"}


class OfStatistics(Server):
    """A server that refuses to leave out snapshots with statistics: https://github.com/apache/iceberg/issues/17538."""

    def get(self, path: str, **query: Any) -> Any:
        if query.pop("snapshots", None):
            raise Refused("Cannot set metadata location with changes to table metadata: 1 changes (HTTP 400)")
        return super().get(path, **query)


def test_a_server_that_cannot_leave_out_old_snapshots_is_asked_for_all() -> None:
    server = OfStatistics()
    assert catalog(server).facts({"a.t"}, lambda count, of: None).tables["a.t"].location == "s3://w/a/t"


@pytest.mark.parametrize("part", ["view-uuid", "versions", "schemas", "current-version-id"])
def test_a_view_with_odd_metadata_is_named_in_a_plain_error(part: str) -> None:
    server = Server()
    server.metadata = {key: value for key, value in METADATA.items() if key != part}
    with pytest.raises(Refused, match=f'catalog "lake": the view a.v cannot be read: .* has no "{part}"'):
        catalog(server).read({"a.v"})


TWO = {"versions": [{"version-id": 1, "schema-id": 0, "default-namespace": ["a"], "representations": [
    {"type": "sql", "dialect": each, "sql": "SELECT 1"} for each in ("spark", "trino")]}]}  # fmt: skip
ONE = {"schema": METADATA["schemas"][0], "version": {"default-namespace": ["a"], "representations": [
    {"type": "sql", "dialect": "spark", "sql": "SELECT 1"}]}}  # fmt: skip
MARKS = {"replace.drop-dialect.allowed": "true", "lakehouse.drops-dialect": "true"}


def properties(updates: Any) -> tuple[Any, Any]:
    """What the updates of one commit set and remove."""
    found = {each["action"]: each for each in updates}
    return (
        found.get("set-properties", {}).get("updates", {}),
        found.get("remove-properties", {}).get("removals", []),
    )


@pytest.mark.parametrize(("there", "removals"), [({}, ["x"]), ({**MARKS, "x": "y"}, ["x", *MARKS])])
def test_an_engines_sql_is_dropped_under_a_mark_that_goes_next(there: Any, removals: list[str]) -> None:
    """``there``: also after an apply that was killed between the two commits."""
    server = Server()
    server.metadata = {**METADATA, **TWO, "properties": there}
    catalog(server).replace_view("a.v", SeenView("u", 1), ONE, {}, removals)
    first, second = server.sent
    assert properties(first) == (MARKS, ["x"])
    assert properties(second) == ({}, list(MARKS))


def test_a_kill_between_the_two_leaves_the_mark() -> None:
    server = Server()
    server.metadata, server.killed = {**METADATA, **TWO}, 1
    with pytest.raises(UnknownState):
        catalog(server).replace_view("a.v", SeenView("u", 1), ONE, {}, ())
    assert properties(server.sent[0]) == (MARKS, [])
