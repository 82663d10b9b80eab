"""`access` on each kind of catalog that test_trino_password does not have: what the store, Trino and Polaris enforce.

`lakehouse access test` makes every call with each principal's own keys, and finds what is not as the file says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bootstrap.reconciler.world import World
from bootstrap.session.connect import connect
from lakehouse.access.polaris import PolarisGrant
from lakehouse.spec import load
from tests.integration.deployment import Deployment, up
from tests.integration.trino_users import denied, run
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORDERS, CUSTOMERS = "lake.silver.orders", "lake.silver.customers"
TABLE = {"columns": {"id": "long", "region": "string", "email": {"type": "string", "tags": ["pii"]}}}
ROWS = "(1, 'EU', 'a@example.org'), (2, 'US', 'b@example.org')"


@pytest.fixture(scope="module", params=["rest", "polaris", "s3tables"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The kind over SeaweedFS, with Trino, and no Spark: whoever may send it a job would go around everything."""
    kind, folder = str(request.param), tmp_path_factory.mktemp(str(request.param))
    entry: Any = {"kind": kind, "home": str(home(folder))} if kind == "polaris" else kind
    bucket = "tables" if kind == "s3tables" else "warehouse"
    access: dict[str, Any] = {
        "roles": {
            "reader": {"grants": {ORDERS: ["read"]}},
            "writer": {"grants": {"lake.bronze": ["write"]}},
            "steward": {"grants": {"lake.bronze": ["manage"]}},
            "narrow": {"grants": {CUSTOMERS: {"verbs": ["read"], "rows": "region = 'EU'"}}},
            "masked": {"grants": {CUSTOMERS: {"verbs": ["read"], "columns": {"tag:pii": "mask"}}}},
        },
        "principals": {
            "bi": {"roles": ["reader"]},
            "etl": {"roles": ["writer"]},
            "owner": {"roles": ["steward"]},
            "shop": {"roles": ["narrow"]},
            "science": {"roles": ["masked"]},
            "nobody": {"roles": []},
        },
    }
    made = Deployment.make(
        folder / "a lakehouse",
        {
            ("engines",): {"trino": {"memory": "1g", "authentication": "password"}},
            ("buckets",): {bucket: {}},
            ("catalogs", "lake"): {
                "location": f"s3://{bucket}" if kind == "s3tables" else f"s3://{bucket}/lake",
                "namespaces": {
                    "bronze": {"tables": {"raw": TABLE}},
                    "silver": {"tables": {"orders": TABLE, "customers": TABLE}},
                },
            },
            ("stacks", "local"): {"runtime": "process", "store": "seaweedfs", "catalogs": {"lake": entry}},
            # A REST server that asks nobody who they are lets whoever may write there rename the table.
            ("access",): {**access, **({"enforce": "best-effort"} if kind == "rest" else {})},
        },
    )
    with up(made):
        made.lakehouse("sql", "-e", f"INSERT INTO {ORDERS} VALUES {ROWS}; INSERT INTO {CUSTOMERS} VALUES {ROWS}")
        yield made


def kind(stack: Deployment) -> str:
    return stack.local.endpoints.catalogs[0].kind.word


def test_every_call_is_answered_as_the_file_says(stack: Deployment) -> None:
    found = json.loads(stack.lakehouse("access", "test", "--all", "--json"))
    # SeaweedFS lets nobody put the test's objects beside the tables that it serves itself.
    asked = {"trino"} | {"rest": {"seaweedfs"}, "polaris": {"seaweedfs", "polaris"}, "s3tables": set()}[kind(stack)]
    assert {each["at"] for each in found} == asked
    for server in asked:
        here = [each for each in found if each["at"] == server]
        assert {each["found"] for each in here if each["principal"] == "nobody"} == {"denied"}
        assert {each["found"] for each in here if each["principal"] == "etl"} == {"allowed", "denied"}


def test_filters_and_masks_are_in_trino_and_the_other_ways_are_closed(stack: Deployment) -> None:
    everything = f"SELECT id, email FROM {CUSTOMERS} ORDER BY id"
    assert run(stack, "shop", everything) == [[1, "a@example.org"]]
    assert run(stack, "science", everything) == [[1, None], [2, None]]
    for name in ("shop", "science"):
        assert "[default]" not in credentials(stack, name), "no keys for files"
        assert denied(stack, name, f"DELETE FROM {CUSTOMERS}")


def credentials(stack: Deployment, principal: str) -> str:
    return stack.lakehouse("access", "credentials", principal, "--show")


def test_what_a_catalog_allows_too_much_is_found(stack: Deployment) -> None:
    if kind(stack) != "polaris":
        pytest.skip("only Polaris knows principals")
    _, connections = connect(stack.file, "local")
    principals = World.of(connections).principals
    assert principals is not None
    server, name = principals(), f"{load(stack.file).name}-bi"
    warehouse = server.warehouses["lake"]
    have = server.facts(load(stack.file).name)[name].granted[warehouse]
    more = PolarisGrant(("silver",), "orders", "TABLE_WRITE_PROPERTIES", "table")
    server.change(name, {warehouse: have | {more}}, enabled=True, deletable=False)
    found = stack.lakehouse("access", "test", "--principal", "bi", code=1)
    assert ["bi", "write", ORDERS, "polaris", "denied", "allowed"] in [line.split() for line in found.splitlines()]
    stack.lakehouse("apply")
    stack.lakehouse("access", "test", "--principal", "bi")
