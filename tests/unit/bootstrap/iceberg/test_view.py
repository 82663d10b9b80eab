"""A view's metadata: what is written is read again, history is kept, and nothing is made twice."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from bootstrap.iceberg.view import ViewFacts, compact_view, definition, new_metadata, next_metadata, version_updates
from lakehouse.iceberg.types import NO_ID, Field, Struct
from tests.unit.lakehouse.spec.strategies import iceberg_types, names, properties

columns = st.dictionaries(names, iceberg_types(), min_size=1, max_size=4).map(
    lambda found: Struct(tuple(Field(NO_ID, name, kind, False, None) for name, kind in found.items()))
)
queries = st.dictionaries(st.sampled_from(["spark", "trino"]), st.text(min_size=1).map(str.strip), min_size=1)


def unnumbered(of: Struct) -> list[tuple[str, str]]:
    return [(field.name, str(field.type)) for field in of.fields]


@given(queries, columns, properties)
def test_what_is_written_is_read_again(sql: dict[str, str], wanted: Struct, content: dict[str, str]) -> None:
    made = new_metadata(definition(sql, wanted, "lake", "a.b"), "s3://w/lake/a/b/v", content, 7)
    view = ViewFacts("", compact_view(made))
    assert (view.sql, unnumbered(view.columns), view.properties) == (sql, unnumbered(wanted), content)
    assert (view.default_catalog, view.default_namespace, view.location) == ("lake", "a.b", "s3://w/lake/a/b/v")


@given(st.lists(st.tuples(queries, columns), min_size=1, max_size=14))
def test_every_version_is_the_last_one_wanted_and_ten_are_kept(several: list[tuple[dict[str, str], Struct]]) -> None:
    wanted = [definition(sql, of, "lake", "n") for sql, of in several]
    metadata = new_metadata(wanted[0], "s3://w/v", {}, 0)
    for nth, (each, (sql, of)) in enumerate(zip(wanted, several, strict=True), 1):
        if nth > 1:
            metadata = next_metadata(metadata, each, {}, (), nth)
        view = ViewFacts("", metadata)
        assert (view.version, view.sql, unnumbered(view.columns)) == (nth, sql, unnumbered(of))
    known = [each["version-id"] for each in metadata["versions"]]
    assert known == list(range(max(1, len(several) - 9), len(several) + 1))
    assert [each["version-id"] for each in metadata["version-log"]] == known


def test_only_properties_make_no_version() -> None:
    first = new_metadata(definition({"spark": "SELECT 1"}, one("a"), "lake", "n"), "s3://w/v", {"a": "1", "b": "2"}, 0)
    after = next_metadata(first, None, {"c": "3"}, ("a",), 1)
    assert after == {**first, "properties": {"b": "2", "c": "3"}}


def one(name: str, kind: str = "int") -> Struct:
    return Struct((Field(NO_ID, name, kind, False, None),))


def test_a_schema_or_version_that_there_was_gets_its_id_again() -> None:
    a, b = (definition({"spark": f"SELECT {name}"}, one(name), "lake", "n") for name in "ab")
    again = definition({"spark": "SELECT 1 AS a"}, one("a"), "lake", "n")
    metadata: dict[str, Any] = next_metadata(new_metadata(a, "s3://w/v", {}, 0), b, {}, (), 1)
    assert version_updates(metadata, a, 2) == [{"action": "set-current-view-version", "view-version-id": 1}]
    added, current = version_updates(metadata, again, 2)
    assert (added["view-version"]["schema-id"], added["view-version"]["version-id"]) == (0, 3)
    assert current["view-version-id"] == -1
    new = version_updates(metadata, definition({"spark": "SELECT a"}, one("a", "long"), "lake", "n"), 2)
    assert [each["action"] for each in new] == ["add-schema", "add-view-version", "set-current-view-version"]
    assert new[1]["view-version"]["schema-id"] == -1
