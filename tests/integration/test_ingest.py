"""Data in: Parquet, CSV and Delta into Iceberg tables, once, whatever happens on the way."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bootstrap.ingest.load import Ingest, TableName
from bootstrap.ingest.spark import SparkLoader
from bootstrap.operations.bars import BarPlan, bars
from bootstrap.session import clients
from bootstrap.session.target import find
from lakehouse.errors import LakehouseError
from tests.integration.deployment import BIN, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

NAMESPACE = ("catalogs", "lake", "namespaces", "data_ingest")
SCHEMA = json.dumps(
    {"type": "struct", "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}}
                                  for name, kind in (("id", "long"), ("name", "string"), ("day", "date"))]}
)  # fmt: skip


@pytest.fixture
def s3(deployed: Deployment) -> Any:
    return clients.s3(find(deployed.file, "local"))


@pytest.fixture
def space(deployed: Deployment) -> Iterator[str]:
    """A namespace that is removed afterwards with its contents; additions to the file are removed too."""
    before = deployed.file.read_text()
    deployed.trino("CREATE SCHEMA IF NOT EXISTS lake.data_ingest")
    yield "lake.data_ingest"
    for (table,) in deployed.trino("SHOW TABLES FROM lake.data_ingest"):
        deployed.trino(f"DROP TABLE lake.data_ingest.{table}")
    deployed.trino("DROP SCHEMA lake.data_ingest")
    deployed.file.write_text(before)


def write_delta(folder: Path, version: int, day: str, ids: list[int], *removed: str) -> str:
    """A commit of a Delta table partitioned by day, by the protocol; returns the path of its file."""
    name = f"day={day}/part-{version}.parquet"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": ids, "name": [f"n{number}" for number in ids]}), folder / name)
    actions: list[dict[str, Any]] = [{"add": {"path": name, "partitionValues": {"day": day}, "size": 1,
                                              "modificationTime": 0, "dataChange": True}}]  # fmt: skip
    actions += [{"remove": {"path": path, "dataChange": True}} for path in removed]
    if version == 0:
        described = {"id": "5f2b", "format": {"provider": "parquet", "options": {}}, "schemaString": SCHEMA,
                     "partitionColumns": ["day"], "configuration": {}}  # fmt: skip
        actions = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": described}, *actions]
    (folder / "_delta_log").mkdir(exist_ok=True)
    log = folder / f"_delta_log/{version:020d}.json"
    log.write_text("\n".join(json.dumps(action) for action in actions))
    return name


def test_generate_upload_ingest_analyse(deployed: Deployment, space: str, s3: Any, tmp_path: Path) -> None:
    """Files are uploaded to staging, Spark loads them into a table made from the inferred section, Trino reads it."""
    made = pa.concat_tables(bars(BarPlan(rows=4000, seed=7, days=2)))
    for number in range(2):
        pq.write_table(made.slice(number * 2000, 2000), tmp_path / "part.parquet")
        s3.upload_file(str(tmp_path / "part.parquet"), "staging", f"data_ingest/bars/{number}.parquet")
    source = "s3://staging/data_ingest/bars"
    inferred = deployed.lakehouse("ingest", source, "--into", f"{space}.bars", "--infer")
    missing = deployed.lakehouse("ingest", source, "--into", f"{space}.bars", code=2)
    assert "there is no table lake.data_ingest.bars" in missing

    from ruamel.yaml import YAML

    namespaces = YAML(typ="safe").load(inferred)["catalogs"]["lake"]["namespaces"]
    assert namespaces["data_ingest"]["tables"]["bars"]["columns"]["window_start"] == {
        "type": "timestamptz",
        "required": True,
    }
    deployed.change(*NAMESPACE, to=namespaces["data_ingest"])
    deployed.lakehouse("apply")
    assert "4000 rows from 2 files appended." in deployed.lakehouse("ingest", source, "--into", f"{space}.bars")
    again = deployed.lakehouse("ingest", source, "--into", f"{space}.bars")
    assert "0 rows from 0 files appended; 2 loaded before." in again
    assert deployed.trino(f'SELECT count(*) FROM {space}."bars$snapshots"') == [[1]], "one commit"
    assert "No changes." in deployed.lakehouse("plan"), "the memory of what was loaded is left alone"
    ((count, close),) = deployed.trino(f"SELECT count(*), sum(close) FROM {space}.bars")
    assert count == 4000
    assert close == pytest.approx(pc.sum(made["close"]).as_py())
    assert deployed.trino(f"SHOW TABLES FROM {space}") == [["bars"]], "nothing is left of the staging"
    left = s3.list_objects_v2(Bucket="staging", Prefix="ingest/").get("Contents", [])
    assert not [each["Key"] for each in left if not each["Key"].endswith("/")]
    for number in range(2):
        s3.delete_object(Bucket="staging", Key=f"data_ingest/bars/{number}.parquet")


def test_migrations_from_parquet_csv_and_delta(deployed: Deployment, space: str, tmp_path: Path) -> None:
    deployed.trino(f"CREATE TABLE {space}.migrated (id bigint, name varchar, day date)")
    hive = tmp_path / "hive" / "day=2026-01-14"
    hive.mkdir(parents=True)
    pq.write_table(pa.table({"id": pa.array([1], pa.int32()), "name": ["one"]}), hive / "a.parquet")
    (tmp_path / "b.csv").write_text("id,name,day\n2,002,2026-01-15\n")
    delta = tmp_path / "delta"
    first = write_delta(delta, 0, "2026-01-16", [3, 4])
    into = ("--into", f"{space}.migrated")
    failures = deployed.lakehouse("ingest", str(tmp_path / "hive"), str(tmp_path / "b.csv"), str(delta), *into)
    assert "4 rows from 3 files appended." in failures
    write_delta(delta, 1, "2026-01-17", [5])
    assert "1 rows from 1 files appended; 1 loaded before." in deployed.lakehouse("ingest", str(delta), *into)
    rows = deployed.trino(f"SELECT id, name, cast(day AS varchar) FROM {space}.migrated ORDER BY id")
    assert rows == [
        [1, "one", "2026-01-14"],
        [2, "002", "2026-01-15"],
        [3, "n3", "2026-01-16"],
        [4, "n4", "2026-01-16"],
        [5, "n5", "2026-01-17"],
    ]
    write_delta(delta, 2, "2026-01-18", [3, 4], first)
    assert "rewritten or deleted" in deployed.lakehouse("ingest", str(delta), *into, code=2)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("id,name,day\nx,y,2026-01-15\n")
    assert "wrong.csv" in deployed.lakehouse("ingest", str(wrong), *into, code=2)
    assert deployed.trino(f"SELECT count(*) FROM {space}.migrated") == [[5]]


def test_a_bucket_of_others_has_its_own_credentials(deployed: Deployment, space: str, s3: Any, tmp_path: Path) -> None:
    bucket = "data-flatfiles"
    s3.create_bucket(Bucket=bucket)
    try:
        s3.put_object(Bucket=bucket, Key="2026/day.csv", Body=b"id\n1\n2\n")
        deployed.trino(f"CREATE TABLE {space}.flat (id bigint)")
        command = ("ingest", f"s3://{bucket}/2026", "--into", f"{space}.flat")
        assert "neither in `buckets` nor in `sources`" in deployed.lakehouse(*command, code=2)
        keys = tmp_path / "credentials"
        endpoint = f"http://127.0.0.1:{deployed.port('s3proxy')}"
        deployed.change("sources", to={bucket: {"endpoint": endpoint, "credentials": str(keys)}})
        keys.write_text("[default]\naws_access_key_id = stranger\naws_secret_access_key = not-this-one\n")
        refused = deployed.lakehouse(*command, code=1)
        assert "not-this-one" not in refused
        access, secret = s3._request_signer._credentials.access_key, s3._request_signer._credentials.secret_key
        keys.write_text(f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")
        assert "2 rows from 1 files appended." in deployed.lakehouse(*command)
    finally:
        s3.delete_object(Bucket=bucket, Key="2026/day.csv")
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    "percents", [(60, 90), pytest.param((40, 60, 75, 85, 95), marks=pytest.mark.matrix)], ids=["twice", "five times"]
)
def test_killed_and_asked_again_it_is_loaded_once(
    deployed: Deployment, space: str, tmp_path: Path, percents: tuple[int, ...]
) -> None:
    for number in range(3):
        ids = pa.array(range(number * 1000, number * 1000 + 1000), pa.int64())
        pq.write_table(pa.table({"id": ids}), tmp_path / f"{number}.parquet")
    deployed.trino(f"CREATE TABLE {space}.measured (id bigint)")
    began = time.monotonic()
    deployed.lakehouse("ingest", str(tmp_path), "--into", f"{space}.measured")
    whole = time.monotonic() - began
    for percent in percents:
        table = f"{space}.killed_at_{percent}"
        deployed.trino(f"CREATE TABLE {table} (id bigint)")
        under_way = deployed.popen(str(BIN / "lakehouse"), "ingest", str(tmp_path), "--into", table)
        time.sleep(whole * percent / 100)
        under_way.send_signal(signal.SIGKILL)
        under_way.communicate()
        deployed.lakehouse("ingest", str(tmp_path), "--into", table)
        assert deployed.trino(f"SELECT count(*), count(DISTINCT id) FROM {table}") == [[3000, 3000]], percent
    assert not [name for (name,) in deployed.trino(f"SHOW TABLES FROM {space}") if name.startswith("ingest_")]


def test_rows_and_the_memory_of_them_come_in_one_commit(
    deployed: Deployment, space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    deployed.trino(f"CREATE TABLE {space}.once (id bigint)")
    target = find(deployed.file, "local")
    run = Ingest(target, TableName.parse(f"{space}.once", target.lakehouse.catalogs))

    def fails(*_: object) -> None:
        raise LakehouseError("ended after the commit")

    with monkeypatch.context() as patch:
        patch.setattr(SparkLoader, "set_properties", fails)
        with pytest.raises(LakehouseError, match="ended after"):
            run.load([str(tmp_path)], None)
    assert run.load([str(tmp_path)], None).known == 1
    assert deployed.trino(f"SELECT id FROM {space}.once") == [[1]]


def test_what_a_killed_client_left_running_is_ended(deployed: Deployment, space: str) -> None:
    deployed.trino(f"CREATE TABLE {space}.ended (id bigint)")
    target = find(deployed.file, "local")
    failures: list[str] = []

    def insert() -> None:
        try:
            former._session.sql(f"INSERT INTO {space}.ended SELECT id FROM range(0, 500000000, 1, 1)")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
            failures.append(str(error))

    with SparkLoader(target) as former, SparkLoader(target) as later:
        thread = threading.Thread(target=insert, daemon=True)
        thread.start()
        time.sleep(5)
        assert thread.is_alive(), "the work is still under way"
        later.end(former.session_id)
        thread.join(60)
    # Which of the two arrives first is a matter of milliseconds; both end its work.
    assert "OPERATION_CANCELED" in failures[0] or "SESSION_CLOSED" in failures[0]
    assert deployed.trino(f"SELECT count(*) FROM {space}.ended") == [[0]]
