"""Types as mappings: docs and former names of fields, and what is refused in them."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.iceberg.types import fields
from lakehouse.spec.model import Column
from lakehouse.spec.nested import in_file, read

SAID: dict[str, Any] = {
    "struct": {
        "code": {"type": "string", "required": True, "doc": "the symbol", "renamed_from": "ticker"},
        "plain": "int",
        "prices": {"list": {"type": {"struct": {"bid": {"type": "double", "doc": "the best"}}}, "required": True}},
        "venues": {"map": {"key": "string", "value": {"struct": {"name": {"type": "string", "renamed_from": "n"}}}}},
    }
}


def test_docs_and_former_names_are_read_by_path_and_the_text_is_that_of_the_type() -> None:
    column = Column.model_validate({"type": SAID})
    assert column.type == (
        "struct<code: required string, plain: int, prices: list<required struct<bid: double>>, "
        "venues: map<string, struct<name: string>>>"
    )
    docs = {path: field.doc for path, field in fields(column.iceberg_type) if field.doc}
    assert docs == {"code": "the symbol", "prices.element.bid": "the best"}
    assert column.type.former == {"code": "ticker", "venues.value.name": "n"}
    assert column.model_dump(mode="json", exclude_unset=True) == {"type": SAID}


def test_only_what_needs_a_mapping_is_written_as_one() -> None:
    kind, former = read(
        {"struct": {"a": {"list": {"struct": {"b": {"type": "int"}}}}, "c": {"type": "int", "doc": ""}}}
    )
    assert former == {}
    assert in_file(kind) == {"struct": {"a": "list<struct<b: int>>", "c": {"type": "int", "doc": ""}}}


def test_the_text_of_a_member_may_say_that_it_is_required() -> None:
    kind, _ = read({"struct": {"a": "required int", "b": {"list": " required struct<c: int>"}}})
    assert str(kind) == "struct<a: required int, b: list<required struct<c: int>>>"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"list": {"type": "int", "doc": "x"}}, "an element, key or value is a type, or {type: ..., required: true}"),
        ({"struct": {"a": {"type": "int", "docs": "x"}}}, "a field is a type, or {type: ..., required: true, doc:"),
        ({"struct": {"a": {"type": "int", "doc": 1}}}, "`doc` of a field is text"),
        ({"struct": {"a": {"type": "int", "renamed_from": "a.b"}}}, '"a.b" is not a name for a field'),
        ({"struct": {"a": "int, b: long", "c": "string"}}, '"int, b: long" is not an Iceberg type: nothing may follow'),
        ({"list": {"type": "int, b: long", "required": True}}, '"int, b: long" is not an Iceberg type'),
        ({"struct": {"a: int, b": "int"}}, '"a: int, b" is not a name for a field'),
        (
            {"map": {"key": {"struct": {"a": {"type": "int", "doc": "x"}}}, "value": "int"}},
            "A map's keys never change, so their fields have no docs and former names",
        ),
        (
            {"map": {"key": {"list": {"struct": {"a": {"type": "int", "renamed_from": "b"}}}}, "value": "int"}},
            "A map's keys never change, so their fields have no docs and former names",
        ),
    ],
)
def test_what_is_refused_says_the_rule(value: Any, words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared
        read(value)
    assert words in str(caught.value)
