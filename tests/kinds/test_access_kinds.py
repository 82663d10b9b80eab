"""`access` on each kind of catalog that test_trino_password does not have: what the store, Trino and Polaris enforce.

`lakehouse access test` makes every call with each principal's own keys, and finds what is not as the file says.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bootstrap.reconciler.world import World
from bootstrap.session.connect import connect
from lakehouse.access.polaris import PolarisGrant
from lakehouse.spec import load
from tests.attacks.attacked import assert_known
from tests.integration.appending import Appender
from tests.integration.deployment import Deployment, until, up
from tests.integration.trino_users import denied, login, run, soon, status, unfinished_query
from tests.kinds.access_spark import outcomes
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

KINDS = ("rest", "polaris", "s3tables")  # of catalogs, which have their names here
TABLE = {"columns": {"id": "long", "region": "string", "email": {"type": "string", "tags": ["pii"]}}}
ROWS = "(1, 'EU', 'a@example.org'), (2, 'US', 'b@example.org')"
NAMESPACES = {"bronze": {"tables": {"raw": TABLE}}, "silver": {"tables": {"orders": TABLE, "customers": TABLE}}}


def customers(kind: str) -> str:
    return f"{kind}.silver.customers"


def on_each(target: str, granted: Any) -> dict[str, Any]:
    """A role with that grant in each catalog."""
    return {"grants": {f"{kind}.{target}": granted for kind in KINDS}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A catalog of each kind over SeaweedFS, with one Trino, and no Spark: its jobs would go around everything."""
    folder = tmp_path_factory.mktemp("access")
    access = {
        "roles": {
            "reader": on_each("silver.orders", ["read"]),
            "writer": on_each("bronze", ["write"]),
            "steward": on_each("bronze", ["manage"]),
            "narrow": on_each("silver.customers", {"verbs": ["read"], "rows": "region = 'EU'"}),
            "masked": on_each("silver.customers", {"verbs": ["read"], "columns": {"tag:pii": "mask"}}),
        },
        "principals": {
            "bi": {"roles": ["reader"]},
            "etl": {"roles": ["writer"]},
            "owner": {"roles": ["steward"]},
            "shop": {"roles": ["narrow"]},
            "science": {"roles": ["masked", "reader"]},  # so it has credentials, which do not open what is masked
            "nobody": {"roles": []},
        },
        # A REST server that asks nobody who they are lets whoever may write there rename the table.
        "enforce": "best-effort",
    }
    locations = {"rest": "s3://warehouse/rest", "polaris": "s3://warehouse/polaris", "s3tables": "s3://tables"}
    entries = {kind: {"kind": kind} for kind in KINDS} | {"polaris": {"kind": "polaris", "home": str(home(folder))}}
    made = Deployment.make(
        folder / "a lakehouse",
        {
            ("engines",): {"trino": {"memory": "1g", "authentication": "password"}},
            ("buckets",): {"warehouse": {}, "tables": {}},
            ("catalogs",): {kind: {"location": locations[kind], "namespaces": NAMESPACES} for kind in KINDS},
            ("stacks", "local"): {"runtime": "process", "store": "seaweedfs", "catalogs": entries},
            ("access",): access,
        },
    )
    with up(made):
        tables = [f"{kind}.{table}" for kind in KINDS for table in ("bronze.raw", "silver.orders", "silver.customers")]
        made.lakehouse("sql", "-e", "; ".join(f"INSERT INTO {table} VALUES {ROWS}" for table in tables))
        yield made


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


def test_every_call_is_answered_as_the_file_says(stack: Deployment) -> None:
    found = json.loads(stack.lakehouse("access", "test", "--all", "--json"))
    # SeaweedFS lets nobody put the test's objects beside the tables that it serves itself.
    asked = {
        *(("trino", kind) for kind in KINDS),
        *(("seaweedfs", kind) for kind in ("rest", "polaris")),
        ("polaris", "polaris"),
        ("s3tables", "s3tables"),
    }
    assert {(each["at"], each["on"].partition(".")[0]) for each in found} == asked
    for at, kind in asked:
        here = [each for each in found if each["at"] == at and each["on"].startswith(f"{kind}.")]
        assert {each["found"] for each in here if each["principal"] == "nobody"} == {"denied"}
        # No principal has a right to tables that the store serves itself.
        reaches = {"denied"} if at == "s3tables" else {"allowed", "denied"}
        assert {each["found"] for each in here if each["principal"] == "etl"} == reaches
    assert {each["by"] for each in found} == {"boto3", "PyIceberg", "Trino"}


