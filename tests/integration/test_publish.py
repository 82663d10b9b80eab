"""Write, audit, publish: the blocks of docs/session.md, on the real engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML

from tests.integration.deployment import Deployment
from tests.integration.test_session import replay, session

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TABLES = ("lake.bronze.minute_aggs", "lake.silver.minute_aggs")


@pytest.fixture(scope="module")
def lakehouse(deployed: Deployment) -> Iterator[Deployment]:
    before = deployed.file.read_text()
    yield deployed
    withdraw(deployed)
    deployed.file.write_text(before)
    deployed.deploy()
    assert ["lake_etl"] not in deployed.trino("SHOW CATALOGS"), "the branch's catalog goes with it"


def withdraw(deployed: Deployment) -> None:
    """Remove the branch, and the published rows."""
    for table in TABLES:
        deployed.trino(f"DELETE FROM {table} WHERE ticker = 'TEST'")
    deployed.lakehouse("branch", "delete", "etl", "--allow-destroy", code=None)


def counts(deployed: Deployment, catalog: str) -> list[int]:
    found = []
    for table in TABLES:
        there = table.replace("lake.", f"{catalog}.", 1)
        [[count]] = deployed.trino(f"SELECT count(*) FROM {there} WHERE ticker = 'TEST'")
        found.append(count)
    return found


def test_the_page_writes_audits_and_publishes(lakehouse: Deployment) -> None:
    blocks = session("Write, audit, publish")
    assert [block.language for block in blocks] == ["yaml", "bash", "sql", "sql", "text", "bash", "sql", "text"]
    shown = ""
    for block in blocks:
        if block.language == "yaml":
            said = YAML(typ="safe").load(block.code)["catalogs"]["lake"]["branches"]
            lakehouse.change("catalogs", "lake", "branches", to=said)
        elif block.language == "text":
            assert shown == block.code
        else:
            shown = replay(block, lakehouse)
    assert counts(lakehouse, "lake") == [1, 1]
    assert "No changes." in lakehouse.lakehouse("plan")


def test_no_table_is_published_if_one_of_two_changed(lakehouse: Deployment) -> None:
    withdraw(lakehouse)
    lakehouse.lakehouse("apply")  # the branch again, from what is published now; the engines have its catalog
    assert counts(lakehouse, "lake_etl") == counts(lakehouse, "lake") == [0, 0]
    row = "('TEST', TIMESTAMP '2026-03-02 14:30:00', 1, 1, 1, 1, 1, 1, '2026-03-02')"
    inserts = [f"INSERT INTO {table.replace('minute_aggs', '`minute_aggs@etl`')} VALUES {row}" for table in TABLES]
    lakehouse.lakehouse("sql", "--engine", "spark", "-e", ";".join(inserts))
    values = row.replace("14:30:00'", "14:31:00 UTC'")
    lakehouse.trino(f"INSERT INTO {TABLES[0]} VALUES {values}")
    assert (counts(lakehouse, "lake_etl"), counts(lakehouse, "lake")) == ([1, 1], [1, 0])
    refused = lakehouse.lakehouse("branch", "merge", "etl", code=1)
    assert "bronze.minute_aggs" in refused
    assert "Traceback" not in refused
    assert counts(lakehouse, "lake") == [1, 0], "nothing of the branch came"
