"""Import and export: the file is valid, and the next plan has nothing to do."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.importing import exported, imported
from lakehouse.spec import Lakehouse, load
from lakehouse.spec.checks import check
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.iceberg.test_evolve_random import files
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

NESSIE = Limits(references=True)
TABLE = {
    "doc": "which",
    "columns": {"id": {"type": "long", "required": True, "doc": "the number", "deletable": True}, "day": "date"},
    "partition_by": ["month(day)"],
    "sort_by": ["id desc nulls first"],
    "identifier": ["id"],
    "properties": {"x": "y", "owner.team": "z", "gc.enabled": "true", "write.parquet.compression-codec": "zstd"},
}
REFERENCES: dict[str, Any] = {
    "branches": {"etl": {}, "dev": {"from": "etl", "deletable": True}},
    "tags": {"q1": {"deletable": True}},
}


def written(data: dict[str, Any], path: Path) -> Lakehouse:
    """The file with these entries, read back by the file's own rules."""
    yaml, out = YAML(), io.StringIO()
    yaml.dump(data, out)
    path.write_text(out.getvalue())
    return load(path)


def _table(of: Lakehouse) -> dict[str, Any]:
    return of.catalogs["lake"].namespaces["a"].tables["t"].model_dump()


@pytest.mark.parametrize("deletable", [False, True])
def test_what_is_imported_is_what_is_there(deletable: bool, tmp_path: Path) -> None:
    """Marks of objects that a file called deletable are imported too; without them a plan would remove the marks."""
    there = Simulation(NESSIE)
    key = {"deletable": True} if deletable else {}
    spaces = {"a": {"tables": {"t": {**TABLE, **key}}, "properties": {"k": "v"}, **key}}
    there.apply(lakehouse(spaces, references=REFERENCES))
    nothing = lakehouse({})
    found, left, entries = imported(nothing, there.facts())
    assert (left, entries) == ([], 5)
    assert found["catalogs"]["lake"]["tags"] == {"q1": {"from": "main", "deletable": True}}
    data = nothing.model_dump(mode="json", exclude_unset=True)
    data["catalogs"]["lake"] |= found["catalogs"]["lake"]
    after = written(data, tmp_path / "lakehouse.yaml")
    assert after.catalogs["lake"].namespaces["a"].tables["t"].columns["id"].deletable
    assert not there.diff(after).changes
    assert imported(after, there.facts()) == ({}, [], 0)


def test_what_only_the_file_knows_is_exported_too(tmp_path: Path) -> None:
    there = Simulation(NESSIE)
    policy: dict[str, Any] = {"compact": {}}
    table = {**TABLE, "maintenance": policy, "seed": "t.csv"}
    said = lakehouse(
        {"a": {"tables": {"t": table}, "maintenance": policy}, "later": {}},
        references=REFERENCES,
        managed="exclusive",
        access={"roles": {"r": {"grants": {"lake.a": ["read"], "lake.later": ["read"]}}}},
        engines={"trino": {}},
    )
    there.apply(lakehouse({"a": {"tables": {"t": TABLE}}}, references=REFERENCES))
    data, left, _ = exported(said, there.facts())
    assert [each.partition(":")[0] for each in left] == ['access.roles.r.grants."lake.later"']
    after = written(data, tmp_path / "lakehouse.yaml")
    assert _table(after) == _table(said)
    assert after.catalogs["lake"].branches == said.catalogs["lake"].branches
    assert (after.engines, after.stacks) == (said.engines, said.stacks)
    assert not [each for each in there.diff(after).changes if each.kind not in ("seed", "bucket")]


