"""Spark: a standalone cluster (master and workers) and the Connect server in front of it.

https://spark.apache.org/docs/latest/spark-standalone.html, https://spark.apache.org/docs/latest/spark-connect-overview.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from lakehouse.kinds.catalog import CatalogEndpoint, credentials
from lakehouse.kinds.engine import EngineKind
from lakehouse.kinds.engines import spark_history, spark_lineage
from lakehouse.kinds.engines import spark_rules as rules
from lakehouse.kinds.engines import spark_secure as secure
from lakehouse.kinds.engines.spark_cluster import (
    CLOSED,
    SparkCluster,
    cluster,
    defaults,
    draining,
    environment,
    java,
)
from lakehouse.kinds.engines.spark_measured import measured
from lakehouse.kinds.platform import proxy
from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.services import jvm
from lakehouse.services.service import Drain, File, Numbers, Place, Port, Probe, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Enforcement, Feature, Limit, Listener
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

MASTER, CONNECT, THRIFT = secure.MASTER, secure.CONNECT, "spark-thrift"
TOKEN = f"{CONNECT}-token"  # the name of the secret
BATCH_MB = 512  # heap of a batch job's driver
BATCH_EXECUTOR_MB = 512  # and of its executor, if the job asks for the smallest
# A worker's page has the address of its master once it is registered there; before, it is empty.
_REGISTERED = '"masterurl" : "spark://'
_EMPTY = '"executors" : [ ]'
# What its ports give without a login.
_JOBS = "SQL and code that run as its user, with its keys and files"
_PAGES = "applications, their settings without secrets, and their logs"
_PARTS = "rows and code of running jobs"


def services(
    place: Place, lakehouse: Lakehouse, catalogs: Sequence[CatalogEndpoint], lineage: Receiver | None = None
) -> tuple[Service, ...]:
    """The services of the file's cluster; empty if the file has no Spark."""
    return () if lakehouse.engines.spark is None else spark(place, cluster(lakehouse, lineage), catalogs)


def spark(place: Place, cluster: SparkCluster, catalogs: Sequence[CatalogEndpoint]) -> tuple[Service, ...]:
    """The cluster, if there is one, and what else the file has: Connect, history and Thrift server."""
    found = [_master(place, cluster)] if cluster.workers else []
    found += [_worker(place, cluster, number) for number in range(1, cluster.workers + 1)]
    found += [spark_history.history(place, cluster)] if cluster.history else []
    found += [_connect(place, cluster, catalogs)] if cluster.connect else []
    found += [_thrift(place, cluster, catalogs)] if cluster.thrift else []
    return tuple(found)


def _chosen(place: Place, name: str) -> Port:
    """The ports on which drivers and executors listen to each other."""
    return _inner(place, Port(f"{name}-*", 0, "tcp", gives=_PARTS))


def _inner(place: Place, port: Port) -> Port:
    """A port by which the parts of the cluster talk. In a secure stack they ask for its secret, and encrypt."""
    return replace(port, gives="", tls=True) if place.secure else port


def _proxy(place: Place, name: str) -> tuple[str, ...]:
    return (place.behind(name).proxy,) if place.secure else ()


def _history(cluster: SparkCluster) -> tuple[str, ...]:
    """A driver fails if there is no folder for its events."""
    return (spark_history.NAME,) if cluster.history else ()


def _opened(ui: Port) -> Probe:
    """Whether the page's port is open. In a container the other port is not on the loopback address."""
    return Probe("tcp", ui.number)


def _master(place: Place, cluster: SparkCluster) -> Service:
    port = place.port(MASTER)
    ui = Port(f"{MASTER}-ui", place.port(f"{MASTER}-ui"), label="Spark master UI", gives=_PAGES)
    ui = secure.port(place, f"{MASTER}-ui", ui)
    trusting, trusted = jvm.trust(place, MASTER)
    recovery = f"{place.data(MASTER)}/recovery"
    settings = {
        # A master that was killed finds its applications again. Its workers register by themselves.
        "spark.deploy.recoveryMode": "FILESYSTEM",
        "spark.deploy.recoveryDirectory": recovery,
        "spark.worker.timeout": "30",
        **CLOSED,
    }
    arguments = ("--host", place.host(MASTER), "--port", str(port), "--webui-port", str(ui.number))
    config = f"{place.config(MASTER)}/spark.conf"
    return Service(
        name=MASTER,
        image=cluster.packages[0],
        packages=cluster.packages,
        java=cluster.java,
        command=(
            *java(place, cluster, 128, (*jvm.QUICK, *trusting)),
            *("org.apache.spark.deploy.master.Master", *arguments, "--properties-file", config),
        ),
        environment=environment(place, cluster, MASTER),
        files=(File("spark.conf", properties(settings | secure.settings(place))), *trusted),
        data=(place.data(MASTER),),
        ports=(_inner(place, Port(MASTER, port, "spark", gives=_JOBS)), ui),
        probe=_opened(ui) if place.secure else Probe("http", ui.number, "/json/", expect='"status"'),
        memory_mb=320 + BATCH_MB + 300,  # with the driver of a batch job, which runs next to it
        # After a restart of the machine, it would send a message to the former workers. A new worker at the same
        # address would read that as its own registration, and never get work (Worker.scala, MasterChanged).
        forgets=(f"{recovery}/worker_*",),
        needs=_proxy(place, MASTER),
    )


