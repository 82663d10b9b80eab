"""Renames of namespaces, with all that is in them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bootstrap.reconciler.marks import RENAMED_FROM
from bootstrap.reconciler.objects.rename_namespace import RenamedNamespace
from bootstrap.reconciler.plan import plan
from lakehouse.spec.checks import check
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.renaming import A, renamed, steps, there
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse


def spaced(**of: Any) -> Any:
    return lakehouse({name.replace("_", "."): content for name, content in of.items()})


def test_a_namespace_is_renamed_with_all_that_is_in_it_and_then_changed() -> None:
    made = Simulation()
    made.apply(spaced(a={"properties": {"k": "v"}, "tables": {"t": A, "u": A}}, a_c={"tables": {"x": A}}, m={}))
    ids = {name: table.table_uuid for name, table in made.tables.items()}
    new = {"renamed_from": "a", "properties": {"k": "w"}, "tables": {"t": {"columns": {"a": "long", "b": "int"}}}}
    wanted = spaced(b=new, m={})
    found = plan(made.diff(wanted))
    assert [(step.address, step.needs) for step in found.steps] == [
        ("rename-namespace lake.b", ()),
        ("namespace lake.b", ("rename-namespace lake.b",)),
        ("table lake.b.t", ("namespace lake.b", "rename-namespace lake.b")),
    ]
    assert found.steps[0].change.details[0].text == "namespace a -> b: with 3 tables, which keep rows and history"
    made.apply(wanted)
    assert {name: table.table_uuid for name, table in made.tables.items()} == {
        name.replace("a", "b", 1): identity for name, identity in ids.items()
    }
    assert made.namespaces.keys() == {"b", "b.c", "m"}
    assert made.namespaces["b"]["k"] == "w"
    assert not made.diff(wanted)


@pytest.mark.parametrize("former", ["old", "a.old", "b.old"])
def test_a_table_is_renamed_in_a_namespace_that_is_renamed_first(former: str) -> None:
    made = Simulation()
    made.apply(spaced(a={"tables": {"old": A}}))
    wanted = spaced(b={"renamed_from": "a", "tables": {"new": renamed(former)}})
    steps = {step.address: step.needs for step in plan(made.diff(wanted)).steps}
    assert steps == {"rename-namespace lake.b": (), "rename lake.b.new": ("rename-namespace lake.b",)}
    made.apply(wanted)
    assert made.tables.keys() == {"b.new"}
    assert not made.diff(wanted)


@pytest.mark.parametrize("limits", [Limits("Glue"), Limits("Nessie", renames=True)])
def test_what_moves_with_a_namespace_is_not_destroyed_by_the_plan_that_moves_it(limits: Limits) -> None:
    made = Simulation(limits)
    made.apply(spaced(a={"tables": {"t": {**A, "deletable": True}}, "deletable": True}, a_c={"deletable": True}))
    wanted = lakehouse({"b": {"renamed_from": "a", "deletable": True}}, managed="exclusive")
    found = made.diff(wanted, allow_destroy=True)
    assert not [change for change in found.changes if change.op == "destroy"]
    if limits.renames:
        made.apply(wanted, allow_destroy=True)
        gone = [change.address for change in made.apply(wanted, allow_destroy=True).changes]
        assert gone == ["table lake.b.t", "namespace lake.b.c"], "the next plan, whose text names them, does"


def test_a_seed_is_loaded_after_the_rename() -> None:
    made, wanted = there("n.old"), lakehouse({"n": {"tables": {"new": renamed("old", seed="t.csv")}}, "m": {}})
    facts = replace(made.facts(), seeds={"t.csv": "digest"})
    made.facts = lambda: facts  # type: ignore[method-assign]
    needs = {step.address: step.needs for step in plan(made.diff(wanted)).steps}
    assert needs == {"rename lake.n.new": (), "seed lake.n.new": ("rename lake.n.new",)}


def test_two_namespaces_with_these_names_are_refused_and_nothing_in_them_is_touched() -> None:
    made = Simulation()
    going = {"tables": {"t": {**A, "deletable": True}}, "deletable": True}
    made.apply(spaced(a=going, b={}))
    wanted = lakehouse({"b": {"renamed_from": "a", "tables": {"t": A}}}, managed="exclusive")
    found = made.diff(wanted, allow_destroy=True)
    assert [note.address for note in found.refused] == ["namespace lake.b"]
    assert "lake.a and lake.b both exist" in found.refused[0].message
    assert not found.changes


def test_an_interrupted_rename_of_a_namespace_goes_on_and_its_mark_goes_last() -> None:
    made = Simulation()
    made.apply(spaced(a={"tables": {"t": A, "u": A}}))
    made.namespaces["b"] = {RENAMED_FROM: "a"}
    made.tables["b.t"] = made.tables.pop("a.t")
    wanted = spaced(b={"renamed_from": "a", "tables": {"t": A, "u": A}})
    found = made.diff(wanted)
    assert [change.address for change in found.changes] == ["rename-namespace lake.b"]
    assert found.changes[0].body == RenamedNamespace("a", {"a": {}}, {"a.u": str(made.tables["a.u"].table_uuid)})
    made.tables["b.u"] = made.tables.pop("a.u")
    del made.namespaces["a"]
    assert [line for line in steps(made.apply(wanted)) if "property" in line] == [f"    - property {RENAMED_FROM}"]
    assert not made.diff(wanted)


def test_a_table_that_somebody_made_in_the_new_namespace_meanwhile_is_named() -> None:
    made = Simulation()
    made.apply(spaced(a={"tables": {"t": A}}, b={"tables": {"t": A}}))
    made.namespaces["b"][RENAMED_FROM] = "a"
    found = made.diff(spaced(b={"renamed_from": "a", "tables": {"t": A}}))
    assert "the table lake.b.t and the one of lake.a with the same name both exist" in found.refused[0].message
    assert not found.changes


@pytest.mark.parametrize(
    ("target", "table", "refused"),
    [
        ("lake.b", A, True),
        ("lake.b.t", A, True),
        ("lake.b", {**A, "location": "s3://warehouse/lake/a/t"}, False),
        ("lake", A, False),
        ("lake.m", A, False),
    ],
)
def test_grants_on_a_renamed_namespace_have_to_reach_the_files(target: str, table: Any, refused: bool) -> None:
    made = Simulation()
    made.apply(spaced(a={"tables": {"t": A}}, m={}))
    access = {"roles": {"r": {"grants": {target: ["read"]}}}}
    found = made.diff(lakehouse({"b": {"renamed_from": "a", "tables": {"t": table}}, "m": {}}, access=access))
    assert bool(found.refused) == refused
    if refused:
        assert "the files of b.t stay at s3://warehouse/lake/a/t" in found.refused[0].message


def test_a_namespace_with_a_view_or_without_its_new_parent_is_refused() -> None:
    made = Simulation()
    made.apply(spaced(a={"tables": {"t": A}}))
    found = made.diff(spaced(x={}, x_b={"renamed_from": "a"}))
    assert "lake.x does not exist yet" in found.refused[0].message
    facts = made.facts()
    lake = replace(facts.catalogs["lake"], others=frozenset({"a.view"}))
    made.facts = lambda: replace(facts, catalogs={"lake": lake})  # type: ignore[method-assign]
    assert "lake.a.view is no table and cannot move" in made.diff(spaced(b={"renamed_from": "a"})).refused[0].message


def _leaving(**more: Any) -> tuple[Simulation, Any]:
    """A table that moves to another namespace out of one that is renamed, in an exclusive catalog with all keys."""
    made = Simulation(Limits(renames=True, views=True))
    table = {**A, "deletable": True}
    made.apply(spaced(a={"tables": {"t": table, "u": table}, "deletable": True, **more}, m={}))
    renamed_space = {"renamed_from": "a", "tables": {"u": table}, "deletable": True, **more}
    files = {"m": {"tables": {"t": {**table, "renamed_from": "a.t"}}}, "b": renamed_space}
    return made, lakehouse(files, managed="exclusive")


def test_a_table_leaves_a_renamed_namespace_after_its_rename() -> None:
    made, wanted = _leaving()
    needs = {step.address: step.needs for step in plan(made.diff(wanted)).steps}
    assert needs == {"rename-namespace lake.b": (), "rename lake.m.t": ("rename-namespace lake.b",)}


def test_a_table_that_leaves_a_renamed_namespace_keeps_its_rows_if_apply_ends_between_the_two_renames() -> None:
    made, wanted = _leaving()
    identity = made.tables["a.t"].table_uuid
    first = plan(made.diff(wanted)).steps[0]
    made.carry_out(first.change)
    assert made.tables["b.t"].table_uuid == identity
    found = made.apply(wanted, allow_destroy=True)
    assert [change.address for change in found.changes] == ["rename lake.m.t"]
    assert made.tables["m.t"].table_uuid == identity
    assert not made.diff(wanted, allow_destroy=True)


def test_nothing_is_planned_in_a_namespace_that_does_not_get_its_new_name() -> None:
    made, wanted = _leaving(views={"v": {"sql": "select a from u", "columns": {"a": "long"}}})
    found = made.diff(wanted)
    assert not found.changes
    assert "a.v is no table and cannot move" in found.refused[0].message
    assert found.refused[1].address == "table lake.m.t"
    assert 'first fix "namespace lake.b"' in found.refused[1].message


def test_a_namespace_is_renamed_into_one_that_is_renamed_first() -> None:
    made = Simulation()
    made.apply(spaced(a={"tables": {"t": A}}, z={"tables": {"t": A}}))
    found = made.diff(spaced(b={"renamed_from": "a"}, b_c={"renamed_from": "z"}))
    needs = {step.address: step.needs for step in plan(found).steps}
    assert needs == {"rename-namespace lake.b": (), "rename-namespace lake.b.c": ("rename-namespace lake.b",)}


@pytest.mark.parametrize("former", ["a.c", "b.c"])
def test_two_namespaces_in_one_another_are_not_renamed_by_one_file(former: str) -> None:
    problems = check(spaced(b={"renamed_from": "a"}, x={"renamed_from": former}))
    assert any(f'"{former}" and "{former[0]}" are in one another' in each.message for each in problems)


KEYS: dict[str, Any] = {"deletable": True}
SEEN = {"v": {"sql": "select a from t", "columns": {"a": "long"}}}


def test_a_refused_rename_leaves_the_namespaces_around_and_in_it_alone() -> None:
    made = Simulation(Limits(renames=True, views=True))
    made.apply(spaced(a=KEYS, a_x={"tables": {"t": A}, "views": SEEN}))
    wanted = spaced(b={"renamed_from": "a.x", "tables": {"t": A}}, b_y={"tables": {"u": A}, "views": SEEN})
    found = made.diff(wanted, allow_destroy=True)
    assert "a.x.v is no table and cannot move" in found.refused[0].message
    assert not found.changes


def test_a_namespace_stays_if_the_rename_of_its_last_table_is_refused() -> None:
    made = there("n.old")
    made.namespaces["n"]["lakehouse.deletable"] = "true"
    access = {"roles": {"r": {"grants": {"lake.m": ["read"]}}}}
    wanted = lakehouse({"m": {"tables": {"new": renamed("n.old")}}}, access=access)
    found = made.diff(wanted, allow_destroy=True)
    assert [note.address for note in found.refused] == ["table lake.m.new"]
    assert [change.address for change in found.changes if change.op == "destroy"] == []


def test_a_namespace_is_destroyed_after_the_rename_of_the_one_in_it() -> None:
    made = Simulation()
    made.apply(spaced(a=KEYS, a_x={"tables": {"t": A}}))
    found = plan(made.diff(spaced(b={"renamed_from": "a.x"}), allow_destroy=True))
    assert {step.address: step.needs for step in found.steps} == {
        "rename-namespace lake.b": (),
        "namespace lake.a": ("rename-namespace lake.b",),
    }


FORMER = st.none() | st.sampled_from(["t", "a.t", "a.u", "a.x.t", "b.t"])
SPACE = st.tuples(st.none() | st.sampled_from(["a", "a.x"]), st.dictionaries(st.sampled_from(["t", "u"]), FORMER))


def _space(former: str | None, tables: dict[str, str | None]) -> dict[str, Any]:
    entries = {each: renamed(was, **KEYS) if was else {**A, **KEYS} for each, was in tables.items()}
    return {**KEYS, "tables": entries, **({"renamed_from": former} if former else {})}


@given(
    st.dictionaries(st.sampled_from(["b", "c", "a.y"]), SPACE, min_size=1),
    st.integers(0, 3),
    st.sampled_from(["shared", "exclusive"]),
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_an_apply_that_is_killed_after_any_step_and_repeated_destroys_no_table_that_the_file_names(
    spaces: dict[str, Any], steps_until_kill: int, managed: str
) -> None:
    """With all keys. An apply that ends well shows which tables the file names, as some have another name before."""
    wanted = lakehouse({name: _space(*of) for name, of in spaces.items()}, managed=managed)
    assume(not check(wanted))
    made = Simulation(Limits(renames=True, nested_namespaces=True))
    made.apply(spaced(a={**KEYS, "tables": {"t": {**A, **KEYS}, "u": {**A, **KEYS}}}, a_x={**KEYS, "tables": {"t": A}}))
    whole = deepcopy(made)
    whole.apply(wanted, allow_destroy=True)
    named = {f"{space}.{table}" for space, of in wanted.catalogs["lake"].namespaces.items() for table in of.tables}
    for step in plan(made.diff(wanted, allow_destroy=True)).steps[:steps_until_kill]:
        made.carry_out(step.change)
    before = {table.table_uuid for table in made.tables.values()}
    made.apply(wanted, allow_destroy=True)
    kept = {table.table_uuid for name, table in whole.tables.items() if name in named}
    assert kept & before <= {table.table_uuid for table in made.tables.values()}
