"""lakehouses/004-sigv4-tables.yaml as its users work with it, and on bad days. docs/replays.md has the session.

The tests follow one another: each leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from trino.exceptions import TrinoQueryError

from bootstrap.session.connect import store
from tests.integration.deployment import PROJECT, Deployment, kill, until, up
from tests.integration.findings import behind, doctor, errors

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FILE = "lakehouses/004-sigv4-tables.yaml"
ROWS = 20_000  # the reference system generates a million
[ANALYSIS] = re.findall(r"^```sql\n(.*?)^```$", (PROJECT / "docs/replays.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The file as it is, except for ports that others may use here."""
    made = Deployment.make(tmp_path_factory.mktemp("004") / "a lakehouse", source=FILE)
    with up(made):
        yield made


def count(stack: Deployment) -> int:
    [[found]] = stack.trino("SELECT count(*) FROM tutorial.taxi.trips")
    return int(found)


def test_generate_ingest_and_analyse(stack: Deployment) -> None:
    """``generate_synthetic_data.py``, then ``run_trino_analysis.sh``: Spark loads what is staged, Trino reports."""
    script = str(PROJECT / "lakehouses/taxi_trips.py")
    stack.run(sys.executable, script, "--rows", str(ROWS / 1_000_000))
    loaded = stack.lakehouse("ingest", "data/parquet", "--into", "tutorial.taxi.trips")
    assert f"tutorial.taxi.trips: {ROWS} rows from 1 files appended" in loaded
    assert "0 rows" in stack.lakehouse("ingest", "data/parquet", "--into", "tutorial.taxi.trips"), "loaded before"
    printed = stack.lakehouse("sql", "--timing", "-e", ANALYSIS)
    assert "Flash Cab" in printed
    assert re.search(r"^\d+\.\d\d s$", printed, re.MULTILINE), "its time"
    assert count(stack) == ROWS
    partitions = stack.trino('SELECT count(*) FROM tutorial.taxi."trips$partitions"')
    assert partitions == [[12]]
    spark = stack.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", "SELECT count(*) FROM taxi.trips")
    assert str(ROWS) in spark


def created(stack: Deployment, **signing: str) -> str:
    """The reference system's statement, with the addresses and the keys of this one."""
    keys = store(stack.local)
    settings = {
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": f"http://127.0.0.1:{stack.port('seaweedfs-tables')}",
        "iceberg.rest-catalog.warehouse": "trinotutorial",
        **signing,
        "fs.native-s3.enabled": "true",
        "s3.endpoint": f"http://127.0.0.1:{stack.port('seaweedfs')}",
        "s3.region": "us-east-1",
        "s3.path-style-access": "true",
        "s3.aws-access-key": keys.access_key or "",
        "s3.aws-secret-key": keys.secret_key or "",
    }
    listed = ", ".join(f""""{key}" = '{value}'""" for key, value in settings.items())
    return f"CREATE CATALOG tutorial_catalog USING iceberg WITH ({listed})"


def test_a_catalog_made_in_trino(stack: Deployment) -> None:
    later = {"iceberg.rest-catalog.security": "SIGV4", "iceberg.rest-catalog.signing-name": "s3tables"}
    with pytest.raises(TrinoQueryError):
        stack.trino(created(stack, **later))
    spelled = {"iceberg.rest-catalog.sigv4-enabled": "true", "iceberg.rest-catalog.signing-name": "s3tables"}
    stack.trino(created(stack, **spelled))
    assert ["tutorial_catalog"] in stack.trino("SHOW CATALOGS")
    assert stack.trino("SELECT count(*) FROM tutorial_catalog.taxi.trips") == [[ROWS]]
    stack.trino("DROP CATALOG tutorial_catalog")


def test_the_validation_commands(stack: Deployment) -> None:
    assert requests.get(f"http://127.0.0.1:{stack.port('seaweedfs')}/healthz", timeout=30).ok
    assert requests.get(f"http://127.0.0.1:{stack.port('trino')}/v1/status", timeout=30).ok
    assert "tutorial" in stack.lakehouse("sql", "-e", "SHOW CATALOGS")
    assert "4.1" in stack.lakehouse("sql", "--engine", "spark", "-e", "SELECT version()")


def test_nothing_is_planned_and_doctor_finds_nothing(stack: Deployment) -> None:
    assert stack.planned() == set()
    assert errors(doctor(stack, code=0)) == set()


@pytest.mark.matrix  # in CI each version of Spark verifies one lakehouse
def test_every_client_writes_and_reads(stack: Deployment) -> None:
    assert "checks passed" in stack.lakehouse("verify")


def test_a_column_that_spark_added_is_drift(stack: Deployment) -> None:
    stack.lakehouse("sql", "--engine", "spark", "-e", "ALTER TABLE tutorial.taxi.trips ADD COLUMN surprise bigint")
    assert "surprise" in stack.lakehouse("drift", code=2)
    stack.trino("ALTER TABLE tutorial.taxi.trips DROP COLUMN surprise")
    assert "surprise" not in stack.lakehouse("drift", code=0)


def test_killed_servers_come_back_with_all_they_had(stack: Deployment) -> None:
    kill(stack, "seaweedfs", "trino")
    until(lambda: all(stack.local.runtime.healthy().values()))
    assert count(stack) == ROWS
    assert stack.planned() == set()


def test_keys_that_were_replaced_in_the_state_folder(stack: Deployment) -> None:
    secret = stack.local.state.kept("store-secret-key")
    former = secret.read_text()
    secret.write_text("0" * 40)
    try:
        found = doctor(stack, code=1)
    finally:
        secret.write_text(former)
    assert "keys" in errors(found)
    assert "catalog tutorial" in behind(found, "keys")
    assert found["keys"]["fix"]


def test_stop_keeps_the_data_and_clean_removes_it(stack: Deployment) -> None:
    stack.destroy()
    root: Any = stack.local.state.root
    assert (root / "data" / "seaweedfs").is_dir()
    stack.lakehouse("destroy", "--data", "--yes")
    assert not (root / "data").exists()
