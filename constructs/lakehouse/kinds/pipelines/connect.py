"""Kafka Connect, with Iceberg's own sink and Debezium. https://kafka.apache.org/43/kafka-connect/

A pipeline is one connector, or two. The bootstrap makes them by Connect's REST API, which shows their configuration to
whoever asks: so all that is secret is in a file of the service, and connectors have only references to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lakehouse.kinds.catalog import CatalogEndpoint, credentials
from lakehouse.kinds.pipeline import PipelineKind, catalog_settings, password_of
from lakehouse.kinds.platform import jmx, kafka
from lakehouse.services import jvm
from lakehouse.services.service import LOOPBACK, File, Place, Port, Probe, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Listener
from lakehouse.text.placeholders import Secret, Text
from lakehouse.text.properties import properties

WORD, JAVA = "connect", 21
_OWN, _SPARK = "kafka-connect-4.3.1", "iceberg-spark-runtime-4.1"
_FOLDERS = (kafka.PACKAGE, _OWN)  # of jars
PACKAGES = (*_FOLDERS, "iceberg-aws-bundle-1.12.0", "beanshell-2.0b6")
# What a kind of catalog needs in addition, after all others on the class path. Iceberg's module for Nessie is in its
# library for Spark; by itself, its 1.12.0 is not in every registry. That for Hive is there too, but cannot be used: it
# calls Iceberg's core with Jackson's classes under other names.
_CLIENTS = {"nessie": (_SPARK,)}
_MYSQL = "debezium-mysql-3.6.1"  # a folder of jars
_WORKER = Path(__file__).with_suffix(".bsh")
_ENDS = Path(__file__).with_name("transactions.bsh")
VALUES = "values.properties"  # what connectors' configurations refer to
BROKER = "broker"  # a key in it: no catalog's key is without a dot
_HEAP = 768  # MiB
# https://kafka.apache.org/43/operations/monitoring/#connect-monitoring, and those of Debezium:
# https://debezium.io/documentation/reference/3.6/operations/monitoring.html. Names are those of their examples.
AGENT = jmx.Agent(
    service=WORD,
    number=9405,
    names="pipelines and of the tables that they read",
    include=(
        "kafka.connect:type=connector-task-metrics,connector=*,task=*",
        "kafka.connect:type=sink-task-metrics,connector=*,task=*",
        "kafka.connect:type=source-task-metrics,connector=*,task=*",
        "kafka.connect:type=task-error-metrics,connector=*,task=*",
        "kafka.connect:type=connect-worker-metrics",
        "debezium.postgres:type=connector-metrics,context=*,server=*",
        "debezium.mysql:type=connector-metrics,context=*,server=*",
    ),
    beans=(
        jmx.Bean(
            r"kafka.connect<type=connector-task-metrics, connector=(.+), task=(\d+)><>status: (.+)",
            "kafka_connect_connector_task_status",
            {"connector": "$1", "task": "$2", "status": "$3"},
            value="1",
        ),
        jmx.Bean(
            r"kafka.connect<type=(.+)-metrics, connector=(.+), task=(\d+)><>([a-z-]+)-total",
            "kafka_connect_$1_$4_total",
            {"connector": "$2", "task": "$3"},
            "COUNTER",
        ),
        jmx.Bean(
            r"kafka.connect<type=(.+)-metrics, connector=(.+), task=(\d+)><>([a-z-]+)",
            "kafka_connect_$1_$4",
            {"connector": "$2", "task": "$3"},
        ),
        jmx.Bean(
            r"kafka.connect<type=connect-worker-metrics><>([a-z-]+)-total",
            "kafka_connect_worker_$1_total",
            type="COUNTER",
        ),
        jmx.Bean(r"kafka.connect<type=connect-worker-metrics><>([a-z-]+)", "kafka_connect_worker_$1"),
        jmx.Bean(
            r"debezium.(\w+)<type=connector-metrics, context=(\w+), server=(.+)><>(\w+)",
            "debezium_metrics_$4",
            {"plugin": "$1", "context": "$2", "name": "$3"},
        ),
    ),
)


def services(place: Place, lakehouse: Lakehouse, catalogs: Sequence[CatalogEndpoint]) -> tuple[Service, ...]:
    """One worker for all pipelines. What connectors do, and how far they are, is in topics of Kafka."""
    config, port = place.config(WORD), place.port(WORD)
    json = "org.apache.kafka.connect.json.JsonConverter"
    settings: dict[str, Text] = {
        "bootstrap.servers": kafka.inner(place),
        "group.id": "connect",
        "listeners": f"http://{place.bind()}:{port}",
        "rest.advertised.host.name": place.host(WORD),
        **{f"{each}.storage.topic": f"connect-{each}" for each in ("config", "offset", "status")},
        **{f"{each}.storage.replication.factor": "1" for each in ("config", "offset", "status")},
        "offset.storage.partitions": "4",
        "status.storage.partitions": "1",
        "key.converter": json,
        "value.converter": json,
        "key.converter.schemas.enable": "false",
        "value.converter.schemas.enable": "false",
        # Iceberg's sink agrees on a commit when Connect calls it, which without messages is only after this time.
        "offset.flush.interval.ms": "1000",
        "plugin.discovery": "service_load",
        "exactly.once.source.support": "enabled",
        "consumer.isolation.level": "read_committed",
        # There is one worker. After its end nobody else takes its work over, so it need not wait for somebody.
        "scheduled.rebalance.max.delay.ms": "0",
        "config.providers": "file",
        "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
        "config.providers.file.param.allowed.paths": config,
    }
    values: dict[str, Text] = {BROKER: kafka.inner(place)}
    own = {name: each for name, each in lakehouse.pipelines.items() if each.engine == WORD}
    written = [each for each in catalogs if any(of.catalog == each.name for of in own.values())]
    for each in written:
        values |= {f"{each.name}.{key}": value for key, value in catalog_settings(each).items()}
    for name, pipeline in own.items():
        if pipeline.source.changes is not None:
            values[password(name)] = Secret(password_of(name), "password")
    further = [need for each in written for need in _CLIENTS.get(each.kind.word, ())]
    if any(each.source.mysql is not None for each in own.values()):
        further.append(_MYSQL)
    packages = tuple(dict.fromkeys((*PACKAGES, *further)))
    classes = ":".join(f"{place.package(each)}{'/*' if each in (*_FOLDERS, _MYSQL) else ''}" for each in packages)
    keys = credentials(written)
    trusting, trusted = jvm.trust(place, WORD)
    service = Service(
        name=WORD,
        image=f"temurin-{JAVA}",
        packages=packages,
        java=JAVA,
        command=(
            place.java(JAVA),
            *(jvm.heap(_HEAP), *jvm.QUICK, *kafka.LOGGING, *trusting),
            *("bsh.Interpreter", f"{config}/connect.bsh", f"http://{LOOPBACK}:{port}", f"{config}/worker.properties"),
        ),
        environment=(
            *jvm.ENVIRONMENT,
            ("CLASSPATH", classes),
            *(("AWS_SHARED_CREDENTIALS_FILE", f"{config}/{each.path}") for each in keys),
        ),
        files=(
            File("connect.bsh", _WORKER.read_text()),
            File(_ENDS.name, _ENDS.read_text()),
            File("worker.properties", properties(settings)),
            File(VALUES, properties(values)),
            *keys,
            *trusted,
        ),
        ports=(Port(WORD, port, label="Kafka Connect", path="/connectors", gives="pipelines, and changes of them"),),
        probe=Probe("http", port, "/health", expect="healthy"),
        memory_mb=_HEAP + 384,
        needs=(kafka.WORD, *dict.fromkeys(each.service for each in catalogs if each.service)),
        stop_seconds=30,
    )
    return (service,)


def password(pipeline: str) -> str:
    """The key of the password of the database that a pipeline reads. No catalog's key has a hyphen before its dot."""
    return f"{pipeline}-source.password"


def reference(place: Place, key: str) -> str:
    """What stands in a connector's configuration for a value of the file."""
    return f"${{file:{place.config(WORD)}/{VALUES}:{key}}}"


CONNECT = PipelineKind(
    word=WORD,
    label="Kafka Connect",
    on=("process", "docker"),
    listeners=(Listener(WORD, 8083, 8083, "pipelines: the REST API of Kafka Connect"), AGENT.listener),
    catalogs=("rest", "nessie", "polaris", "glue"),
    sources=("topic", "postgres", "mysql"),
    failure="Kafka Connect calls a connector running although its task has failed",
    needs=(kafka.WORD,),
    services=services,
    measured=AGENT.added,
)
