"""What listens in the containers: the declared ports, published on the loopback address alone."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.session.clients import TOKEN
from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import runtime
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

DNS = "127.0.0.11"  # Docker's own, in every container
LISTEN = "0A"  # https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt


def listening(pid: int) -> set[tuple[str, int]]:
    """Address and port of each listening socket in the network namespace of a process."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, port = local.partition(":")
            words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
            if state == LISTEN:
                found.add((str(ipaddress.ip_address(b"".join(words))), int(port, 16)))
    return found


def test_what_listens_is_declared_and_published_on_the_loopback_address(
    contained: Deployment, engine: DockerEngine
) -> None:
    contained.lakehouse("sql", "-e", "SELECT 1", "--engine", "spark")  # an executor is there
    seen = engine.seen(contained.local.state)
    assert seen
    for asked in runtime(contained).containers:
        inside = {internal for internal, _ in asked.ports}
        further = {port for ip, port in listening(seen[asked.service].pid) if ip != DNS and port not in inside}
        # Spark's drivers and executors listen to each other on ports that they choose themselves: none is published.
        if asked.service != "spark-connect" and not asked.service.startswith("spark-worker"):
            assert not further, asked.service
        attributes = engine.client.containers.get(asked.name).attrs
        published = attributes["NetworkSettings"]["Ports"]
        bound = {
            (int(inner.partition("/")[0]), int(outer["HostPort"]), outer["HostIp"])
            for inner, outers in published.items()
            for outer in outers or ()
        }
        assert bound == {(internal, external, "127.0.0.1") for internal, external in asked.ports}, asked.service


def test_the_master_takes_no_jobs_by_http(contained: Deployment, engine: DockerEngine) -> None:
    master = next(each for each in runtime(contained).containers if each.service == "spark-master")
    inside = {port for ip, port in listening(engine.seen(contained.local.state)["spark-master"].pid) if ip != DNS}
    assert inside == {internal for internal, _ in master.ports}


def test_connect_asks_for_its_token(contained: Deployment) -> None:
    """Whoever has none, or another, is refused; the command line has it (the other tests here use it)."""
    code = (
        "from bootstrap.session.clients import spark_session\n"
        f"spark_session('sc://localhost:{contained.port('spark-connect')}').sql('SELECT 1').collect()\n"
    )
    for token in ({}, {TOKEN: "another"}):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **token},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode
        assert "UNAUTHENTICATED" in done.stderr
