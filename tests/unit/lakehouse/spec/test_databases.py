"""DatabaseNames of databases that catalogs of one server share; bad/databases.yaml has the other rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lakehouse.spec import kinds
from lakehouse.spec.databases import DatabaseEntry, DatabaseNames, check_databases, default
from lakehouse.spec.entries import KindEntry
from tests.unit.lakehouse.spec.test_chosen import lakehouse, local


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    """A kind whose one server carries all its catalogs."""
    before = kinds.known()
    one = replace(before.catalogs["rest"], word="shared", shared=True)
    kinds.register(replace(before, catalogs={**before.catalogs, "shared": one}))
    yield
    kinds.register(before)


def problems(**catalogs: Any) -> list[str]:
    given = lakehouse(**catalogs)
    return [f"{each.at[3:]} {each.message}" for each in check_databases("local", local(given), given)]


def test_the_first_catalog_of_a_server_names_its_database() -> None:
    named = {"kind": "shared", "database": "one", "user": "me"}
    assert problems(a=named, b="shared") == []
    assert problems(a=named, b=named) == []
    [why] = problems(a="shared", b={"kind": "shared", "database": "two"})
    assert why == (
        '(\'b\', \'database\') "two" is not the database of the server: "a" sets that to "shared". Remove it'
    )
    assert len(problems(a=named, b={"kind": "shared", "user": "you"})) == 1


def test_a_user_that_only_follows_its_database_is_not_reported_too() -> None:
    assert len(problems(a={"kind": "rest", "database": "same"}, b={"kind": "shared", "database": "same"})) == 1


def test_names_are_the_servers_own_until_the_file_sets_them() -> None:
    assert DatabaseNames.of("rest", KindEntry(kind="rest")) == DatabaseNames("rest", "rest")
    assert DatabaseNames.of("rest", DatabaseEntry(kind="rest", user="me")) == DatabaseNames("rest", "me")
    assert DatabaseNames.of("rest", DatabaseEntry(kind="rest", database="d")) == DatabaseNames("d", "d")


def test_long_names_stay_apart() -> None:
    first, second = (default(f"rest-{'a' * 60}{end}") for end in "xy")
    assert first != second
    assert {len(first), len(second)} == {63}