def test_what_a_file_cannot_hold_is_left_out_and_reported(tmp_path: Path) -> None:
    there = Simulation()
    bad = {"columns": {"id": "long"}, "properties": {"provider": "x", "my.password": "y", "z": "1"}}
    tables = {"t": TABLE, "u": {"columns": {"id": "long"}}}
    there.apply(lakehouse({"a": {"tables": tables, "properties": {"a.token": "x"}}}))
    from pyiceberg.table.update import SetPropertiesUpdate, update_table_metadata

    update = SetPropertiesUpdate(updates=bad["properties"])
    there.tables["a.u"] = update_table_metadata(there.tables["a.u"], (update,))
    there.tables["a.Upper"] = there.tables["a.u"]
    found, left, _ = imported(lakehouse({}), there.facts())
    assert sorted(each.split(": ")[0] for each in left) == [
        'catalogs.lake.namespaces.a.properties."a.token"',
        "catalogs.lake.namespaces.a.tables.Upper",
        'catalogs.lake.namespaces.a.tables.u.properties."my.password"',
        "catalogs.lake.namespaces.a.tables.u.properties.provider",
    ]
    assert found["catalogs"]["lake"]["namespaces"]["a"]["tables"]["u"]["properties"] == {"z": "1"}


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(files(), st.sampled_from([{}, REFERENCES]))
def test_any_lakehouse_is_exported_as_a_valid_file_whose_plan_is_empty(
    tmp_path_factory: pytest.TempPathFactory, wanted: Lakehouse, references: dict[str, Any]
) -> None:
    there = Simulation(NESSIE)
    content = wanted.model_dump(mode="json")["catalogs"]["lake"]
    around: dict[str, Any] = {
        parent: {} for name in content["namespaces"] for parent in ("n", "n.m", "q") if name.startswith(parent)
    }
    wanted = lakehouse({**around, **content["namespaces"]}, managed=content["managed"], references=references)
    assume(not check(wanted))
    assert not there.apply(wanted).refused
    data, left, _ = exported(lakehouse({}, managed=content["managed"]), there.facts())
    assert left == []
    after = written(data, tmp_path_factory.mktemp("export") / "lakehouse.yaml")
    found = diff(after, there.facts())
    assert (found.changes, found.refused) == ((), ())
    assert exported(after, there.facts())[:2] == (data, [])


def test_a_table_whose_rename_is_still_to_come_is_exported_as_it_is_and_not_imported() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"old": TABLE}}}))
    wanted = lakehouse({"n": {"tables": {"new": {**TABLE, "renamed_from": "old"}}}})
    assert imported(wanted, there.facts()).data == {}
    namespaces = exported(wanted, there.facts()).data["catalogs"]["lake"]["namespaces"]
    assert list(namespaces["n"]["tables"]) == ["old"]


def test_docs_of_fields_are_imported() -> None:
    there = Simulation()
    fields = {"struct": {"a": {"type": "int", "required": True, "doc": "first"}, "b": "string"}}
    columns = {"s": {"type": fields}, "l": {"type": {"list": {"type": fields, "required": True}}, "doc": "all"}}
    there.apply(lakehouse({"n": {"tables": {"t": {"columns": columns}}}}))
    table = imported(lakehouse({}), there.facts()).data["catalogs"]["lake"]["namespaces"]["n"]["tables"]["t"]
    assert table["columns"] == columns


def test_a_namespace_whose_rename_is_still_to_come_is_not_imported() -> None:
    there = Simulation()
    there.apply(lakehouse({"a": {"tables": {"t": TABLE}}}))
    assert imported(lakehouse({"b": {"renamed_from": "a"}}), there.facts()).data == {}


def test_what_is_in_a_namespace_that_is_renamed_is_not_imported_under_its_former_name(tmp_path: Path) -> None:
    there = Simulation(Limits(renames=True, views=True))
    space = {"tables": {"t": {"columns": {"a": "long"}}}, "views": {"v": {"sql": "select 1", "columns": {"a": "int"}}}}
    there.apply(lakehouse({"old": space}))
    assert imported(lakehouse({"new": {**space, "renamed_from": "old"}}), there.facts()) == ({}, [], 0)
