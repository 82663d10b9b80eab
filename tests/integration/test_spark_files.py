"""Files beside tables: Spark reads and writes them in the lakehouse's own store and in the buckets of `sources`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import requests

from bootstrap.session.batch import BatchJob
from bootstrap.session.target import find
from lakehouse.spec import load
from tests import moto
from tests.integration.deployment import Deployment

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROWS = [(1, "a"), (2, "b")]


@pytest.fixture(scope="module")
def abroad(deployed: Deployment) -> Iterator[Any]:
    """A client of the store of the source `abroad`, which has a bucket of that name."""
    endpoint = load(deployed.file).sources["abroad"].endpoint or ""
    with moto.running(int(endpoint.rpartition(":")[2])) as url:
        client = moto.client("s3", url, "us-east-1")
        client.create_bucket(Bucket="abroad")
        yield client


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
def test_files_are_written_to_the_store_and_read_again(spark: SparkSession, form: str) -> None:
    path = f"s3a://staging/spark-files/{form}"
    frame = spark.createDataFrame(ROWS, "id int, word string")
    frame.write.mode("overwrite").option("header", True).format(form).save(path)
    reader = spark.read.schema("id int, word string").option("header", True).format(form)
    assert sorted(tuple(row) for row in reader.load(path).collect()) == ROWS
    assert reader.load(path.replace("s3a://", "s3://")).count() == 2


def test_a_source_has_a_store_of_its_own(spark: SparkSession, abroad: Any) -> None:
    abroad.put_object(Bucket="abroad", Key="in/day.csv", Body=b"id,word\n1,a\n2,b\n")
    frame = spark.read.csv("s3a://abroad/in", header=True, inferSchema=True)
    assert sorted(tuple(row) for row in frame.collect()) == ROWS
    frame.write.mode("overwrite").parquet("s3a://abroad/out")
    assert "Contents" in abroad.list_objects_v2(Bucket="abroad", Prefix="out/part-")


def test_a_source_has_keys_of_its_own(spark: SparkSession) -> None:
    with pytest.raises(Exception, match="Status Code: 403"):  # the keys of a stranger, to a store that checks them
        spark.read.text("s3a://stranger/x").collect()


def test_a_delta_table_is_read_in_any_version_and_becomes_one_of_iceberg(spark: SparkSession) -> None:
    path, table = "s3a://staging/spark-files/delta", "lake.bronze.spark_files"
    frame = spark.createDataFrame(ROWS, "id int, word string")
    frame.write.format("delta").mode("overwrite").save(path)
    first = spark.read.format("delta").load(path)
    first.writeTo(table).createOrReplace()
    try:
        assert sorted(tuple(row) for row in spark.table(table).collect()) == ROWS
        frame.write.format("delta").mode("append").save(path)
        assert spark.read.format("delta").load(path).count() == 4
        assert spark.read.format("delta").option("versionAsOf", 0).load(path).count() == 2
    finally:
        spark.sql(f"DROP TABLE {table}")


@pytest.mark.matrix  # it is configured by the same file as Connect; `lakehouse verify` runs one
def test_a_batch_job_reads_files_too(deployed: Deployment, spark: SparkSession, abroad: Any) -> None:
    path = "s3a://staging/spark-files/batch"
    spark.createDataFrame(ROWS, "id int, word string").write.mode("overwrite").parquet(path)
    abroad.put_object(Bucket="abroad", Key="batch/a.json", Body=b'{"id": 3}\n')
    with closing(BatchJob(find(deployed.file, None))) as job:
        assert job.run(f"SELECT count(*) FROM parquet.`{path}`") == [("2",)]
        assert job.run("SELECT id FROM json.`s3a://abroad/batch`") == [("3",)]


def test_no_page_and_no_setting_shows_a_key(deployed: Deployment, spark: SparkSession) -> None:
    state = deployed.local.state
    secrets = [state.secret(name) for name in ("store-access-key", "store-secret-key", "source-abroad-secret-key")]
    ui = f"http://127.0.0.1:{deployed.port('spark-connect-ui')}/api/v1/applications"
    (application,) = requests.get(ui, timeout=30).json()
    page = requests.get(f"{ui}/{application['id']}/environment", timeout=30).text
    shown = [row.asDict() for sql in ("SET", "SET -v") for row in spark.sql(sql).collect()]
    assert "fs.s3a.bucket.abroad.secret.key" in page
    assert "fs.s3a.bucket.abroad.secret.key" in json.dumps(shown)
    texts = [page, json.dumps(shown)]
    texts += [path.read_text() for path in deployed.folder.glob("terraform.*.tfstate*")]
    texts += [path.read_text() for path in (deployed.folder / "cdktf.out").rglob("*.json")]
    assert not [value for value in secrets for text in texts if value in text]
