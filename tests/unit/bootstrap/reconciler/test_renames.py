"""Renames of tables: what is planned for a former name, and that a table with one keeps its rows in every case."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.reconciler.changes import address
from bootstrap.reconciler.kind import Changes
from bootstrap.reconciler.objects.table import Tables
from bootstrap.reconciler.plan import Plan, from_json, plan
from bootstrap.reconciler.renames import after
from lakehouse.spec.checks import check
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.renaming import A, renamed, steps, there
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse


def test_a_table_is_renamed_and_nothing_else_happens() -> None:
    made, wanted = there("n.old"), lakehouse({"n": {"tables": {"new": renamed("old")}}, "m": {}})
    uuid = made.tables["n.old"].table_uuid
    assert steps(made.apply(wanted)) == [
        "~ rename lake.n.new",
        "    ~ table n.old -> n.new: it keeps its rows, history and folder",
    ]
    assert made.tables.keys() == {"n.new"}
    assert made.tables["n.new"].table_uuid == uuid
    assert made.tables["n.new"].location == "s3://warehouse/lake/n/old"
    assert not made.diff(wanted), "what is renamed stays renamed"


def test_a_table_is_renamed_before_it_is_changed() -> None:
    columns = {"b": {"type": "long", "renamed_from": "a"}, "c": "int"}
    made, wanted = there("n.old"), lakehouse({"n": {"tables": {"new": {"columns": columns, "renamed_from": "old"}}}})
    found = plan(made.diff(wanted))
    assert [(step.address, step.needs) for step in found.steps] == [
        ("rename lake.n.new", ()),
        ("table lake.n.new", ("rename lake.n.new",)),
    ]
    assert [detail.text for detail in found.steps[1].change.details] == ["column a -> b (renamed)", "column c int"]
    made.apply(wanted)
    assert not made.diff(wanted)


def test_a_table_moves_to_a_namespace_that_is_made_first_and_leaves_one_that_is_destroyed_after() -> None:
    made = there("n.old")
    made.namespaces["n"]["lakehouse.deletable"] = "true"
    found = made.diff(lakehouse({"x": {"tables": {"new": renamed("n.old")}}}), allow_destroy=True)
    needs = {step.address: step.needs for step in plan(found).steps}
    assert needs["rename lake.x.new"] == ("namespace lake.x",)
    assert needs["namespace lake.n"] == ("rename lake.x.new",)


@pytest.mark.parametrize(
    ("names", "planned"),
    [
        (["n.old"], ["rename lake.n.new"]),
        (["n.new"], []),
        ([], ["table lake.n.new"]),
        (["m.old"], ["table lake.n.new"]),  # a name without dots is of the same namespace
    ],
)
def test_what_is_planned_depends_on_which_of_the_two_exists(names: list[str], planned: list[str]) -> None:
    found = there(*names).diff(lakehouse({"n": {"tables": {"new": renamed("old")}}, "m": {}}))
    assert [change.address for change in found.changes] == planned
    assert not found.refused


def test_two_tables_with_these_names_are_refused_and_neither_is_touched() -> None:
    made = there("n.old", "n.new", deletable=True)
    table = {"columns": {"a": "long", "b": "int"}, "renamed_from": "old", "deletable": True}
    wanted = lakehouse({"n": {"tables": {"new": table}, "deletable": True}, "m": {}}, managed="exclusive")
    found = made.diff(wanted, allow_destroy=True)
    [note] = found.refused
    assert note.address == "table lake.n.new"
    assert "lake.n.old and lake.n.new both exist" in note.message
    assert [change.address for change in found.changes if change.kind == "table"] == []


@pytest.mark.parametrize("limits", [Limits("Glue"), Limits("Nessie", renames=True)])
def test_the_former_table_is_never_destroyed(limits: Limits) -> None:
    made = there("n.old", limits=limits, deletable=True)
    kept = made.tables["n.old"].table_uuid
    wanted = lakehouse({"n": {"deletable": True, "tables": {"new": renamed("old")}}, "m": {}}, managed="exclusive")
    found = made.apply(wanted, allow_destroy=True)
    assert [change.op for change in found.changes if change.kind == "table"] in ([], ["update"])
    assert kept in {table.table_uuid for table in made.tables.values()}
    if not limits.renames:
        assert "ALTER TABLE lake.n.old RENAME TO lake.n.new" in found.refused[0].message
        made.tables["n.new"] = made.tables.pop("n.old")
        made.apply(wanted)
        assert not made.diff(wanted), "an engine has renamed it"


def test_something_else_than_a_table_is_not_renamed() -> None:
    made, wanted = there("n.t"), lakehouse({"n": {"tables": {"new": renamed("old")}}})
    facts = made.facts()
    lake = replace(facts.catalogs["lake"], others=frozenset({"n.old"}))
    again = after(wanted, replace(facts, catalogs={"lake": lake}))
    assert again.catalogs["lake"] is lake
    made.facts = lambda: again  # type: ignore[method-assign]
    assert "lake.n.old is not an Iceberg table" in made.diff(wanted).refused[0].message


@pytest.mark.parametrize(
    ("target", "former", "location", "refused"),
    [
        ("lake.n.new", "n.old", None, True),
        ("lake.n.new", "n.old", "s3://warehouse/lake/n/old", False),
        ("lake.n", "n.old", None, False),  # its files are still in the folder of the namespace
        ("lake.n", "m.old", None, True),
        ("lake", "m.old", None, False),
    ],
)
def test_grants_by_folder_have_to_reach_the_files(target: str, former: str, location: str, refused: bool) -> None:
    access = {"roles": {"r": {"grants": {target: ["read"]}}}}
    table = renamed(former, **({"location": location} if location else {}))
    found = there(former).diff(lakehouse({"n": {"tables": {"new": table}}, "m": {}}, access=access))
    assert bool(found.refused) == refused
    if refused:
        assert f"Write `location: s3://warehouse/lake/{former.replace('.', '/')}`" in found.refused[0].message


def test_a_view_gets_the_former_name_after_the_rename() -> None:
    made = there("n.old", limits=Limits(renames=True, views=True))
    view = {"sql": {"spark": "SELECT a FROM new"}, "columns": {"a": "long"}}
    wanted = lakehouse({"n": {"tables": {"new": renamed("old")}, "views": {"old": view}}, "m": {}})
    needs = {step.address: step.needs for step in plan(made.diff(wanted)).steps}
    assert needs == {"rename lake.n.new": (), "view lake.n.old": ("rename lake.n.new",)}
    made.apply(wanted)
    assert not made.diff(wanted)


def test_a_saved_plan_of_a_rename_is_read_again() -> None:
    wanted = lakehouse({"n": {"tables": {"new": renamed("old")}}, "x": {"renamed_from": "m"}})
    made = plan(there("n.old", "m.t").diff(wanted))
    assert [step.address for step in made.steps] == ["rename-namespace lake.x", "rename lake.n.new"]
    read: Plan = from_json(json.loads(json.dumps(made.to_json())))
    assert read == made


NAMES = st.sampled_from(["n.a", "n.b", "n.c", "m.a", "m.b"])


@given(st.lists(st.dictionaries(NAMES, st.none() | NAMES, min_size=1), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_over_a_chain_of_files_each_table_keeps_its_identity_until_a_key_destroys_it(
    files: list[dict[str, str | None]],
) -> None:
    """No key is given, so no table is lost; and the same file again has nothing to do."""
    made = Simulation()
    for file in files:
        spaces: dict[str, Any] = {"n": {"tables": {}}, "m": {"tables": {}}}
        for name, former in file.items():
            space, _, short = name.partition(".")
            spaces[space]["tables"][short] = renamed(former) if former else A
        wanted = lakehouse(spaces)
        if check(wanted):
            continue
        before = {table.table_uuid: name for name, table in made.tables.items()}
        found = made.apply(wanted)
        now = {table.table_uuid: name for name, table in made.tables.items()}
        assert now.keys() >= before.keys()
        refused = {note.address.removeprefix("table lake.") for note in found.refused}
        for uuid, name in before.items():
            target = next((each for each, former in file.items() if former == name and each not in refused), name)
            assert now[uuid] == target
        assert not made.diff(wanted).changes


def test_only_a_column_with_another_name_waits_for_the_rules_of_masks() -> None:
    """Not one that is added, nor one whose text reads like a rename."""
    made = there("n.t")
    for columns, waits in (
        ({"a": "long", "c": {"type": "int", "doc": "(renamed)"}}, False),
        ({"b": {"type": "long", "renamed_from": "a"}}, True),
    ):
        found = made.diff(lakehouse({"n": {"tables": {"t": {"columns": columns}}}}))
        [step] = (each for each in found.changes if each.kind == "table")
        rules = address("trino-rules", "", "access")
        assert (rules in list(Tables().needs(step, Changes([step])))) == waits
