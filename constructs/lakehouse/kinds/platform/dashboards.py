"""The dashboard that VictoriaMetrics' pages have for a lakehouse.

https://github.com/VictoriaMetrics/VictoriaMetrics/tree/master/app/vmui/packages/vmui/public/dashboards has its format.
"""

from __future__ import annotations

from typing import Any

from lakehouse.kinds.platform import Watched

_TRINO = "trino_execution_name_QueryManager"
_TABLE = "{{catalog}}.{{namespace}}.{{table}}"


def lakehouse(watched: Watched) -> dict[str, Any]:
    """The dashboard as a value of JSON, with a row for what the stack has."""
    rows = [
        _row(
            "Services",
            _panel("Up", "lakehouse_service_up", alias="{{service}}"),
            _panel("Seconds until an answer", "lakehouse_service_answer_seconds", unit="s", alias="{{service}}"),
            _panel("Answers, 95 of 100, seconds", "lakehouse:answer_seconds:p95_5m", unit="s", alias="{{service}}"),
            _panel("Answered in the last hour", "lakehouse:answers:ratio_1h * 100", unit="%", alias="{{service}}"),
        )
    ]
    if watched.role("trino") == "engine":
        rows.append(
            _row(
                "Trino",
                _panel(
                    "Queries in a second",
                    "lakehouse:queries:rate5m",
                    "lakehouse:queries_failed:rate5m",
                    alias="{{__name__}}",
                ),
                _panel(
                    "Running and queued", f"{_TRINO}_RunningQueries", f"{_TRINO}_QueuedQueries", alias="{{__name__}}"
                ),
                _panel(
                    "Seconds of queries, 50 and 95 of 100",
                    "lakehouse:query_seconds:p50_5m",
                    "lakehouse:query_seconds:p95_5m",
                    unit="s",
                    alias="{{__name__}}",
                ),
            )
        )
    if watched.role("seaweedfs") == "store":
        rows.append(
            _row(
                "SeaweedFS",
                _panel("Requests in a second", "sum(rate(SeaweedFS_s3_request_total[5m])) by (type)", alias="{{type}}"),
                _panel(
                    "Seconds of a request, 95 of 100",
                    "histogram_quantile(0.95, sum(rate(SeaweedFS_s3_request_seconds_bucket[5m])) by (le, type))",
                    unit="s",
                    alias="{{type}}",
                ),
            )
        )
    if watched.role("minio") == "store":
        rows.append(
            _row(
                "MinIO",
                _panel("Requests in a second", "sum(rate(minio_s3_requests_total[5m])) by (api)", alias="{{api}}"),
                _panel(
                    "Refused and failed requests in a second",
                    "sum(rate(minio_s3_requests_errors_total[5m])) by (api)",
                    alias="{{api}}",
                ),
                _panel("Free bytes", "minio_cluster_capacity_usable_free_bytes", unit="B"),
            )
        )
    if watched.has("spark-master"):
        rows.append(_spark(watched))
    if watched.databases:
        rows.append(
            _row(
                "PostgreSQL",
                _panel("Connections", "lakehouse_database_connections", alias="{{database}}"),
                _panel("Transactions in a second", "rate(lakehouse_database_commits_total[5m])", alias="{{database}}"),
                _panel("Size", "lakehouse_database_size_bytes", unit="B", alias="{{database}}"),
            )
        )
    if any(watched.role(each.name) == "catalog" and each.name.startswith("nessie") for each in watched.services):
        rows.append(
            _row(
                "Nessie",
                _panel("Requests in a second", "sum(rate(http_server_requests_seconds_count[5m])) by (job, status)"),
                _panel(
                    "Seconds of a request, mean",
                    "sum(rate(http_server_requests_seconds_sum[5m])) by (job)"
                    " / sum(rate(http_server_requests_seconds_count[5m])) by (job)",
                    unit="s",
                ),
            )
        )
    if watched.has_pipelines:
        rows.append(
            _row(
                "Pipelines",
                _panel("Failed", "lakehouse_pipeline_failed", alias="{{pipeline}}"),
                _panel("Messages that tables lack", "lakehouse_pipeline_lag_messages", alias="{{pipeline}}"),
                _panel(
                    "Bytes that databases keep", "lakehouse_pipeline_slot_kept_bytes", unit="B", alias="{{pipeline}}"
                ),
            )
        )
    if watched.has("kafka"):
        rows.append(_kafka())
    if watched.has("connect"):
        rows.append(_connect())
    rows += [
        _row(
            "Tables",
            _panel("Health", "lakehouse_table_health", alias=_TABLE),
            _panel("Data files", "lakehouse_table_files", alias=_TABLE),
            _panel("Snapshots", "lakehouse_table_snapshots", alias=_TABLE),
            _panel("Stored bytes", "lakehouse_table_stored_size_bytes", unit="B", alias=_TABLE),
        ),
        _row(
            "Machine",
            _panel("Free bytes of the disk", "lakehouse_disk_free_bytes", unit="B"),
            _panel("Available memory", "node_memory_MemAvailable_bytes", unit="B"),
            _panel("Busy processors", 'sum(rate(node_cpu_seconds_total{mode!="idle"}[5m]))'),
        ),
    ]
    return {"title": "Lakehouse", "rows": rows}


