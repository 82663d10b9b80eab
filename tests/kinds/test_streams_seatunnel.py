"""Rows by SeaTunnel into Iceberg, read by Trino: of a topic through kills, of a database, of files, of an HTTP address,
and by a job of the user's.

Each row is counted: SeaTunnel by itself would have some of them twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
import requests
from ruamel.yaml import YAML

from bootstrap.session.connect import store
from tests.attacks.attacked import assert_known
from tests.integration.deployment import Deployment, kill, until, up
from tests.kinds.messages import close_sockets, publish_in_a_transaction
from tests.kinds.shop import PASSWORD, Shop
from tests.kinds.streamed import SOCKETS, status
from tests.kinds.test_streams import counted, rows, send, shop

__all__ = ["shop"]  # a fixture

pytestmark = [
    pytest.mark.integration,
    pytest.mark.matrix,
    pytest.mark.timeout(1500),
    SOCKETS,
]

ORDERS = {
    "id": {"type": "long", "required": True},
    "customer": "string",
    "amount": "decimal(10, 2)",
    "at": "timestamptz",
}
ITEMS = {"id": "long", "word": "string", "price": "decimal(10, 2)"}
# As in a file that somebody has: addresses and keys of the catalog in words of the toolkit instead.
JOB = """
env { parallelism = 1, job.mode = "BATCH" }
source {
  Kafka {
    bootstrap.servers = ${lakehouse.kafka}
    topic = "own"
    consumer.group = "own"
    start_mode = "group_offsets"
    kafka.config = { auto.offset.reset = "earliest" }
    format = json
    schema = { fields { id = bigint, customer = string } }
    result_table_name = "messages"
  }
}
transform {
  Sql {
    source_table_name = "messages"
    result_table_name = "upper"
    query = "SELECT id, UPPER(customer) AS customer FROM messages"
  }
}
sink {
  Iceberg {
    source_table_name = "upper"
    catalog_name = "lake"
    iceberg.catalog.config = ${lakehouse.catalogs.lake}
    iceberg.table.auto-create-props = {}
    namespace = "raw"
    table = "own"
  }
}
"""


def file(shop: Shop, folder: Path, http: str) -> dict[str, Any]:
    tables = {
        "orders": {"columns": ORDERS, "partition_by": ["day(at)"]},
        "own": {"columns": {"id": "long", "customer": "string"}},
        **{each: {"columns": ITEMS} for each in ("items", "lines", "objects", "answers")},
    }
    url = f"jdbc:postgresql://127.0.0.1:{shop.port}/shop"
    sources: dict[str, Any] = {
        "items": {"jdbc": {"url": url, "user": "postgres", "query": "SELECT id, word, price FROM items"}},
        "lines": {"files": {"path": str(folder), "format": "csv"}},
        "objects": {"files": {"path": "s3://landing/in"}},
        "answers": {"http": {"url": http, "seconds": 3600, "rows": "$.data.*"}},
        "own": {"config": "jobs/own.conf"},
    }
    pipelines = {name: {"from": of, "to": f"lake.raw.{name}"} for name, of in sources.items()}
    pipelines["orders"] = {"from": {"topic": "orders"}, "to": "lake.raw.orders", "commit_seconds": 2}
    stack = {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}, "credentials": "credentials.yaml"}
    return {
        "name": "streams",
        "buckets": {"warehouse": {}, "landing": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"raw": {"tables": tables}}}},
        "pipelines": {name: {"engine": "seatunnel", **of} for name, of in pipelines.items()},
        "engines": {"trino": {"memory": "1g"}},
        "stacks": {"local": stack},
    }


class Answers(BaseHTTPRequestHandler):
    """Three rows of an API."""

    def do_GET(self) -> None:
        data = json.dumps({"data": [{"id": n, "word": f"w{n}", "price": f"{n}.50"} for n in range(3)]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def answers() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/items"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, shop: Shop, answers: str) -> Iterator[Deployment]:
    folder, lines = tmp_path_factory.mktemp("seatunnel"), tmp_path_factory.mktemp("lines")
    (lines / "one.csv").write_text("id,word,price\n" + "".join(f"{n},w{n},{n}.50\n" for n in range(40)))
    shop.sql("INSERT INTO items SELECT n, 'w' || n, n + 0.25, now() FROM generate_series(1, 50) n")
    (folder / "file.yaml").write_text(json.dumps(file(shop, lines, answers)))
    made = Deployment.make(folder / "a lakehouse", source=str(folder / "file.yaml"))
    (made.folder / "jobs").mkdir()
    (made.folder / "jobs/own.conf").write_text(JOB)
    credentials = made.folder / "credentials.yaml"
    credentials.write_text(f"pipeline-items: {PASSWORD}\n")
    credentials.chmod(0o600)
    with up(made):
        yield made


def test_messages_are_read_by_trino_with_their_types(stack: Deployment) -> None:
    until(lambda: status(stack)["orders"]["state"] == "running", 120)  # and not failed: it has made its topic
    assert status(stack)["orders"]["lag"] in (0, None)
    send(stack, rows(0, 500))
    until(lambda: counted(stack) == [500, 500], 240)
    query = "SELECT id, customer, CAST(amount AS varchar), CAST(at AS varchar) FROM lake.raw.orders WHERE id = 5"
    assert stack.trino(query) == [[5, "c5", "5.25", "2026-11-27 10:00:00.123456 UTC"]]
    assert status(stack)["orders"]["state"] == "running"
    until(lambda: status(stack)["orders"]["lag"] == 0, 60)


def test_a_job_of_the_users_knows_the_catalog_by_a_word(stack: Deployment) -> None:
    def read(keys: int) -> bool:
        stack.lakehouse("pipelines", "start", "own")  # once more, if it has ended
        return counted(stack, "own") == [keys, keys]

    def why() -> str:
        return f"{counted(stack, 'own')}\n{stack.lakehouse('pipelines', 'logs', 'own')}"

    # Without its topic it fails. Being asked for all the time must not hold up its next start.
    until(lambda: status(stack)["own"]["state"] == "failed", 240)
    for first in (0, 20):
        send(stack, [{"id": n, "customer": f"c{n}"} for n in range(first, first + 20)], topic="own")
        until(lambda keys=first + 20: read(keys), 240, why)  # type: ignore[misc]
    assert status(stack)["own"]["state"] in ("running", "finished")
    assert stack.trino("SELECT customer FROM lake.raw.own WHERE id = 7") == [["C7"]]


def test_a_database_and_files_are_read_once(stack: Deployment) -> None:
    until(lambda: counted(stack, "items") == [50, 50], 240)
    until(lambda: counted(stack, "lines") == [40, 40], 240)
    assert stack.trino("SELECT word, CAST(price AS varchar) FROM lake.raw.items WHERE id = 3") == [["w3", "3.25"]]
    assert stack.trino("SELECT word, CAST(price AS varchar) FROM lake.raw.lines WHERE id = 3") == [["w3", "3.50"]]
    until(lambda: {status(stack)[each]["state"] for each in ("items", "lines")} == {"finished"}, 60)


def test_objects_of_a_bucket_are_read(stack: Deployment) -> None:
    text = "".join(json.dumps({"id": n, "word": f"w{n}", "price": f"{n}.50"}) + "\n" for n in range(30))
    at = store(stack.local)
    client = boto3.client(
        "s3",
        endpoint_url=at.endpoint,
        aws_access_key_id=at.access_key,
        aws_secret_access_key=at.secret_key,
        region_name=at.region,
    )
    client.put_object(Bucket="landing", Key="in/one.json", Body=text.encode())
    stack.lakehouse("pipelines", "start", "objects")
    until(lambda: counted(stack, "objects") == [30, 30], 240)


def test_an_http_address_is_read(stack: Deployment) -> None:
    until(lambda: counted(stack, "answers") == [3, 3], 240)


KILLED = (["seatunnel"], ["kafka"], ["rest"], ["s3proxy"], ["kafka", "seatunnel"])


@pytest.mark.parametrize("killed", KILLED, ids="+".join)
def test_each_row_is_there_once_through_kills(stack: Deployment, killed: list[str]) -> None:
    """Six kills, at another moment of a job each: it takes some five seconds, with the pause before it."""
    [before, keys] = counted(stack)
    assert before == keys
    for part in range(6):
        send(stack, rows(keys + part * 50, 50))
        time.sleep(part * 0.9)
        kill(stack, *killed)
    until(lambda: counted(stack)[1] == keys + 300, 360, lambda: stack.local.runtime.log("seatunnel", 100))
    time.sleep(10)
    close_sockets()  # of the producers that sent to a killed broker
    assert counted(stack) == [keys + 300, keys + 300]


def test_what_was_read_once_is_not_read_again_by_a_new_server(stack: Deployment) -> None:
    assert counted(stack, "lines") == [40, 40]
    assert counted(stack, "items") == [50, 50]


def test_a_stopped_pipeline_goes_on_where_it_was_and_stays_stopped_until_then(stack: Deployment) -> None:
    [_, keys] = counted(stack)
    stack.lakehouse("pipelines", "stop", "orders")
    assert status(stack)["orders"]["state"] == "stopped"
    send(stack, rows(keys, 100))
    kill(stack, "seatunnel")
    until(lambda: "stopped" in stack.lakehouse("pipelines", "status", code=None), 120)
    time.sleep(10)
    assert counted(stack)[1] == keys
    stack.lakehouse("pipelines", "start", "orders")
    until(lambda: counted(stack)[1] == keys + 100, 240)


def test_the_last_transaction_of_a_topic_comes_with_the_message_after_it(stack: Deployment) -> None:
    """SeaTunnel waits for the message before the topic's end, which is a transaction's mark. It can be stopped then."""
    [_, keys] = counted(stack)
    publish_in_a_transaction(stack, "orders", (json.dumps(each).encode() for each in rows(keys, 10)))
    time.sleep(20)
    assert counted(stack)[1] == keys
    assert status(stack)["orders"]["state"] == "running"
    stack.lakehouse("pipelines", "stop", "orders")
    until(lambda: status(stack)["orders"]["state"] == "stopped", 60)
    send(stack, rows(keys + 10, 1))
    stack.lakehouse("pipelines", "start", "orders")
    until(lambda: counted(stack)[1] == keys + 11, 240)
    assert counted(stack) == [keys + 11, keys + 11]


def test_a_table_that_does_not_take_it_is_named_and_the_log_says_why(stack: Deployment) -> None:
    send(stack, [{"customer": "without an id"}])
    seen = []

    def failed() -> bool:
        seen.append(status(stack)["orders"])
        return bool(seen[-1]["state"] == "failed")

    until(failed, 240)
    assert seen[-1]["problem"], "it is shown with its cause"
    assert "orders has failed" in stack.lakehouse("pipelines", "logs", "orders")


def test_the_server_gives_what_is_known_to_whoever_asks(stack: Deployment) -> None:
    assert_known(stack, names=("seatunnel",))


def test_no_secret_is_shown_and_no_page_of_another_site_can_end_a_pipeline(stack: Deployment) -> None:
    at = f"http://127.0.0.1:{stack.port('seatunnel')}"
    shown = requests.get(f"{at}/pipelines", timeout=30).text + stack.local.runtime.log("seatunnel", 100_000)
    secrets = [each.read_text() for each in (stack.local.state.root / "secrets").iterdir() if each.is_file()]
    assert len(secrets) > 2
    assert not [each for each in (*secrets, PASSWORD) if each in shown]
    stop = f"{at}/pipelines/own/stop"
    assert requests.post(stop, data="{}", headers={"Content-Type": "text/plain"}, timeout=30).status_code == 403
    assert requests.get(f"{at}/pipelines", headers={"Host": "evil.example"}, timeout=30).status_code == 403
    jobs = f"http://127.0.0.1:{stack.port('seatunnel-cluster')}/hazelcast/rest/maps/running-jobs"
    with pytest.raises(requests.RequestException):
        requests.get(jobs, timeout=30).raise_for_status()


def test_a_branch_of_a_pipeline_that_left_the_file_is_named_and_goes_with_the_key(stack: Deployment) -> None:
    """That of its job which failed last: rows that it had read would be in it."""

    def branches() -> list[str]:
        found = json.loads(stack.lakehouse("branch", "list", "--table", "lake.raw.orders", "--json"))
        return [each["name"] for each in found if each["name"] != "main"]

    until(lambda: len(branches()) == 1, 60)
    assert "table-branch" not in stack.lakehouse("plan")
    pipelines = YAML().load(stack.file)["pipelines"]
    stack.change("pipelines", to={name: each for name, each in pipelines.items() if name != "orders"})
    assert "table-branch" not in stack.lakehouse("plan"), "its job may still run"
    stack.deploy()
    [branch] = branches()
    address = f"table-branch lake.raw.orders@{branch}"
    assert f"! {address}: a job of pipeline orders, which writes to it no more" in stack.lakehouse("plan")
    assert address in stack.lakehouse("drift", code=2)
    assert f"! {address}" in stack.lakehouse("apply")
    before = counted(stack)
    assert f"done: {address}" in stack.lakehouse("apply", "--allow-destroy")
    assert branches() == []
    assert counted(stack) == before
    assert "table-branch" not in stack.lakehouse("plan")
