"""Every failure by its type, and what is sent again: against a server with given answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bootstrap.remote import http, retry
from bootstrap.remote.auth import ClientCredentials
from bootstrap.remote.errors import (
    Conflict,
    Exists,
    Missing,
    Refused,
    RemoteError,
    Throttled,
    UnknownState,
    Unreachable,
)
from bootstrap.remote.http import Http
from lakehouse.runtimes import certificates
from lakehouse.runtimes.state import State
from tests.unit.lakehouse.runtimes.test_certificates import served, web


class Scripted(ThreadingHTTPServer):
    """Gives the ``answers`` in turn, then repeats the last; None: closes the connection without an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, str, dict[str, str]] | None] = []
        self.seen: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Closed connections are expected here."""


class _Handler(BaseHTTPRequestHandler):
    server: Scripted
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            self.close_connection = True
            return
        status, body, headers = answer
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body.encode()))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names that http.server wants

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.001)
    there = Scripted()
    thread = threading.Thread(target=there.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield there
    there.shutdown()
    there.server_close()
    thread.join()


@pytest.fixture
def client(server: Scripted) -> Iterator[Http]:
    made = Http('catalog "x"', f"http://127.0.0.1:{server.server_address[1]}", patience=5)
    yield made
    made._pool.clear()


def iceberg(status: int, kind: str, message: str = "why") -> tuple[int, str, dict[str, str]]:
    return status, json.dumps({"error": {"type": kind, "message": message, "code": status}}), {}


BAD: list[tuple[Any, type[RemoteError]]] = [
    (iceberg(404, "NoSuchTableException"), Missing),
    (iceberg(409, "AlreadyExistsException"), Exists),
    (iceberg(409, "CommitFailedException"), Conflict),
    ((409, '{"errorCode": "REFERENCE_ALREADY_EXISTS", "message": "m"}', {}), Exists),
    ((409, '{"errorCode": "REFERENCE_CONFLICT", "message": "m"}', {}), Conflict),
    (iceberg(429, "TooManyRequests"), Throttled),
    ((503, "", {"Retry-After": "0"}), Throttled),
    ((503, "", {}), UnknownState),
    (iceberg(500, "CommitStateUnknownException"), UnknownState),
    (iceberg(502, "BadGateway"), UnknownState),
    ((504, "<html>", {}), UnknownState),
    (None, UnknownState),
    (iceberg(500, "UnsupportedOperationException"), Refused),
    (iceberg(400, "BadRequestException"), Refused),
    (iceberg(401, "NotAuthorizedException"), Refused),
    (iceberg(403, "ForbiddenException"), Refused),
    (iceberg(501, "NotImplemented"), Refused),
    ((418, "not json", {}), Refused),
]


@pytest.mark.parametrize(("answer", "kind"), BAD)
def test_a_failed_write_has_its_type_and_only_a_throttled_one_is_sent_again(
    server: Scripted, client: Http, answer: Any, kind: type[RemoteError]
) -> None:
    server.answers = [answer]
    with pytest.raises(RemoteError) as caught:
        client.post("/x", {})
    assert type(caught.value) is kind
    assert str(caught.value).startswith('catalog "x": ')
    assert len(server.seen) == (http._ATTEMPTS if kind is Throttled else 1)


@pytest.mark.parametrize("answer", [None, (503, "", {}), iceberg(500, "x"), iceberg(429, "x")])
def test_a_read_is_sent_again_until_it_comes_through(server: Scripted, client: Http, answer: Any) -> None:
    server.answers = [answer, answer, (200, '{"a": 1}', {})]
    assert client.get("/x", q="1", none=None) == {"a": 1}
    assert server.seen == ["GET /x?q=1"] * 3


def test_an_empty_answer_is_none(server: Scripted, client: Http) -> None:
    server.answers = [(204, "", {})]
    assert client.request("DELETE", "/x") is None


def test_nobody_there(free_port: int) -> None:
    with pytest.raises(
        Unreachable, match=rf'catalog "x" at http://127.0.0.1:{free_port} .*\(connection refused\)\..*lakehouse status'
    ):
        Http('catalog "x"', f"http://127.0.0.1:{free_port}").post("/x", {})


@pytest.mark.parametrize(("method", "kind"), [("GET", Refused), ("POST", UnknownState), ("DELETE", UnknownState)])
def test_an_answer_of_somebody_else(server: Scripted, client: Http, method: str, kind: type[RemoteError]) -> None:
    server.answers = [(200, "<html>Please log in</html>", {})]
    with pytest.raises(kind, match=f"the answer to {method} /x is not JSON. Is http://127.0.0.1.* its address"):
        client.request(method, "/x")
    assert len(server.seen) == 1


def test_a_server_of_the_stacks_own_authority_is_trusted_if_that_is_named(tmp_path: Path) -> None:
    state = State(tmp_path)
    certificates.issue(state, [web()])
    folder = tmp_path / "certificates"
    with served(folder / "web") as port:
        url = f"https://127.0.0.1:{port}"
        assert Http("it", url, trust=str(folder / "authority" / "certificate.pem")).get("/") == "all is well"
        with pytest.raises(Refused, match="cannot be trusted.*so nothing was sent"):
            Http("it", url).get("/")
        tokens = ClientCredentials("it", url, "id", "secret")
        with pytest.raises(Refused, match="cannot be trusted"):
            tokens.headers("GET", url, {}, None)
