"""Partition fields and sort fields: read, written, fitted to columns."""

from typing import Any

import pyiceberg.transforms
import pytest
from pydantic import TypeAdapter
from pyiceberg.types import IcebergType

from lakehouse.iceberg import transforms, types
from lakehouse.iceberg.transforms import SortTerm, Term

COLUMNS: dict[str, types.Type] = {
    "id": "long",
    "price": "decimal(10, 2)",
    "ratio": "double",
    "name": "string",
    "day": "date",
    "ts": "timestamptz",
    "key": "fixed[16]",
    "place": types.parse("struct<city: string, spot: struct<x: int>>"),
    "tags": types.parse("list<string>"),
}


@pytest.mark.parametrize(
    ("text", "transform", "name"),
    [
        ("id", Term("identity", "id"), "id"),
        ("day(ts)", Term("day", "ts"), "ts_day"),
        ("bucket(16, id)", Term("bucket[16]", "id"), "id_bucket_16"),
        ("truncate( 4,name )", Term("truncate[4]", "name"), "name_trunc_4"),
        ("void(id)", Term("void", "id"), "id_null"),
        ("place.spot.x", Term("identity", "place.spot.x"), "place.spot.x"),
    ],
)
def test_partition_field(text: str, transform: Term, name: str) -> None:
    assert transforms.partition_field(text) == transform
    assert transform.field_name == name
    assert transforms.partition_field(str(transform)) == transform


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("days(ts)", 'Did you mean "day"'),
        ("buckt(4, id)", 'Did you mean "bucket"'),
        ("day(3, ts)", "one number too many: write day(ts)"),
        ("bucket(id)", "needs the number of buckets"),
        ("truncate(0, name)", "needs the width"),
        ("bucket(16", "is quoted"),
        ("day of ts", "is neither a column nor a transform"),
        ("", "is neither a column nor a transform"),
    ],
)
def test_wrong_partition_field(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        transforms.partition_field(text)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("id", SortTerm(Term("identity", "id"), "asc", "nulls-first")),
        ("id desc", SortTerm(Term("identity", "id"), "desc", "nulls-last")),
        ("id DESC NULLS FIRST", SortTerm(Term("identity", "id"), "desc", "nulls-first")),
        ("bucket(4, id) asc nulls last", SortTerm(Term("bucket[4]", "id"), "asc", "nulls-last")),
        ("id nulls last", SortTerm(Term("identity", "id"), "asc", "nulls-last")),
    ],
)
def test_sort_field(text: str, field: SortTerm) -> None:
    assert transforms.sort_field(text) == field
    assert transforms.sort_field(str(field)) == field


@pytest.mark.parametrize("text", ["id down", "id asc desc", "id nulls", "id nulls middle", "nulls last id", "(id"])
def test_wrong_sort_field(text: str) -> None:
    with pytest.raises(ValueError, match=r"is wrong in|is neither"):
        transforms.sort_field(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("day(ts)", None),
        ("hour(ts)", None),
        ("month(day)", None),
        ("hour(day)", "hour needs timestamp"),
        ("day(name)", 'or use "name" itself'),
        ("bucket(4, key)", None),
        ("bucket(4, price)", None),
        ("bucket(4, ratio)", "bucket needs int, long"),
        ("truncate(4, price)", None),
        ("truncate(4, key)", "truncate needs"),
        ("ratio", None),
        ("void(ratio)", None),
        ("place.city", None),
        ("place.spot.x", None),
        ("place", "only primitive types do"),
        ("tags", "only primitive types do"),
        ("tags.element", "is not a field of a struct"),
        ("nam", 'Did you mean "name"'),
    ],
)
def test_fit(text: str, why: str | None) -> None:
    found = transforms.refusal(transforms.partition_field(text), COLUMNS)
    assert found is None if why is None else why in (found or "")


THEIRS: dict[str, pyiceberg.transforms.Transform[Any, Any]] = {
    "identity": pyiceberg.transforms.IdentityTransform(),
    "void": pyiceberg.transforms.VoidTransform(),
    "year": pyiceberg.transforms.YearTransform(),
    "month": pyiceberg.transforms.MonthTransform(),
    "day": pyiceberg.transforms.DayTransform(),
    "hour": pyiceberg.transforms.HourTransform(),
    "bucket": pyiceberg.transforms.BucketTransform(4),
    "truncate": pyiceberg.transforms.TruncateTransform(4),
}


@pytest.mark.parametrize("name", THEIRS)
def test_rules_are_those_of_pyiceberg(name: str) -> None:
    """Our transforms refuse what PyIceberg's own transforms refuse, and nothing else."""
    ours = transforms.Term(f"{name}[4]" if name in ("bucket", "truncate") else name, "c")
    for text in [*sorted(types.PRIMITIVES - {"unknown"}), "decimal(9, 2)", "fixed[8]"]:
        kind = TypeAdapter(IcebergType).validate_python(text)
        fits = transforms.refusal(ours, {"c": types.parse(text)}) is None
        assert fits == THEIRS[name].can_transform(kind), text


@pytest.mark.timeout(20)  # of milliseconds of work: a reader that is not linear would take hours
@pytest.mark.parametrize(
    "text", [" " * 200_000, "a" + " " * 200_000 + "b c", "(" * 200_000, "bucket(1,a" + " " * 200_000]
)
def test_long_text_is_read_at_once(text: str) -> None:
    with pytest.raises(ValueError, match='"'):
        transforms.sort_field(text)
    with pytest.raises(ValueError, match='"'):
        transforms.partition_field(text)
