"""A namespace that is renamed table by table: the order of the requests, and what is left after one that fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

import pytest

from bootstrap.catalogs.moving import move
from bootstrap.iceberg.metadata import CatalogFacts, Moving
from bootstrap.remote.errors import Conflict, Exists, Missing, RemoteError, UnknownState, Unreachable

MARK = "lakehouse.renamed-from"
MOVING = Moving("old", {"old.deep": {}, "old": {"team": "us"}}, {"old.t": "uuid-t", "old.deep.u": "uuid-u"})


class Catalog:
    """Notes what it is asked for; ``fails`` has the errors with which requests end, ``mark`` is on ``new``."""

    def __init__(self, fails: Mapping[tuple[str, str], RemoteError] | None = None, mark: str | None = None) -> None:
        self.asked: list[Any] = []
        self._fails = fails or {}
        self._mark = {} if mark is None else {MARK: mark}

    def facts(self, tables: Collection[str], reading: object) -> CatalogFacts:
        return CatalogFacts({"new": self._mark}, {})

    def _note(self, what: str, name: str, *more: Any) -> None:
        self.asked.append((what, name, *more))
        if (what, name) in self._fails:
            raise self._fails[what, name]

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None:
        self._note("create", name, dict(properties))

    def rename_table(self, former: str, name: str, identity: str) -> None:
        self._note("rename", former, name, identity)

    def drop_namespace(self, name: str) -> None:
        self._note("drop", name)

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None:
        self._note("update", name, dict(updates), list(removals))


def moved(catalog: Catalog) -> list[Any]:
    move(cast("Any", catalog), cast("Any", catalog), MOVING, "new", MARK)
    return catalog.asked


CREATED = [("create", "new", {"team": "us", MARK: "old"}), ("create", "new.deep", {})]
TABLES = [("rename", "old.t", "new.t", "uuid-t"), ("rename", "old.deep.u", "new.deep.u", "uuid-u")]
DROPPED = [("drop", "old.deep"), ("drop", "old")]
DONE: list[Any] = [("update", "new", {}, [MARK])]


def test_the_new_one_is_first_and_its_mark_goes_last() -> None:
    assert moved(Catalog()) == [*CREATED, *TABLES, *DROPPED, *DONE]


def test_a_repeated_one_goes_on_with_what_is_there() -> None:
    begun = Catalog({("create", "new"): Exists("there"), ("drop", "old.deep"): Missing("gone")}, mark="old")
    assert moved(begun) == [*CREATED, *TABLES, *DROPPED, *DONE]


@pytest.mark.parametrize("mark", [None, "another"])
def test_nothing_moves_into_a_namespace_that_somebody_else_made_meanwhile(mark: str | None) -> None:
    catalog = Catalog({("create", "new"): Exists("there")}, mark)
    with pytest.raises(Conflict, match="somebody has created the namespace new"):
        moved(catalog)
    assert catalog.asked == CREATED[:1]


def test_a_table_that_cannot_be_moved_keeps_the_former_namespace_and_the_mark() -> None:
    catalog = Catalog({("rename", "old.t"): Conflict("another table")})
    with pytest.raises(Conflict, match="another table"):
        moved(catalog)
    assert catalog.asked == [*CREATED, *TABLES], "the other table was moved, and nothing was dropped"


@pytest.mark.parametrize("error", [UnknownState("no answer"), Unreachable("the catalog", "http://c", "refused")])
def test_a_server_that_does_not_answer_is_not_asked_for_each_further_table(error: RemoteError) -> None:
    catalog = Catalog({("rename", "old.t"): error})
    with pytest.raises(type(error)):
        moved(catalog)
    assert catalog.asked == [*CREATED, TABLES[0]]


def test_a_former_namespace_that_is_not_empty_keeps_the_mark() -> None:
    catalog = Catalog({("drop", "old"): Conflict("not empty")})
    with pytest.raises(Conflict, match="not empty"):
        moved(catalog)
    assert catalog.asked[-1] == ("drop", "old")
