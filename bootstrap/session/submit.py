"""A driver of the local cluster: a program that is submitted to the master, as bin/spark-submit submits it.

It runs where the master runs, without the JVM in which spark-submit would first build the command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bootstrap.session.target import Target
from lakehouse.errors import UsageError
from lakehouse.kinds.catalog import credentials
from lakehouse.kinds.compose import receiver
from lakehouse.kinds.engines import spark, spark_cluster
from lakehouse.services import jvm
from lakehouse.services.service import File
from lakehouse.spec import LocalStack
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties


def driver(
    target: Target, file: str, settings: Mapping[str, Text], program: Sequence[str], heap_mb: int = spark.BATCH_MB
) -> tuple[list[str], dict[str, str]]:
    """The driver's command and environment. ``program`` are the last arguments of SparkSubmit.

    Its properties, including secrets, are written to ``file`` next to the master's; ``settings`` replace the cluster's.
    Raises UsageError if the file has no Spark, LakehouseError if the master does not answer.
    """
    if target.lakehouse.engines.spark is None:
        raise UsageError(f"{target.path.name} has no engines.spark: add it to the file and deploy the stack again.")
    target.address(spark.MASTER, "engines.spark")
    local, stack = target.local, target.lakehouse.stacks[target.stack]
    assert isinstance(stack, LocalStack)
    place, catalogs = local.place, local.endpoints.catalogs
    cluster = spark_cluster.cluster(target.lakehouse, receiver(target.lakehouse, stack, place))
    found = (
        spark_cluster.defaults(place, cluster, catalogs)
        | {"spark.driver.host": place.host(spark.MASTER)}
        | dict(settings)
    )
    local.runtime.configure(spark.MASTER, [File(file, properties(found)), *credentials(catalogs)])
    command = [
        *spark_cluster.java(place, cluster, heap_mb, (*jvm.QUICK, *jvm.trust(place, spark.MASTER)[0])),
        *("org.apache.spark.deploy.SparkSubmit", "--properties-file", f"{place.config(spark.MASTER)}/{file}"),
        *program,
    ]
    return command, dict(spark_cluster.environment(place, cluster, spark.MASTER, catalogs))
