"""What a kind of catalog does not support is refused by its limits, for every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec import cautions, kinds, load
from lakehouse.spec.catalogs import warnings
from lakehouse.spec.checks import check
from lakehouse.spec.kinds import Limits
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import dotted


@pytest.fixture
def limited() -> Iterator[Any]:
    """Gives Nessie's kind other limits."""
    before = kinds.known()

    def make(limits: Limits) -> None:
        nessie = replace(before.catalogs["nessie"], can=limits)
        kinds.register(replace(before, catalogs={**before.catalogs, "nessie": nessie}))

    yield make
    kinds.register(before)


def refused(**catalog: Any) -> dict[str, str]:
    """Where something is refused, and the first words of the reason."""
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}},
            "catalogs": {"lake": {"location": "s3://one/lake", **catalog}},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
        }
    )
    return {dotted(each.at).removeprefix("catalogs.lake."): each.message for each in check(lakehouse)}


def said(*of: str, deletable: bool = True) -> list[str]:
    """The warnings of a file with a catalog on each of these kinds, one in each stack."""
    common = {"runtime": "docker", "store": "s3proxy"}
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}},
            "catalogs": {"lake": {"location": "s3://one/lake", "deletable": deletable}},
            "stacks": {f"s{nth}": {**common, "catalogs": {"lake": kind}} for nth, kind in enumerate(of)},
        }
    )
    return [f"{dotted(each.at)}: {each.message}" for each in warnings(lakehouse)]


def test_a_key_to_deletion_that_no_server_uses_is_a_warning() -> None:
    [warning] = said("nessie", "rest", "nessie")
    rule = "only Polaris drops catalogs, and this one is on Nessie or Iceberg REST"
    assert warning == f"catalogs.lake.deletable: `deletable: true` has no effect: {rule}. Remove it"
    assert said("nessie", deletable=False) == said("nessie", "polaris") == []


def test_that_warning_has_a_line(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        "name: unit\nbuckets: {one: {}}\ncatalogs:\n  lake:\n    location: s3://one/lake\n    deletable: true\n"
        "stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}\n"
    )
    [reported] = cautions(file, load(file))
    assert reported.startswith(f"{file}:6: catalogs.lake.deletable: ")


TABLE = {
    "columns": {"s": "struct<a: int>", "b": "int"},
    "partition_by": ["s.a", "bucket(4, b)"],
    "sort_by": ["b", "s.a desc"],
}


def test_fields_of_structs_may_order_rows_where_they_make_no_partitions(limited: Any) -> None:
    contents = {"namespaces": {"n": {"tables": {"t": TABLE}}}}
    assert refused(**contents) == {}
    limited(Limits(nested_partitions=False))
    found = refused(**contents)
    assert list(found) == ["namespaces.n.tables.t.partition_by[0]"]
    assert all(
        message.startswith('"s.a" is a field of a struct, and Nessie, the catalog of') for message in found.values()
    )


@pytest.mark.parametrize(
    ("limits", "contents", "at"),
    [
        (Limits(references=False), {"branches": {"etl": {}}}, "branches.etl"),
        (Limits(references=False), {"tags": {"q3": {}}}, "tags.q3"),
        (Limits(nested_namespaces=False), {"namespaces": {"a": {}, "a.b": {}}}, 'namespaces."a.b"'),
        (
            Limits(format_version=1),
            {"namespaces": {"n": {"tables": {"t": {"columns": {"b": "int"}}}}}},
            "namespaces.n.tables.t.format_version",
        ),
    ],
)
def test_what_a_kind_lacks_is_refused(limited: Any, limits: Limits, contents: dict[str, Any], at: str) -> None:
    assert refused(**contents) == {}
    limited(limits)
    assert list(refused(**contents)) == [at]


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ({}, {}, True),
        ({"endpoint": "http://glue:5000"}, {"endpoint": "http://glue:5000"}, True),
        ({}, {"region": "us-east-1"}, False),
        ({}, {"endpoint": "http://glue:5000"}, False),
        ({}, {"kind": "rest"}, False),
    ],
)
def test_two_catalogs_in_one_glue_have_different_namespaces(
    first: dict[str, str], second: dict[str, str], shared: bool
) -> None:
    glue = {"kind": "glue", "region": "eu-west-1"}
    entries = [each if "kind" in each else {**glue, **each} for each in (first, second)]
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"one": {}},
            "catalogs": {
                "a": {"location": "s3://one/a", "namespaces": {"n": {}, "m": {}}},
                "b": {"location": "s3://one/b", "namespaces": {"n": {}}},
            },
            "stacks": {
                "local": {"runtime": "process", "store": "s3proxy", "catalogs": {"a": entries[0], "b": entries[1]}}
            },
        }
    )
    found = {dotted(each.at): each.message for each in check(lakehouse)}
    why = "and both are in the same Glue in stacks.local, where they would be one database. Rename one."
    expected = {"catalogs.b.namespaces.n": f'"n" is also a namespace of another catalog, {why}'}
    assert found == (expected if shared else {})
