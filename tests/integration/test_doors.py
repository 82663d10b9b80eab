"""What listens on this machine: the declared ports, and nothing that a web page could use."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from lakehouse.kinds.stores import rustfs
from lakehouse.packages import is_present
from lakehouse.runtimes import processes
from tests.integration.deployment import Deployment
from tests.integration.listening import further

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PAGE = {"Origin": "http://evil.example", "Content-Type": "text/plain"}  # what a browser sends without asking first


def test_what_listens_is_declared_and_on_the_loopback_address(deployed: Deployment) -> None:
    deployed.lakehouse("sql", "-e", "SELECT 1", "--engine", "spark")  # an executor is there
    found = further(deployed)
    assert [each for each in found if not each.of_spark] == []
    assert found, "Spark's own ports are among what was looked at"
    for each in found:
        assert not speaks_http(each.port), each


@pytest.fixture
def on_rustfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Only RustFS and a catalog."""
    if not is_present(rustfs.PACKAGE):
        pytest.skip("RustFS is not built here: docs/stores.md says how")
    changes = {("stacks", "local", "store"): rustfs.NAME, ("engines",): {}}
    deployment = Deployment.make(tmp_path_factory.mktemp("rustfs") / "a lakehouse", changes)
    try:
        deployment.deploy()
        yield deployment
    finally:
        deployment.destroy(code=None)
        processes.end(processes.belonging(deployment.local.state))


@pytest.mark.matrix
def test_what_listens_on_rustfs_is_declared(on_rustfs: Deployment) -> None:
    assert further(on_rustfs) == []


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
    """Whether a page's request gets an HTTP answer there."""
    head = b"POST /v1/submissions/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(2)
        connection.sendall(head + b"Content-Length: 2\r\n\r\n{}")
        try:
            return connection.recv(16).startswith(b"HTTP/")
        except OSError:
            return False
