"""A Delta table's log, replayed from commits and checkpoints, and refused if it cannot be read correctly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bootstrap.files import delta
from lakehouse.errors import UsageError

SCHEMA = json.dumps({"type": "struct", "fields": [{"name": "id", "type": "long"}, {"name": "day", "type": "string"}]})
PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
METADATA = {"metaData": {"id": "t-1", "schemaString": SCHEMA, "partitionColumns": ["day"], "configuration": {}}}


def add(path: str, day: str | None = "2026-01-14", **more: Any) -> dict[str, Any]:
    return {"add": {"path": path, "partitionValues": {"day": day}, **more}}


def remove(path: str) -> dict[str, Any]:
    return {"remove": {"path": path, "dataChange": True}}


def write(folder: Path, version: int, *actions: dict[str, Any]) -> None:
    (folder / "_delta_log").mkdir(exist_ok=True)
    (folder / f"_delta_log/{version:020d}.json").write_text("\n".join(json.dumps(each) for each in actions) + "\n")


def read(folder: Path) -> delta.DeltaTable:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return delta.read("there", names, lambda name: folder / name)


def test_files_are_those_added_and_not_removed(tmp_path: Path) -> None:
    write(tmp_path, 0, PROTOCOL, METADATA, add("a.parquet"), add("day=x%20y/b.parquet", "x y"))
    write(tmp_path, 1, add("c.parquet", None), remove("a.parquet"), {"commitInfo": {}})
    table = read(tmp_path)
    assert table.files == {"day=x y/b.parquet": {"day": "x y"}, "c.parquet": {"day": None}}
    assert table.id == "t-1"
    assert table.types == {"id": "long", "day": "string"}


def checkpoint(folder: Path, name: str, *actions: dict[str, Any]) -> None:
    values = pa.map_(pa.string(), pa.string())
    schema = pa.schema(
        [
            ("protocol", pa.struct([("minReaderVersion", pa.int32())])),
            ("metaData", pa.struct([("id", pa.string()), ("schemaString", pa.string()), ("configuration", values)])),
            ("add", pa.struct([("path", pa.string()), ("partitionValues", values)])),
        ]
    )
    rows = [{kind: {k: list(v.items()) if isinstance(v, dict) else v for k, v in value.items()}
             for kind, value in each.items()} for each in actions]  # fmt: skip
    (folder / "_delta_log").mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "_delta_log" / name)


def test_a_checkpoint_stands_for_the_commits_before_it(tmp_path: Path) -> None:
    first, second = (f"{3:020d}.checkpoint.{n:010d}.{2:010d}.parquet" for n in (1, 2))
    checkpoint(tmp_path, first, PROTOCOL, METADATA, add("a.parquet"))
    checkpoint(tmp_path, second, add("b.parquet"))
    write(tmp_path, 3, remove("b.parquet"))  # before the checkpoint: it is in there
    write(tmp_path, 4, remove("a.parquet"), add("c.parquet"))
    assert list(read(tmp_path).files) == ["b.parquet", "c.parquet"]


@pytest.mark.parametrize("versions", [(1, 2), (0, 2)], ids=["no begin", "a gap"])
def test_a_log_with_gaps_is_refused(tmp_path: Path, versions: tuple[int, ...]) -> None:
    for version in versions:
        write(tmp_path, version, PROTOCOL, METADATA, add("a.parquet"))
    with pytest.raises(UsageError, match="gaps"):
        read(tmp_path)


def test_half_a_checkpoint_is_none(tmp_path: Path) -> None:
    checkpoint(tmp_path, f"{0:020d}.checkpoint.{1:010d}.{2:010d}.parquet", PROTOCOL, METADATA, add("wrong.parquet"))
    write(tmp_path, 0, PROTOCOL, METADATA, add("a.parquet"))
    assert list(read(tmp_path).files) == ["a.parquet"]


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ([add("a.parquet", deletionVector={"storageType": "u"})], "deletion vectors"),
        ([{"metaData": METADATA["metaData"] | {"configuration": {"delta.columnMapping.mode": "name"}}}], "mapping"),
        ([{"protocol": {"minReaderVersion": 3, "readerFeatures": ["v2Checkpoint"]}}], "v2Checkpoint"),
        ([{"protocol": {"minReaderVersion": 4}}], "reader features"),
        ([add("s3://elsewhere/a.parquet")], "shallow clone"),
    ],
)
def test_what_would_be_misread_is_refused(actions: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        delta.replay("there", [PROTOCOL, METADATA, *actions])


def test_features_that_change_nothing_are_read() -> None:
    features = {"minReaderVersion": 3, "readerFeatures": ["timestampNtz", "deletionVectors"]}
    assert list(delta.replay("there", [{"protocol": features}, METADATA, add("a.parquet")]).files) == ["a.parquet"]
