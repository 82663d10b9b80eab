"""Appending without an engine: what is written, in how many parts. The table is a fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from bootstrap.ingest import direct
from bootstrap.ingest.direct import DirectLoader
from bootstrap.session.target import Target


class FakeTable:
    """The commits that it got: what was appended with which summary, and properties."""

    def __init__(self) -> None:
        self.commits: list[list[tuple[list[int], dict[str, str]]]] = []
        self.properties: dict[str, str] = {}

    def schema(self) -> Schema:
        return Schema(NestedField(1, "n", LongType(), required=False))

    def transaction(self) -> FakeTable:
        return self

    def __enter__(self) -> FakeTable:
        self.commits.append([])
        return self

    def __exit__(self, *_: object) -> None:
        """The commit."""

    def append(self, rows: pa.Table, snapshot_properties: dict[str, str]) -> None:
        self.commits[-1].append((rows["n"].to_pylist(), snapshot_properties))

    def set_properties(self, properties: dict[str, str]) -> None:
        self.properties |= properties


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def loader(tmp_path: Path, target: Target, table: Any, monkeypatch: pytest.MonkeyPatch) -> DirectLoader:
    monkeypatch.setattr(direct, "connect", lambda path, stack: (None, None))
    monkeypatch.setattr("bootstrap.catalogs.connect", lambda name, connections: None)
    monkeypatch.setattr("bootstrap.catalogs.tables.load", lambda live, name, connections: table)
    return DirectLoader(target, "lake", "a.t", tmp_path)


def rows(*numbers: int) -> Iterator[pa.Table]:
    yield pa.table({"n": pa.array(numbers, pa.int64())})


SUMMARY = {"ingest.files": "f1 f2"}


def test_all_files_are_one_commit_with_the_summary(loader: DirectLoader, table: FakeTable) -> None:
    with loader:
        assert loader.add("f1", rows(1, 2)) == 2
        assert loader.add("f2", rows(3)) == 1
        assert table.commits == [], "nothing is written before all files are there"
        loader.append("", "", SUMMARY)
        loader.set_properties("", {"ingest.files": "f1 f2"})
    assert table.commits[0] == [([1, 2, 3], SUMMARY)]
    assert table.properties == SUMMARY


def test_what_is_large_is_written_in_parts(
    loader: DirectLoader, table: FakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "_ROWS", 2)
    loader.add("f1", rows(1, 2, 3, 4, 5))
    loader.append("", "", SUMMARY)
    assert [numbers for numbers, _ in table.commits[0]] == [[1, 2], [3, 4], [5]]


def test_a_file_without_rows_counts_as_loaded(loader: DirectLoader, table: FakeTable) -> None:
    loader.add("empty", iter(()))
    loader.append("", "", SUMMARY)
    assert table.commits == [[([], SUMMARY)]]


def test_no_file_is_left(loader: DirectLoader, tmp_path: Path) -> None:
    with loader:
        loader.add("f1", rows(1))
        assert list(tmp_path.glob("*.staged.parquet"))
    assert not list(tmp_path.glob("*.staged.parquet"))
