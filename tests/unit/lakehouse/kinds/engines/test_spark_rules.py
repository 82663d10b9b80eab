"""Spark's versions: their coordinates, and what is refused beside them."""

from __future__ import annotations

import pytest

from lakehouse.kinds.engines.spark_rules import LINES, property_refusals


@pytest.mark.parametrize(
    ("line", "runtime", "pyspark"),
    [
        ("3.5", "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.12.0", "3.5.9"),
        ("4.0", "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.11.0", "4.0.5"),
        ("4.1", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0", "4.1.4"),
    ],
)
def test_spark_lines(line: str, runtime: str, pyspark: str) -> None:
    spark = LINES[line]
    assert spark.iceberg_runtime == runtime
    assert spark.pyspark == pyspark
    assert spark.aws_bundle.endswith(runtime.rpartition(":")[2])
    assert all(java < 24 for java in spark.java), "Hadoop's UGI fails on Java 24 and above"


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("spark.jars.packages", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0", None),
        ("spark.jars.packages", "org.postgresql:postgresql:42.7.4", None),
        ("spark.jars", "/jars/iceberg-spark-runtime-4.1_2.13-1.12.0.jar", None),
        ("spark.jars", "/jars/iceberg-spark-runtime-3.5_2.12-1.12.0.jar", "iceberg-spark-runtime-4.1_2.13:1.12.0"),
        ("spark.jars.packages", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.9.0", "4.1_2.13:1.12.0"),
        ("spark.jars.packages", "org.apache.iceberg:iceberg-aws-bundle:1.5.0", "iceberg-aws-bundle:1.12.0"),
        ("spark.jars.packages", "a:b:1 , org.apache.spark:spark-avro_2.12:4.1.4", "spark-avro_2.13:4.1.4"),
        ("spark.executor.memory", "4g", "engines.spark.memory"),
        ("spark.sql.shuffle.partitions", "8", None),
    ],
)
def test_spark_properties(key: str, value: str, right: str | None) -> None:
    found = list(property_refusals(key, value, LINES["4.1"]))
    assert [right in why for why in found if right] == ([True] if right else [])
    assert len(found) == (right is not None)
