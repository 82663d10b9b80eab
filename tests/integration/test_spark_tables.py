"""Iceberg's tables by Spark's DataFrame API, over Connect: writing, partitions by transforms, and former states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TABLE = "lake.bronze.spark_tables"
SCHEMA = "id int, word string, day date"
OLD, NEW = date(2025, 3, 1), date(2026, 3, 1)


@pytest.fixture
def table(spark: SparkSession) -> Iterator[str]:
    """Two rows in two partitions, each of a year."""
    from pyspark.sql.functions import partitioning

    rows(spark, (1, "a", OLD), (2, "b", NEW)).writeTo(TABLE).partitionedBy(partitioning.years("day")).createOrReplace()
    yield TABLE
    spark.sql(f"DROP TABLE {TABLE}")


def rows(spark: SparkSession, *values: tuple[Any, ...]) -> Any:
    return spark.createDataFrame(values, SCHEMA)


def read(frame: Any) -> list[tuple[int, str]]:
    return sorted((row.id, row.word) for row in frame.collect())


def test_every_way_to_write_leaves_the_rows_that_it_should(spark: SparkSession, table: str) -> None:
    from pyspark.sql.functions import col

    assert spark.sql(f"SELECT partition.day_year FROM {table}.partitions").count() == 2
    rows(spark, (3, "c", NEW)).writeTo(table).append()
    assert read(spark.table(table)) == [(1, "a"), (2, "b"), (3, "c")]
    rows(spark, (4, "d", NEW)).writeTo(table).overwritePartitions()
    assert read(spark.table(table)) == [(1, "a"), (4, "d")]
    rows(spark, (5, "e", OLD)).writeTo(table).overwrite(col("id") == 1)
    assert read(spark.table(table)) == [(4, "d"), (5, "e")]
    rows(spark, (6, "f", OLD)).writeTo(table).createOrReplace()
    assert read(spark.table(table)) == [(6, "f")]


def test_former_states_are_read_by_snapshot_and_by_time(spark: SparkSession, table: str) -> None:
    rows(spark, (3, "c", NEW)).writeTo(table).append()
    history = spark.sql(f"SELECT snapshot_id FROM {table}.history ORDER BY made_current_at").collect()
    first, before = history[0].snapshot_id, [(1, "a"), (2, "b")]
    # As text, in the time zone of the session, which is UTC.
    query = f"SELECT string(made_current_at) AS at FROM {table}.history WHERE snapshot_id = {first}"
    at = spark.sql(query).collect()[0].at
    assert read(spark.read.option("versionAsOf", first).table(table)) == before
    assert read(spark.read.option("timestampAsOf", at).table(table)) == before
    assert read(spark.sql(f"SELECT * FROM {table} VERSION AS OF {first}")) == before
    assert read(spark.sql(f"SELECT * FROM {table} TIMESTAMP AS OF '{at}'")) == before
    assert len(read(spark.table(table))) == 3
    spark.sql(f"ALTER TABLE {table} CREATE TAG former AS OF VERSION {first}")
    assert read(spark.sql(f"SELECT * FROM {table} VERSION AS OF 'former'")) == before


@pytest.mark.parametrize(("option", "instead"), [("snapshot-id", "versionAsOf"), ("as-of-timestamp", "timestampAsOf")])
def test_former_options_of_iceberg_are_refused_with_those_of_spark(
    spark: SparkSession, table: str, option: str, instead: str
) -> None:
    with pytest.raises(Exception, match=f"`{option}`.* is no longer supported, use Spark built-in `{instead}`"):
        spark.read.option(option, 1).table(table).collect()
