"""A lakehouse that sends lineage: what Trino and Spark say of one table is about one dataset, which DataHub knows.

The server that gets the events is a double: it keeps them.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import pytest
import requests

from bootstrap.metadata.proposals import Urns
from lakehouse.spec import load, ports
from lakehouse.text.openlineage import PLATFORM
from tests.attacks.attacked import assert_known
from tests.integration.deployment import Deployment, kept, kill, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

SPARK = {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m"}
TRINO = {"memory": "800m", "catalogs": {"tpch": {"connector.name": "tpch"}}}
NATION, COPIED, LATER = "lake.bronze.nation", "lake.silver.nation", "lake.silver.later"


@dataclass(frozen=True)
class Got:
    """An event as it came, with what it says of itself."""

    token: str
    raw: dict[str, Any]

    @property
    def engine(self) -> str:
        return "trino" if "trino" in self.raw["producer"] else "spark"

    def names(self, key: str) -> set[tuple[str, str]]:
        return {(each["namespace"], each["name"]) for each in self.raw.get(key) or ()}

    def has(self, engine: str, **datasets: str) -> bool:
        """Whether it is of a statement of the engine that succeeded, with these tables."""
        every = (((PLATFORM, name) in self.names(key)) for key, name in datasets.items())
        return self.engine == engine and self.raw["eventType"] == "COMPLETE" and all(every)


class Server(BaseHTTPRequestHandler):
    got: list[Got]
    away: list[bool]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.away:
            self.got.append(Got(self.headers.get("Authorization", ""), json.loads(body)))
        self.send_response(503 if self.away else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Nothing."""


@dataclass(frozen=True)
class Receiver:
    """A server that keeps what it gets. While ``away`` has an entry, it takes nothing."""

    url: str
    got: list[Got]
    away: list[bool]

    def has(self, engine: str, **datasets: str) -> bool:
        return any(each.has(engine, **datasets) for each in self.got)


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    got: list[Got] = []
    away: list[bool] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Server,), {"got": got, "away": away})) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield Receiver(f"http://127.0.0.1:{found.server_port}", got, away)
        found.shutdown()


@pytest.fixture(scope="module", params=["nessie", "rest"])
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: Receiver
) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("lineage") / "a lakehouse",
        {
            ("stacks",): {
                "local": {
                    "runtime": "process",
                    "store": "s3proxy",
                    "catalogs": {"lake": request.param},
                    "lineage": {"url": server.url, "token": "receiver.key"},
                }
            },
            ("engines",): {"spark": SPARK, "trino": TRINO},
            ("catalogs", "lake", "namespaces"): {"bronze": {}, "silver": {}},
            **({("catalogs", "lake", "branches"): {"etl": {"from": "main"}}} if request.param == "nessie" else {}),
        },
    )
    key = made.folder / "receiver.key"
    key.write_text("of-the-receiver\n")
    key.chmod(0o600)
    server.got.clear()
    with up(made):
        yield made


def waiting(stack: Deployment) -> float:
    """The events that the service keeps for the server; a number below zero if the service does not answer."""
    try:
        page = requests.get(f"http://127.0.0.1:{stack.port('lineage')}/metrics", timeout=5).text
    except requests.RequestException:
        return -1
    [line] = [each for each in page.splitlines() if each.startswith("lakehouse_lineage_waiting ")]
    return float(line.split()[1])


def spark(stack: Deployment, sql: str) -> str:
    return stack.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", sql)


def test_both_engines_events_are_about_the_same_datasets(stack: Deployment, server: Receiver) -> None:
    got = server.got
    stack.trino(f"CREATE TABLE {NATION} AS SELECT nationkey, name FROM tpch.tiny.nation")
    until(lambda: any(each.has("trino", outputs=NATION) for each in got), 60)
    spark(stack, f"CREATE TABLE {COPIED} AS SELECT * FROM {NATION} WHERE nationkey < 5")
    until(lambda: any(each.has("spark", outputs=COPIED) for each in got), 120)
    before = len(got)
    spark(stack, f"INSERT INTO {COPIED} SELECT * FROM {NATION} WHERE nationkey >= 5")
    until(lambda: any(each.has("spark", inputs=NATION, outputs=COPIED) for each in got[before:]), 120)
    stack.trino(f"INSERT INTO {NATION} SELECT nationkey + 100, name FROM {COPIED} WHERE nationkey = 1")
    until(lambda: any(each.has("trino", inputs=COPIED, outputs=NATION) for each in got), 60)
    assert {each.token for each in got} == {"Bearer of-the-receiver"}
    urn = f"urn:li:dataset:(urn:li:dataPlatform:{PLATFORM},{NATION},PROD)"
    assert urn == Urns().table("lake", "bronze.nation"), "DataHub's ingestion names it so"


