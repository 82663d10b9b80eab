"""A file's properties of Spark fit into an application of EMR Serverless beside those that the stack sets."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.access.names import names
from lakehouse.aws.emr_sizes import executors
from lakehouse.aws.engines_managed import spark_defaults
from lakehouse.spec import AwsStack, Lakehouse
from lakehouse.spec.aws import check_aws


def _file(store: str, catalogs: int, properties: int) -> Lakehouse:
    where = {
        f"c{nth}": f"s3://bucket{nth}" if store == "s3tables" else f"s3://bucket{nth}/c" for nth in range(catalogs)
    }
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {f"bucket{nth}": {} for nth in range(catalogs)},
            "catalogs": {name: {"location": location} for name, location in where.items()},
            "engines": {"spark": {"properties": {f"spark.x{nth}": "" for nth in range(properties)}}},
            "stacks": {"aws": {"region": "eu-west-1", "store": store, "catalogs": dict.fromkeys(where, "glue")}},
        }
    )


def _refused(lakehouse: Lakehouse) -> list[tuple[Any, ...]]:
    stack = lakehouse.stacks["aws"]
    assert isinstance(stack, AwsStack)
    return [each.at for each in check_aws("aws", stack, lakehouse)]


@pytest.mark.parametrize("store", ["s3", "s3tables"])
@pytest.mark.parametrize("catalogs", [1, 2, 3])
def test_the_file_may_have_as_many_as_the_stack_leaves(store: str, catalogs: int) -> None:
    def set_(lakehouse: Lakehouse) -> int:
        spark = lakehouse.engines.spark
        assert spark is not None
        own = names(lakehouse, "aws", "123456789012")
        return len(spark_defaults(lakehouse, own, spark, "emr-7.10.0", executors(spark, None)))

    left = 100 - set_(_file(store, catalogs, 0))
    most = _file(store, catalogs, left)
    assert set_(most) == 100
    assert _refused(most) == []
    assert _refused(_file(store, catalogs, left + 1)) == [("engines", "spark", "properties")]


@pytest.mark.parametrize(
    ("release", "jar"),
    [
        ("emr-7.10.0", "iceberg-spark3-runtime.jar"),
        ("emr-spark-8.0.0", "iceberg-spark-runtime-4.0_2.13-1.10.1-amzn-0.jar"),
        ("emr-spark-8.1.0", "iceberg-spark-runtime-4.1_2.13-1.11.0-amzn-0.jar"),
    ],
)
def test_each_release_has_its_own_iceberg(release: str, jar: str) -> None:
    lakehouse = _file("s3", 1, 0)
    spark = lakehouse.engines.spark
    assert spark is not None
    own = names(lakehouse, "aws", "123456789012")
    found = spark_defaults(lakehouse, own, spark, release, executors(spark, None))
    assert found["spark.jars"] == f"/usr/share/aws/iceberg/lib/{jar}"
