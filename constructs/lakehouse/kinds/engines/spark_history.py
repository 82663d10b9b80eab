"""Spark's history server: the jobs, stages and SQL of applications that ended, from the events that they wrote.

Events are files in a folder of the state folder. So it is there only where all drivers have the same disk.

https://spark.apache.org/docs/latest/monitoring.html#viewing-after-the-fact
"""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.kinds.engines.spark_cluster import HISTORY, SparkCluster, environment, events, java
from lakehouse.services import jvm
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.properties import properties

NAME = HISTORY
_HEAP_MB = 256
_GIVES = "applications that ended, their SQL and their settings without secrets"


def history(place: Place, cluster: SparkCluster) -> Service:
    """The server. Drivers need it only for the folder of events, which is its own."""
    port = Port(NAME, place.port(NAME), label="Spark history", gives=_GIVES)
    config = f"{place.config(NAME)}/spark-defaults.conf"
    found = {
        "spark.history.fs.logDirectory": events(place),
        "spark.history.ui.port": str(port.number),
        "spark.history.fs.update.interval": "5s",
        "spark.history.fs.cleaner.enabled": "true",
        "spark.history.fs.cleaner.maxAge": "30d",
        "spark.history.fs.eventLog.rolling.maxFilesToRetain": "4",
        # What it read of them is on the disk, so its heap may be small.
        "spark.history.store.path": f"{place.data(NAME)}/store",
        "spark.history.store.maxDiskUsage": "1g",
    }
    return Service(
        name=NAME,
        image=cluster.packages[0],
        packages=cluster.packages,
        java=cluster.java,
        command=(
            *java(place, cluster, _HEAP_MB, jvm.QUICK),
            *("org.apache.spark.deploy.history.HistoryServer", "--properties-file", config),
        ),
        environment=environment(place, cluster, NAME),
        files=(File("spark-defaults.conf", properties(found)),),
        data=(place.data(NAME), events(place)),
        ports=(port,),
        probe=Probe("http", port.number, "/api/v1/version", expect='"spark"'),
        memory_mb=_HEAP_MB + 300,
    )


def check(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Stacks whose drivers have no disk in common."""
    spark = lakehouse.engines.spark
    if spark is None or not spark.history:
        return
    at: KeyPath = ("engines", "spark", "history")
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and stack.runtime != "process":
            where = f"stacks.{name} has `runtime: {stack.runtime}`, where each service has its own disk"
            message = f"applications write their events to files for the server, but {where}. Remove it, or that stack"
            yield Problem(at, message, about=(("stacks", name, "runtime"),))
