"""`access` on each kind of catalog: what the store, Trino, Polaris and the tables of the store enforce.

`lakehouse access test` makes every call with each principal's own keys, and finds what is not as the file says.
"""

from __future__ import annotations

import configparser
import json
import time

import pytest
import requests

from bootstrap.reconciler.world import World
from bootstrap.session.connect import connect
from lakehouse.access.polaris import PolarisGrant
from lakehouse.kinds.engines.trino_password import RULES
from lakehouse.spec import load
from tests.attacks.attacked import assert_known
from tests.integration.appending import Appender
from tests.integration.deployment import Deployment, until
from tests.integration.trino_users import READ_AGAIN, denied, login, run, soon, status, unfinished_query
from tests.kinds.access.contents import KINDS, customers
from tests.kinds.access.spark_driver import SparkOutcome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_each_port_gives_what_is_known_and_shown(stack: Deployment) -> None:
    assert_known(stack)


def test_a_page_of_another_server_of_this_machine_makes_nothing(stack: Deployment) -> None:
    port = stack.port("rest")
    url, body = f"http://127.0.0.1:{port}/v1/namespaces", '{"namespace": ["evil"], "properties": {}}'
    sites = (f"http://127.0.0.1:{port + 1}", f"http://localhost:{port}", "http://127.0.0.1", "null")
    for site in sites:
        made = requests.post(url, body, headers={"Origin": site, "Content-Type": "text/plain"}, timeout=30)
        assert made.status_code == 403, site
    shown = requests.get(url, headers={"Origin": f"http://127.0.0.1:{port}"}, timeout=30)
    assert (shown.status_code, ["evil"] in shown.json()["namespaces"]) == (200, False)


def appender(stack: Deployment) -> Appender:
    """One that has the keys of `etl`, as they were handed out."""
    keys = configparser.ConfigParser()
    keys.read_string(stack.lakehouse("access", "credentials", "etl", "--show"))
    own = keys["default"]
    given = {"s3.access-key-id": own["aws_access_key_id"], "s3.secret-access-key": own["aws_secret_access_key"]}
    return Appender(stack, "rest", "bronze.raw", **given)


def written(stack: Deployment) -> list[int]:
    shown = stack.lakehouse("sql", "-e", "SELECT id FROM rest.bronze.raw ORDER BY id", "--format", "json")
    return [json.loads(line)["id"] for line in shown.splitlines() if line.startswith("{")]


def test_a_rotation_of_all_principals_loses_no_row_and_no_query(stack: Deployment) -> None:
    """The former keys work on until they are ended; the former password ends, but no query that runs."""
    stack.lakehouse("sql", "-e", "DELETE FROM rest.bronze.raw")
    password, _ = login(stack, "bi")
    writer = appender(stack)
    with writer.appending(), unfinished_query(stack, "bi", "rest.silver.orders", 2):
        stack.lakehouse("access", "rotate", "--all")
        writer.until_more()
        assert writer.failures == []
        assert soon(lambda: status(stack, auth=("bi", password)) == 401)
        stack.lakehouse("access", "rotate", "--all", "--end-former")
        until(lambda: bool(writer.failures), 60)
    assert any(word in writer.failures[0] for word in ("ACCESS_DENIED", "403", "access key ID"))
    assert written(stack) == writer.acknowledged
    with (again := appender(stack)).appending():
        assert again.failures == [], "with the keys that are handed out now"


@pytest.fixture(scope="module")
def table(stack: Deployment) -> list[dict[str, str]]:
    """What was found by each call; none was answered otherwise than the file says."""
    found: list[dict[str, str]] = json.loads(stack.lakehouse("access", "test", "--all", "--json"))
    return found


def test_every_call_is_answered_as_the_file_says(table: list[dict[str, str]]) -> None:
    # SeaweedFS lets nobody put the test's objects beside the tables that it serves itself.
    asked = {
        *(("trino", kind) for kind in KINDS),
        *(("seaweedfs", kind) for kind in ("nessie", "rest", "polaris")),
        ("polaris", "polaris"),
        ("s3tables", "s3tables"),
    }
    assert {(each["at"], each["on"].partition(".")[0]) for each in table} == asked
    for at, kind in asked:
        here = [each for each in table if each["at"] == at and each["on"].startswith(f"{kind}.")]
        assert {each["found"] for each in here if each["principal"] == "nobody"} == {"denied"}
        # No principal has a right to tables that the store serves itself.
        reaches = {"denied"} if at == "s3tables" else {"allowed", "denied"}
        assert {each["found"] for each in here if each["principal"] == "etl"} == reaches
    assert {each["by"] for each in table} == {"boto3", "PyIceberg", "Trino"}


