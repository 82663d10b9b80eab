"""The lakehouse that these tests share, deployed once. Each test leaves it up and whole for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.deployment import Deployment, up
from tests.kinds.access.contents import EVENTS, KINDS, ROWS, TABLES, customers
from tests.kinds.access.spark_driver import SparkOutcome, outcomes
from tests.polaris.home import home

_FILTERED = {"verbs": ["read"], "rows": "region = 'EU'"}


def _namespaces() -> dict[str, Any]:
    """Each time others: in a YAML file the same would be one object, which a test changes for all."""

    def table() -> dict[str, Any]:
        return {"columns": {"id": "long", "region": "string", "email": {"type": "string", "tags": ["pii"]}}}

    return {"bronze": {"tables": {"raw": table()}}, "silver": {"tables": {"orders": table(), "customers": table()}}}


def _on_each(target: str, granted: Any) -> dict[str, Any]:
    """The grant in each catalog."""
    return {f"{kind}.{target}": granted for kind in KINDS}


_ACCESS = {
    "roles": {
        "reader": {"grants": _on_each("silver.orders", ["read"])},
        "writer": {"grants": _on_each("bronze", ["write"])},
        "steward": {"grants": _on_each("bronze", ["manage"])},
        "narrow": {
            "grants": _on_each("silver.customers", _FILTERED)
            | {customers("nessie"): {**_FILTERED, "columns": {"email": "mask"}}}
        },
        "masked": {"grants": _on_each("silver.customers", {"verbs": ["read"], "columns": {"tag:pii": "mask"}})},
    },
    "principals": {
        "bi": {"roles": ["reader"]},
        "etl": {"roles": ["writer"]},
        "owner": {"roles": ["steward"]},
        "shop": {"roles": ["narrow"]},
        "science": {"roles": ["masked", "reader"]},  # so it has credentials, which do not open what is masked
        "nobody": {"roles": []},
    },
    # A server that asks nobody who they are lets whoever may write there rename the table.
    "enforce": "best-effort",
}


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A catalog of each kind over SeaweedFS, with one Trino, and no Spark: its jobs would go around everything."""
    folder = tmp_path_factory.mktemp("access")
    locations = {kind: f"s3://warehouse/{kind}" for kind in KINDS} | {"s3tables": "s3://tables"}
    entries = {kind: {"kind": kind} for kind in KINDS} | {"polaris": {"kind": "polaris", "home": str(home(folder))}}
    made = Deployment.make(
        folder / "a lakehouse",
        {
            ("engines",): {"trino": {"memory": "1g", "authentication": "password"}},
            ("buckets",): {"warehouse": {}, "tables": {}},
            ("catalogs",): {kind: {"location": locations[kind], "namespaces": _namespaces()} for kind in KINDS},
            ("catalogs", "nessie", "maintenance"): {"compact": {"min_files": 2}},
            ("stacks", "local"): {
                "runtime": "process",
                "store": "seaweedfs",
                "catalogs": entries,
                "lineage": {"file": EVENTS},
            },
            ("access",): _ACCESS,
        },
    )
    with up(made):
        tables = [f"{kind}.{table}" for kind in KINDS for table in TABLES]
        made.lakehouse("sql", "-e", "; ".join(f"INSERT INTO {table} VALUES {ROWS}" for table in tables))
        yield made


@pytest.fixture(scope="package")
def by_spark(stack: Deployment, tmp_path_factory: pytest.TempPathFactory) -> list[SparkOutcome]:
    """What Spark said to each principal's calls, with the principal's own credentials. The stack has no Spark: this
    is somebody's own, which sends lineage as the stack's would.
    """
    return list(outcomes(stack, tmp_path_factory.mktemp("spark") / "driver"))
