"""Spark in a stack with `monitoring`: metrics of its master, workers and Connect's driver in Prometheus' format.

By itself it gives them as JSON only. https://spark.apache.org/docs/latest/monitoring.html#metrics
"""

from __future__ import annotations

from dataclasses import replace

from lakehouse.kinds.engines.spark_cluster import CONNECT, MASTER
from lakehouse.services.service import Numbers, Service
from lakehouse.text.placeholders import joined
from lakehouse.text.properties import properties

_SINK = "sink.prometheusServlet"
_SETTINGS = {
    f"spark.metrics.conf.*.{_SINK}.class": "org.apache.spark.metrics.sink.PrometheusServlet",
    f"spark.metrics.conf.*.{_SINK}.path": "/metrics/prometheus",
    f"spark.metrics.conf.master.{_SINK}.path": "/metrics/master/prometheus",
    f"spark.metrics.conf.applications.{_SINK}.path": "/metrics/applications/prometheus",
    # In the names of a driver's metrics. By itself it is the application's id, which is new at each start.
    "spark.metrics.namespace": "spark",
}
_FILES = ("spark.conf", "spark-defaults.conf")


def measured(service: Service) -> Service:
    """The service with these settings, before its own: of two lines with one key, Spark takes the last."""
    own = Numbers("/metrics/master/prometheus/" if service.name == MASTER else "/metrics/prometheus/")
    if service.name not in (MASTER, CONNECT) and not service.name.startswith("spark-worker-"):
        return service  # the Thrift server has no pages
    ports = [
        replace(each, numbers=(own, *each.numbers)) if each.name == f"{service.name}-ui" else each
        for each in service.ports
    ]
    files = [
        replace(each, text=joined([properties(_SETTINGS), each.text])) if each.path in _FILES else each
        for each in service.files
    ]
    return replace(service, ports=tuple(ports), files=tuple(files))
