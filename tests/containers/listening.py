"""What listens in a lakehouse's containers, compared with what it declares."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import runtime
from tests.integration.deployment import Deployment

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


def assert_declared(deployment: Deployment, engine: DockerEngine) -> None:
    """Only declared ports listen inside each container, and they are published only on the loopback address."""
    seen = engine.seen(deployment.local.state)
    assert seen
    declared = {each.name: {port.number for port in each.ports} for each in deployment.local.everything}
    for asked in (each for each in runtime(deployment).containers if not each.is_job):
        inside = listening(seen[asked.service].pid)
        further = {port for ip, port in inside if ip != DNS and port not in declared[asked.service]}
        # Spark's drivers and executors listen to each other on ports that they choose themselves: none is published.
        if not asked.service.startswith(("spark-connect", "spark-thrift", "spark-worker")):
            assert not further, asked.service
        attributes = engine.client.containers.get(asked.name).attrs
        published = attributes["NetworkSettings"]["Ports"]
        bound = {
            (int(inner.partition("/")[0]), int(outer["HostPort"]), outer["HostIp"])
            for inner, outers in published.items()
            for outer in outers or ()
        }
        assert bound == {(internal, external, "127.0.0.1") for internal, external in asked.ports}, asked.service
