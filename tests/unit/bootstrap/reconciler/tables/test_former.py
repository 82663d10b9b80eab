"""Columns that were dropped or renamed outside the file: the note on them, and the commit that restores one."""

from __future__ import annotations

from typing import Any

from bootstrap.reconciler.tables import former
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse


def world(*versions: dict[str, Any]) -> Simulation:
    """A table n.t that had these columns, one version after the other; those that are not named are dropped."""
    made = Simulation()
    for columns in versions:
        table = {"columns": columns, "deletable": True}
        made.apply(lakehouse({"n": {"tables": {"t": table}}}, managed="exclusive"), allow_destroy=True)
    return made


def lost(made: Simulation, columns: dict[str, Any]) -> dict[str, str]:
    found = made.diff(lakehouse({"n": {"tables": {"t": {"columns": columns}}}}))
    return {note.address.removeprefix("column lake.n.t."): note.message for note in found.lost}


def test_a_column_that_was_dropped() -> None:
    made = world({"a": "long", "b": "string"}, {"a": "long"})
    reported = lost(made, {"a": "long", "b": "string"})
    assert list(reported) == ["b"]
    assert "`lakehouse undrop lake.n.t.b` brings it back" in reported["b"]


def test_a_column_that_was_renamed() -> None:
    made = world({"a": "long", "b": "string"}, {"a": "long", "c": {"type": "string", "renamed_from": "b"}})
    assert "somebody renamed it to c" in lost(made, {"a": "long", "b": "string"})["b"]
    assert lost(made, {"a": "long", "c": "string"}) == {}
    assert lost(made, {"a": "long", "d": {"type": "string", "renamed_from": "c"}}) == {}


def test_a_new_column_was_never_there() -> None:
    assert lost(world({"a": "long"}), {"a": "long", "b": "string"}) == {}


def test_a_struct_is_reported_once_and_a_field_of_one_by_its_path() -> None:
    whole: dict[str, Any] = {"a": "long", "s": "struct<x: int, y: int>"}
    assert list(lost(world(whole, {"a": "long"}), whole)) == ["s"]
    reported = lost(world(whole, {"a": "long", "s": "struct<x: int>"}), whole)
    assert list(reported) == ["s.y"]
    assert "time travel" in reported["s.y"]


def test_a_new_field_in_a_renamed_struct_in_a_list_is_not_lost() -> None:
    before, after = "list<struct<x: int>>", "list<struct<x: int, y: int>>"
    assert lost(world({"a": before}), {"b": {"type": after, "renamed_from": "a"}}) == {}
    assert list(lost(world({"a": after}, {"a": before}), {"a": after})) == ["a.element.y"]


def test_the_commit_brings_a_column_back_under_its_id() -> None:
    made = world(
        {"a": "long", "b": {"type": "struct<x: int>", "required": True}}, {"a": "long"}, {"a": "long", "c": "int"}
    )
    have = made.facts().catalogs["lake"].tables["n.t"]
    field = former.find(have, "b")
    assert field is not None
    made.commit("n.t", former.revival(have, field), creates=False)
    now = made.facts().catalogs["lake"].tables["n.t"]
    assert [(each.name, each.id) for each in now.schema.fields] == [("a", 1), ("c", 4), ("b", 2)]
    assert not now.schema.fields[2].required
    assert now.last_column_id == have.last_column_id
    assert lost(made, {"a": "long", "c": "int", "b": "struct<x: int>"}) == {}


def test_a_field_that_was_renamed_comes_back_by_its_former_name() -> None:
    there: dict[str, Any] = {"s": "struct<x: int, t: struct<y: int>>"}
    now = {"s": {"type": {"struct": {"z": {"type": "int", "renamed_from": "x"}, "t": "struct<y: int>"}}}}
    made = world(there, now)
    assert "somebody renamed it to s.z" in lost(made, there)["s.x"]
    assert "`renamed_from: z` brings it back" in lost(made, there)["s.x"]
    back = {"s": {"type": {"struct": {"x": {"type": "int", "renamed_from": "z"}, "t": "struct<y: int>"}}}}
    assert lost(made, back) == {}


def test_fields_in_lists_and_values_of_maps_are_reported_too() -> None:
    there = {"l": "list<struct<x: int>>", "m": "map<string, struct<y: int>>"}
    inner = {"struct": {"z": {"type": "int", "renamed_from": "x"}}}
    made = world(there, {"l": {"type": {"list": inner}}, "m": "map<string, struct<w: int>>"})
    notes = lost(made, there)
    assert list(notes) == ["l.element.x", "m.value.y"]
    assert "somebody renamed it to l.element.z" in notes["l.element.x"]
    assert "time travel" in notes["m.value.y"]


def test_fields_of_a_struct_that_is_renamed_are_not_lost() -> None:
    made = world({"s": "struct<x: int>"}, {"s": "struct<w: int>"}, {"s": "struct<w: int>"})
    inner = {"struct": {"v": {"type": "int", "renamed_from": "w"}}}
    assert lost(made, {"r": {"type": inner, "renamed_from": "s"}}) == {}
