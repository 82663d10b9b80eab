"""Kafka: one broker that is its own controller (KRaft). https://kafka.apache.org/43/configuration/broker-configs/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lakehouse.kinds.platform import PlatformKind, jmx
from lakehouse.services import jvm
from lakehouse.services.service import LOOPBACK, File, Place, Port, Probe, Service
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Listener
from lakehouse.text.properties import properties

WORD, PACKAGE, JAVA = "kafka", "kafka-4.3.1", 21
INNER, CONTROLLER = f"{WORD}-inner", f"{WORD}-controller"
_START = Path(__file__).with_suffix(".sh")
_HEAP = 384  # MiB
_MESSAGES = "messages of all topics, and changes of them"  # what it gives without a login
# slf4j-simple writes to standard error, which the runtime keeps as the service's log.
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
)
# Names are those of the exporter's own examples, which dashboards of others ask for.
# https://kafka.apache.org/43/operations/monitoring/
AGENT = jmx.Agent(
    service=WORD,
    number=9404,
    names="topics",
    include=(
        "kafka.server:type=BrokerTopicMetrics,name=*,topic=*",
        "kafka.server:type=KafkaRequestHandlerPool,name=RequestHandlerAvgIdlePercent",
        "kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce",
        "kafka.network:type=RequestMetrics,name=TotalTimeMs,request=FetchConsumer",
        "kafka.cluster:type=Partition,name=LastStableOffsetLag,topic=*,partition=*",
        "kafka.log:type=Log,name=Size,topic=*,partition=*",
        "kafka.log:type=Log,name=LogEndOffset,topic=*,partition=*",
        "kafka.log:type=LogManager,name=OfflineLogDirectoryCount",
        "kafka.controller:type=KafkaController,name=*",
    ),
    beans=(
        jmx.Bean(
            r"kafka.server<type=BrokerTopicMetrics, name=(\w+)PerSec, topic=(.+)><>Count",
            "kafka_server_brokertopicmetrics_$1_total",
            {"topic": "$2"},
            "COUNTER",
        ),
        jmx.Bean(
            r"kafka.server<type=KafkaRequestHandlerPool, name=RequestHandlerAvgIdlePercent><>OneMinuteRate",
            "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
        ),
        jmx.Bean(
            r"kafka.network<type=RequestMetrics, name=TotalTimeMs, request=(\w+)><>(50|95|99)thPercentile",
            "kafka_network_requestmetrics_totaltimems",
            {"request": "$1", "quantile": "0.$2"},
        ),
        jmx.Bean(
            r"kafka.(cluster|log)<type=(\w+), name=(\w+), topic=(.+), partition=(\d+)><>Value",
            "kafka_$1_$2_$3",
            {"topic": "$4", "partition": "$5"},
        ),
        jmx.Bean(r"kafka.(log|controller)<type=(\w+), name=(\w+)><>Value", "kafka_$1_$2_$3"),
    ),
)


def inner(place: Place) -> str:
    """The address of the broker for other services."""
    return f"{place.host(WORD)}:{place.port(INNER)}"


def services(place: Place, needed: Mapping[str, KindEntry]) -> tuple[Service, ...]:
    """The broker. It tells each client the address to use, so those outside have another port than services."""
    config, data, bind = place.config(WORD), place.data(WORD), place.bind()
    port, inside, controller = (place.port(each) for each in (WORD, INNER, CONTROLLER))
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller}",
        "listeners": f"OUTER://{bind}:{port},INNER://{bind}:{inside},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"OUTER://{place.external(WORD)},INNER://{inner(place)}",
        "listener.security.protocol.map": "OUTER:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INNER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": f"{data}/log",
        # There is one broker, so nothing can have a second copy.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "offsets.topic.num.partitions": "8",  # 50 each by default, for many brokers
        "transaction.state.log.num.partitions": "8",
        "group.initial.rebalance.delay.ms": "0",  # it waits for further members of a new group
    }
    service = Service(
        name=WORD,
        image=f"temurin-{JAVA}",
        packages=(PACKAGE,),
        java=JAVA,
        command=(
            *("/bin/sh", f"{config}/start.sh", f"{data}/log", f"{config}/server.properties"),
            place.java(JAVA),
            *(jvm.heap(_HEAP), *jvm.QUICK, *LOGGING),
        ),
        environment=(*jvm.ENVIRONMENT, ("CLASSPATH", f"{place.package(PACKAGE)}/*")),
        files=(File("start.sh", _START.read_text()), File("server.properties", properties(settings))),
        data=(data,),
        ports=(
            Port(WORD, port, "tcp", label="Kafka", gives=_MESSAGES),
            Port(INNER, inside, "tcp", gives=_MESSAGES, inner=True),
            Port(CONTROLLER, controller, "tcp", gives="settings of the broker and of topics", inner=True),
        ),
        probe=Probe("tcp", port),
        memory_mb=_HEAP + 256,
        stop_seconds=30,
    )
    return (service,)


KAFKA = PlatformKind(
    word=WORD,
    label="Kafka",
    listeners=(
        Listener(WORD, 9092, 9092, "topics, for producers and consumers"),
        Listener(INNER, 9094, 9094),
        Listener(CONTROLLER, 9093, 9093),
        AGENT.listener,
    ),
    services=services,
    measured=AGENT.added,
)
