"""The engines' settings in the synthesised stacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWN = "spark.sql.catalog.glue_catalog"


def test_each_principal_has_an_application_with_the_catalogs(stacks: Mapping[str, Any]) -> None:
    applications = stacks["aws"]["resource"]["aws_emrserverless_application"]
    assert set(applications) == {f"spark_{principal}" for principal in ("bi", "directory", "etl", "admin")}
    application = applications["spark_bi"]
    [defaults] = application["runtime_configuration"]
    assert defaults["properties"]["spark.jars"].endswith("iceberg-spark3-runtime.jar")
    assert defaults["properties"][f"{OWN}.cache-enabled"] == "true"
