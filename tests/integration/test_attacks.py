"""What somebody without a login gets from the default lakehouse, which is open; docs/security.md says so."""

from __future__ import annotations

import pytest
import requests
from pyspark.sql.connect.session import SparkSession

from tests.attacks.attacked import assert_known, assert_known_further
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

_KEY = "spark.sql.catalog.lake.s3.secret-access-key"


def test_each_port_gives_what_is_known_and_shown(deployed: Deployment) -> None:
    found = assert_known(deployed)
    assert {each.port.name for each in found} == set(deployed.local.ports)


def test_the_ports_that_spark_chooses_give_what_is_known(deployed: Deployment) -> None:
    deployed.lakehouse("sql", "-e", "SELECT 1", "--engine", "spark")  # an executor is there
    assert_known_further(deployed)


def test_a_page_starts_no_query_with_a_name_in_its_address(deployed: Deployment) -> None:
    """A browser that is led to http://NAME@127.0.0.1 sends the name. Trino takes it, but runs only what is followed."""
    headers = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    url = f"http://127.0.0.1:{deployed.port('trino')}/v1/statement"
    made = requests.post(url, "CREATE SCHEMA lake.evil --", headers=headers, auth=("name", ""), timeout=30)
    assert made.json()["stats"]["state"] == "QUEUED"
    assert deployed.trino("SELECT 1") == [[1]], "a later query has run"
    assert ["evil"] not in deployed.trino("SHOW SCHEMAS FROM lake")
    assert deployed.trino(f"SELECT count(*) FROM system.runtime.queries WHERE query_id = '{made.json()['id']}'") == [
        [0]
    ]


def test_whoever_reaches_connect_reads_the_secrets_of_the_state_folder(
    deployed: Deployment, spark: SparkSession
) -> None:
    """It is the service, which must read them."""
    state = deployed.local.state
    secret = state.secret("store-secret-key")
    assert spark.read.text(f"file://{state.root}/secrets/store-secret-key").collect()[0][0] == secret
    configured = spark.read.text(f"file://{state.config('spark-connect')}/spark-defaults.conf").collect()
    assert any(secret in each[0] for each in configured)


def test_spark_shows_no_keys_by_itself(deployed: Deployment, spark: SparkSession) -> None:
    """On its page of the environment, and by SET; neither does the text of a query that names the setting."""
    page = f"http://127.0.0.1:{deployed.port('spark-connect-ui')}"
    [application, *_] = requests.get(f"{page}/api/v1/applications", timeout=30).json()
    shown = [
        requests.get(f"{page}/environment/", timeout=30).text,
        requests.get(f"{page}/api/v1/applications/{application['id']}/environment", timeout=30).text,
        *(str(spark.sql(text).collect()) for text in (f"SET `{_KEY}`", "SET -v", "SET", f"SELECT '${{{_KEY}}}'")),
        str(spark.conf.getAll),
    ]
    assert all("spark.app.name" in each for each in shown[:2]), "it is the right page"
    assert [nth for nth, each in enumerate(shown) if deployed.local.state.secret("store-secret-key") in each] == []
    assert [nth for nth, each in enumerate(shown) if deployed.local.state.secret("store-access-key") in each] == []
