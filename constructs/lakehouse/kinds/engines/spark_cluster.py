"""What all JVMs of a Spark cluster share: its settings, class path, variables and the beginning of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint, credentials
from lakehouse.kinds.engines import spark_files as files
from lakehouse.kinds.engines import spark_lineage
from lakehouse.kinds.engines import spark_rules as rules
from lakehouse.kinds.engines import spark_secure as secure
from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.services import jvm
from lakehouse.services.service import Place
from lakehouse.spec import Lakehouse
from lakehouse.spec.model import Source
from lakehouse.text.placeholders import Text

MASTER, CONNECT = secure.MASTER, secure.CONNECT
HISTORY = "spark-history"

# The options that Spark's launcher adds on Java 17 (org.apache.spark.launcher.JavaModuleOptions). The services start
# the classes without the launcher, which saves one JVM per service.
_OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs"),
    *("sun.security.action", "sun.util.calendar"),
)
_MODULES = (
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
)

# A page in a browser may send plain requests to every port of this machine. Each of these features would accept one
# without a key: jobs that run code (on by default since 4.1, SPARK-51165), links that end jobs, workers that leave.
CLOSED = {
    "spark.master.rest.enabled": "false",
    "spark.ui.killEnabled": "false",
    "spark.master.ui.decommission.allow.mode": "DENY",
}
# Executors of a worker that is drained end with their tasks, and leave what they have shuffled and cached to others.
# https://spark.apache.org/docs/latest/configuration.html#cluster-managers
_DRAINED = {"spark.decommission.enabled": "true", "spark.storage.decommission.enabled": "true"}
EXTENSIONS: dict[str, Text] = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
}


@dataclass(frozen=True)
class SparkCluster:
    """The file's settings for Spark, with the versions from the matrix. Memory is the size of heaps, in MiB."""

    packages: tuple[str, ...]  # the Spark tree first, then the jars for every class path, and last two folders of them
    scala: str
    java: int
    workers: int  # 0: there is no cluster
    cores: int
    executor_mb: int
    driver_mb: int
    connect: bool
    thrift: bool
    history: bool
    dynamic: bool  # executors come and go with the work of an application
    token: bool  # Connect requires one
    settings: Mapping[str, str]
    sources: Mapping[str, Source]
    lineage: Receiver | None = None  # to where its drivers send lineage

    @property
    def beside(self) -> str:
        """The service beside which drivers of batch jobs run, in its container or on its host."""
        return MASTER if self.workers else CONNECT

    @property
    def share(self) -> int:
        """Cores of one application: a worker's, or half of them if there is only one worker.

        Without a cluster, its driver's threads.
        """
        return self.cores if self.workers != 1 else max(1, self.cores // 2)

    def heap(self, driver_mb: int, executor_mb: int) -> int:
        """Heap of a driver in MiB. Without a cluster it is its own executor."""
        return driver_mb if self.workers else driver_mb + executor_mb

    @property
    def most(self) -> int:
        """Cores that one application may have."""
        return self.executors * self.part if self.dynamic else self.share

    @property
    def part(self) -> int:
        """Cores of one executor. A worker has memory for two of them."""
        return max(1, self.cores // 2) if self.dynamic else self.share

    @property
    def executors(self) -> int:
        """Executors that fit on all workers."""
        return self.workers * min(2, self.cores // self.part)


def cluster(lakehouse: Lakehouse, lineage: Receiver | None = None) -> SparkCluster:
    """The file's settings for Spark, with the versions from the matrix. Drivers send lineage to ``lineage``."""
    engine = lakehouse.engines.spark
    assert engine is not None
    line = rules.LINES[engine.version]
    return SparkCluster(
        packages=(
            f"spark-{engine.version}",
            *((f"spark-connect-{engine.version}",) if line.connect else ()),
            f"iceberg-spark-runtime-{engine.version}",
            f"iceberg-aws-bundle-{line.iceberg}",
            *((spark_lineage.package(line.scala),) if lineage else ()),
            f"hadoop-aws-{line.hadoop}",
            f"delta-spark-{engine.version}",
        ),
        scala=line.scala,
        java=line.java[0],
        workers=engine.clustered,
        cores=engine.cores,
        executor_mb=engine.memory.mb,
        driver_mb=engine.driver_memory.mb,
        connect=engine.connect is not None,
        thrift=engine.thrift,
        history=engine.history,
        dynamic=engine.dynamic,
        token=engine.connect is not None and engine.connect.token,
        settings=engine.properties,
        sources=lakehouse.sources,
        lineage=lineage,
    )


def defaults(place: Place, cluster: SparkCluster, catalogs: Sequence[CatalogEndpoint]) -> dict[str, Text]:
    """spark-defaults.conf of everything that runs on the cluster: Connect and batch jobs alike."""
    own = spark_lineage.redacted(cluster.lineage)
    settings: dict[str, Text] = {
        "spark.master": (
            f"spark://{place.host(MASTER)}:{place.port(MASTER)}" if cluster.workers else f"local[{cluster.share}]"
        ),
        "spark.submit.deployMode": "client",
        "spark.driver.host": place.host(CONNECT),
        "spark.driver.bindAddress": place.bind(),
        "spark.driver.extraClassPath": classpath(place, cluster),
        **(_executors(place, cluster) if cluster.workers else {}),
        **EXTENSIONS,
        **draining(place, cluster),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": f"{place.data(CONNECT)}/spark-warehouse",
        "spark.sql.shuffle.partitions": str(cluster.most * 2),
        "spark.ui.killEnabled": CLOSED["spark.ui.killEnabled"],
        # What neither the UI nor SET shows. By itself it knows `access.key`, but not `access-key`.
        "spark.redaction.regex": f"(?i)secret|password|token|access[.-]?key{secure.redacted(place)}{own}",
        **secure.settings(place),
        **spark_lineage.settings(cluster.lineage),
        **(_writing(place) if cluster.history else {}),
    }
    settings |= of_catalogs(catalogs)
    if catalogs:
        settings["spark.sql.defaultCatalog"] = catalogs[0].name
        settings |= files.settings(place, catalogs[0].store, cluster.sources)  # all have the stack's store
    return settings | dict(cluster.settings)


def _executors(place: Place, cluster: SparkCluster) -> dict[str, Text]:
    return {
        "spark.executor.extraClassPath": classpath(place, cluster),
        "spark.executor.memory": f"{cluster.executor_mb}m",
        # One executor per application: Connect keeps its own, and a batch job still finds room for another.
        "spark.executor.cores": str(cluster.part),
        "spark.cores.max": str(cluster.most),
        **(_coming_and_going(cluster) if cluster.dynamic else {}),
        "spark.executor.extraJavaOptions": " ".join(jvm.FRUGAL),
    }


def _coming_and_going(cluster: SparkCluster) -> dict[str, str]:
    """One executor stays, so that the next query of Connect does not wait for it.

    https://spark.apache.org/docs/latest/configuration.html#dynamic-allocation
    """
    return {
        "spark.dynamicAllocation.enabled": "true",
        # One whose shuffled data may still be read stays: there is no service that would serve it.
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": "1",
        "spark.dynamicAllocation.maxExecutors": str(cluster.executors),
    }


def draining(place: Place, cluster: SparkCluster) -> Mapping[str, str]:
    """What lets a worker be drained, if there is another one: empty where none is. It is for drivers and workers."""
    return _DRAINED if place.drains and cluster.workers > 1 else {}


def events(place: Place) -> str:
    """The folder of what applications tell the history server."""
    return f"{place.data(HISTORY)}/events"


def _writing(place: Place) -> dict[str, str]:
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events(place),
        # Connect runs for weeks. Its events are in files of this size, of which old ones are made into one.
        "spark.eventLog.rolling.enabled": "true",
        "spark.eventLog.rolling.maxFileSize": "32m",
    }


def of_catalogs(catalogs: Sequence[CatalogEndpoint]) -> dict[str, Text]:
    """The properties of each catalog, as its kind defines them, and those that it asks of Spark itself."""
    return {
        key if key.startswith("spark.") else f"spark.sql.catalog.{each.name}{key}": value
        for each in catalogs
        for key, value in each.kind.for_spark(each).items()
    }


def environment(
    place: Place, cluster: SparkCluster, name: str, catalogs: Sequence[CatalogEndpoint] = ()
) -> tuple[tuple[str, str], ...]:
    """The variables that Spark's scripts would set (bin/load-spark-env.sh), for a service or a job of that name.

    A driver needs ``catalogs``, and the file of :func:`lakehouse.kinds.catalog.credentials`. Executors read only files
    in the store.
    """
    home = place.java(cluster.java).rpartition("/bin/")[0]
    return (
        *jvm.ENVIRONMENT,
        ("SPARK_HOME", place.package(cluster.packages[0])),
        *((("JAVA_HOME", home),) if home else ()),  # an image sets its Java itself
        ("SPARK_LOCAL_IP", secure.bind(place, name)),  # of its page, and of nothing else here
        ("SPARK_PUBLIC_DNS", place.host(name)),
        # No such folder: with one on the class path, no archive of classes would fit.
        ("SPARK_CONF_DIR", f"{place.config(name)}/conf"),
        ("SPARK_LOCAL_DIRS", f"{place.data(name)}/local"),
        ("SPARK_SCALA_VERSION", cluster.scala),
        *(("AWS_SHARED_CREDENTIALS_FILE", f"{place.config(name)}/{each.path}") for each in credentials(catalogs)),
    )


def classpath(place: Place, cluster: SparkCluster) -> str:
    """Iceberg before Spark. It is the same for every JVM of the cluster, so that all can use one class archive."""
    home, *jars, s3a, delta = (place.package(each) for each in cluster.packages)
    return ":".join((*jars, f"{s3a}/*", f"{delta}/*", f"{home}/jars/*"))


def java(place: Place, cluster: SparkCluster, heap_mb: int, options: Sequence[str]) -> tuple[str, ...]:
    """The beginning of every command: a JVM with Spark's classes; the main class comes next."""
    return (place.java(cluster.java), jvm.heap(heap_mb), *options, *_MODULES, "-cp", classpath(place, cluster))
