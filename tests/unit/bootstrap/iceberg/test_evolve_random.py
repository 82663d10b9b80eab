"""Random files: the result is what the file wants, and any later file is applied whole or refused whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.reconciler.tables.commit import evolution, unchanged
from bootstrap.reconciler.tables.wanted import of_catalog
from lakehouse.iceberg import transforms, types
from lakehouse.iceberg.types import NO_ID, Field, Struct
from lakehouse.spec import Lakehouse
from lakehouse.spec.model import Column
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
PLAIN = (
    *("boolean", "int", "long", "float", "double", "date", "timestamptz", "string", "binary"),
    *("decimal(9, 2)", "decimal(12, 2)"),
)
PRIMITIVES = st.sampled_from(PLAIN)
TERMS = ("{}", "bucket(4, {})", "bucket(8, {})", "void({})")
SORTS = ("{}", "{} desc", "{} nulls last", "bucket(4, {}) desc nulls first")
BUCKETABLE = ("int", "long", "date", "timestamptz", "string", "binary", "decimal(9, 2)", "decimal(12, 2)")


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    optional = st.sampled_from(["", "required "])
    fields = st.dictionaries(NAMES, st.tuples(optional, inner), min_size=1, max_size=3)
    return st.one_of(
        st.builds("list<{}{}>".format, optional, inner),
        st.builds("map<string, {}{}>".format, optional, inner),
        fields.map(lambda of: f"struct<{', '.join(f'{name}: {kind[0]}{kind[1]}' for name, kind in of.items())}>"),
    )


TYPES = st.recursive(PRIMITIVES, _nested, max_leaves=5)


def _mapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    said = {"doc": st.sampled_from(["x", "y"]), "renamed_from": NAMES}
    field = st.fixed_dictionaries({"type": inner, "required": st.booleans()}, optional=said)
    member = inner | st.fixed_dictionaries({"type": inner, "required": st.booleans()})
    return st.one_of(
        st.fixed_dictionaries({"list": member}),
        st.fixed_dictionaries({"map": st.fixed_dictionaries({"key": st.just("string"), "value": member})}),
        st.fixed_dictionaries({"struct": st.dictionaries(NAMES, inner | field, min_size=1, max_size=3)}),
    )


#: Also with docs and former names of fields.
SAID = TYPES | _mapped(st.recursive(PRIMITIVES, _mapped, max_leaves=4))


def _of(forms: tuple[str, ...], columns: list[str], most: int) -> st.SearchStrategy[list[str]]:
    if not columns:
        return st.just([])
    return st.lists(st.builds(str.format, st.sampled_from(forms), st.sampled_from(columns)), max_size=most, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """A table's entry. Columns have few names, so that two random tables have much in common."""
    columns: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=5, unique=True)):
        columns[name] = {
            "type": draw(SAID),
            "required": draw(st.booleans()),
            "deletable": draw(st.booleans()),
            "doc": draw(st.sampled_from([None, "x", "y"])),
        }
        if draw(st.booleans()):
            columns[name]["renamed_from"] = draw(NAMES)
    simple = [name for name, of in columns.items() if of["type"] in BUCKETABLE]
    sound = [n for n, of in columns.items() if of["required"] and of["type"] in BUCKETABLE]
    return {
        "columns": columns,
        "partition_by": draw(_of(TERMS, simple, 3).filter(lambda of: not of or any("void" not in term for term in of))),
        "sort_by": draw(_of(SORTS, simple, 2)),
        "identifier": draw(st.lists(st.sampled_from(sound), max_size=2, unique=True)) if sound else [],
        "properties": draw(st.dictionaries(NAMES, NAMES, max_size=2)),
        "format_version": draw(st.sampled_from([1, 2])),
        "deletable": draw(st.booleans()),
        "doc": draw(st.sampled_from([None, "x"])),
    }


