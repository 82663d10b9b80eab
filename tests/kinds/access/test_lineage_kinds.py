"""Lineage on each kind of catalog: Trino's events, and those of a Spark that sends to the same stack, name one table
in one way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bootstrap.metadata.proposals import Urns
from lakehouse.text.openlineage import PLATFORM, S3TABLES
from tests.integration.deployment import Deployment, until
from tests.kinds.access.contents import EVENTS, KINDS
from tests.kinds.access.spark_driver import SparkOutcome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def datasets(stack: Deployment, engine: str, key: str) -> Iterator[dict[str, Any]]:
    """The inputs or outputs of statements that succeeded."""
    for line in (stack.folder / EVENTS).read_text().splitlines():
        event = json.loads(line)
        if event["eventType"] == "COMPLETE" and engine in event["producer"].lower():
            yield from event.get(key) or ()


def named(stack: Deployment, engine: str, key: str) -> set[tuple[str, str]]:
    return {(each["namespace"], each["name"]) for each in datasets(stack, engine, key)}


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "s3tables"])
def test_both_engines_name_a_table_as_datahub_does(stack: Deployment, by_spark: list[SparkOutcome], kind: str) -> None:
    assert any(each.allowed for each in by_spark if each.call.catalog == kind)
    raw = (PLATFORM, f"{kind}.bronze.raw")
    for engine in ("trino", "spark"):
        until(lambda engine=engine: raw in named(stack, engine, "outputs"), 60)  # type: ignore[misc]
    assert (PLATFORM, f"{kind}.silver.orders") in named(stack, "spark", "inputs")
    assert Urns().table(kind, "bronze.raw") == f"urn:li:dataset:(urn:li:dataPlatform:{','.join(raw)},PROD)"


def test_tables_that_the_store_serves_have_such_a_name_too(stack: Deployment) -> None:
    stack.lakehouse("sql", "-e", "DELETE FROM s3tables.bronze.raw WHERE id > 100")
    until(lambda: (PLATFORM, "s3tables.bronze.raw") in named(stack, "trino", "outputs"), 60)


def test_no_table_has_a_name_besides(stack: Deployment, by_spark: list[SparkOutcome]) -> None:
    every = {
        name for engine in ("trino", "spark") for key in ("inputs", "outputs") for name in named(stack, engine, key)
    }
    assert {name.partition(".")[0] for space, name in every if space == PLATFORM} == set(KINDS)
    # Spark says it of tables that it was not let make: its name is that of the driver's own catalog.
    others = {(space, name.partition(".")[0]) for space, name in every if space != PLATFORM}
    assert {catalog.partition("_")[2] for _, catalog in others} <= {"s3tables"}
    assert all(space.startswith(S3TABLES) for space, _ in others)
