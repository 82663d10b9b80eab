"""Iceberg types: read, written, refused."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lakehouse.iceberg import types
from tests.unit.lakehouse.spec.strategies import iceberg_types


@given(iceberg_types(version_3=True))
def test_text_round_trips(kind: types.Type) -> None:
    assert types.parse(str(kind)) == kind


words = st.sampled_from([*"<>()[],: 019xé", "list", "map", "struct", "decimal", "int", "required"])


@given(st.lists(words).map("".join))
def test_any_text_is_a_type_or_a_value_error(text: str) -> None:
    try:
        kind = types.parse(text)
    except ValueError:
        return
    assert types.parse(str(kind)) == kind


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("decimal(10,2)", "decimal(10, 2)"),
        ("  list< string >", "list<string>"),
        ("map<string,list<long>>", "map<string, list<long>>"),
        ("struct<a:int,b:required string>", "struct<a: int, b: required string>"),
        ("struct<required: required int>", "struct<required: required int>"),
        ("fixed[16]", "fixed[16]"),
    ],
)
def test_spelling(text: str, canonical: str) -> None:
    assert str(types.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Long", 'Did you mean "long"'),
        ("varchar", 'Did you mean "string"'),
        ("timestmp", 'Did you mean "timestamp"'),
        ("qqqq", "Types are binary, boolean"),
        ("geometry", "cannot be created yet"),
        ("", "a type is missing"),
        ("list<", "a type is missing"),
        ("list<int", 'it ends before the expected ">"'),
        ("list<int>>", 'nothing may follow "list<int>"'),
        ("decimal(3, 4)", "the scale is a whole number from 0 to 3"),
        ("decimal(39, 0)", "the precision is a whole number from 1 to 38"),
        ("fixed[0]", "the length is a whole number from 1"),
        ("fixed(16)", '"(" is not the expected "["'),
        ("struct<>", "is not a name for a field"),
        ("struct<a: int, A: int>", "appears twice"),
    ],
)
def test_refusals(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        types.parse(text)
    assert why in str(caught.value)


def test_primitive_types_are_those_that_pyiceberg_has() -> None:
    from pydantic import TypeAdapter
    from pyiceberg.types import IcebergType, PrimitiveType

    adapter = TypeAdapter(IcebergType)
    for name in types.PRIMITIVES:
        assert isinstance(adapter.validate_python(name), PrimitiveType), name
    for name in types.NOT_YET:
        with pytest.raises(ValueError, match="not recognized"):
            adapter.validate_python(name)


LONG = ["list<" * 5_000, "struct<a:" * 400 + "int" + ">" * 400, "(" * 100_000, "a" + " " * 100_000]


@pytest.mark.timeout(20)  # of milliseconds of work: a reader that is not linear would take hours
@pytest.mark.parametrize("text", LONG)
def test_what_is_nested_too_deep_or_too_long_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="type"):
        types.parse(text)