def _spark(watched: Watched) -> dict[str, Any]:
    """The cluster, and the driver and executors of Spark Connect if there is one."""
    panels = [
        _panel(
            "Workers, applications, waiting ones",
            "metrics_master_aliveWorkers_Value",
            "metrics_master_apps_Value",
            "metrics_master_waitingApps_Value",
            alias="{{__name__}}",
        ),
        _panel("Cores in use", "metrics_worker_coresUsed_Value", alias="{{job}}"),
    ]
    connect = next((each for each in watched.services if each.name == "spark-connect"), None)
    if connect is not None:
        panels.append(
            _panel(
                "Jobs that run, stages that failed",
                "metrics_spark_driver_DAGScheduler_job_activeJobs_Value",
                "metrics_spark_driver_DAGScheduler_stage_failedStages_Value",
                alias="{{__name__}}",
            )
        )
        if len([each for port in connect.ports for each in port.numbers]) > 1:  # Spark 4.0 and newer
            panels.append(
                _panel(
                    "Tasks that failed, of each executor",
                    "metrics_executor_failedTasks_total",
                    alias="{{executor_id}}",
                )
            )
    return _row("Spark", *panels)


def _kafka() -> dict[str, Any]:
    own = "kafka_server_brokertopicmetrics"
    return _row(
        "Kafka",
        _panel("Messages in a second", f"sum(rate({own}_messagesin_total[5m])) by (topic)", alias="{{topic}}"),
        _panel("Bytes of topics", "sum(kafka_log_log_size) by (topic)", unit="B", alias="{{topic}}"),
        _panel(
            "Seconds of a request, 99 of 100",
            'kafka_network_requestmetrics_totaltimems{quantile="0.99"} / 1000',
            unit="s",
            alias="{{request}}",
        ),
        _panel(
            "Messages behind the end of a transaction",
            "sum(kafka_cluster_partition_laststableoffsetlag) by (topic)",
            alias="{{topic}}",
        ),
    )


def _connect() -> dict[str, Any]:
    task = "kafka_connect_sink_task"
    return _row(
        "Kafka Connect",
        _panel("Messages in a second", f"{task}_sink_record_read_rate", alias="{{connector}}"),
        _panel("Seconds of a batch, mean", f"{task}_put_batch_avg_time_ms / 1000", unit="s", alias="{{connector}}"),
        _panel("Messages that failed", "kafka_connect_task_error_total_record_failures", alias="{{connector}}"),
    )


def _row(title: str, *panels: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "panels": list(panels)}


def _panel(title: str, *expressions: str, unit: str = "", alias: str = "") -> dict[str, Any]:
    aliases = {"alias": [alias] * len(expressions)} if alias else {}
    return {"title": title, "width": 6, "unit": unit, "expr": list(expressions), **aliases}
