"""Single objects of a store: every failure has its type, and temporary ones are tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bootstrap.remote import retry
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Missing, Refused, RemoteError, Throttled, UnknownState, Unreachable
from bootstrap.remote.objects import Objects


class Store(ThreadingHTTPServer):
    """Gives the ``answers`` in turn, then repeats the last; None: closes the connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int | None] = [200]
        self.asked: list[tuple[str, str, bytes]] = []
        self.signed: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are expected here."""


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, body))
        self.server.signed.append(self.headers.get("Authorization", ""))
        answers = self.server.answers
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_PUT = _answer  # noqa: N815 - names that http.server wants

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.001)
    server = Store()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def opened(endpoint: str) -> Objects:
    return Objects(Connections(StoreConnection(endpoint, "us-east-1", "key", "secret"), {}, patience=5))


@pytest.fixture
def client(store: Store) -> Iterator[Objects]:
    made = opened(f"http://127.0.0.1:{store.server_address[1]}")
    yield made
    made._pool.clear()


def test_requests_are_signed_and_name_bucket_and_key(store: Store, client: Objects) -> None:
    assert client.read("s3://warehouse/lake/a b/00001-x.metadata.json") == b"ok"
    client.write("s3://warehouse/lake/t", b"{}")
    assert store.asked == [
        ("GET", "/warehouse/lake/a%20b/00001-x.metadata.json", b""),
        ("PUT", "/warehouse/lake/t", b"{}"),
    ]
    assert all(header.startswith("AWS4-HMAC-SHA256 Credential=key/") for header in store.signed)
    assert "secret" not in "".join(store.signed)


@pytest.mark.parametrize("answer", [None, 500, 503, 429])
def test_what_may_pass_is_tried_again(store: Store, client: Objects, answer: int | None) -> None:
    store.answers = [answer, answer, 200]
    client.write("s3://warehouse/k", b"x")
    assert [body for _, _, body in store.asked] == [b"x"] * 3


@pytest.mark.parametrize(
    ("answer", "kind", "times"),
    [(404, Missing, 1), (403, Refused, 1), (501, Refused, 1), (503, Throttled, 4), (500, UnknownState, 4),
     (None, UnknownState, 4)],
)  # fmt: skip
def test_a_failure_has_its_type(
    store: Store, client: Objects, answer: int | None, kind: type[RemoteError], times: int
) -> None:
    store.answers = [answer]
    with pytest.raises(kind, match="the object store: "):
        client.read("s3://warehouse/k")
    assert len(store.asked) == times


def test_nobody_there(free_port: int) -> None:
    with pytest.raises(Unreachable, match=rf"the object store at http://127.0.0.1:{free_port} .*\(no connection\)"):
        opened(f"http://127.0.0.1:{free_port}").read("s3://warehouse/k")
