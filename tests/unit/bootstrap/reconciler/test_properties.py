"""Properties: the bootstrap unsets what it has set, and nothing that others set."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from bootstrap.reconciler.marks import PROPERTIES
from bootstrap.reconciler.properties import changed, created, dropped
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse


def apply(wanted: Mapping[str, str], there: dict[str, str]) -> dict[str, str]:
    change = changed(wanted, there, lambda key: False)
    return {key: value for key, value in there.items() if key not in change.removals} | change.updates


def test_what_the_file_names_no_more_is_unset() -> None:
    there = created({"a": "1", "b": "2", "lakehouse.deletable": "true"})
    assert json.loads(there[PROPERTIES]) == {"a": "1", "b": "2"}
    assert list(dropped({"a": "1"}, there)) == ["b"]
    change = changed({"a": "1"}, there, lambda key: key == "lakehouse.deletable")
    assert [detail.text for detail in change.details] == ["property lakehouse.deletable", "property b"]
    after = apply({"a": "1"}, there | {"theirs": "x"})
    assert after["theirs"] == "x"
    assert "b" not in after
    assert apply({}, after) == {"theirs": "x", "lakehouse.deletable": "true"}


def test_what_others_set_or_changed_since_is_left_alone() -> None:
    there = {"theirs": "x"}
    there = apply({"theirs": "x", "ours": "1"}, there)  # the file says what is there: it was not the bootstrap
    assert json.loads(there[PROPERTIES]) == {"ours": "1"}
    there["ours"] = "2"
    assert list(dropped({}, there)) == []
    assert changed({}, there, lambda key: False).updates == {}
    there = apply({"ours": "3"}, there)
    assert apply({}, there) == {"theirs": "x"}


def test_an_object_of_before_the_record_gets_it_with_its_next_change() -> None:
    there = {"a": "1", "b": "2"}
    assert changed({"a": "1", "b": "2"}, there, lambda key: False) == ({}, [], ())
    assert json.loads(apply({"a": "1", "b": "3"}, there)[PROPERTIES]) == {"b": "3"}


@pytest.mark.parametrize("damaged", ["", "[]", "{", "3"])
def test_a_damaged_record_is_none(damaged: str) -> None:
    assert list(dropped({}, {"a": "1", PROPERTIES: damaged})) == []


@pytest.mark.parametrize("managed", ["shared", "exclusive"])
def test_a_property_is_taken_out_of_the_file_and_of_the_lakehouse(managed: str) -> None:
    table = {"columns": {"i": {"type": "int", "doc": "which"}}}
    full = {**table, "properties": {"gc.enabled": "true", "x": "y"}, "doc": "what"}
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": full}, "properties": {"k": "v"}}}, managed=managed))
    there.tables["n.t"] = there.tables["n.t"].model_copy(
        update={"properties": {**there.tables["n.t"].properties, "theirs": "1"}}
    )
    there.namespaces["n"]["theirs"] = "1"
    bare = lakehouse({"n": {"tables": {"t": {"columns": {"i": "int"}}}}}, managed=managed)
    found = there.diff(bare)
    reported = {detail.text for change in found.changes for detail in change.details}
    assert {"property gc.enabled", "property x", "property comment", "property k"} <= reported
    left = ["property lake.n.theirs", "property lake.n.t.theirs", "doc of column lake.n.t.i"]
    assert list(found.unnamed) == (left if managed == "shared" else [])
    there.apply(bare)
    kept = {} if managed == "exclusive" else {"theirs": "1"}
    assert (there.tables["n.t"].properties, there.namespaces["n"]) == (kept, kept)
    assert not there.diff(bare)
