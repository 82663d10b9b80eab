"""The rules of a stack with `monitoring`: what is recorded, and when there is an alert. docs/monitoring.md lists them.

They are Prometheus' rules: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lakehouse.kinds.platform import Watched

Rule = dict[str, Any]

OBJECTIVE = 0.999  # of the time, a catalog or an engine answers
_BURN = 14.4  # times as fast as the objective allows: 2 % of a month's budget in an hour
_MIB = 1024 * 1024
_HANGS = "20m"  # that a topic of Kafka gives nothing more to readers, although it has more


def every(watched: Watched) -> dict[str, Any]:
    """The content of the file of rules."""
    groups = {
        "services": _services(watched),
        "objectives": _objectives(watched),
        "engines": _engines(watched),
        **({"spark": _spark(watched)} if _workers(watched) else {}),
        **({"store": _minio()} if watched.role("minio") == "store" else {}),
        **({"databases": _databases(watched)} if watched.databases else {}),
        "tables": _tables(watched),
        **({"pipelines": _pipelines(watched)} if watched.has_pipelines else {}),
        **({"kafka": _kafka()} if watched.has("kafka") else {}),
        "machine": _machine(watched),
        **({"schedule": _schedule()} if watched.scheduled else {}),
    }
    return {"groups": [{"name": name, "rules": list(rules)} for name, rules in groups.items()]}


def _alert(name: str, expression: str, lasting: str, severity: str, summary: str) -> Rule:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


def _record(name: str, expression: str, **labels: str) -> Rule:
    return {"record": name, "expr": expression, **({"labels": labels} if labels else {})}


def _services(watched: Watched) -> Iterator[Rule]:
    down = f"{watched.monitoring.down_seconds}s"
    yield _alert(
        "ServiceDown",
        "lakehouse_service_up == 0",
        down,
        "critical",
        "{{ $labels.service }} does not answer: `lakehouse doctor` says why",
    )
    yield _alert(
        "MetricsMissing",
        "up == 0",
        down,
        "warning",
        "{{ $labels.job }} gives no metrics at {{ $labels.instance }}",
    )
    yield _alert(
        "NothingWatched",
        "absent(lakehouse_service_up)",
        down,
        "critical",
        "lakehouse-metrics gives no metrics, so nobody knows whether services answer",
    )


def _objectives(watched: Watched) -> Iterator[Rule]:
    """Of each catalog and engine: how much of the time it answers, and how fast."""
    some = '{role=~"catalog|engine"}'
    for window in ("5m", "1h", "30d"):
        yield _record(f"lakehouse:answers:ratio_{window}", f"avg_over_time(lakehouse_service_up{some}[{window}])")
    budget = 1 - OBJECTIVE
    yield _record(
        "lakehouse:budget_left:ratio_30d", f"1 - (1 - lakehouse:answers:ratio_30d) / {budget:.3f}", objective="99.9%"
    )
    yield _record(
        "lakehouse:answer_seconds:p95_5m", f"quantile_over_time(0.95, lakehouse_service_answer_seconds{some}[5m])"
    )
    burning = f"{_BURN * budget:.4f}"
    # A restart is no tenth of an hour, but of the first minutes that are known.
    known = f"count_over_time(lakehouse_service_up{some}[1h]) > {1800 // watched.monitoring.interval_seconds}"
    yield _alert(
        "ObjectiveAtRisk",
        f"(1 - lakehouse:answers:ratio_1h > {burning}) and (1 - lakehouse:answers:ratio_5m > {burning}) and ({known})",
        "2m",
        "critical",
        "{{ $labels.service }} fails so often that a month's 0.1 % is used up within two days",
    )
    yield _alert(
        "CatalogSlow",
        f'lakehouse:answer_seconds:p95_5m{{role="catalog"}} > {watched.monitoring.thresholds.catalog_seconds:g}',
        "5m",
        "warning",
        "{{ $labels.service }}: 95 of 100 answers take up to {{ $value }} s",
    )


def _engines(watched: Watched) -> Iterator[Rule]:
    """What engines say of their queries. https://trino.io/docs/476/admin/openmetrics.html"""
    if watched.role("trino") != "engine":
        return
    of = "trino_execution_name_QueryManager"
    yield _record("lakehouse:queries:rate5m", f"rate({of}_CompletedQueries[5m])", engine="trino")
    yield _record("lakehouse:queries_failed:rate5m", f"rate({of}_FailedQueries[5m])", engine="trino")
    for name, quantile in (("p50", "0.5"), ("p95", "0.95")):
        times = f'{of}_ExecutionTime_FiveMinutes{{quantile="{quantile}"}}'  # in ms; none while there was no query
        yield _record(f"lakehouse:query_seconds:{name}_5m", f"max without (quantile) ({times}) / 1000", engine="trino")
    yield _alert(
        "QueriesFail",
        f"increase({of}_InternalFailures[10m]) + increase({of}_ExternalFailures[10m])"
        f" + increase({of}_InsufficientResourcesFailures[10m]) > 0",
        "0s",
        "warning",
        "{{ $labels.job }}: queries failed that their users wrote correctly: `lakehouse logs {{ $labels.job }}`",
    )
    yield _alert(
        "QueriesSlow",
        f"lakehouse:query_seconds:p95_5m > {watched.monitoring.thresholds.query_seconds:g}",
        "10m",
        "warning",
        "{{ $labels.engine }}: 95 of 100 queries take up to {{ $value }} s",
    )


