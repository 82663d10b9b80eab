"""Lineage of engines in containers: what takes it is a process beside them. tests/kinds/test_lineage.py has more.

The server that gets the events is a double: it keeps them. The tests share one lakehouse, and follow one another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import pytest

from lakehouse.runtimes import processes
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.lineage import addresses
from lakehouse.runtimes.docker.observed import uncalled
from lakehouse.text.openlineage import PLATFORM
from tests.containers.conftest import DOCKER, exposed, runtime, sick, up
from tests.integration.deployment import Deployment, kept, kill, until
from tests.kinds import test_lineage
from tests.kinds.test_lineage import SPARK, TRINO, Receiver, spark, waiting
from tests.ports import free

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]

NATION, COPIED, LATER = "lake.bronze.nation", "lake.silver.nation", "lake.silver.later"

server = test_lineage.server


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory, server: Receiver) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("lineage") / "a lakehouse",
        {
            **DOCKER,
            ("name",): f"it-lineage-{os.getpid()}",
            ("stacks", "local", "lineage"): {"url": server.url, "token": "receiver.key"},
            ("engines",): {"spark": SPARK, "trino": {**TRINO, "workers": 1}},
            ("catalogs", "lake", "namespaces"): {"bronze": {}, "silver": {}},
        },
    )
    key = made.folder / "receiver.key"
    key.write_text("of-the-receiver\n")
    key.chmod(0o600)
    made.fetch()
    yield from up(made, engine)
    assert list(processes.belonging(made.local.state)) == [], "destroy leaves nothing"


def test_it_is_whole_and_listens_only_where_containers_call(stack: Deployment, engine: DockerEngine) -> None:
    assert sick(stack) == []
    assert stack.planned() == set()
    found = stack.lakehouse("doctor", code=None)
    assert "containers reach what runs beside them" in found
    process = psutil.Process(stack.local.runtime.processes()["lineage"].pid)
    own = {each.laddr for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    assert own == {(address, stack.port("lineage")) for address in ("127.0.0.1", *addresses(engine))}
    assert len(own) == 2


def test_both_engines_events_are_about_the_same_datasets(stack: Deployment, server: Receiver) -> None:
    stack.trino(f"CREATE TABLE {NATION} AS SELECT nationkey, name FROM tpch.tiny.nation")
    until(lambda: server.has("trino", outputs=NATION), 60)
    spark(stack, f"CREATE TABLE {COPIED} AS SELECT * FROM {NATION}")
    until(lambda: server.has("spark", outputs=COPIED), 120)
    spark(stack, f"INSERT INTO {COPIED} SELECT * FROM {NATION} WHERE nationkey < 5")
    until(lambda: server.has("spark", inputs=NATION, outputs=COPIED), 120)
    stack.trino(f"INSERT INTO {NATION} SELECT nationkey + 100, name FROM {COPIED} WHERE nationkey = 1")
    until(lambda: server.has("trino", inputs=COPIED, outputs=NATION), 60)
    assert {each.token for each in server.got} == {"Bearer of-the-receiver"}
    every = {name for each in server.got for key in ("inputs", "outputs") for name in each.names(key)}
    others = {name for name in every if name[0] != PLATFORM}
    assert {name for _, name in others} <= {"tpch.tiny.nation"}, "no table of the lakehouse has another name"


def test_events_come_later_if_the_server_was_away_and_what_takes_them_was_killed(
    stack: Deployment, server: Receiver
) -> None:
    until(lambda: waiting(stack) == 0, 60)
    server.away.append(True)
    try:
        stack.trino(f"CREATE TABLE {LATER} AS SELECT * FROM {NATION}")
        until(lambda: waiting(stack) > 1, 60)  # that it has begun, and that it has ended
        kill(stack, "lineage")
        assert not server.has("trino", outputs=LATER)
    finally:
        server.away.clear()
    until(lambda: server.has("trino", outputs=LATER), 120)


def test_who_does_not_reach_it_is_known(stack: Deployment, engine: DockerEngine) -> None:
    found = (engine, stack.local.state, runtime(stack).containers)
    assert uncalled(*found, stack.port("lineage")) == []
    [other] = free(1)
    callers = {"spark-master", "spark-worker-1", "spark-connect", "trino", "trino-worker-1"}
    assert set(uncalled(*found, other)) == callers


def test_its_key_is_seen_nowhere(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []


def test_lineage_ends_without_the_entry(stack: Deployment) -> None:
    ports = {name: at for name, at in stack.local.ports.items() if name != "lineage"}
    with kept(stack.file) as text:
        stack.edit(text, {("stacks", "local", "lineage"): None, ("stacks", "local", "ports"): ports})
        planned = stack.planned()
        assert {"trino", "trino-worker-1", "spark-connect"} <= planned
        assert not {"s3proxy", "nessie"} & planned
