"""The compatibility matrix: its coordinates, and what it refuses."""

import pytest

from lakehouse.spec import matrix
from lakehouse.spec.model import Spark, Trino


@pytest.mark.parametrize(
    ("line", "runtime", "pyspark"),
    [
        ("3.5", "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.12.0", "3.5.9"),
        ("4.0", "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.11.0", "4.0.5"),
        ("4.1", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0", "4.1.4"),
    ],
)
def test_spark_lines(line: str, runtime: str, pyspark: str) -> None:
    spark = matrix.SPARK[line]
    assert spark.iceberg_runtime == runtime
    assert spark.pyspark == pyspark
    assert spark.aws_bundle.endswith(runtime.rpartition(":")[2])
    assert all(java < 24 for java in spark.java), "Hadoop's UGI fails on Java 24 and above"


def test_defaults_of_the_model_are_in_the_matrix() -> None:
    assert Spark().version in matrix.SPARK
    assert Trino().version in matrix.TRINO


@pytest.mark.parametrize(
    ("version", "right"),
    [("4.2", "4.1"), ("4.1.4", "4.1"), ("3.4", "3.5"), ("2", "3.5"), ("5", "4.1"), ("latest", "4.1")],
)
def test_wrong_spark_version_names_the_nearest(version: str, right: str) -> None:
    assert f'Set version: "{right}"' in (matrix.version_refusal("Spark", version, matrix.SPARK) or "")


@pytest.mark.parametrize(("version", "right"), [("479", "476"), ("471", "476"), ("3.5", "476"), ("current", "476")])
def test_wrong_trino_version_names_the_nearest(version: str, right: str) -> None:
    assert f'Set version: "{right}"' in (matrix.version_refusal("Trino", version, matrix.TRINO) or "")


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
    found = list(matrix.spark_property_refusals(key, value, matrix.SPARK["4.1"]))
    assert [right in why for why in found if right] == ([True] if right else [])
    assert len(found) == (right is not None)


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("fs.native-s3.enabled", None),
        ("s3.endpoint", None),
        ("fs.s3.enabled", "fs.native-s3.enabled"),
        ("hive.s3.aws-access-key", "s3.aws-access-key"),
        ("hive.s3.connect-ttl", "s3.connection-ttl"),
    ],
)
def test_trino_properties(key: str, right: str | None) -> None:
    found = matrix.trino_property_refusal(key, matrix.TRINO["476"])
    assert found is None if right is None else f"Write {right}" in (found or "")