@st.composite
def files(draw: st.DrawFn) -> Lakehouse:
    namespace = st.fixed_dictionaries(
        {
            "properties": st.dictionaries(NAMES, NAMES, max_size=2),
            "tables": st.dictionaries(NAMES, tables(), max_size=2),
            "deletable": st.booleans(),
        }
    )
    names = st.sampled_from(["n", "n.m", "n.m.o", "p", "q.r"])
    return lakehouse(
        draw(st.dictionaries(names, namespace, max_size=3)), managed=draw(st.sampled_from(["shared", "exclusive"]))
    )


SLOW = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(files())
def test_after_an_apply_the_plan_is_empty(wanted: Lakehouse) -> None:
    there = Simulation()
    assert not there.apply(wanted).refused
    assert not there.diff(wanted)


@SLOW
@given(st.lists(files(), min_size=2, max_size=5), st.booleans())
def test_a_chain_of_files_applies_whole_or_is_refused_whole(chain: list[Lakehouse], allow_destroy: bool) -> None:
    there = Simulation()
    for wanted in chain:
        before = there.facts().catalogs["lake"].tables
        found = there.apply(wanted, allow_destroy=allow_destroy)
        after = there.facts().catalogs["lake"].tables
        left = there.diff(wanted, allow_destroy=allow_destroy)
        assert not left.changes, "what can be done is done at once"
        assert left.refused == found.refused
        refused = {note.address.split(".", 1)[1] for note in found.refused}
        for name, table in before.items():
            if name in after and any(address == name or address.startswith(f"{name}.") for address in refused):
                assert after[name].metadata == table.metadata, "never half-way"
        for name, table in after.items():
            if name in before:
                assert readable(before[name].schema, table.schema), "old rows stay readable"
                assert table.last_column_id >= before[name].last_column_id


def readable(before: Struct, after: Struct) -> bool:
    """Whether files of one schema can be read with the other: the same ids mean the same columns."""
    old = {field.id: field for field in before.fields}
    return all(
        (not field.required if field.id not in old else (old[field.id].required or not field.required))
        for field in after.fields
    )


@SLOW
@given(tables(), tables(), st.sampled_from(["shared", "exclusive"]))
def test_the_quick_look_never_overlooks_a_change(first: dict[str, Any], second: dict[str, Any], managed: str) -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": first}}}, managed=managed))
    [have] = there.facts().catalogs["lake"].tables.values()
    for entry in (first, {**first, "doc": "z"}, {**first, **second, "columns": first["columns"]}, second):
        spec = lakehouse({"n": {"tables": {"t": entry}}}, managed=managed).catalogs["lake"]
        [want] = of_catalog("lake", spec).values()
        change = evolution(want, have, exclusive=managed == "exclusive", allow_destroy=True)
        if unchanged(want, have, exclusive=managed == "exclusive"):
            assert not change.updates
            assert not change.problems
        elif entry is first and all(of["type"] in PLAIN for of in first["columns"].values()):
            pytest.fail("it does see that a table is as it should be")


@given(SAID)
def test_a_type_is_written_as_it_was_read(said: Any) -> None:
    column = Column.model_validate({"type": said})
    again = Column.model_validate(column.model_dump(mode="json"))
    assert again.iceberg_type == column.iceberg_type
    assert again.type.former == column.type.former
    assert again.model_dump() == column.model_dump()


@given(TYPES)
def test_a_type_reads_back_from_its_text(text: str) -> None:
    of = types.parse(text)
    assert types.parse(str(of)) == of
    assert str(Struct((Field(NO_ID, "x", of),))).startswith("struct<x: ")


@given(st.sampled_from(TERMS), st.sampled_from(SORTS), NAMES)
def test_terms_read_back_from_their_text(term: str, sort: str, name: str) -> None:
    assert transforms.partition_field(str(transforms.partition_field(term.format(name)))) == transforms.partition_field(
        term.format(name)
    )
    assert transforms.sort_field(str(transforms.sort_field(sort.format(name)))) == transforms.sort_field(
        sort.format(name)
    )
