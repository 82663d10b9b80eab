"""Default values of columns need format version 3: pyiceberg cannot commit them, so facts are made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, TableFacts, compact
from bootstrap.reconciler.changes import Diff
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects.table import TableCommit
from bootstrap.reconciler.tables.described import described
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import lakehouse


def there(*fields: dict[str, Any]) -> TableFacts:
    """A table of format version 3 with ``id`` and the given columns."""
    every = [{"id": 1, "name": "id", "type": "long", "required": False}]
    every += [{"id": number, "required": False, **field} for number, field in enumerate(fields, 2)]
    schema = {"type": "struct", "schema-id": 0, "identifier-field-ids": [], "fields": every}
    metadata = {
        "format-version": 3,
        "table-uuid": "3f1c0a52-0000-0000-0000-000000000000",
        "location": "s3://warehouse/lake/n/t",
        "last-column-id": len(every),
        "schemas": [schema],
        "current-schema-id": 0,
    }
    return TableFacts("s3://warehouse/m.json", compact(metadata))


def found(column: Any, *fields: dict[str, Any], managed: str = "shared", limits: Limits | None = None) -> Diff:
    columns = {"id": "long", **({"c": column} if column else {})}
    wanted = lakehouse({"n": {"tables": {"t": {"columns": columns, "format_version": 3}}}}, managed=managed)
    catalog = CatalogFacts({"n": {}}, {"n.t": there(*fields)}, limits=limits or Limits())
    return diff(wanted, Facts({"warehouse": BucketFacts(None, None)}, {"lake": catalog}))


def lines(of: Diff) -> list[str]:
    return [f"{detail.symbol} {detail.text}" for change in of.changes for detail in change.details]


C = {"name": "c", "type": "int", "initial-default": 5, "write-default": 6}
INT = {"type": "int", "initial_default": 5, "write_default": 6}


@pytest.mark.parametrize(
    ("column", "fields", "reported"),
    [
        (INT, [], ["+ column c int (initial default 5, write default 6)"]),
        ({**INT, "required": True}, [], ["+ column c int required (initial default 5, write default 6)"]),
        (INT, [C], []),
        ("int", [C], []),
        ({"type": "int", "write_default": 7}, [C], ["~ column c: write default 6 -> 7"]),
        ({**INT, "type": "long"}, [C], ["~ column c: int -> long"]),
        ({"type": "int", "write_default": 7}, [{"name": "c", "type": "int"}], ["~ column c: write default none -> 7"]),
        ({"type": "timestamptz", "initial_default": "2026-01-14T09:30:00Z"},
         [{"name": "c", "type": "timestamptz", "initial-default": "2026-01-14T09:30:00.000000+00:00"}], []),
        ({"type": "decimal(9, 2)", "initial_default": "1.5"},
         [{"name": "c", "type": "decimal(9,2)", "initial-default": "1.50"}], []),
    ],
)  # fmt: skip
def test_defaults(column: Any, fields: list[dict[str, Any]], reported: list[str]) -> None:
    of = found(column, *fields)
    assert lines(of) == reported
    assert not of.refused


def test_they_reach_the_commit_as_the_format_writes_them() -> None:
    [change] = found({**INT, "type": "decimal(9, 2)"}).changes
    assert isinstance(change.body, TableCommit)
    [added] = [update for update in change.body.updates if update["action"] == "add-schema"]
    assert added["schema"]["fields"][1] == {
        "id": 2,
        "name": "c",
        "required": False,
        "type": "decimal(9, 2)",
        "initial-default": "5.00",
        "write-default": "6.00",
    }


@pytest.mark.parametrize("have", [C, {"name": "c", "type": "int"}])
def test_an_initial_default_never_changes(have: dict[str, Any]) -> None:
    of = found({"type": "int", "initial_default": 9}, have)
    assert not of.changes
    assert ["never changes" in note.message for note in of.refused] == [True]


def test_an_exclusive_catalog_takes_a_write_default_away() -> None:
    assert lines(found({"type": "int", "initial_default": 5}, C, managed="exclusive")) == [
        "~ column c: write default 6 -> none"
    ]


def test_a_required_column_without_one_is_refused_with_the_fix() -> None:
    [note] = found({"type": "int", "required": True}).refused
    assert "give it an `initial_default`" in note.message


def test_a_catalog_of_format_2_refuses_them() -> None:
    [note] = found(INT, limits=Limits("Nessie", format_version=2)).refused
    assert "Nessie knows format versions up to 2, not 3" in note.message


def test_import_says_them() -> None:
    entry = described(there(C), "s3://warehouse/lake/n/t")
    assert entry["columns"]["c"] == {"type": "int", "initial_default": 5, "write_default": 6}