def test_what_is_masked_is_closed_to_pyiceberg_with_the_principals_own_credentials(stack: Deployment) -> None:
    found = json.loads(stack.lakehouse("access", "test", "--principal", "science", "--all", "--json"))
    polaris = {(each["call"], each["on"]): each["found"] for each in found if each["at"] == "polaris"}
    for call in ("load", "read"):
        assert polaris[call, "polaris.silver.orders"] == "allowed"
        assert polaris[call, "polaris.silver.customers"] == "denied"


def test_spark_with_a_principals_own_credentials_may_do_what_the_file_says(stack: Deployment, tmp_path: Path) -> None:
    """In Spark a principal is who runs a driver with its own keys. The stack has no Spark: this is somebody's own."""
    found = list(outcomes(stack, tmp_path / "spark"))
    assert [(each.call, each.said) for each in found if each.allowed != each.wanted] == []
    done = {(each.call.principal, each.call.operation, each.call.place) for each in found if each.allowed}
    assert {call for who, call, place in done if who == "owner"} >= {"create", "drop"}
    assert ("etl", "write", "polaris.bronze.raw") in done
    assert ("etl", "write", "rest.bronze.raw") in done, "with its own keys of the store"
    science = {
        (each.call.operation, each.call.place): each.allowed for each in found if each.call.principal == "science"
    }
    for kind in ("polaris", "rest"):
        assert science["read", f"{kind}.silver.orders"]
        assert not science["read", customers(kind)], "its mask would be none"
    assert not any(place.startswith("s3tables.") for _, _, place in done), "nobody has a right to the store's tables"


@pytest.mark.parametrize("kind", KINDS)
def test_filters_and_masks_are_in_trino_and_the_other_ways_are_closed(stack: Deployment, kind: str) -> None:
    everything = f"SELECT id, email FROM {customers(kind)} ORDER BY id"
    assert run(stack, "shop", everything) == [[1, "a@example.org"]]
    assert run(stack, "science", everything) == [[1, None], [2, None]]
    assert "[default]" not in stack.lakehouse("access", "credentials", "shop", "--show"), "no keys for files"
    for name in ("shop", "science"):
        assert denied(stack, name, f"DELETE FROM {customers(kind)}")


def test_what_polaris_allows_too_much_is_found(stack: Deployment) -> None:
    _, connections = connect(stack.file, "local")
    principals = World.of(connections).principals
    assert principals is not None
    lakehouse = load(stack.file).name
    server, name = principals(), f"{lakehouse}-bi"
    warehouse = server.warehouses["polaris"]
    have = server.facts(lakehouse)[name].granted[warehouse]
    more = PolarisGrant(("silver",), "orders", "TABLE_WRITE_DATA", "table")
    server.change(name, {warehouse: have | {more}}, enabled=True, deletable=False)
    found = stack.lakehouse("access", "test", "--principal", "bi", code=1)
    expected = ["bi", "write", "polaris.silver.orders", "polaris", "PyIceberg", "denied", "allowed"]
    assert expected in [line.split() for line in found.splitlines()]
    stack.lakehouse("apply")
    stack.lakehouse("access", "test", "--principal", "bi")


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
    stack.lakehouse("access", "test", "--principal", "etl")


def test_a_rotation_of_a_services_secret_loses_nothing_that_was_acknowledged(stack: Deployment) -> None:
    """It restarts PostgreSQL and the catalog's server: a writer has errors meanwhile, a query goes on."""
    stack.lakehouse("sql", "-e", "DELETE FROM rest.bronze.raw")
    before = stack.local.runtime.processes()["trino"].pid
    writer = appender(stack)
    with writer.appending(), unfinished_query(stack, "bi", "rest.silver.orders", 2):
        stack.lakehouse("secret", "rotate", "postgres-rest")
        assert stack.planned() >= {"postgres", "rest"}
        stack.deploy()
        writer.until_more()
    found = written(stack)
    assert found == sorted(set(found)), "no row twice"
    assert set(writer.acknowledged) <= set(found)
    assert stack.local.runtime.processes()["trino"].pid == before
    stack.lakehouse("sql", "-e", "DELETE FROM rest.bronze.raw")
