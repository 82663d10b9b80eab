"""A driver of the local cluster: a program that is submitted to the master, as bin/spark-submit submits it.

It runs where the master runs, without the JVM in which spark-submit would first build the command. Without a cluster
it runs beside Spark Connect, and its tasks run in it.
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

    Its properties, including secrets, are written to ``file`` next to those of the service beside which it runs;
    ``settings`` replace the cluster's.
    Raises UsageError if the file has no Spark, LakehouseError if that service does not answer.
    """
    if target.lakehouse.engines.spark is None:
        raise UsageError(f"{target.path.name} has no engines.spark: add it to the file and deploy the stack again.")
    local, stack = target.local, target.lakehouse.stacks[target.stack]
    assert isinstance(stack, LocalStack)
    place, catalogs = local.place, local.endpoints.catalogs
    cluster = spark_cluster.cluster(target.lakehouse, receiver(target.lakehouse, stack, place))
    beside = cluster.beside
    target.address(beside, "engines.spark")
    found = (
        spark_cluster.defaults(place, cluster, catalogs) | {"spark.driver.host": place.host(beside)} | dict(settings)
    )
    local.runtime.configure(beside, [File(file, properties(found)), *credentials(catalogs)])
    command = [
        *spark_cluster.java(place, cluster, heap_mb, (*jvm.QUICK, *jvm.trust(place, beside)[0])),
        *("org.apache.spark.deploy.SparkSubmit", "--properties-file", f"{place.config(beside)}/{file}"),
        *program,
    ]
    return command, dict(spark_cluster.environment(place, cluster, beside, catalogs))
