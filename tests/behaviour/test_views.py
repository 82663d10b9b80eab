"""Views in a real catalog: what is applied exists, a second plan is empty, others' changes are drift."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap import catalogs
from bootstrap.catalogs.base import HasViews, SeenView
from bootstrap.iceberg.view import ViewFacts
from bootstrap.reconciler.objects.view import ChangedView
from bootstrap.reconciler.plan import from_json, render
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse, only
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

TABLE: dict[str, Any] = {"columns": {"a": "long", "b": "string"}}
VIEW: dict[str, Any] = {
    "sql": {"spark": "SELECT a, upper(b) AS name FROM t", "trino": "SELECT a, upper(b) AS name\nFROM t"},
    "columns": {"a": "long", "name": {"type": "string", "doc": "in capitals"}},
    "doc": "it's a view",
    "properties": {"owner_team": "data"},
}


@pytest.fixture
def connections(servers: Servers) -> Connections:
    """Nessie by its own API; other modules run the tests with their own catalogs."""
    return servers.connections()


def with_view(root: str, managed: str = "shared", **view: Any) -> Lakehouse:
    content = {"tables": {"t": TABLE}, "views": {"v": {**VIEW, **view}}}
    return lakehouse({root: content}, managed=managed)


def applied(wanted: Lakehouse, connections: Connections, **options: Any) -> None:
    outcome = reconcile(wanted, connections, **options)
    assert outcome.exit_code == 0, outcome
    left = make_plan(wanted, connections, allow_destroy=options.get("allow_destroy", False))
    assert not left.steps, list(render(left))


def views_of(connections: Connections) -> dict[str, ViewFacts]:
    return dict(catalogs.connect("lake", connections).facts(None, lambda count, of: None).views)


def test_a_plan_says_whether_the_catalog_keeps_views(connections: Connections, root: str) -> None:
    limits = catalogs.connect("lake", connections).limits
    plan = make_plan(with_view(root), connections)
    there = f"+ view lake.{root}.v" in list(render(plan))
    refused = [note.message for note in plan.refused]
    expected = [] if limits.views else [f"{limits.kind} keeps no Iceberg views. Remove the entry"]
    assert (there, refused) == (limits.views, expected)


def test_a_view_is_created_changed_and_dropped_with_two_keys(connections: Connections, root: str) -> None:
    wanted = with_view(root)
    plan = make_plan(wanted, connections)
    assert from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert f"+ view lake.{root}.v" in list(render(plan))
    applied(wanted, connections)
    first = views_of(connections)[f"{root}.v"]
    assert (first.sql, first.default_catalog, first.default_namespace) == (VIEW["sql"], "lake", root)
    assert [(field.name, field.type, field.doc) for field in first.columns.fields] == [
        ("a", "long", None),
        ("name", "string", "in capitals"),
    ]
    assert first.properties["comment"] == "it's a view"
    assert first.location == f"s3://warehouse/lake/{root}/v"
    only_spark: Any = {
        "sql": {"spark": "SELECT a FROM t"},
        "columns": {"a": "long"},
        "properties": {},
        "deletable": True,
    }
    applied(with_view(root, **only_spark), connections)
    second = views_of(connections)[f"{root}.v"]
    assert (second.uuid, second.sql) == (first.uuid, only_spark["sql"])
    assert "owner_team" not in second.properties
    without = lakehouse({root: {"tables": {"t": TABLE}}})
    assert not make_plan(without, connections).steps, "one key drops nothing"
    applied(without, connections, allow_destroy=True)
    assert f"{root}.v" not in views_of(connections)


def test_what_others_do_to_a_view_is_drift_and_is_not_overwritten(connections: Connections, root: str) -> None:
    applied(with_view(root), connections)
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, HasViews)
    have = views_of(connections)[f"{root}.v"]
    theirs = make_plan(with_view(root, sql={**VIEW["sql"], "spark": "SELECT a, b AS name FROM t"}), connections)
    (step,) = only(theirs, f"view lake.{root}.v").steps
    assert isinstance(step.change.body, ChangedView)
    assert [f"{detail.symbol} {detail.text}" for detail in step.change.details] == [
        "- sql spark: SELECT a, upper(b) AS name FROM t",
        "+ sql spark: SELECT a, b AS name FROM t",
    ]
    catalog.replace_view(f"{root}.v", SeenView(have.uuid, have.version), step.change.body.definition, {}, ())
    drift = make_plan(with_view(root), connections)
    assert "    - sql spark: SELECT a, b AS name FROM t" in list(render(drift))
    with pytest.raises(Conflict):
        catalog.replace_view(f"{root}.v", SeenView(have.uuid, have.version), step.change.body.definition, {}, ())
    with pytest.raises(Conflict):
        catalog.drop_view(f"{root}.v", SeenView(have.uuid, have.version))
    mine = make_plan(with_view(root, sql={**VIEW["sql"], "spark": "SELECT a, lower(b) AS name FROM t"}), connections)
    applied(with_view(root), connections)
    outcome = apply(only(mine, f"view lake.{root}.v"), connections)
    assert "version" in outcome.failed[0].message, "somebody was faster"
    assert views_of(connections)[f"{root}.v"].sql == VIEW["sql"]


def test_a_namespace_with_a_view_of_others_stays_and_its_name_is_taken(connections: Connections, root: str) -> None:
    deletable = {"tables": {}, "views": {"v": VIEW, "w": {**VIEW, "deletable": True}}, "deletable": True}
    applied(lakehouse({root: deletable}), connections)
    empty = lakehouse({})
    applied(empty, connections, allow_destroy=True)
    assert views_of(connections).keys() & {f"{root}.v", f"{root}.w"} == {f"{root}.v"}, "it was never called deletable"
    clash = make_plan(lakehouse({root: {"tables": {"v": TABLE}}}), connections)
    assert [note.message for note in clash.refused] == ["a view has this name. Choose another name"]


def test_views_that_read_each_other_are_made_and_dropped_in_order(connections: Connections, root: str) -> None:
    views = {
        "a": {**VIEW, "sql": "SELECT a, name FROM z", "deletable": True},
        "m": {**VIEW, "sql": "SELECT a, name FROM a", "deletable": True},
        "z": {**VIEW, "deletable": True},
    }
    wanted = lakehouse({root: {"tables": {"t": TABLE}, "views": views}})
    plan = make_plan(wanted, connections)
    at = f"lake.{root}"
    made = [step.address for step in plan.steps if step.address.startswith("view")]
    assert made == [f"view {at}.z", f"view {at}.a", f"view {at}.m"]
    needs = {step.address: step.needs for step in plan.steps}
    assert f"table {at}.t" in needs[f"view {at}.z"]
    assert f"view {at}.z" in needs[f"view {at}.a"]
    applied(wanted, connections)
    gone = make_plan(lakehouse({root: {"tables": {"t": TABLE}}}), connections, allow_destroy=True)
    assert [step.address for step in gone.steps] == [f"view {at}.m", f"view {at}.a", f"view {at}.z"]
    applied(lakehouse({root: {"tables": {"t": TABLE}}}), connections, allow_destroy=True)
