"""The engines' settings in the synthesised stacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWN = "spark.sql.catalog.glue_catalog"


def test_what_configures_instances_is_an_output(stacks: Mapping[str, Any]) -> None:
    outputs = stacks["clusters"]["output"]
    assert outputs["trino_catalogs"]["value"]["glue_catalog"]["iceberg.catalog.type"] == "glue"
    assert outputs["spark_defaults"]["value"][f"{OWN}.catalog-impl"].endswith("GlueCatalog")
    assert outputs["spark_defaults"]["value"]["spark.master.rest.enabled"] == "false"


def test_what_the_file_says_of_spark_comes_last(stacks: Mapping[str, Any]) -> None:
    [application] = stacks["aws"]["resource"]["aws_emrserverless_application"].values()
    [defaults] = application["runtime_configuration"]
    assert defaults["properties"]["spark.jars"].endswith("iceberg-spark3-runtime.jar")
    assert defaults["properties"][f"{OWN}.cache-enabled"] == "true"
