"""Types and layouts of the model: the file's text, and its meaning."""

from __future__ import annotations

import pytest

from lakehouse.iceberg import transforms, types
from lakehouse.spec.columns import PartitionText, SortText, TypeText
from lakehouse.spec.model import Column, Table


@pytest.mark.parametrize(
    ("written", "text"),
    [("decimal(10,2)", "decimal(10, 2)"), ({"list": "string"}, "list<string>"), ("struct<a:int>", "struct<a: int>")],
)
def test_a_type_is_parsed_once_and_written_in_its_canonical_form(written: object, text: str) -> None:
    column = Column.model_validate({"type": written})
    assert (column.type, column.iceberg_type) == (text, types.parse(text))
    assert column.iceberg_type is column.type.parsed
    assert column.model_dump(mode="python")["type"] == column.model_dump(mode="json")["type"] == text
    assert type(column.model_dump()["type"]) is str


def test_a_layout_is_parsed_once_and_written_as_the_file_has_it() -> None:
    data = {"columns": {"a": "long"}, "partition_by": ["bucket( 4,a)"], "sort_by": ["a DESC nulls first"]}
    table = Table.model_validate(data)
    assert table.partition_by[0].term == transforms.Term("bucket[4]", "a")
    assert table.sort_by[0].sort == transforms.SortTerm(table.sort_by[0].term, "desc", "nulls-first")
    written = table.model_dump(mode="json", exclude_unset=True)
    assert (written["partition_by"], written["sort_by"]) == (data["partition_by"], data["sort_by"])
    assert Table.model_validate(written) == table


@pytest.mark.parametrize("made", [PartitionText("bucket(a)"), SortText("a upwards")])
def test_what_cannot_be_read_says_why_and_has_no_term(made: PartitionText | SortText) -> None:
    assert str(made) in made.wrong
    assert not hasattr(made, "term")


def test_a_wrong_type_is_no_value() -> None:
    with pytest.raises(ValueError, match=r'Did you mean "string"\?'):
        TypeText("strng")
