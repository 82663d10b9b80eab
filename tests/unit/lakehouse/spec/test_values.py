"""Single values: sizes of memory and locations."""

import pytest

from lakehouse.spec import megabytes
from lakehouse.spec.model import Catalog, Column, Table


@pytest.mark.parametrize(("text", "mb"), [("640m", 640), ("1g", 1024), ("16g", 16384)])
def test_megabytes(text: str, mb: int) -> None:
    assert megabytes(text) == mb


@pytest.mark.parametrize("text", ["", "1", "1G", "0g", "-1g", "1.5g", "1gb", "g", "1 g", "٣g"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size of memory"):
        megabytes(text)


@pytest.mark.parametrize("location", ["s3://b", "s3://b/lake", "s3://b/lake/a.b/date=1", "s3://b/_x-y@z"])
def test_locations(location: str) -> None:
    assert Catalog(location=location).location == location


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("s3a://b/lake", 'Write "s3://b/lake"'),
        ("s3n://b/lake/", 'Write "s3://b/lake"'),
        ("/b/lake", "it begins with s3://"),
        ("gs://b/lake", "it begins with s3://"),
        ("s3://b/", "a bucket and a prefix in it"),
        ("s3:///lake", "a bucket and a prefix in it"),
        ("s3://b/lake/", 'Write "s3://b/lake"'),
        ("s3://b/a//b", "between single slashes"),
        ("s3://b/a/../b", "between single slashes"),
        ("s3://b/my lake", "between single slashes"),
    ],
)
def test_wrong_locations(location: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        Catalog(location=location)
    assert why in str(caught.value)


def test_a_table_has_a_prefix() -> None:
    with pytest.raises(ValueError, match="a bucket and a prefix in it"):
        Table.model_validate({"columns": {"a": "int"}, "location": "s3://b"})


NAMES = ["order-id", "größe", "2024_total", "with space", "a/b", "a%b", "名前", "a+b=c", "x😀", "-lead", "_x"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_columns(name: str) -> None:
    """Each was written, read, updated, partitioned and sorted by with Spark 4.1 and Trino 476."""
    table = Table.model_validate({"columns": {name: "int", "s": f"struct<{name}: required int, b: list<int>>"}})
    assert list(table.columns) == [name, "s"]
    assert table.columns["s"].type == f"struct<{name}: required int, b: list<int>>"
    assert Column.model_validate({"type": "int", "renamed_from": name}).renamed_from == name


@pytest.mark.parametrize(
    "name", ["a.b", "a,b", "a:b", "a(b", "a[b", 'a"b', "a\\b", " a", "a ", "a  b", "a\tb", "$path", "", "İ", "a\u00a0b"]
)
def test_wrong_names_of_columns(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name of a column"):
        Table.model_validate({"columns": {name: "int"}})
