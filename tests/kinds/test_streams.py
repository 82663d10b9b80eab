"""Rows from Kafka and from PostgreSQL's changes into Iceberg, read by Trino, through kills.

The tests share one lakehouse, and a PostgreSQL beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from trino.exceptions import TrinoQueryError

from lakehouse.runtimes.process.supervisor import Supervisor
from tests.integration.deployment import Deployment, kill, until, up
from tests.kinds.messages import publish
from tests.kinds.shop import COLUMNS, PASSWORD, Shop, open_shop
from tests.kinds.slotted import (
    assert_goes_with_its_pipeline,
    assert_goes_with_the_data,
    assert_named_without_pipelines_until_both_keys,
)
from tests.kinds.streamed import (
    SOCKETS,
    assert_goes_on_after_a_lost_end,
    assert_goes_on_after_a_stop,
    assert_once_through_kills,
    status,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.matrix,
    pytest.mark.timeout(1200),
    SOCKETS,
]

FILE = """
name: streams
buckets: {warehouse: {}}
catalogs:
  lake:
    location: s3://warehouse/lake
    namespaces:
      raw:
        tables:
          orders:
            columns:
              id: {type: long, required: true}
              customer: string
              amount: decimal(10, 2)
              at: timestamptz
            partition_by: [day(at)]
          changes: {columns: {id: long, word: string, price: "decimal(10, 2)", at: timestamptz, _cdc: "%s"}}
          shop: {columns: {id: long, word: string, price: "decimal(10, 2)"}}
pipelines:
  orders: {from: {topic: orders}, to: lake.raw.orders, commit_seconds: 2, deletable: true}
engines: {trino: {memory: 1g}}
stacks:
  local: {runtime: process, store: s3proxy, catalogs: {lake: rest}}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("streams")
    (folder / "file.yaml").write_text(FILE % COLUMNS["_cdc"])
    made = Deployment.make(folder / "a lakehouse", source=str(folder / "file.yaml"))
    with up(made):
        yield made


def send(stack: Deployment, rows: list[dict[str, Any]], *, topic: str = "orders") -> None:
    """Send rows, each with its key, and wait until the broker has them."""
    publish(stack, topic, ((str(each.get("id")).encode(), json.dumps(each).encode()) for each in rows))


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"id": n, "customer": f"c{n % 7}", "amount": f"{n}.25", "at": "2026-11-27T10:00:00.123456Z"}
        for n in range(first, first + count)
    ]


def counted(stack: Deployment, table: str = "orders", where: str = "true") -> list[int]:
    """Rows, and different keys; none while the catalog or the store starts."""
    try:
        [found] = stack.trino(f"SELECT count(*), count(DISTINCT id) FROM lake.raw.{table} WHERE {where}")
    except TrinoQueryError:
        return [0, 0]
    return found


def test_rows_of_a_topic_are_read_by_trino(stack: Deployment) -> None:
    assert "is in the file" not in stack.lakehouse("drift")
    send(stack, rows(0, 1000))
    until(lambda: counted(stack) == [1000, 1000], 120)
    query = "SELECT id, customer, CAST(amount AS varchar), CAST(at AS varchar) FROM lake.raw.orders WHERE id = 5"
    assert stack.trino(query) == [[5, "c5", "5.25", "2026-11-27 10:00:00.123456 UTC"]]
    until(lambda: status(stack)["orders"]["lag"] == 0, 60)
    assert status(stack)["orders"]["state"] == "running"


#: What is killed at once: the worker, the broker, the catalog, the store.
KILLED = (["connect"], ["kafka"], ["rest"], ["s3proxy"], ["kafka", "connect"])


@pytest.mark.parametrize("killed", KILLED, ids="+".join)
def test_each_row_is_there_once_through_kills(stack: Deployment, killed: list[str]) -> None:
    assert_once_through_kills(
        stack, lambda first, count: send(stack, rows(first, count)), lambda: counted(stack), killed
    )


def test_a_stopped_pipeline_goes_on_where_it_was(stack: Deployment) -> None:
    assert_goes_on_after_a_stop(
        stack, "orders", lambda first, count: send(stack, rows(first, count)), lambda: counted(stack)
    )


def test_a_pipeline_goes_on_after_kafka_has_forgotten_the_end_of_its_commit(stack: Deployment) -> None:
    @contextmanager
    def kafka_down() -> Iterator[Path]:
        supervisor = Supervisor(stack.local.state)
        supervisor.halt("kafka")
        yield stack.local.state.root / "data/kafka/log"
        supervisor.restart("kafka")

    assert_goes_on_after_a_lost_end(
        stack, "orders", lambda first, count: send(stack, rows(first, count)), lambda: counted(stack), kafka_down
    )


def test_no_secret_is_shown(stack: Deployment) -> None:
    import requests

    shown = requests.get(
        f"http://127.0.0.1:{stack.port('connect')}/connectors?expand=info&expand=status", timeout=30
    ).text
    secrets = [each.read_text() for each in (stack.local.state.root / "secrets").iterdir() if each.is_file()]
    assert len(secrets) > 2
    assert not [each for each in secrets if each in shown]


