"""The agent that gives metrics of a JVM: only in a stack with `monitoring`, and only what it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakehouse.kinds.pipelines import connect
from lakehouse.kinds.platform import jmx, kafka
from tests.unit.lakehouse.kinds.platform.monitored import PIPELINES, built, content

AGENTS = {each.service: each for each in (kafka.AGENT, connect.AGENT)}


@pytest.mark.parametrize("name", AGENTS)
def test_only_a_monitored_stack_has_it(tmp_path: Path, name: str) -> None:
    without, found = (built(tmp_path, on, pipelines=PIPELINES)[name] for on in (False, True))
    [option] = set(found.command) - set(without.command)
    assert option.startswith("-javaagent:")
    assert found.command[found.command.index(option) - 1].endswith("java"), "the JVM's own options come after it"
    [port] = set(found.ports) - set(without.ports)
    assert port.name == f"{name}-metrics"
    assert f":{port.number}:" in option
    assert option.endswith(f"/{name}/metrics.json")
    assert set(found.packages) - set(without.packages) == {jmx.PACKAGE}
    assert content(found, "metrics.json")["includeObjectNames"] == list(AGENTS[name].include)


def test_a_service_of_somebody_else_stays_as_it_is(tmp_path: Path) -> None:
    services = built(tmp_path, pipelines=PIPELINES)
    for name, each in services.items():
        assert any(word.startswith("-javaagent:") for word in each.command) == (name in AGENTS)


# Attributes as the agent writes them, and the metrics and labels that they become.
SEEN = {
    "kafka.server<type=BrokerTopicMetrics, name=MessagesInPerSec, topic=a.b-c><>Count: 12": (
        "kafka_server_brokertopicmetrics_MessagesIn_total",
        {"topic": "a.b-c"},
    ),
    "kafka.server<type=KafkaRequestHandlerPool, name=RequestHandlerAvgIdlePercent><>OneMinuteRate: 0.9": (
        "kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent",
        {},
    ),
    "kafka.network<type=RequestMetrics, name=TotalTimeMs, request=Produce><>99thPercentile: 3.0": (
        "kafka_network_requestmetrics_totaltimems",
        {"request": "Produce", "quantile": "0.99"},
    ),
    "kafka.cluster<type=Partition, name=LastStableOffsetLag, topic=events, partition=0><>Value: 0": (
        "kafka_cluster_Partition_LastStableOffsetLag",
        {"topic": "events", "partition": "0"},
    ),
    "kafka.log<type=Log, name=Size, topic=events, partition=3><>Value: 100": (
        "kafka_log_Log_Size",
        {"topic": "events", "partition": "3"},
    ),
    "kafka.log<type=LogManager, name=OfflineLogDirectoryCount><>Value: 0": (
        "kafka_log_LogManager_OfflineLogDirectoryCount",
        {},
    ),
    "kafka.controller<type=KafkaController, name=OfflinePartitionsCount><>Value: 0": (
        "kafka_controller_KafkaController_OfflinePartitionsCount",
        {},
    ),
    "kafka.connect<type=connector-task-metrics, connector=lake.a, task=0><>status: running": (
        "kafka_connect_connector_task_status",
        {"connector": "lake.a", "task": "0", "status": "running"},
    ),
    "kafka.connect<type=sink-task-metrics, connector=events, task=0><>sink-record-read-total: 7.0": (
        "kafka_connect_sink-task_sink-record-read_total",
        {"connector": "events", "task": "0"},
    ),
    "kafka.connect<type=sink-task-metrics, connector=events, task=0><>put-batch-avg-time-ms: 7.0": (
        "kafka_connect_sink-task_put-batch-avg-time-ms",
        {"connector": "events", "task": "0"},
    ),
    "kafka.connect<type=connect-worker-metrics><>task-count: 2.0": ("kafka_connect_worker_task-count", {}),
    "kafka.connect<type=connect-worker-metrics><>task-startup-failure-total: 2.0": (
        "kafka_connect_worker_task-startup-failure_total",
        {},
    ),
    "debezium.postgres<type=connector-metrics, context=streaming, server=items><>MilliSecondsBehindSource: 5": (
        "debezium_metrics_MilliSecondsBehindSource",
        {"plugin": "postgres", "context": "streaming", "name": "items"},
    ),
}


def filled(text: str, found: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda at: found.group(int(at.group(1))) or "", text)


@pytest.mark.parametrize("attribute", SEEN)
def test_an_attribute_is_one_metric(attribute: str) -> None:
    """By the first rule whose pattern is found in it, as the agent chooses."""
    service = "kafka" if attribute.split("<")[0] in ("kafka.server", "kafka.network", "kafka.cluster", "kafka.log",
                                                     "kafka.controller") else "connect"  # fmt: skip
    matches = ((each, re.match(f".*?(?:{each.pattern})", attribute)) for each in AGENTS[service].beans)
    bean, found = next((bean, found) for bean, found in matches if found is not None)
    labels = {key: filled(value, found) for key, value in bean.labels.items()}
    assert (filled(bean.name, found), labels) == SEEN[attribute]
    assert bean.type == ("COUNTER" if "total" in attribute or attribute.endswith("Count: 12") else "GAUGE")
