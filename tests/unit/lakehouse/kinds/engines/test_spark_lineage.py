"""Spark's listener."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lakehouse.kinds.platform.monitored import built, text

LINEAGE = {"url": "http://m:5000", "token": "t"}


@pytest.mark.parametrize(("version", "scala"), [("3.5", "2.12"), ("4.1", "2.13")])
def test_the_jar_fits_scala_and_is_on_each_class_path(version: str, scala: str, tmp_path: Path) -> None:
    found = built(tmp_path, False, lineage=LINEAGE, engines={"spark": {"version": version}})
    jar = f"openlineage-spark-{scala}"
    for name in ("spark-master", "spark-worker-1", "spark-connect"):
        assert jar in found[name].packages
        assert any(f":/packages/{jar}:" in word for word in found[name].command)


def test_drivers_send_to_the_service_and_do_not_show_its_key(tmp_path: Path) -> None:
    settings = text(built(tmp_path, False, lineage=LINEAGE)["spark-connect"], "spark-defaults.conf").splitlines()
    assert {each for each in settings if "penlineage" in each} == {
        "spark.extraListeners=io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.namespace=demo",
        "spark.openlineage.transport.type=http",
        "spark.openlineage.transport.url=http://outside.internal:5055",
        "spark.openlineage.transport.endpoint=/api/v1/lineage",
        "spark.openlineage.transport.auth.type=api_key",
        "spark.openlineage.transport.auth.apiKey=<secret:lineage-key>",
    } | {each for each in settings if each.startswith(("spark.driver.extra", "spark.executor.extraC"))}
    assert "spark.redaction.regex=(?i)secret|password|token|access[.-]?key|api[.-]?key" in settings