_WITHOUT_NUMBERS = ("spark-3.5",)  # it serves those of executors since 4.0


def _worker(place: Place, cluster: SparkCluster, number: int) -> Service:
    name = f"spark-worker-{number}"
    port = place.port(name)
    ui = Port(f"{name}-ui", place.port(f"{name}-ui"), label=f"Spark worker {number} UI", gives=_PAGES)
    ui = secure.port(place, f"{name}-ui", ui)
    master = f"spark://{place.host(MASTER)}:{place.port(MASTER)}"
    # Room for the executors of two applications, which may share a worker if each uses one core.
    room = cluster.executor_mb * 2 + 384 * 2
    work = f"{place.data(name)}/work"
    drain = Drain("spark-worker", ui.number, "/json/", done=_EMPTY, signal="PWR", shows=secure.shown(place))
    arguments = (
        *("--host", place.host(name), "--port", str(port), "--webui-port", str(ui.number)),
        *("--cores", str(cluster.cores), "--memory", f"{room}m", "--work-dir", work),
        *("--properties-file", f"{place.config(name)}/spark.conf", master),
    )
    settings = {
        "spark.worker.cleanup.enabled": "true",
        "spark.worker.cleanup.appDataTtl": "86400",
        **CLOSED,
        **draining(place, cluster),
    }
    return Service(
        name=name,
        image=cluster.packages[0],
        packages=cluster.packages,
        java=cluster.java,
        command=(*java(place, cluster, 128, jvm.QUICK), "org.apache.spark.deploy.worker.Worker", *arguments),
        environment=(*environment(place, cluster, name), *secure.environment(place, name)),
        files=(File("spark.conf", properties(settings | secure.settings(place))), *jvm.trust(place, name)[1]),
        data=(place.data(name), work),
        ports=(_inner(place, Port(name, port, "tcp", gives=_JOBS)), ui),
        further=_chosen(place, name),
        probe=_opened(ui) if place.secure else Probe("http", ui.number, "/json/", expect=_REGISTERED),
        memory_mb=320 + room,
        needs=(MASTER,),
        drain=drain if draining(place, cluster) else None,
    )


def _connect(place: Place, cluster: SparkCluster, catalogs: Sequence[CatalogEndpoint]) -> Service:
    jobs = "" if cluster.token else _JOBS
    port = secure.port(place, CONNECT, Port(CONNECT, place.port(CONNECT), "sc", label="Spark Connect", gives=jobs))
    ui = Port(f"{CONNECT}-ui", place.port(f"{CONNECT}-ui"), label="Spark jobs UI", gives=_PAGES)
    if cluster.packages[0] not in _WITHOUT_NUMBERS:
        ui = replace(ui, numbers=(Numbers("/metrics/executors/prometheus/"),))
    ui = secure.port(place, f"{CONNECT}-ui", ui)
    trusting, trusted = jvm.trust(place, CONNECT)
    config, work = f"{place.config(CONNECT)}/spark-defaults.conf", f"{place.data(CONNECT)}/work"
    heap_mb = cluster.heap(cluster.driver_mb, cluster.executor_mb)
    settings: dict[str, Text] = defaults(place, cluster, catalogs) | {
        "spark.app.name": "Spark Connect",
        "spark.connect.grpc.binding.address": secure.bind(place, CONNECT),
        "spark.connect.grpc.binding.port": str(port.number),
        "spark.ui.port": str(ui.number),
        "spark.port.maxRetries": "0",
        "spark.ui.showConsoleProgress": "false",
    }
    if cluster.token:
        settings["spark.connect.authenticate.token"] = proxy.token(CONNECT) if place.secure else place.secret(TOKEN)
    return Service(
        name=CONNECT,
        image=cluster.packages[0],
        packages=cluster.packages,
        java=cluster.java,
        command=(
            # Without a cluster it runs queries itself, as an executor does.
            *java(place, cluster, heap_mb, (*(jvm.QUICK if cluster.workers else jvm.FRUGAL), *trusting)),
            *("org.apache.spark.deploy.SparkSubmit", "--properties-file", config),
            *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"),
        ),
        environment=environment(place, cluster, CONNECT, catalogs),
        files=(File("spark-defaults.conf", properties(settings)), *credentials(catalogs), *trusted),
        data=(place.data(CONNECT), work),
        directory=work,  # it keeps what clients send it in the working folder
        ports=(port, ui),
        further=_chosen(place, CONNECT),
        probe=Probe("tcp", port.number),
        # Without a cluster, drivers of batch jobs run next to it, not next to the master.
        memory_mb=heap_mb + 400 + (0 if cluster.workers else cluster.heap(BATCH_MB, BATCH_EXECUTOR_MB) + 300),
        needs=(*((MASTER,) if cluster.workers else _proxy(place, CONNECT)), *_history(cluster)),
        restarts_with=(MASTER,) if cluster.workers else (),
        stop_seconds=20,
    )


