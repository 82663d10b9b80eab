"""What can be brought back, what cannot and why, and that nothing changes before it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bootstrap.catalogs.base import Gone
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.reconciler.tables import lost
from bootstrap.reconciler.tables.undrop import undrop
from bootstrap.remote.errors import Missing
from lakehouse.errors import LakehouseError, UsageError
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

BOTH, ONE = {"a": "long", "b": "string"}, {"a": "long"}
FILE = lakehouse({"n": {"tables": {"t": {"columns": ONE}}}})


class World:
    """A catalog with a table n.t that once had a column b, and the requests that change it."""

    def __init__(self) -> None:
        made = Simulation()
        for columns in (BOTH, ONE):
            table = {"columns": columns, "deletable": True}
            made.apply(lakehouse({"n": {"tables": {"t": table}}}, managed="exclusive"), allow_destroy=True)
        self.found: CatalogFacts = made.facts().catalogs["lake"]
        self.done: list[tuple[str, ...]] = []
        self.metadata: dict[str, Any] | None = {}
        self.at: dict[str, dict[str, Any]] = {}  # metadata of certain files

    def catalog(self, name: str) -> Any:
        return self

    def facts(self, *_: Any) -> CatalogFacts:
        return self.found

    def folders(self) -> Any:
        return None

    def files(self) -> Any:
        return self

    def read(self, location: str) -> dict[str, Any]:
        if location in self.at:
            return self.at[location]
        if self.metadata is None:
            raise Missing(f"{location} does not exist")
        return self.metadata

    def commit_table(self, name: str, body: Any) -> None:
        self.done.append(("commit", name))

    def create_namespace(self, name: str, properties: object) -> None:
        self.done.append(("namespace", name))

    def drop_table(self, name: str, uuid: str, *, purge: bool) -> None:
        assert (uuid, purge) == (self.found.tables[name].uuid, False)
        self.done.append(("drop", name))

    def register_table(self, name: str, at: str) -> None:
        self.done.append(("register", name, at))


@pytest.fixture
def world() -> Any:
    return World()


@pytest.fixture(autouse=True)
def nothing_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    gone(monkeypatch)


def gone(monkeypatch: pytest.MonkeyPatch, *found: Gone) -> None:
    monkeypatch.setattr(lost, "formerly", lambda *_: iter(found))


def test_a_column_comes_back_when_it_is_asked_for_and_not_before(world: Any) -> None:
    found = undrop(FILE, world, "lake.n.t.b")
    assert (found.what, world.done) == ("column lake.n.t.b", [])
    found.bring_back()
    assert world.done == [("commit", "n.t")]


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("lake.n", UsageError, "is neither CATALOG.NAMESPACE.TABLE nor"),
        ("pond.n.t", UsageError, "The catalogs are lake"),
        ("lake.n.t", UsageError, "exists: there is nothing to bring back"),
        ("lake.n.t.a", UsageError, "exists: there is nothing to bring back"),
        ("lake.n.t.never", LakehouseError, "never had a column never"),
    ],
)
def test_what_cannot_come_back_says_why(world: Any, name: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        undrop(FILE, world, name)


def test_a_table_comes_back_with_the_namespaces_that_went_with_it(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gone(monkeypatch, Gone("dropped", "s3://w/m.json"))
    world.metadata = {"table-uuid": "u", "location": "s3://w/elsewhere", "format-version": 2, "properties": {}}
    monkeypatch.setattr("bootstrap.reconciler.tables.undrop.compact", lambda metadata: metadata)
    monkeypatch.setattr("bootstrap.reconciler.tables.undrop.claims.of_table", lambda *_: ())
    found = undrop(FILE, world, "lake.m.inner.u")
    assert found.what == "table lake.m.inner.u"
    found.bring_back()
    assert world.done == [("namespace", "m"), ("namespace", "m.inner"), ("register", "m.inner.u", "s3://w/m.json")]


def test_a_table_that_nobody_knows_or_whose_metadata_is_gone_is_refused(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone(monkeypatch)
    with pytest.raises(LakehouseError, match="knows of no table n.u that it lost"):
        undrop(FILE, world, "lake.n.u")
    gone(monkeypatch, Gone("dropped", "s3://w/m.json"))
    world.metadata = None
    with pytest.raises(LakehouseError, match="cannot be brought back"):
        undrop(FILE, world, "lake.n.u")
    gone(monkeypatch, Gone("renamed to n.t", "s3://w/m.json", "n.t"))
    with pytest.raises(LakehouseError, match="its rows are in lake.n.t"):
        undrop(FILE, world, "lake.n.u")


def test_a_folder_that_another_table_has_now_is_not_given_to_two(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gone(monkeypatch, Gone("dropped", "s3://w/m.json"))
    world.metadata = dict(world.found.tables["n.t"].metadata)
    monkeypatch.setattr("bootstrap.reconciler.tables.undrop.compact", lambda metadata: metadata)
    with pytest.raises(LakehouseError, match=r"lake\.n\.u is not brought back: .*lake\.n\.t"):
        undrop(FILE, world, "lake.n.u")
    assert world.done == []


def metadata(uuid: str, *rows: str, location: str = "s3://w/former") -> dict[str, Any]:
    """Of a table with a snapshot for each number of rows."""
    snapshots = [{"snapshot-id": number, "summary": {"total-records": each}} for number, each in enumerate(rows)]
    base = {"table-uuid": uuid, "location": location, "format-version": 2, "properties": {}}
    return {**base, "snapshots": snapshots, "current-snapshot-id": len(rows) - 1}


@pytest.fixture
def recreated(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """n.t was dropped with its rows, a deploy made an empty one, which was dropped too, and another deploy another."""
    live = world.found.tables["n.t"]
    gone(monkeypatch, Gone("dropped", "s3://w/2.json"), Gone("dropped by ann", "s3://w/1.json"))
    monkeypatch.setattr("bootstrap.reconciler.tables.undrop.compact", lambda metadata: metadata)
    world.at = {
        live.metadata_location: metadata(live.uuid),
        "s3://w/2.json": metadata("second"),
        "s3://w/1.json": metadata("first", "2", "3"),
    }
    return world


def test_an_empty_table_that_a_deploy_has_made_since_is_replaced(recreated: Any) -> None:
    found = undrop(FILE, recreated, "lake.n.t")
    assert found.rest == "with 3 rows in 2 snapshots, instead of the empty table that had its name"
    assert recreated.done == []
    found.bring_back()
    assert recreated.done == [("drop", "n.t"), ("register", "n.t", "s3://w/1.json")]


def test_a_table_with_rows_of_the_same_name_stays_and_the_way_is_named(recreated: Any) -> None:
    live = recreated.found.tables["n.t"]
    recreated.at[live.metadata_location] = metadata(live.uuid, "1")
    said = r"lake\.n\.t exists, with 1 row in 1 snapshot\. .*dropped by ann; it held 3 rows .*ALTER TABLE lake\.n\.t R"
    with pytest.raises(UsageError, match=said):
        undrop(FILE, recreated, "lake.n.t")


def test_a_table_that_was_renamed_and_renamed_back_was_never_lost(recreated: Any) -> None:
    recreated.at["s3://w/1.json"] = metadata(recreated.found.tables["n.t"].uuid, "1")
    recreated.at["s3://w/2.json"] = recreated.at["s3://w/1.json"]
    with pytest.raises(UsageError, match="exists: there is nothing to bring back"):
        undrop(FILE, recreated, "lake.n.t")


def test_the_same_table_on_a_branch_or_tag_keeps_nobody_from_it(recreated: Any) -> None:
    recreated.found = replace(recreated.found, elsewhere={"n.t on tag q1": "s3://w/former"})
    assert undrop(FILE, recreated, "lake.n.t").rest.startswith("with 3 rows")
    recreated.found = replace(recreated.found, elsewhere={"n.other on tag q1": "s3://w/former"})
    with pytest.raises(LakehouseError, match=r"lake\.n\.t is not brought back: .*lake\.n\.other on tag q1"):
        undrop(FILE, recreated, "lake.n.t")
