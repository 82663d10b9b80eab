"""A stack with rows that becomes secure and open again, on processes: MinIO, Nessie, Spark and Trino.

The tests share one lakehouse, in this order: the fixtures make it secure, the last test opens it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from bootstrap.operations import doors
from bootstrap.session.target import find
from tests.attacks.attacked import assert_known, assert_known_further
from tests.integration.deployment import Deployment, up
from tests.integration.findings import doctor, errors

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

ORDERS, RAW = "lake.silver.orders", "lake.bronze.raw"
TABLE = {"columns": {"id": "long", "region": "string"}}
SECURE = {"accept": ["minio-keys"]}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Open, with one row of Spark's and one of Trino's."""
    made = Deployment.make(
        tmp_path_factory.mktemp("switch") / "a lakehouse",
        {
            ("stacks",): {"local": {"runtime": "process", "store": "minio", "catalogs": {"lake": "nessie"}}},
            ("engines",): {
                "spark": {"version": "4.1", "workers": 1, "cores": 2, "connect": {"token": True}},
                "trino": {"memory": "1g", "authentication": "password"},
            },
            ("catalogs", "lake", "namespaces"): {
                "bronze": {"tables": {"raw": TABLE}},
                "silver": {"tables": {"orders": TABLE}},
            },
            ("access",): {
                "roles": {"reader": {"grants": {ORDERS: ["read"]}}, "writer": {"grants": {"lake.bronze": ["write"]}}},
                "principals": {"bi": {"roles": ["reader"]}, "etl": {"roles": ["writer"]}},
            },
        },
    )
    with up(made):
        for number, engine in enumerate(("spark", "trino"), 1):
            made.lakehouse("sql", "--engine", engine, "-e", f"INSERT INTO {ORDERS} VALUES ({number}, '{engine}')")
        yield made


@pytest.fixture(scope="module")
def stack(opened: Deployment) -> Deployment:
    """The same, secure."""
    opened.change("stacks", "local", "secure", to=SECURE)
    opened.deploy()
    return opened


def rows(stack: Deployment, engine: str) -> list[int]:
    said = stack.lakehouse("sql", "--engine", engine, "--format", "json", "-e", f"SELECT id FROM {ORDERS}")
    return sorted(json.loads(line)["id"] for line in said.splitlines() if line.startswith("{"))


def nessie(stack: Deployment, scheme: str) -> int:
    """What Nessie answers to somebody without a token who asks for the names of tables."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, stack.local.place.trust or False
        address = f"{scheme}://127.0.0.1:{stack.port('nessie')}/api/v2/trees/main/entries"
        return session.get(address, timeout=30).status_code


def test_an_open_one_gives_what_is_known(opened: Deployment) -> None:
    assert_known(opened)
    assert nessie(opened, "http") == 200


@pytest.mark.parametrize("engine", ["spark", "trino"])
def test_its_rows_are_there_once_it_is_secure_and_more_can_be_written(stack: Deployment, engine: str) -> None:
    assert set(rows(stack, engine)) >= {1, 2}
    more = {"spark": 3, "trino": 4}[engine]
    stack.lakehouse("sql", "--engine", engine, "-e", f"INSERT INTO {ORDERS} VALUES ({more}, '{engine}')")
    assert more in rows(stack, engine)


def test_each_port_gives_another_user_exactly_what_is_listed(stack: Deployment) -> None:
    found = assert_known(stack, secure=True)
    # Nessie's management port is closed then.
    assert {each.port.name for each in found} == set(stack.local.ports) - {"nessie-management"}
    assert_known_further(stack, secure=True)
    gives = {each.port: each.gives for each in doors.of_stack(find(stack.file, "local"))}
    assert "writes" in gives["minio"], "whoever knows an access key writes, and the file accepts that"
    assert nessie(stack, "https") == 401


def test_nothing_is_left_to_do_and_principals_may_do_what_the_file_says(stack: Deployment) -> None:
    assert stack.planned() == set()
    stack.lakehouse("plan", code=0)
    assert not errors(doctor(stack, code=0))
    assert "all answered as the file says" in stack.lakehouse("access", "test")


def test_nessie_knows_who_committed(stack: Deployment) -> None:
    """Both engines have tokens of their own there."""
    for engine in ("spark", "trino"):
        stack.lakehouse("sql", "--engine", engine, "-e", f"INSERT INTO {RAW} VALUES (1, '{engine}')")
    events = json.loads(stack.lakehouse("access", "log", "--json", "--limit", "500"))["events"]
    commits = {each["who"] for each in events if each["layer"] == "nessie lake" and RAW in each["on"]}
    assert {"lakehouse/spark", "lakehouse/trino"} <= commits


def test_its_rows_are_there_once_it_is_open_again(stack: Deployment) -> None:
    former = set(rows(stack, "trino"))
    assert former >= {1, 2}
    stack.change("stacks", "local", "secure", to=False)
    stack.deploy()
    assert nessie(stack, "http") == 200
    assert set(rows(stack, "spark")) == set(rows(stack, "trino")) == former
    stack.lakehouse("sql", "--engine", "spark", "-e", f"INSERT INTO {ORDERS} VALUES (9, 'spark')")
    assert 9 in rows(stack, "trino")
    assert stack.planned() == set()
    assert_known(stack)