def _workers(watched: Watched) -> int:
    """How many workers the Spark of the stack has."""
    return sum(each.name.startswith("spark-worker-") for each in watched.services)


def _spark(watched: Watched) -> Iterator[Rule]:
    """What Spark's master says of its cluster."""
    yield _alert("SparkWorkersMissing", f"metrics_master_aliveWorkers_Value < {_workers(watched)}", "2m", "warning",
                 "Spark's master has only {{ $value }} workers: `lakehouse status`")  # fmt: skip
    yield _alert("SparkWaits", "metrics_master_waitingApps_Value > 0", "10m", "warning",
                 "{{ $value }} applications wait for cores of Spark: add `workers` or `cores`")  # fmt: skip


def _minio() -> Iterator[Rule]:
    """What MinIO says of its requests. https://docs.min.io/community/minio-object-store/reference/minio-metrics.html"""
    yield _alert("StoreFails", "sum(increase(minio_s3_requests_5xx_errors_total[10m])) > 0", "0s", "warning",
                 "the store failed {{ $value }} requests in 10 minutes: `lakehouse logs minio`")  # fmt: skip


def _databases(watched: Watched) -> Iterator[Rule]:
    full = "sum(lakehouse_database_connections) / max(lakehouse_database_connections_max)"
    most = f"{watched.monitoring.thresholds.connections_percent / 100:g}"
    yield _alert("DatabaseFull", f"{full} > {most}", "5m", "warning",
                 "{{ $value | humanizePercentage }} of PostgreSQL's connections are in use")  # fmt: skip


def _tables(watched: Watched) -> Iterator[Rule]:
    limits = watched.monitoring.thresholds
    name = "{{ $labels.catalog }}.{{ $labels.namespace }}.{{ $labels.table }}"
    yield _alert("TableUnwell", f"lakehouse_table_health < {limits.health}", "0s", "warning",
                 name + " has health {{ $value }} of 100: `lakehouse maintain` repairs it")  # fmt: skip
    yield _alert(
        "SmallFiles",
        f"lakehouse_table_average_file_size_bytes < {limits.small_file_mib * _MIB}"
        f" and lakehouse_table_files > {limits.small_files}",
        "0s",
        "warning",
        name + " has many files of {{ $value | humanize1024 }}B on average: `maintenance: {compact: {}}`",
    )
    yield _alert("ManySnapshots", f"lakehouse_table_snapshots > {limits.snapshots}", "0s", "warning",
                 name + " keeps {{ $value }} snapshots: `maintenance: {expire_snapshots: {}}`")  # fmt: skip
    late = 3 * 60 * watched.monitoring.tables_minutes
    yield _alert(
        "TablesNotRead",
        f"(time() - lakehouse_tables_read_timestamp_seconds > {late}) or (lakehouse_tables_read_success == 0)",
        "5m",
        "warning",
        "tables cannot be read: `lakehouse logs lakehouse-metrics` says why",
    )


