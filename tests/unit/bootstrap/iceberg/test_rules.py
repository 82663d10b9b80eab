"""What Iceberg's Java library refuses is refused in the plan, and a table in such a state gets a fix."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.iceberg import rules
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.reconciler.changes import Diff
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

ID = {"id": "long", "name": "string"}


def applied(there: Simulation, columns: dict[str, Any], *, allow_destroy: bool = False, **table: Any) -> Diff:
    wanted = lakehouse({"n": {"tables": {"t": {"columns": columns, **table}}}})
    return there.apply(wanted, allow_destroy=allow_destroy)


def refusals(found: Diff) -> list[str]:
    return [f"{note.address}: {note.message}" for note in found.refused]


def facts(there: Simulation) -> TableFacts:
    return there.facts().catalogs["lake"].tables["n.t"]


def engine(there: Simulation, *updates: dict[str, Any]) -> None:
    """A commit by somebody whose rules are laxer."""
    there.commit("n.t", {"requirements": [], "updates": list(updates)}, creates=False)


def spec(number: int, *fields: tuple[int, int, str, str]) -> list[dict[str, Any]]:
    made = [{"source-id": s, "field-id": i, "name": n, "transform": t} for s, i, n, t in fields]
    return [
        {"action": "add-spec", "spec": {"spec-id": number, "fields": made}},
        {"action": "set-default-spec", "spec-id": -1},
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_a_column_may_not_take_the_name_of_a_partition_field(version: int) -> None:
    there = Simulation()
    applied(there, ID, partition_by=["name"], format_version=version)
    renamed = {"id": "long", "name1": {"type": "string", "renamed_from": "name"}}
    assert not applied(there, renamed, partition_by=["name1"], format_version=version).refused
    before = facts(there).metadata
    for partition in (["name1"], ["id"], []):  # of the current spec, and of a former one
        found = applied(there, {**renamed, "name": "int"}, partition_by=partition, format_version=version)
        [refused] = refusals(found)
        assert refused.startswith('column lake.n.t.name: "name" is the name of a partition field')
        assert "identity of name1" in refused
        assert "Give the column another name" in refused
    assert facts(there).metadata == before
    assert not applied(there, {**renamed, "name_2": "int"}, partition_by=[], format_version=version).refused
    assert refusals(applied(there, {**renamed, "name": {"type": "int", "renamed_from": "name_2"}},
                            format_version=version))  # fmt: skip


def test_names_that_engines_chose_count_too() -> None:
    there = Simulation()
    applied(there, ID)
    engine(there, *spec(1, (1, 1000, "id_bucket", "bucket[4]")))
    [refused] = refusals(applied(there, {**ID, "id_bucket": "int"}, partition_by=["bucket(4, id)"]))
    assert "the table is partitioned by bucket[4] of id under this name (partition spec 1)" in refused
    nested = {**ID, "s": "struct<a: long>"}
    assert not applied(there, nested, partition_by=["bucket(4, id)"]).refused
    engine(there, *spec(2, (1, 1000, "id_bucket", "bucket[4]"), (2, 1001, "s.b", "identity")))
    layout = ["bucket(4, id)", "name"]
    [refused] = refusals(applied(there, {**ID, "s": "struct<a: long, b: int>"}, partition_by=layout))
    assert refused.startswith('column lake.n.t.s.b: "s.b" is the name of a partition field'), "by its full path"
    [refused] = refusals(applied(there, {**ID, "s": "struct<a: long>", "id_bucket": "int"}, partition_by=layout))
    assert "id_bucket" in refused


def test_a_column_that_is_dropped_leaves_its_name_to_the_partition_field() -> None:
    there = Simulation()
    applied(there, {**ID, "x": {"type": "int", "deletable": True}}, partition_by=["x"], format_version=1)
    applied(there, ID, partition_by=[], format_version=1)  # one key: the column stays, the field becomes void
    found = applied(there, ID, partition_by=[], format_version=1, allow_destroy=True)
    assert any("engines cannot read files of a partition whose column is gone" in each for each in refusals(found))


def test_the_columns_own_identity_and_void_field_have_its_name() -> None:
    there = Simulation()
    for partition in (["name"], [], ["name"], ["bucket(4, id)", "name"]):
        assert not applied(there, ID, partition_by=partition, format_version=1).refused
    assert rules.messages(facts(there)) == []


def test_a_table_in_that_state_is_reported_with_a_fix() -> None:
    there = Simulation()
    applied(there, ID, partition_by=["bucket(4, id)"])
    broken = {**facts(there).metadata["schemas"][0], "schema-id": 1}
    broken["fields"] = [*broken["fields"], {"id": 3, "name": "id_bucket_4", "type": "int", "required": False}]
    engine(there, {"action": "add-schema", "schema": broken, "last-column-id": 3},
           {"action": "set-current-schema", "schema-id": -1})  # fmt: skip
    [reported] = rules.messages(facts(there))
    assert reported.startswith('column id_bucket_4: "id_bucket_4" is the name of a partition field')
    same = {**ID, "id_bucket_4": "int"}
    [refused] = refusals(applied(there, same, partition_by=["bucket(4, id)"]))
    assert "the table is in this state already" in refused
    assert "`renamed_from: id_bucket_4`" in refused
    back = {**ID, "number": {"type": "int", "renamed_from": "id_bucket_4"}}
    found = applied(there, back, partition_by=["bucket(4, id)"])
    assert (len(found.changes), refusals(found), rules.messages(facts(there))) == (1, [], [])


def test_two_partition_fields_of_one_name_are_reported_and_refuse_nothing() -> None:
    """An engine made such a table, and Trino reads it."""
    there = Simulation()
    applied(there, ID, partition_by=["bucket(4, id)"])
    spec = {
        "spec-id": 1,
        "fields": [{"source-id": 1, "field-id": 1001, "name": "id_bucket_4", "transform": "identity"}],
    }
    engine(there, {"action": "add-spec", "spec": spec}, {"action": "set-default-spec", "spec-id": -1})
    [reported] = rules.messages(facts(there))
    assert 'two partition fields of its specs are named "id_bucket_4" (bucket[4], identity)' in reported
    assert not refusals(applied(there, ID, partition_by=["id"], doc="ids"))


def test_a_void_field_goes_with_its_column() -> None:
    """Found by a chain: Iceberg's writers look for the column of each field of the spec."""
    there = Simulation()
    with_x = {**ID, "x": {"type": "int", "deletable": True}}
    applied(there, with_x, partition_by=["void(x)", "id"])
    assert not applied(there, ID, partition_by=["id"], allow_destroy=True).refused
    assert [field.name for field in facts(there).spec.fields] == ["id"]
    old = Simulation()
    applied(old, with_x, partition_by=["x", "id"], format_version=1)
    applied(old, with_x, partition_by=["id"], format_version=1)
    refused = refusals(applied(old, ID, partition_by=["id"], format_version=1, allow_destroy=True))
    assert any("engines cannot write such a table" in each for each in refused)


