from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.reconciler.objects.table import TableGone
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from lakehouse.errors import UsageError
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

TABLE = {"columns": {"a": "long"}}


def made(there: Simulation, namespaces: Any, **options: Any) -> Plan:
    return plan(there.diff(lakehouse(namespaces), **options), **options)


def test_each_step_comes_after_what_it_needs() -> None:
    steps = made(Simulation(), {"a.b": {"tables": {"t": TABLE}}, "c": {"tables": {"t": TABLE}}}).steps
    assert {step.address: set(step.needs) for step in steps} == {
        "bucket warehouse": set(),
        "namespace lake.a": {"bucket warehouse"},
        "namespace lake.a.b": {"bucket warehouse", "namespace lake.a"},
        "namespace lake.c": {"bucket warehouse"},
        "table lake.a.b.t": {"bucket warehouse", "namespace lake.a.b"},
        "table lake.c.t": {"bucket warehouse", "namespace lake.c"},
    }
    seen: set[str] = set()
    for step in steps:
        assert set(step.needs) <= seen
        seen.add(step.address)


def test_destruction_goes_from_the_inside_out() -> None:
    there = Simulation()
    key = {"deletable": True}
    there.apply(lakehouse({"a": key, "a.b": {**key, "tables": {"t": {**TABLE, **key}}}}))
    steps = made(there, {}, allow_destroy=True).steps
    assert [step.address for step in steps] == ["table lake.a.b.t", "namespace lake.a.b", "namespace lake.a"]
    assert set(steps[-1].needs) == {"table lake.a.b.t", "namespace lake.a.b"}
    assert isinstance(steps[0].change.body, TableGone)
    assert steps[0].change.body.uuid


def test_branches_and_tags_begin_at_the_new_contents() -> None:
    there = Simulation(Limits("Nessie", references=True))
    references = {"branches": {"a": {"from": "t"}, "z": {}}, "tags": {"t": {"from": "z"}}}
    steps = plan(there.diff(lakehouse({"n": {"tables": {"t": TABLE}}}, references=references))).steps
    contents = {"bucket warehouse", "namespace lake.n", "table lake.n.t"} - {"bucket warehouse"}
    assert {step.address: set(step.needs) for step in steps[3:]} == {
        "branch lake.z": contents,
        "tag lake.t": {*contents, "branch lake.z"},
        "branch lake.a": {*contents, "tag lake.t"},
    }


def test_a_bucket_goes_after_the_tables() -> None:
    there = Simulation()
    key = {"deletable": True}
    there.apply(lakehouse({"a": {"tables": {"t": {**TABLE, **key}}}}, buckets={"warehouse": {}, "old": key}))
    steps = made(there, {"a": {}}, allow_destroy=True).steps
    assert [(step.address, step.needs) for step in steps] == [
        ("table lake.a.t", ()),
        ("bucket old", ("table lake.a.t",)),
    ]


def test_exit_codes() -> None:
    there = Simulation()
    assert made(there, {"n": {"tables": {"t": TABLE}}}).exit_code == 2
    there.apply(lakehouse({"n": {"tables": {"t": TABLE}}}))
    assert made(there, {"n": {"tables": {"t": TABLE}}}).exit_code == 0
    assert made(there, {"n": {"tables": {"t": {"columns": {"a": "int"}}}}}).exit_code == 1


def test_the_text_is_like_terraforms() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": {"a": "int"}}, "x": TABLE}}}))
    wanted = {"n": {"tables": {"t": {"columns": {"a": "long", "b": "string"}}, "u": {"columns": {"c": "date"}}}}}
    assert list(render(made(there, wanted))) == [
        "~ table lake.n.t",
        "    ~ column a: int -> long",
        "    + column b string",
        "+ table lake.n.u",
        "    + column c date",
        "1 object that the file does not name stays (`lakehouse drift` lists them).",
        "Plan: 1 to create, 1 to change, 0 to destroy.",
    ]


def test_a_new_tables_plan_shows_all_that_the_file_says() -> None:
    point = {"struct": {"x": {"type": "int", "doc": "metres"}, "y": "int"}}
    table = {
        "doc": "places",
        "format_version": 3,
        "location": "s3://warehouse/elsewhere/t",
        "columns": {
            "id": {"type": "long", "required": True, "doc": "its number"},
            "at": {"type": point, "doc": "where it is"},
            "name": "string",
        },
        "identifier": ["id"],
        "partition_by": ["bucket(4, id)"],
        "sort_by": ["name", "id desc nulls first"],
        "properties": {"k": "v"},
    }
    there = Simulation()
    there.apply(lakehouse({"n": {}}))
    assert list(render(made(there, {"n": {"tables": {"t": table}}}))) == [
        "+ table lake.n.t",
        "    + format_version 3",
        "    + location s3://warehouse/elsewhere/t",
        '    + column id long required (doc "its number")',
        '    + column at struct<x: int, y: int> (doc "where it is")',
        '    + column at.x: doc "metres"',
        "    + column name string",
        "    + identifier [id]",
        "    + partition_by [bucket(4, id)]",
        "    + sort_by [name asc nulls first, id desc nulls first]",
        "    + property k = v",
        "    + property comment = places",
        "Plan: 1 to create, 0 to change, 0 to destroy.",
    ]


def test_a_plan_says_what_it_destroys() -> None:
    there = Simulation()
    key = {"deletable": True}
    columns = {"a": "int", "b": {"type": "string", **key}}
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": columns}, "u": {**TABLE, **key}}}}))
    wanted = {"n": {"tables": {"t": {"columns": {"a": "int"}, "properties": {"k": "v"}}}}}
    assert made(there, wanted, allow_destroy=True).destroyed == ("table lake.n.u", "column b string of table lake.n.t")
    assert made(there, wanted).destroyed == ()


def test_a_saved_plan_reads_back() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": {"a": "int"}}}}}))
    wanted = {"n": {"tables": {"t": {"columns": {"a": "long"}}, "u": TABLE}}, "o": {"properties": {"k": "v"}}}
    first = made(there, wanted)
    again = from_json(json.loads(json.dumps(first.to_json())))
    assert again.digest == first.digest
    assert [step.address for step in again.steps] == [step.address for step in first.steps]
    assert again.steps[0].change.details == first.steps[0].change.details


@pytest.mark.parametrize("spoil", ["format", "digest", "steps"])
def test_a_plan_that_was_edited_is_refused(spoil: str) -> None:
    data = made(Simulation(), {"n": {}}).to_json()
    data[spoil] = {"format": 2, "digest": "x", "steps": []}[spoil]
    with pytest.raises(UsageError, match="Make a new plan"):
        from_json(json.loads(json.dumps(data)))


@pytest.mark.parametrize("data", [None, [], {}, {"format": 3}, "x"])
def test_what_is_no_plan_is_refused(data: Any) -> None:
    with pytest.raises(UsageError, match="not a saved plan"):
        from_json(data)


def test_changes_are_counted() -> None:
    assert made(Simulation(), {"n": {}, "o": {}}).counts() == {"create": 3, "update": 0, "destroy": 0}