def _schedule() -> Iterator[Rule]:
    yield _alert("ScheduledRunFailed", "lakehouse_schedule_last_run_failed == 1", "0s", "warning",
                 "{{ $labels.task }} failed when it ran last: `lakehouse schedule history` names its log")  # fmt: skip
    yield _alert("SchedulerDown", "lakehouse_scheduler_up == 0", "5m", "warning",
                 "no task of the schedule runs: `lakehouse deploy` starts the scheduler")  # fmt: skip


def _pipelines(watched: Watched) -> Iterator[Rule]:
    limits = watched.monitoring.thresholds
    name = "pipeline {{ $labels.pipeline }}"
    yield _alert(
        "PipelineFailed",
        "lakehouse_pipeline_failed == 1",
        f"{watched.monitoring.down_seconds}s",
        "critical",
        name + " has failed: `lakehouse pipelines logs {{ $labels.pipeline }}` says why",
    )
    yield _alert(
        "ConsumerLag",
        f"lakehouse_pipeline_lag_messages > {limits.lag_messages}",
        "10m",
        "warning",
        name + ": its table lacks {{ $value }} messages: `lakehouse pipelines status`",
    )
    yield _alert(
        "SlotKeepsLog",
        f"lakehouse_pipeline_slot_kept_bytes > {limits.slot_mib * _MIB}",
        "10m",
        "warning",
        name + ": the database keeps {{ $value | humanize1024 }}B of its log for it: `lakehouse pipelines status`",
    )
    yield _alert(
        "PipelinesNotRead",
        "(time() - lakehouse_pipelines_read_timestamp_seconds > 300) or (lakehouse_pipelines_read_success == 0)",
        "5m",
        "warning",
        "pipelines cannot be read: `lakehouse logs lakehouse-metrics` says why",
    )


def _kafka() -> Iterator[Rule]:
    yield _alert("KafkaOffline", "kafka_controller_kafkacontroller_offlinepartitionscount > 0", "1m", "critical",
                 "{{ $value }} partitions of topics are offline: `lakehouse logs kafka`")  # fmt: skip
    # Kafka ends a transaction of a producer that says nothing more within fifteen minutes at most. What is behind it
    # moves on with each transaction that ends, also where one follows another without a pause.
    waiting = "kafka_cluster_partition_laststableoffsetlag"
    stands = f"delta((kafka_log_log_logendoffset - {waiting})[{_HANGS}:1m]) == 0"
    yield _alert("TransactionHangs", f"(min_over_time({waiting}[{_HANGS}]) > 0) and ({stands})", "0s", "critical",
                 "{{ $labels.topic }} of Kafka has a transaction without an end, and nobody reads what came after it: "
                 "`lakehouse logs connect`")  # fmt: skip


def _machine(watched: Watched) -> Iterator[Rule]:
    limits = watched.monitoring.thresholds
    least, days = f"{limits.disk_percent / 100:g}", limits.certificate_days
    yield _alert("DiskFull", f"lakehouse_disk_free_bytes / lakehouse_disk_size_bytes < {least}", "1m", "critical",
                 "only {{ $value | humanizePercentage }} of the disk is free; "
                 "the store stops writes before it is full")  # fmt: skip
    yield _alert("NoInodes", f"lakehouse_disk_free_inodes / lakehouse_disk_inodes < {least}", "1m", "critical",
                 "only {{ $value | humanizePercentage }} of the disk's files can still be made")  # fmt: skip
    yield _alert("CertificateEnds", f"lakehouse_certificate_end_timestamp_seconds - time() < {days} * 86400", "0s",
                 "warning", "{{ $labels.certificate }} "
                 f"ends within {days} days: `lakehouse deploy` renews it")  # fmt: skip
