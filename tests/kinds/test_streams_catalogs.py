"""The same messages into a table of each kind of catalog, and through kills of each catalog and of the store."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator

import pytest
from trino.exceptions import TrinoQueryError

from lakehouse.kinds.pipelines.connect import CONNECT
from tests import moto
from tests.integration.deployment import Deployment, kill, until, up
from tests.integration.findings import doctor, errors
from tests.kinds.messages import publish
from tests.kinds.streamed import SOCKETS, status
from tests.kinds.test_streams import rows, send
from tests.polaris.home import home

pytestmark = [
    pytest.mark.integration,
    pytest.mark.matrix,
    pytest.mark.timeout(1500),
    SOCKETS,
]

KINDS = CONNECT.catalogs
COLUMNS = {
    "id": {"type": "long", "required": True},
    "customer": "string",
    "amount": "decimal(10, 2)",
    "at": "timestamptz",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("catalogs")
    with moto.running() as glue:
        entries = {
            **{kind: kind for kind in KINDS},
            "polaris": {"kind": "polaris", "home": str(home(folder))},
            "glue": {"kind": "glue", "region": "eu-west-1", "endpoint": glue},
        }
        tables = {"raw": {"tables": {"orders": {"columns": COLUMNS}}}}
        file = {
            "name": "streams",
            "buckets": {"warehouse": {}},
            "catalogs": {kind: {"location": f"s3://warehouse/{kind}", "namespaces": tables} for kind in KINDS},
            "pipelines": {
                kind: {"from": {"topic": "orders"}, "to": f"{kind}.raw.orders", "commit_seconds": 2} for kind in KINDS
            },
            "engines": {"trino": {"memory": "1g"}},
            "stacks": {
                "local": {
                    "runtime": "process",
                    "store": "s3proxy",
                    "catalogs": entries,
                    "credentials": "credentials.yaml",
                }
            },
        }
        (folder / "file.yaml").write_text(json.dumps(file))
        made = Deployment.make(folder / "a lakehouse", source=str(folder / "file.yaml"))
        credentials = made.folder / "credentials.yaml"
        credentials.write_text(json.dumps({"glue": {"name": "streams", "value": secrets.token_urlsafe(24)}}))
        credentials.chmod(0o600)
        with up(made):
            yield made


def counted(stack: Deployment, kind: str) -> list[int]:
    """Rows, and different keys; none while the catalog or the store starts."""
    try:
        [found] = stack.trino(f"SELECT count(*), count(DISTINCT id) FROM {kind}.raw.orders")
    except TrinoQueryError:
        return [0, 0]
    return found


def settled(stack: Deployment, count: int) -> None:
    """Wait for that many keys in each table, then look whether there is a row more."""

    def seen() -> dict[str, list[int]]:
        return {kind: counted(stack, kind) for kind in KINDS}

    def all_there() -> bool:
        return all(each[-1] == count for each in seen().values())

    until(all_there, 300, lambda: f"{seen()}\n{json.dumps(status(stack), indent=1)}")
    time.sleep(8)
    assert seen() == {kind: [count, count] for kind in KINDS}


def test_messages_are_rows_in_every_catalog(stack: Deployment) -> None:
    send(stack, rows(0, 500))
    settled(stack, 500)
    assert "No changes." in stack.lakehouse("plan")


@pytest.mark.parametrize("killed", ["catalogs", "store", "connect"])
def test_each_row_is_there_once_through_kills(stack: Deployment, killed: str) -> None:
    [before, _] = counted(stack, KINDS[0])
    words = {
        "catalogs": tuple(each for each in KINDS if each != "glue"),
        "store": ("s3proxy",),
        "connect": ("connect",),
    }
    there = stack.local.runtime.processes()
    names = [name for name in there if name.partition("-")[0] in words[killed] and not name.endswith("-job")]
    assert names
    for part in range(3):
        send(stack, rows(before + part * 200, 200))
        time.sleep(part)
        kill(stack, *names)
    settled(stack, before + 600)


def test_metrics_say_what_tables_lack(stack: Deployment) -> None:
    until(lambda: all(each["lag"] == 0 for each in status(stack).values()), 120)
    said = stack.lakehouse("pipelines", "status", "--prometheus").splitlines()
    assert {f'lakehouse_pipeline_lag_messages{{pipeline="{kind}"}} 0.0' for kind in KINDS} <= set(said)
    assert {f'lakehouse_pipeline_failed{{pipeline="{kind}"}} 0.0' for kind in KINDS} <= set(said)
    assert errors(doctor(stack, code=0)) == set()


def test_a_task_that_fails_is_named_although_its_connector_runs(stack: Deployment) -> None:
    """The last test: a message that is not JSON stays in the topic."""
    publish(stack, "orders", [(None, b"not JSON")])
    until(lambda: "failed" in {each["state"] for each in status(stack).values()}, 120)
    assert errors(doctor(stack, code=1)) == {"pipelines"}
    assert "} 1.0" in stack.lakehouse("pipelines", "status", "--prometheus")