def test_metadata_columns_that_somebody_made_are_reported() -> None:
    there = Simulation()
    applied(there, ID)
    schema = {**facts(there).metadata["schemas"][0], "schema-id": 1}
    schema["fields"] = [*schema["fields"], {"id": 3, "name": "_POS", "type": "long", "required": False}]
    engine(there, {"action": "add-schema", "schema": schema, "last-column-id": 3},
           {"action": "set-current-schema", "schema-id": -1})  # fmt: skip
    [refused] = refusals(applied(there, ID))
    assert "metadata column _pos" in refused
    assert not applied(there, {**ID, "position": {"type": "long", "renamed_from": "_POS"}}).refused
    assert rules.messages(facts(there)) == []


def test_properties_that_java_cannot_parse_are_reported() -> None:
    there = Simulation()
    applied(there, ID)
    engine(there, {"action": "set-properties", "updates": {"write.target-file-size-bytes": "1_000"}})
    [reported] = rules.messages(facts(there))
    assert '"1_000" is not a value of write.target-file-size-bytes' in reported


def test_ids_of_columns_end_where_icebergs_own_begin() -> None:
    there = Simulation()
    applied(there, ID)
    schema = {**facts(there).metadata["schemas"][0], "schema-id": 1}
    schema["fields"] = [*schema["fields"], {"id": 2147483447, "name": "x", "type": "long", "required": False}]
    engine(there, {"action": "add-schema", "schema": schema, "last-column-id": 2147483447},
           {"action": "set-current-schema", "schema-id": -1})  # fmt: skip
    assert not applied(there, ID).refused
    [refused] = refusals(applied(there, {**ID, "y": "int"}))
    assert "ids of columns end at 2147483447" in refused


