"""The port of SeaweedFS's metrics, which only a stack with `monitoring` has: it asks nobody who they are."""

from __future__ import annotations

import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.s3 import client
from lakehouse.kinds.stores.seaweedfs import METRICS, NAME, SEAWEEDFS, seaweedfs
from lakehouse.runtimes import certificates
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.service import Port
from lakehouse.spec.monitoring import Monitoring
from tests.behaviour.servers import REGION, awaited, bare, local, started
from tests.ports import free

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(120)]

FILE = "a-file-of-somebody"
OTHERS = ("/", f"/warehouse/{FILE}", "/dir/assign", "/buckets/", "/cluster/status", "/vol/list")


@dataclass(frozen=True)
class Monitored:
    """A SeaweedFS that has a bucket with a file in it, and the port at which it gives its numbers."""

    store: StoreConnection
    port: Port
    hidden: tuple[str, ...]  # what nobody may read there

    def answer(self, path: str, method: str = "GET") -> tuple[int, str, dict[str, str]]:
        """The status, content and headers of the answer to a page of anybody's."""
        body = None if method == "GET" else b"x"
        headers = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
        url = f"http://127.0.0.1:{self.port.number}{path}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data=body, method=method, headers=headers), timeout=10
            ) as answered:
                return answered.status, answered.read().decode(errors="replace"), dict(answered.headers)
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode(errors="replace"), dict(refused.headers)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    state = State(tmp_path_factory.mktemp("monitored"))
    state.prepare()
    names = [each.name for each in SEAWEEDFS.listeners]
    place = ProcessPlace(state, dict(zip(names, free(len(names)), strict=True)))
    service = seaweedfs(place, local(bare(NAME)).model_copy(update={"monitoring": Monitoring()}))
    certificates.issue(state, [service])
    keys = {"store-access-key": secrets.token_hex(10), "store-secret-key": secrets.token_urlsafe(24)}
    with started(service, state, keys) as process:
        awaited(service, process, state)
        store = StoreConnection(f"http://127.0.0.1:{place.port(NAME)}", REGION, *keys.values())
        there = client(store)
        there.create_bucket(Bucket="warehouse")
        there.put_object(Bucket="warehouse", Key=FILE, Body=b"its-content")
        there.get_object(Bucket="warehouse", Key=FILE)["Body"].read()
        [port] = [each for each in service.ports if each.name == METRICS]
        tokens = (state.root / "secrets" / "seaweedfs-tokens").read_text()
        yield Monitored(store, port, (*keys.values(), tokens, FILE, "its-content"))


def test_it_is_not_there_without_monitoring(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = ProcessPlace(State(tmp_path_factory.mktemp("bare")), {each.name: 1 for each in SEAWEEDFS.listeners})
    service = seaweedfs(place, local(bare(NAME)))
    assert METRICS not in [each.name for each in service.ports]
    assert not [each for each in service.command if each.startswith("-metrics")]


def test_a_stranger_reads_numbers(monitored: Monitored) -> None:
    status, text, headers = monitored.answer("/metrics")
    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers
    number = r"[a-zA-Z_:][a-zA-Z0-9_:]*({.*})? [-+0-9.eEinfNa]+( [0-9]+)?"
    assert not [line for line in text.splitlines() if not line.startswith("#") and not re.fullmatch(number, line)]
    assert "SeaweedFS_s3_request_total" in text
    assert not [each for each in monitored.hidden if each in text]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_stranger_reads_and_changes_nothing_else(monitored: Monitored, method: str) -> None:
    for path in OTHERS:
        status, text, headers = monitored.answer(path, method)
        assert status in (404, 405), path
        assert "Access-Control-Allow-Origin" not in headers, path
        assert not [each for each in monitored.hidden if each in text], path
    assert client(monitored.store).get_object(Bucket="warehouse", Key=FILE)["Body"].read() == b"its-content"


def test_what_it_gives_beside_its_numbers_is_said(monitored: Monitored) -> None:
    """SeaweedFS answers there what Go's own tools ask a program, and has no option against it."""
    assert "names of buckets and folders, its command line, profiles" in str(monitored.port.gives)
    of_pprof = ("", "cmdline", "goroutine?debug=2", "heap?debug=1", "symbol")
    for path in (*(f"pprof/{each}" for each in of_pprof), "vars"):
        status, text, headers = monitored.answer(f"/debug/{path}")
        assert status == 200, path
        assert "Access-Control-Allow-Origin" not in headers, path
        assert not [each for each in monitored.hidden if each in text], path
