"""The metrics of a table's metadata, manifests and files, and how they are printed."""

from __future__ import annotations

import io
import json
from unittest.mock import MagicMock

import pytest

from bootstrap.catalogs.base import Head
from bootstrap.catalogs.metrics import Found, Manifest, TableReader, measure
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.maintenance import report
from bootstrap.remote.errors import Refused

SUMMARY = {"total-files-size": "3000", "total-records": "100", "total-position-deletes": "10"}
METADATA = {
    "snapshots": [
        {"snapshot-id": 1, "timestamp-ms": 1_000, "summary": {"total-files-size": "1"}},
        {"snapshot-id": 2, "timestamp-ms": 86_400_500, "summary": SUMMARY},
    ]
}
STORED = [("t/data/a.parquet", 900), ("t/data/b.parquet", 2000), ("t/metadata/0.json", 70), ("t/metadata/m.avro", 30)]
FULL = measure("lake.a.b.t", METADATA, 2, [Manifest(2, False), Manifest(1, False), Manifest(1, True)], STORED)
EMPTY = measure("lake.a.e", {}, None, [], [("e/metadata/0.json", 5)])


def test_live_files_are_distinguished_from_all_stored_files() -> None:
    assert (FULL.files, FULL.delete_files, FULL.manifests, FULL.snapshots) == (3, 1, 3, 2)
    assert (FULL.bytes, FULL.average_file_bytes) == (3000, 1000)
    assert (FULL.metadata_bytes, FULL.stored_files, FULL.stored_bytes) == (100, 4, 3000)
    assert FULL.last_commit == 86_400_500


def test_a_table_without_a_snapshot() -> None:
    assert (EMPTY.files, EMPTY.bytes, EMPTY.average_file_bytes, EMPTY.last_commit) == (0, 0, 0, None)
    assert report.metrics_json(EMPTY)["last_commit"] is None
    assert "never" in "\n".join(report.metrics_text([EMPTY]))


@pytest.mark.parametrize(
    ("summary", "deletes", "rows", "exact", "shown"),
    [
        ({"total-records": "100"}, 0, 100, True, "100"),
        ({"total-records": "100", "total-position-deletes": "0"}, 0, 100, True, "100"),
        ({"total-records": "100", "total-position-deletes": "10"}, 1, 90, False, "~90"),
        ({"total-records": "100", "total-equality-deletes": "3"}, 1, 100, False, "~100"),
        ({"total-records": "5", "total-position-deletes": "9"}, 1, 0, False, "~0"),
        ({"total-records": "100"}, 1, 100, False, "~100"),
        ({}, 0, None, True, "?"),
    ],
)
def test_rows(summary: dict[str, str], deletes: int, rows: int | None, exact: bool, shown: str) -> None:
    metadata = {"snapshots": [{"snapshot-id": 1, "timestamp-ms": 1, "summary": summary}]}
    found = measure("lake.a.t", metadata, 1, [Manifest(2, False), *[Manifest(1, True)] * deletes], [])
    assert (found.rows, found.rows_exact) == (rows, exact)
    headings, _, line, _ = report.metrics_text([found])
    assert dict(zip(map(str.strip, headings.split("|")), map(str.strip, line.split("|")), strict=True))["rows"] == shown


def test_a_table_without_a_snapshot_has_no_rows() -> None:
    assert (EMPTY.rows, EMPTY.rows_exact) == (0, True)


def test_json() -> None:
    assert report.metrics_json(FULL) == {
        "table": "lake.a.b.t", "files": 3, "bytes": 3000, "average_file_bytes": 1000, "delete_files": 1,
        "snapshots": 2, "manifests": 3, "metadata_bytes": 100, "stored_files": 4, "stored_bytes": 3000,
        "last_commit": "1970-01-02 00:00:00+00:00", "rows": 90, "rows_exact": False,
        "health": 92, "health_lost": {"delete files": 8.3},
    }  # fmt: skip


def test_prometheus_text() -> None:
    lines = list(report.prometheus([FULL, EMPTY]))
    assert 'lakehouse_table_rows{catalog="lake",namespace="a.b",table="t"} 90' in lines
    lines = lines[lines.index("# HELP lakehouse_table_size_bytes Size of the current snapshot's files.") :]
    assert lines[:4] == [
        "# HELP lakehouse_table_size_bytes Size of the current snapshot's files.",
        "# TYPE lakehouse_table_size_bytes gauge",
        'lakehouse_table_size_bytes{catalog="lake",namespace="a.b",table="t"} 3000',
        'lakehouse_table_size_bytes{catalog="lake",namespace="a",table="e"} 0',
    ]
    assert lines[-1] == 'lakehouse_table_health{catalog="lake",namespace="a",table="e"} 100'
    last = [line for line in lines if line.startswith("lakehouse_table_last_commit")]
    assert last == ['lakehouse_table_last_commit_timestamp_seconds{catalog="lake",namespace="a.b",table="t"} 86400.5']


def test_the_names_of_all_metadata_files_are_read_once_however_many_tables_ask() -> None:
    catalog = MagicMock(spec=NessieCatalog)
    catalog.heads.return_value = {"n.t": Head("s3://w/1.json", None)}
    catalog.tables_elsewhere.return_value = {"n.t on tag v": "s3://w/0.json"}
    reader = TableReader.__new__(TableReader)
    reader.catalog = catalog
    assert [reader.named for _ in range(3)] == [{"s3://w/0.json", "s3://w/1.json"}] * 3
    assert catalog.heads.call_count == catalog.tables_elsewhere.call_count == 1


@pytest.mark.parametrize("damaged", [b"{", b"not Avro"])
def test_one_damaged_table_is_named_and_the_others_are_read(damaged: bytes) -> None:
    sound = json.dumps({"location": "s3://w/sound"}).encode()
    reader = TableReader.__new__(TableReader)
    reader.name, reader._store, reader._connections = "lake", "store", MagicMock(parallel=2)
    reader._s3 = MagicMock()
    reader._s3.get_object = lambda **of: {"Body": io.BytesIO(damaged if of["Key"] == "0.json" else sound)}
    reader._s3.get_paginator().paginate.return_value = []
    heads = {"n.bad": Head("s3://w/0.json", None), "n.good": Head("s3://w/1.json", None)}
    (bad, error), (good, found) = reader.read_all(heads)
    assert (bad, good, type(found)) == ("n.bad", "n.good", Found)
    assert isinstance(error, Refused)
    assert "s3://w/0.json cannot be read" in str(error)


def test_a_missing_list_of_manifests_is_named() -> None:
    reader = TableReader.__new__(TableReader)
    reader._io = MagicMock()
    reader._io.new_input.side_effect = FileNotFoundError
    with pytest.raises(Refused, match=r"s3://w/list\.avro does not exist"):
        reader._manifests("s3://w/list.avro")
