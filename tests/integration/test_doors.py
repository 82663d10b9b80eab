"""What listens on this machine: the declared ports, and nothing that a web page could use."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import psutil
import pytest
import requests

from lakehouse.runtimes import processes
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
PAGE = {"Origin": "http://evil.example", "Content-Type": "text/plain"}  # what a browser sends without asking first


@dataclass(frozen=True)
class Listener:
    """A socket of a service that takes connections, or datagrams."""

    service: str
    command: str
    ip: str
    port: int

    @property
    def of_spark(self) -> bool:
        """Spark's drivers and executors listen to each other on ports that they choose themselves."""
        return any(name in self.command for name in ("SparkSubmit", "CoarseGrainedExecutorBackend"))


def listeners(deployment: Deployment) -> set[Listener]:
    """All of them, whatever the service: also those of the processes that it started."""
    own = {each.pid: each for each in processes.belonging(deployment.local.state)}
    return {
        Listener(
            own[each.pid].environ().get("LAKEHOUSE_SERVICE", "supervisord"),
            " ".join(own[each.pid].cmdline()),
            each.laddr.ip,
            each.laddr.port,
        )
        for each in psutil.net_connections("inet")
        if each.pid in own
        and each.laddr
        and (each.status == psutil.CONN_LISTEN or (each.type == socket.SOCK_DGRAM and not each.raddr))
    }


def test_what_listens_is_declared_and_on_the_loopback_address(deployed: Deployment) -> None:
    deployed.lakehouse("sql", "-e", "SELECT 1", "--engine", "spark")  # an executor is there
    found = listeners(deployed)
    assert {each.ip for each in found} <= set(LOOPBACK)
    declared = {port.number: each.name for each in deployed.local.services for port in each.ports}
    assert {(each.port, each.service) for each in found if each.port in declared} == set(declared.items())
    further = [each for each in found if each.port not in declared]
    assert [each for each in further if not each.of_spark] == []
    assert further, "Spark's own ports are among what was looked at"
    for each in further:
        assert not speaks_http(each.port), each


def test_a_page_can_end_no_job_and_no_worker(deployed: Deployment) -> None:
    master, jobs = deployed.port("spark-master-ui"), deployed.port("spark-connect-ui")
    for url in (
        f"http://127.0.0.1:{master}/app/kill/?id=app-1&terminate=true",
        f"http://127.0.0.1:{master}/driver/kill/?id=driver-1&terminate=true",
        f"http://127.0.0.1:{master}/workers/kill/?host=127.0.0.1",
        f"http://127.0.0.1:{jobs}/jobs/job/kill/?id=1",
        f"http://127.0.0.1:{jobs}/stages/stage/kill/?id=1",
    ):
        answer = requests.post(url, headers=PAGE, timeout=10, allow_redirects=False)
        assert answer.status_code in (403, 405), url


def test_no_port_lets_a_page_of_another_site_in(deployed: Deployment) -> None:
    """A plain request changes nothing, and no port but the health checks' lets another site's page read an answer."""
    local = deployed.local
    for service in local.services:
        for port in service.ports:
            if port.scheme != "http" or "management" in port.name:
                continue
            url = f"http://127.0.0.1:{port.number}/"
            answer = requests.get(url, headers={"Origin": PAGE["Origin"]}, timeout=10, allow_redirects=False)
            assert "Access-Control-Allow-Origin" not in answer.headers, port.name
    nessie, trino = deployed.port("nessie"), deployed.port("trino")
    for url, body in (
        (f"http://127.0.0.1:{nessie}/iceberg/v1/main/namespaces", '{"namespace": ["evil"]}'),
        (f"http://127.0.0.1:{nessie}/api/v2/trees?name=evil&type=BRANCH", '{"type": "BRANCH", "hash": null}'),
        (f"http://127.0.0.1:{trino}/v1/statement", "DROP SCHEMA lake.evil"),
    ):
        assert requests.post(url, data=body, headers=PAGE, timeout=10).status_code in (401, 415), url


def speaks_http(port: int) -> bool:
    """Whether a page's request gets an answer of HTTP there."""
    head = b"POST /v1/submissions/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(2)
        connection.sendall(head + b"Content-Length: 2\r\n\r\n{}")
        try:
            return connection.recv(16).startswith(b"HTTP/")
        except OSError:
            return False
