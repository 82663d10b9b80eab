"""Spark's settings in a stack with `monitoring`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lakehouse.kinds.platform.monitored import built, text


def test_master_workers_and_driver_give_metrics_if_the_stack_is_monitored(tmp_path: Path) -> None:
    without, found = built(tmp_path, False), built(tmp_path)
    files = {"spark-master": "spark.conf", "spark-worker-1": "spark.conf", "spark-connect": "spark-defaults.conf"}
    for name, file in files.items():
        added = text(found[name], file).removesuffix(text(without[name], file))
        assert "spark.metrics.conf.*.sink.prometheusServlet.class=" in added
    paths = {name: [each.path for port in found[name].ports for each in port.numbers] for name in files}
    assert paths == {
        "spark-master": ["/metrics/master/prometheus/"],
        "spark-worker-1": ["/metrics/prometheus/"],
        "spark-connect": ["/metrics/prometheus/", "/metrics/executors/prometheus/"],
    }


def test_settings_of_the_file_win(tmp_path: Path) -> None:
    engines = {"spark": {"properties": {"spark.metrics.namespace": "mine"}}}
    lines = text(built(tmp_path, engines=engines)["spark-connect"], "spark-defaults.conf").splitlines()
    assert [each for each in lines if each.startswith("spark.metrics.namespace")][-1].endswith("=mine")
