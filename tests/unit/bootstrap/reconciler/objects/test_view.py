"""Views: what is compared, in which order they are made, and what stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bootstrap.iceberg.view import definition, next_metadata
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.importing import exported, imported
from bootstrap.reconciler.objects.view import ChangedView
from bootstrap.reconciler.plan import Plan, plan
from lakehouse.iceberg.types import NO_ID, Field, Struct
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

VIEW: dict[str, Any] = {"sql": {"spark": "SELECT a\nFROM t"}, "columns": {"a": "long"}}
TABLE: dict[str, Any] = {"columns": {"a": "long"}}
ABLE = Limits(views=True)


def of(managed: str = "shared", **view: Any) -> Lakehouse:
    return lakehouse({"n": {"views": {"v": {**VIEW, **view}}}}, managed=managed)


def made(**view: Any) -> Simulation:
    there = Simulation(ABLE)
    there.apply(of(**view))
    return there


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {}, None),
        ({}, {"sql": {"spark": "SELECT a\nFROM u"}}, ["- sql spark: FROM t", "+ sql spark: FROM u"]),
        ({}, {"sql": {"spark": "SELECT a FROM t"}}, ["- sql spark: SELECT a", "- sql spark: FROM t",
                                                    "+ sql spark: SELECT a FROM t"]),
        ({}, {"sql": {"spark": "SELECT a\r\nFROM t"}}, ["~ sql spark: line breaks"]),
        ({}, {"sql": {**VIEW["sql"], "trino": "SELECT 1"}}, ["+ sql trino: SELECT 1"]),
        ({"sql": "SELECT 1"}, {"sql": {"spark": "SELECT 1"}}, ["- sql trino: SELECT 1"]),
        ({}, {"columns": {"a": "int"}}, ["- column a long", "+ column a int"]),
        ({}, {"columns": {"b": "long"}}, ["- column a long", "+ column b long"]),
        ({}, {"columns": {"a": {"type": "long", "doc": "first"}}}, ["- column a long", "+ column a long (first)"]),
        ({"columns": {"a": "int", "b": "int"}}, {"columns": {"b": "int", "a": "int"}},
         ["+ column b int", "- column b int"]),
        ({}, {"doc": "mine"}, ["+ property comment = mine"]),
        ({"doc": "mine", "properties": {"x": "1"}}, {}, ["- property comment", "- property x"]),
        ({}, {"deletable": True}, ["+ property lakehouse.deletable = true"]),
        ({"deletable": True}, {}, ["- property lakehouse.deletable"]),
    ],
)  # fmt: skip
def test_what_is_compared(before: Any, after: Any, lines: Any) -> None:
    there = made(**before)
    changes = there.diff(of(**after)).changes
    found = [[f"{each.symbol} {each.text}" for each in change.details] for change in changes]
    assert found == ([] if lines is None else [lines])
    there.apply(of(**after))
    assert there.diff(of(**after)).changes == ()


def test_only_a_new_query_or_columns_make_a_version() -> None:
    there = made()
    (change,) = there.diff(of(doc="d")).changes
    assert isinstance(change.body, ChangedView)
    assert change.body.definition is None


def test_the_columns_that_spark_noted_go_with_its_query() -> None:
    there = made()
    theirs = definition({"spark": "SELECT x"}, Struct((Field(NO_ID, "x", "int", False, None),)), "lake", "n")
    noted = {"spark.query-column-names": "x", "engine_version": "Spark 4.1", "nessie.commit.id": "1f"}
    there.views["n.v"] = next_metadata(there.views["n.v"], theirs, noted, (), 1)
    (change,) = there.diff(of()).changes
    assert isinstance(change.body, ChangedView)
    assert change.body.removals == ("spark.query-column-names",)
    there.apply(of())
    assert there.views["n.v"]["properties"] == {"engine_version": "Spark 4.1", "nessie.commit.id": "1f"}
    assert there.diff(of()).unnamed == ()


def test_a_property_that_a_killed_change_left_is_removed_and_one_of_others_stays() -> None:
    there = made()
    properties = there.views["n.v"]["properties"]
    properties["replace.drop-dialect.allowed"] = "true"
    assert there.diff(of()).changes == (), "somebody else has set it"
    properties["lakehouse.drops-dialect"] = "true"
    (change,) = there.diff(of()).changes
    assert isinstance(change.body, ChangedView)
    assert set(change.body.removals) == {"replace.drop-dialect.allowed", "lakehouse.drops-dialect"}


def test_a_view_without_a_catalog_in_its_version_means_its_own() -> None:
    there = made()
    there.views["n.v"]["versions"][0].pop("default-catalog")
    assert there.diff(of()).changes == ()
    there.views["n.v"]["versions"][0]["default-namespace"] = []
    assert there.diff(of()).changes == (), "its query has no names without a namespace"
    there.views["n.v"]["versions"][0]["default-namespace"] = ["other"]
    (change,) = there.diff(of()).changes
    assert [each.text for each in change.details] == ["names without a namespace: lake.other -> lake.n"]


def made_in_order(views: dict[str, Any], tables: dict[str, Any] | None = None) -> tuple[Simulation, Plan]:
    there = Simulation(ABLE)
    wanted = lakehouse({"n": {"views": views, "tables": tables or {}}})
    planned = plan(there.diff(wanted))
    there.apply(wanted)
    return there, planned


def test_what_is_read_is_made_first_and_dropped_last() -> None:
    key = {"deletable": True}
    views = {name: {**VIEW, **key, "sql": f"SELECT x FROM {read}"} for name, read in
             {"a": "b", "b": "c", "c": "t", "d": "d2"}.items()}  # fmt: skip
    there, planned = made_in_order(views, {"t": {**TABLE, **key}, "d3": TABLE})
    steps = {step.address: step.needs for step in planned.steps}
    assert [each for each in steps if each.startswith("view")][:3] == [
        "view lake.n.c",
        "view lake.n.b",
        "view lake.n.a",
    ]
    first = ("bucket warehouse", "namespace lake.n")
    assert [steps[f"view lake.n.{name}"] for name in "cbad"] == [
        (*first, "table lake.n.t"),
        (*first, "view lake.n.c"),
        (*first, "view lake.n.b"),
        first,
    ]
    gone = plan(there.diff(lakehouse({"n": {"tables": {"d3": TABLE}}}), allow_destroy=True))
    needs = {step.address: step.needs for step in gone.steps}
    assert needs["view lake.n.c"] == ("view lake.n.b",)
    assert needs["view lake.n.b"] == ("view lake.n.a",)
    assert needs["table lake.n.t"] == ("view lake.n.c",), "only the view that reads it, whatever their number"
    order = [step.address for step in gone.steps]
    assert order.index("view lake.n.a") < order.index("view lake.n.b") < order.index("view lake.n.c")
    assert order[-1] == "table lake.n.t"


def test_views_that_seem_to_read_each_other_are_all_made() -> None:
    views = {
        name: {**VIEW, "sql": f"SELECT {other} FROM {name}"} for name, other in {"a": "b", "b": "c", "c": "a"}.items()
    }
    there, planned = made_in_order(views)
    assert there.views.keys() == {"n.a", "n.b", "n.c"}
    before: set[str] = set()
    for step in planned.steps:
        assert before.issuperset(step.needs), "no step waits for a later one"
        before.add(step.address)


def test_two_keys_drop_a_view_and_one_does_not() -> None:
    there = made(deletable=True)
    without = lakehouse({"n": {}})
    assert there.diff(without).changes == ()
    (note,) = there.diff(without).kept
    assert note.address == "view lake.n.v"
    assert "takes --allow-destroy" in note.message
    assert [change.address for change in there.diff(without, allow_destroy=True).changes] == ["view lake.n.v"]
    unmarked = made()
    assert unmarked.diff(without, allow_destroy=True).changes == ()
    exclusive = lakehouse({"n": {"deletable": True}}, managed="exclusive")
    opened = unmarked.diff(exclusive, allow_destroy=True).changes
    assert [change.address for change in opened if change.op == "destroy"] == ["view lake.n.v"]


def test_a_namespace_with_only_a_view_is_not_empty() -> None:
    there = Simulation(ABLE)
    there.apply(lakehouse({"n": {"views": {"v": VIEW}, "deletable": True}}))
    found = there.diff(lakehouse({}), allow_destroy=True)
    assert (found.changes, found.unnamed) == ((), ("view lake.n.v", "namespace lake.n"))


@pytest.mark.parametrize(
    ("limits", "tables", "message"),
    [
        (Limits("Glue"), {}, "Glue keeps no Iceberg views. Remove the entry"),
        (ABLE, {"v": TABLE}, "a table has this name. Choose another name"),
    ],
)
def test_what_is_refused(limits: Limits, tables: Any, message: str) -> None:
    there = Simulation(limits)
    there.apply(lakehouse({"n": {"tables": tables}}))
    (note,) = there.diff(of()).refused
    assert (note.address, note.message) == ("view lake.n.v", message)


def test_a_view_that_was_only_listed_is_not_destroyed() -> None:
    there = made(deletable=True)
    facts = there.facts()
    lake = replace(facts.catalogs["lake"], views={}, other_views=frozenset({"n.v"}))
    found = diff(lakehouse({"n": {}}), replace(facts, catalogs={"lake": lake}), allow_destroy=True)
    assert (found.changes, found.unnamed) == ((), ("view lake.n.v",))


def test_a_written_file_gives_an_empty_plan() -> None:
    views = {
        "v": {**VIEW, "doc": "d", "properties": {"x": "1"}, "deletable": True},
        "both": {**VIEW, "sql": "SELECT 1"},
    }
    there = Simulation(ABLE)
    there.apply(lakehouse({"n": {"views": views}}))
    empty = lakehouse({})
    for described in (imported(empty, there.facts()), exported(empty, there.facts())):
        written = described.data["catalogs"]["lake"]["namespaces"]
        assert described.left == []
        assert there.diff(lakehouse(written)).changes == ()
        assert written["n"]["views"]["both"]["sql"] == "SELECT 1"


def test_a_view_whose_sql_would_mean_other_tables_is_not_imported() -> None:
    there = made()
    there.views["n.v"]["versions"][-1]["default-namespace"] = ["m"]
    assert imported(lakehouse({"n": {}}), there.facts()).entries == 1, "there is no namespace m"
    there.namespaces["m"] = {}
    found, left, _ = imported(lakehouse({"n": {}, "m": {}}), there.facts())
    assert found == {}
    assert "catalogs.lake.namespaces.n.views.v: names without a namespace in its SQL belong to lake.m" in left[0]
    assert exported(of(), there.facts()).left == [], "the file names it, and a plan shows the difference"
