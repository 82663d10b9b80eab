"""What is read from the store and the catalogs, and the progress meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from bootstrap import output
from bootstrap.cli import reconciler as commands
from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts
from bootstrap.reconciler import facts
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import UnknownState
from bootstrap.session.aws import in_aws
from lakehouse.access.names import names
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import lakehouse, world

LAKEHOUSE = Lakehouse.model_validate(
    {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {name: {"location": f"s3://warehouse/{name}"} for name in ("lake", "pond")},
        "stacks": {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue", "pond": "glue"}}},
    }
)
CONNECTIONS = Connections(StoreConnection(endpoint=None, region="eu-west-1"), {})


class Store:
    """Records the buckets that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def facts(self, buckets: Collection[str], owner: str | None = None) -> dict[str, BucketFacts]:
        self.asked.append((list(buckets), owner))
        return {}


class Catalog:
    """Three tables that are only counted, and a history that gives no answer."""

    def facts(self, tables: Collection[str] | None, reading: Callable[[int, int], None]) -> CatalogFacts:
        for count in range(4):
            reading(count, 3)
        return CatalogFacts({}, {})

    def elsewhere(self) -> dict[str, str]:
        return {}

    def gone(self, names: Collection[str]) -> None:
        raise UnknownState("no answer")

    def formerly(self, name: str) -> None:
        raise AssertionError("asked by undrop alone")


class Listed:
    """A catalog with a table of others; ``asked`` are the calls."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def facts(self, tables: Collection[str] | None, reading: object) -> CatalogFacts:
        self.asked.append("list")
        return CatalogFacts({"n": {}}, {}, frozenset({"n.theirs"}))

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        self.asked.append("read the rest")
        return facts


class Folders:
    """Notes which folders are looked at."""

    def __init__(self) -> None:
        self.looked: list[str] = []

    def look(self, locations: Collection[str]) -> None:
        self.looked += locations

    def held(self, location: str) -> bool:
        assert location in self.looked
        return False

    def latest(self, location: str) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("tables", "asked", "looked"),
    [
        ({}, ["list"], []),
        (
            {"t": {"columns": {"a": "int"}}, "u": {"columns": {"a": "int"}, "location": "s3://warehouse/own"}},
            ["list", "read the rest"],
            ["s3://warehouse/lake/n/t", "s3://warehouse/own"],
        ),
    ],
)
def test_a_catalog_is_listed_once_and_the_rest_is_read_only_for_a_new_folder(
    tables: dict[str, object], asked: list[str], looked: list[str]
) -> None:
    of, folders = Listed(), Folders()
    wanted = lakehouse({"n": {"tables": tables}})
    found = world(of, catalog=lambda name: of, store=lambda: Store(), folders=lambda: folders)
    facts.gather(wanted, found)
    assert (of.asked, folders.looked) == (asked, looked)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def there(store: Store) -> World:
    return world(None, connections=CONNECTIONS, store=lambda: store, catalog=lambda name: Catalog())


@pytest.mark.parametrize("everything", [False, True])
def test_the_store_is_asked_for_the_buckets_of_the_file(store: Store, there: World, everything: bool) -> None:
    facts.gather(LAKEHOUSE, there, everything=everything)
    assert store.asked == [(["warehouse"], "demo" if everything else None)]


@pytest.mark.parametrize("everything", [False, True])
def test_an_account_is_not_asked_for_its_buckets(store: Store, there: World, everything: bool) -> None:
    located = in_aws(LAKEHOUSE, names(LAKEHOUSE, "aws", "123456789012"))
    assert facts.gather(located, there, everything=everything).buckets == {}
    assert store.asked == []


def test_a_store_of_our_own_is_asked_though_the_file_names_no_bucket(store: Store, there: World) -> None:
    connections = replace(CONNECTIONS, store=replace(CONNECTIONS.store, endpoint="http://127.0.0.1:9000"))
    own = replace(there, connections=connections)
    facts.gather(LAKEHOUSE.model_copy(update={"buckets": {}}), own, everything=True)
    assert store.asked == [([], "demo")]


def test_tables_are_counted_over_all_catalogs(there: World) -> None:
    reported: list[tuple[int, int]] = []
    facts.gather(LAKEHOUSE, there, reading=lambda count, of: reported.append((count, of)))
    assert len(reported) == 8
    assert max(reported) == (6, 6)


@pytest.mark.parametrize("words", [["drift"], ["export"]])
def test_a_person_sees_how_many_tables_are_read(
    words: list[str], there: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = MagicMock()
    monkeypatch.setattr(output, "progress", lambda: bar)
    monkeypatch.setattr(commands, "_connect", lambda context: (tmp_path / "lakehouse.yaml", LAKEHOUSE, there))
    with pytest.raises(SystemExit):
        commands.app(words)
    shown = [call.kwargs for call in bar.__enter__().update.call_args_list]
    assert {"completed": 6, "total": 6} in shown


def test_a_log_that_gives_no_answer_keeps_no_table_from_being_made(there: World) -> None:
    spaces = {"n": {"tables": {"t": {"columns": {"a": "int"}}}}}
    more = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": spaces}},
            "stacks": {"aws": {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}}},
        }
    )
    found = facts.gather(more, there)
    assert found.homes["lake.n.t"].location == "s3://warehouse/lake/n/t"
    assert found.lost == {"lake.n.t": "whether it existed before is not known: no answer"}