def test_lineage_of_columns_is_about_the_same_datasets(server: Receiver, stack: Deployment) -> None:
    for engine, output, source in (("spark", COPIED, NATION), ("trino", NATION, COPIED)):
        facets = [
            each["facets"]["columnLineage"]
            for event in server.got
            if event.has(engine, inputs=source, outputs=output)
            for each in event.raw["outputs"]
            if each["name"] == output and "columnLineage" in each["facets"]
        ]
        sources = [field for each in facets for field in each["fields"]["name"]["inputFields"]]
        assert {(each["namespace"], each["name"], each["field"]) for each in sources} == {(PLATFORM, source, "name")}


def test_a_branch_has_one_name_in_both_engines_too(server: Receiver, stack: Deployment) -> None:
    if not stack.local.endpoints.catalogs[0].branches:
        pytest.skip("only Nessie has branches")
    stack.trino("CREATE SCHEMA IF NOT EXISTS lake_etl.bronze")
    stack.trino(f"CREATE TABLE lake_etl.bronze.audited AS SELECT * FROM {NATION}")
    until(lambda: server.has("trino", inputs=NATION, outputs="lake.bronze.audited@etl"), 60)
    spark(stack, f"INSERT INTO lake.bronze.`audited@etl` SELECT * FROM {NATION}")
    until(lambda: server.has("spark", inputs=NATION, outputs="lake.bronze.audited@etl"), 60)


def test_no_table_of_the_lakehouse_has_another_name(server: Receiver, stack: Deployment) -> None:
    every = {name for each in server.got for key in ("inputs", "outputs") for name in each.names(key)}
    others = {name for name in every if name[0] != PLATFORM}
    assert not {each for each in others if each[0].startswith(("s3", "hive", "http"))}
    assert {name for space, name in others if space.startswith("trino://")} <= {"tpch.tiny.nation"}


def test_no_statement_waits_for_a_server_that_is_away_and_its_events_come_later(
    server: Receiver, stack: Deployment
) -> None:
    until(lambda: waiting(stack) == 0, 60)
    server.away.append(True)
    try:
        stack.trino(f"CREATE TABLE {LATER} AS SELECT * FROM {NATION}")
        until(lambda: waiting(stack) > 1, 60)  # that it has begun, and that it has ended
        kill(stack, "lineage")  # what it has taken is on the disk
        assert spark(stack, f"SELECT count(*) FROM {LATER}").split()[-1].isdigit()
        assert not server.has("trino", outputs=LATER)
    finally:
        server.away.clear()
    until(lambda: server.has("trino", outputs=LATER), 120)


@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL])
def test_a_receiver_that_answers_nothing_stops_no_statement(stack: Deployment, sent: signal.Signals) -> None:
    """A stopped process is the worst: the system still accepts connections for it."""
    process = psutil.Process(stack.local.runtime.processes()["lineage"].pid)
    process.send_signal(sent)
    try:
        for number in range(3):
            began = time.monotonic()
            stack.trino(f"INSERT INTO {LATER} VALUES ({number}, 'more')")
            print(f"{sent.name}: Trino wrote in {time.monotonic() - began:.1f} s")
            began = time.monotonic()
            spark(stack, f"INSERT INTO {LATER} VALUES ({number}, 'more')")
            print(f"{sent.name}: Spark wrote in {time.monotonic() - began:.1f} s")
        assert stack.trino(f"SELECT count(*) FROM {LATER} WHERE name = 'more'")[0][0] >= 6
    finally:
        if sent == signal.SIGSTOP:
            process.send_signal(signal.SIGCONT)
    until(lambda: waiting(stack) == 0, 120)


def test_its_key_is_on_no_page_and_its_port_gives_what_is_known(stack: Deployment) -> None:
    key = stack.local.state.secret("lineage-key")
    url = f"http://127.0.0.1:{stack.port('spark-connect-ui')}"
    page = requests.get(f"{url}/api/v1/applications", timeout=20).json()
    shown = requests.get(f"{url}/api/v1/applications/{page[0]['id']}/environment", timeout=20).text
    assert "spark.openlineage.transport.url" in shown
    assert key not in shown
    assert key not in stack.lakehouse("logs")
    assert_known(stack)


def test_lineage_ends_without_the_entry(stack: Deployment) -> None:
    assert stack.planned() == set()
    others = {name: at for name, at in ports(load(stack.file), "local").items() if name != "lineage"}
    with kept(stack.file) as text:
        stack.edit(text, {("stacks", "local", "lineage"): None, ("stacks", "local", "ports"): others})
        assert {"lineage", "trino", "spark-connect"} <= stack.planned()