def test_changes_of_a_database(stack: Deployment, shop: Shop) -> None:
    shop.sql(
        "INSERT INTO items SELECT n, 'w' || n, n + 0.25, '2026-11-27 10:00:00.123456Z' FROM generate_series(1, 50) n"
    )
    credentials = stack.folder / "credentials.yaml"
    credentials.write_text("pipeline-shop: not-its-password\n")
    credentials.chmod(0o600)
    stack.change("stacks", "local", "credentials", to="credentials.yaml")
    stack.change("pipelines", "shop", to=shop.pipeline("lake.raw.changes"))
    refusal = f"shop at 127.0.0.1:{shop.port} does not let postgres in: password authentication failed"
    assert refusal in stack.deploy(code=1)
    credentials.write_text(f"pipeline-shop: {PASSWORD}\n")
    stack.deploy()
    until(lambda: stack.trino("SELECT count(*) FROM lake.raw.changes") == [[50]], 120)
    shop.sql("UPDATE items SET word = 'new', price = 9.99 WHERE id = 1")
    shop.sql("DELETE FROM items WHERE id = 2")
    shop.sql("INSERT INTO items VALUES (51, 'last', 1, now())")
    until(lambda: stack.trino("SELECT count(*) FROM lake.raw.changes") == [[53]], 120)
    query = "SELECT _cdc.op, id, word, CAST(price AS varchar) FROM lake.raw.changes WHERE id IN (1, 2)"
    found = stack.trino(f"{query} ORDER BY id, _cdc.offset")
    assert found[:2] == [["I", 1, "w1", "1.25"], ["U", 1, "new", "9.99"]]
    assert [each[:2] for each in found[2:]] == [["I", 2], ["D", 2]]
    query = "SELECT CAST(at AS varchar) FROM lake.raw.changes WHERE id = 3"
    assert stack.trino(query) == [["2026-11-27 10:00:00.123456 UTC"]]
    for _ in range(2):  # a second time it changes nothing
        stack.trino(MERGE)
        current = stack.trino(
            "SELECT id, word, CAST(price AS varchar) FROM lake.raw.shop WHERE id IN (1, 2, 51) ORDER BY id"
        )
        assert current == [[1, "new", "9.99"], [51, "last", "1.00"]]
        assert stack.trino("SELECT count(*) FROM lake.raw.shop") == [[50]]


#: As docs/pipelines.md has it.
MERGE = """
MERGE INTO lake.raw.shop AS t
USING (
    SELECT id, word, price, op FROM (
        SELECT id, word, price, _cdc.op AS op, row_number() OVER (PARTITION BY id ORDER BY _cdc.offset DESC) AS nth
        FROM lake.raw.changes)
    WHERE nth = 1) AS c
ON t.id = c.id
WHEN MATCHED AND c.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET word = c.word, price = c.price
WHEN NOT MATCHED AND c.op <> 'D' THEN INSERT (id, word, price) VALUES (c.id, c.word, c.price)
"""


def test_changes_through_kills(stack: Deployment, shop: Shop) -> None:
    for part, killed in enumerate(KILLED):
        first = 1000 + part * 200
        shop.sql(f"INSERT INTO items SELECT n, 'k', 1, now() FROM generate_series({first}, {first + 199}) n")
        kill(stack, *killed)
    until(lambda: counted(stack, "changes", "id >= 1000")[1] == 1000, 240)
    time.sleep(10)
    assert counted(stack, "changes", "id >= 1000") == [1000, 1000]


def test_a_stopped_stack_leaves_its_slot_and_goes_on_where_it_was(stack: Deployment, shop: Shop) -> None:
    said = stack.lakehouse("destroy", "--yes")
    assert f"its replication slot {shop.slot} stays in shop at 127.0.0.1:{shop.port}" in said
    shop.sql("INSERT INTO items SELECT n, 'd', 1, now() FROM generate_series(3000, 3099) n")
    stack.deploy()
    until(lambda: counted(stack, "changes", "id >= 3000")[1] == 100, 240)
    assert counted(stack, "changes", "id >= 3000") == [100, 100]


def test_all_pipelines_leave_the_file_at_once_and_come_back(stack: Deployment, shop: Shop) -> None:
    assert_named_without_pipelines_until_both_keys(stack, shop)
    [before, _] = counted(stack, "changes")
    stack.deploy()
    again = before + int(shop.sql("SELECT count(*) FROM items"))
    until(lambda: counted(stack, "changes")[0] >= again, 240, lambda: json.dumps(status(stack), indent=1))
    shop.sql("INSERT INTO items VALUES (4000, 'back', 1, now())")
    until(lambda: counted(stack, "changes", "id = 4000")[0] == 1, 120)
    assert shop.slots == "1"
    assert {each["state"] for each in status(stack).values()} == {"running"}
    assert "No changes." in stack.lakehouse("plan")


def test_a_pipeline_goes_with_both_keys_and_its_slot_with_it(stack: Deployment, shop: Shop) -> None:
    assert_goes_with_its_pipeline(
        stack, shop, {"orders": {"from": {"topic": "orders"}, "to": "lake.raw.orders", "commit_seconds": 2}}
    )


def test_data_that_is_destroyed_takes_the_slot_with_it(stack: Deployment, shop: Shop) -> None:
    """The last test: nothing is left of the lakehouse."""
    (stack.folder / "credentials.yaml").write_text(f"pipeline-again: {PASSWORD}\n")
    stack.change("pipelines", "again", to=shop.pipeline("lake.raw.changes"))
    stack.deploy()
    assert_goes_with_the_data(stack, shop)
    assert not stack.local.state.root.exists()