def _thrift(place: Place, cluster: SparkCluster, catalogs: Sequence[CatalogEndpoint]) -> Service:
    """HiveServer2 by Spark: https://spark.apache.org/docs/latest/sql-distributed-sql-engine.html

    Its queries run in its own process and take no cores of the cluster.
    """
    port, work = place.port(THRIFT), f"{place.data(THRIFT)}/work"
    config = f"{place.config(THRIFT)}/spark-defaults.conf"
    # It always has tables of Hive beside the catalogs. Without a metastore they are in its memory.
    nowhere = {"spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true"}
    settings: dict[str, Text] = (
        nowhere
        | defaults(place, cluster, catalogs)
        | {
            "spark.master": f"local[{cluster.share}]",
            "spark.app.name": "Spark Thrift server",
            "spark.driver.host": place.host(THRIFT),
            "spark.sql.warehouse.dir": f"{place.data(THRIFT)}/spark-warehouse",
            "spark.ui.enabled": "false",
        }
    )
    of_hive = {
        "hive.server2.thrift.bind.host": place.bind(),
        "hive.server2.thrift.port": str(port),
        "hive.server2.logging.operation.enabled": "false",  # files with the statements of each session
        "hive.exec.scratchdir": f"{work}/scratch",
        "hive.exec.local.scratchdir": f"{work}/scratch",
    }
    return Service(
        name=THRIFT,
        image=cluster.packages[0],
        packages=cluster.packages,
        java=cluster.java,
        command=(
            *java(place, cluster, cluster.driver_mb, jvm.QUICK),
            *("org.apache.spark.deploy.SparkSubmit", "--properties-file", config),
            *("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal"),
            *(word for key, value in of_hive.items() for word in ("--hiveconf", f"{key}={value}")),
        ),
        environment=environment(place, cluster, THRIFT, catalogs),
        files=(File("spark-defaults.conf", properties(settings)), *credentials(catalogs)),
        data=(place.data(THRIFT), work),
        directory=work,
        ports=(Port(THRIFT, port, "tcp", label="Spark Thrift server", gives=_JOBS),),
        further=_chosen(place, THRIFT),
        probe=Probe("tcp", port),
        memory_mb=cluster.driver_mb + 400,
        needs=(*dict.fromkeys(each.service for each in catalogs if each.service), *_history(cluster)),
        stop_seconds=20,
    )


SPARK = EngineKind(
    word="spark",
    label="Spark",
    listeners=(
        Listener(MASTER, 7077, 7077, "where batch jobs are submitted", when="cluster"),
        Listener(f"{MASTER}-ui", 8080, 8080, "workers and applications of the cluster", when="cluster", proxied=True),
        Listener(
            CONNECT, 15002, 15002, "PySpark clients: SparkSession.builder.remote(...)", when="connect", proxied=True
        ),
        Listener(f"{CONNECT}-ui", 4040, 4040, "jobs, stages and SQL of Spark Connect", when="connect", proxied=True),
        Listener(THRIFT, 10000, 10000, "Hive's JDBC clients, such as beeline: jdbc:hive2://ADDRESS", when="thrift"),
        Listener(spark_history.NAME, 18080, 18080, "applications of Spark that ended", when="history"),
        Listener("spark-worker-{}", 7079, 7079, when="cluster", each="workers"),
        Listener(
            "spark-worker-{}-ui", 8081, 8081, "executors and their logs", when="cluster", each="workers", proxied=True
        ),
    ),
    limits=(
        Limit(
            Feature.TIME,
            refused=True,
            rule="Spark cannot load a table that has a column of type time",
            fix="Use timestamp or string, or remove `spark` from `engines`",
        ),
        Limit(
            Feature.NANOS,
            refused=True,
            rule="Spark cannot load a table that has such a column ({})",
            fix="Use a timestamp of microseconds, or remove `spark` from `engines`",
        ),
        Limit(
            Feature.UUID,
            refused=True,
            rule='Spark sorts uuids as text, and so cannot write sorted files into buckets of "{}"',
            fix="Set the property `write.spark.fanout.enabled: true`, or remove `sort_by`",
        ),
        Limit(
            Feature.BROTLI,
            refused=True,
            rule="Spark cannot write Parquet with {}: it does not include that codec",
            fix="Write zstd",
        ),
    ),
    emits=spark_lineage.OWN,
    versions=rules.LINES,
    check=lambda lakehouse: chain(rules.check(lakehouse), spark_history.check(lakehouse)),
    openings=rules.openings,
    catalogs=("spark_catalog",),
    managed=True,
    services=services,
    routes=lambda place, lakehouse: tuple(secure.routes(place, lakehouse)),
    measured=measured,
    insecure=secure.check,
    unsecured=None,
    secured=secure.SECURED,
    closed=Enforcement(
        "that a client has its token",
        "who a client is: whoever has Connect's token or the cluster's secret runs code with keys for all tables",
    ),
)
