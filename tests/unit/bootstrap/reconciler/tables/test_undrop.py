"""What can be brought back, what cannot and why, and that nothing changes before it is asked for."""

from __future__ import annotations

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

    def catalog(self, name: str) -> Any:
        return self

    def facts(self, *_: Any) -> CatalogFacts:
        return self.found

    def folders(self) -> Any:
        return None

    def files(self) -> Any:
        return self

    def read(self, location: str) -> dict[str, Any]:
        if self.metadata is None:
            raise Missing(f"{location} does not exist")
        return self.metadata

    def commit_table(self, name: str, body: Any) -> None:
        self.done.append(("commit", name))

    def create_namespace(self, name: str, properties: object) -> None:
        self.done.append(("namespace", name))

    def register_table(self, name: str, at: str) -> None:
        self.done.append(("register", name, at))


@pytest.fixture
def world() -> Any:
    return World()


def gone(monkeypatch: pytest.MonkeyPatch, found: Gone | None) -> None:
    monkeypatch.setattr(lost, "find", lambda catalog, defaults, *_: {next(iter(defaults)): found} if found else {})


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
    gone(monkeypatch, None)
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