def test_a_new_partition_field_takes_no_name_of_another_one() -> None:
    there = Simulation()
    applied(there, ID, partition_by=["bucket(4, id)"])
    renamed = {"key": {"type": "long", "renamed_from": "id"}, "name": "string"}
    applied(there, renamed, partition_by=[])
    applied(there, {"key": "long", "name": "string", "id": "long"}, partition_by=["bucket(4, id)"])
    fields = {f.field_id: f.name for each in facts(there).specs for f in each.fields}
    assert fields == {1000: "id_bucket_4", 1001: "id_bucket_4_2"}, "readers put all of them into one struct"


@pytest.mark.parametrize(("column", "field", "name"), [("x", "x", "x_2"), ("ts_day", "day(ts)", "ts_day_2")])
def test_a_new_partition_field_takes_no_name_of_a_column_that_was(column: str, field: str, name: str) -> None:
    """Time travel binds every spec to the schema of its snapshot."""
    there = Simulation()
    applied(there, {"id": "long", column: "string", "ts": "timestamp"})
    renamed = {"id": "long", "old": {"type": "string", "renamed_from": column}, "ts": "timestamp"}
    applied(there, renamed)
    added = {"x": "int"} if column == "x" else {}
    assert not applied(there, {**renamed, **added}, partition_by=[field]).refused
    assert [each.name for each in facts(there).spec.fields] == [name]


def test_a_column_does_not_take_over_the_name_of_its_own_partition_field() -> None:
    there = Simulation()
    applied(there, ID, partition_by=["bucket(4, id)"])
    renamed = {"id_bucket_4": {"type": "long", "renamed_from": "id"}, "name": "string"}
    [refused] = refusals(applied(there, renamed, partition_by=["bucket(4, id_bucket_4)"]))
    assert '"id_bucket_4" is the name of a partition field' in refused


def test_only_void_terms_are_refused_and_dropped_with_format_version_2() -> None:
    there = Simulation()
    nothing: list[dict[str, Any]] = [{"partition_by": ["void(id)"]}, {"sort_by": ["void(id)"]}]
    for table in nothing:
        [refused] = refusals(applied(there, ID, **table))
        assert "Leave it out of" in refused
    assert not applied(there, ID, partition_by=["name"], format_version=1).refused
    assert not applied(there, ID, partition_by=[], format_version=1).refused
    assert [field.transform for field in facts(there).spec.fields] == ["void"]
    found = applied(there, ID)
    assert [detail.text for change in found.changes for detail in change.details] == [
        "format_version 1 -> 2",
        "partition_by [void] -> []",
    ]
    assert (facts(there).spec.fields, facts(there).format_version) == ((), 2)
    assert not there.diff(lakehouse({"n": {"tables": {"t": {"columns": ID}}}})).changes
    [refused] = refusals(applied(there, ID, format_version=1))
    assert "a version never goes back" in refused


def test_void_fields_go_with_format_version_1() -> None:
    """Iceberg would give their ids again in the same spec if an engine adds the former field again."""
    there = Simulation()
    applied(there, ID, partition_by=["name", "bucket(4, id)"], format_version=1)
    applied(there, ID, partition_by=["name"], format_version=1)
    assert [field.transform for field in facts(there).spec.fields] == ["identity", "void"]
    found = applied(there, ID, partition_by=["name"])
    assert [detail.text for change in found.changes for detail in change.details] == ["format_version 1 -> 2"]
    assert [(field.name, field.field_id) for field in facts(there).spec.fields] == [("name", 1000)]
    assert not there.diff(lakehouse({"n": {"tables": {"t": {"columns": ID, "partition_by": ["name"]}}}})).changes


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"s": {"type": "struct<a: required long>"}}, 'not in an optional struct, and "s" is one'),
        ({"s": {"type": "struct<a: required double>", "required": True}}, "floating-point"),
        ({"s": {"type": "struct<a: long>", "required": True}}, "an identifier column is required"),
        ({"s": {"type": "struct<a: required long>", "required": True}}, ""),
    ],
)
def test_identifiers(columns: dict[str, Any], words: str) -> None:
    of = rules.TableState(*_numbered(columns))
    reported = [problem.message for problem in rules.broken(of)]
    assert [words in message for message in reported] == ([True] if words else [])


def _numbered(columns: dict[str, Any]) -> Any:
    from bootstrap.iceberg.evolve import fresh
    from bootstrap.iceberg.layout import PartitionSpec, SortOrder
    from bootstrap.reconciler.tables import wanted

    catalog = wanted.of_catalog("lake", lakehouse({"n": {"tables": {"t": {"columns": columns}}}}).catalogs["lake"])
    schema, last = fresh(catalog["n.t"].schema)
    return schema, frozenset({2}), (PartitionSpec(0, ()),), 0, SortOrder(0, ()), last, 2
