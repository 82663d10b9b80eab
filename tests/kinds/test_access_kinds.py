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
            "science": {"roles": ["masked"]},
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
        tables = [f"{kind}.silver.{table}" for kind in KINDS for table in ("orders", "customers")]
        made.lakehouse("sql", "-e", "; ".join(f"INSERT INTO {table} VALUES {ROWS}" for table in tables))
        yield made


def test_every_call_is_answered_as_the_file_says(stack: Deployment) -> None:
    found = json.loads(stack.lakehouse("access", "test", "--all", "--json"))
    # SeaweedFS lets nobody put the test's objects beside the tables that it serves itself.
    asked = {
        *(("trino", kind) for kind in KINDS),
        *(("seaweedfs", kind) for kind in ("rest", "polaris")),
        ("polaris", "polaris"),
    }
    assert {(each["at"], each["on"].partition(".")[0]) for each in found} == asked
    for at, kind in asked:
        here = [each for each in found if each["at"] == at and each["on"].startswith(f"{kind}.")]
        assert {each["found"] for each in here if each["principal"] == "nobody"} == {"denied"}
        assert {each["found"] for each in here if each["principal"] == "etl"} == {"allowed", "denied"}


@pytest.mark.parametrize("kind", KINDS)
def test_filters_and_masks_are_in_trino_and_the_other_ways_are_closed(stack: Deployment, kind: str) -> None:
    everything = f"SELECT id, email FROM {customers(kind)} ORDER BY id"
    assert run(stack, "shop", everything) == [[1, "a@example.org"]]
    assert run(stack, "science", everything) == [[1, None], [2, None]]
    for name in ("shop", "science"):
        handed = stack.lakehouse("access", "credentials", name, "--show")
        assert "[default]" not in handed, "no keys for files"
        assert denied(stack, name, f"DELETE FROM {customers(kind)}")


def test_what_polaris_allows_too_much_is_found(stack: Deployment) -> None:
    _, connections = connect(stack.file, "local")
    principals = World.of(connections).principals
    assert principals is not None
    lakehouse = load(stack.file).name
    server, name = principals(), f"{lakehouse}-bi"
    warehouse = server.warehouses["polaris"]
    have = server.facts(lakehouse)[name].granted[warehouse]
    more = PolarisGrant(("silver",), "orders", "TABLE_WRITE_PROPERTIES", "table")
    server.change(name, {warehouse: have | {more}}, enabled=True, deletable=False)
    found = stack.lakehouse("access", "test", "--principal", "bi", code=1)
    expected = ["bi", "write", "polaris.silver.orders", "polaris", "denied", "allowed"]
    assert expected in [line.split() for line in found.splitlines()]
    stack.lakehouse("apply")
    stack.lakehouse("access", "test", "--principal", "bi")