def test_what_is_masked_is_closed_to_pyiceberg_with_the_principals_own_credentials(
    table: list[dict[str, str]],
) -> None:
    own = [each for each in table if (each["principal"], each["at"]) == ("science", "polaris")]
    polaris = {(each["call"], each["on"]): each["found"] for each in own}
    for call in ("load", "read"):
        assert polaris[call, "polaris.silver.orders"] == "allowed"
        assert polaris[call, "polaris.silver.customers"] == "denied"


def test_spark_with_a_principals_own_credentials_may_do_what_the_file_says(by_spark: list[SparkOutcome]) -> None:
    """In Spark a principal is who runs a driver with its own keys."""
    found = by_spark
    assert [(each.call, each.said) for each in found if each.allowed != each.wanted] == []
    done = {(each.call.principal, each.call.operation, each.call.place) for each in found if each.allowed}
    assert {call for who, call, place in done if who == "owner"} >= {"create", "drop"}
    assert ("etl", "write", "polaris.bronze.raw") in done
    for kind in ("nessie", "rest"):
        assert ("etl", "write", f"{kind}.bronze.raw") in done, "with its own keys of the store"
    science = {
        (each.call.operation, each.call.place): each.allowed for each in found if each.call.principal == "science"
    }
    for kind in ("nessie", "polaris", "rest"):
        assert science["read", f"{kind}.silver.orders"]
        assert not science["read", customers(kind)], "its mask would be none"
    assert not any(place.startswith("s3tables.") for _, _, place in done), "nobody has a right to the store's tables"


@pytest.mark.parametrize("kind", KINDS)
def test_filters_and_masks_are_in_trino_and_the_other_ways_are_closed(stack: Deployment, kind: str) -> None:
    everything = f"SELECT id, email FROM {customers(kind)} ORDER BY id"
    assert run(stack, "shop", everything) == [[1, None if kind == "nessie" else "a@example.org"]], "the one has a mask"
    assert run(stack, "science", everything) == [[1, None], [2, None]]
    assert "[default]" not in stack.lakehouse("access", "credentials", "shop", "--show"), "no keys for files"
    for name in ("shop", "science"):
        assert denied(stack, name, f"DELETE FROM {customers(kind)}")


def test_what_trino_and_polaris_allow_too_much_is_found_and_repaired(stack: Deployment) -> None:
    """Somebody has replaced the rules of the one, and made a grant in the other."""
    rules = stack.local.state.config("trino") / RULES
    text = rules.read_text()
    rules.write_text('{"catalogs": [{"allow": "all"}]}')
    _grant_in_polaris(stack, "bi", PolarisGrant(("silver",), "orders", "TABLE_WRITE_DATA", "table"))
    time.sleep(READ_AGAIN)
    found = stack.lakehouse("access", "test", "--principal", "bi", code=1)
    assert "were not answered as the file says" in found
    lines = [line.split() for line in found.splitlines()]
    for at, by in (("trino", "Trino"), ("polaris", "PyIceberg")):
        assert ["bi", "write", "polaris.silver.orders", at, by, "denied", "allowed"] in lines
    stack.lakehouse("apply")
    assert rules.read_text() == text
    time.sleep(READ_AGAIN)
    found = stack.lakehouse("access", "test", "--principal", "bi")
    assert "calls at seaweedfs and polaris and s3tables and trino, all answered as the file says" in found
    assert run(stack, "bi", "SHOW TABLES FROM nessie.silver") == [["orders"]], "nothing of it stays"


def _grant_in_polaris(stack: Deployment, principal: str, more: PolarisGrant) -> None:
    _, connections = connect(stack.file, "local")
    principals = World.of(connections).principals
    assert principals is not None
    lakehouse = load(stack.file).name
    server, name = principals(), f"{lakehouse}-{principal}"
    warehouse = server.warehouses["polaris"]
    have = server.facts(lakehouse)[name].granted[warehouse]
    server.change(name, {warehouse: have | {more}}, enabled=True, deletable=False)


def test_a_rotation_of_a_services_secret_loses_nothing_that_was_acknowledged(stack: Deployment) -> None:
    """It restarts PostgreSQL and the catalog's server: a writer has errors meanwhile, a query goes on."""
    stack.lakehouse("sql", "-e", "DELETE FROM rest.bronze.raw")
    before = stack.local.runtime.processes()["trino"].pid
    writer = appender(stack)
    with writer.appending(), unfinished_query(stack, "bi", "rest.silver.orders", 2):
        stack.lakehouse("secret", "rotate", "postgres-rest")
        planned = stack.planned()
        assert planned >= {"postgres", "rest"}
        assert "trino" not in planned, "it is busy, and must not be restarted"
        stack.deploy()
        writer.until_more()
    found = written(stack)
    assert found == sorted(set(found)), "no row twice"
    assert set(writer.acknowledged) <= set(found)
    assert stack.local.runtime.processes()["trino"].pid == before
    stack.lakehouse("sql", "-e", "DELETE FROM rest.bronze.raw")
