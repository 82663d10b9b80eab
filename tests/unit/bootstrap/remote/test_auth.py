"""Authentication of requests, against a small server that requires it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bootstrap.remote import retry
from bootstrap.remote.auth import NONE, Auth, Bearer, ClientCredentials, SigV4
from bootstrap.remote.errors import Refused, RemoteError, Throttled, UnknownState, Unreachable
from bootstrap.remote.http import Http

SECRET = "the-client-secret"


class Guarded(ThreadingHTTPServer):
    """Gives out tokens at /tokens, and accepts requests with one of ``good``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.good: set[str] = set()
        self.lasts: int | None = 3600
        self.forms: list[dict[str, list[str]]] = []
        self.seen: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.refusal: tuple[int, str] | None = None
        self.status = 401
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Guarded
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            status, content = self._token(body) if self.path == "/tokens" else self._guarded(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def _token(self, body: bytes) -> tuple[int, str]:
        if self.server.refusal is not None:
            return self.server.refusal
        self.server.forms.append(parse_qs(body.decode()))
        token = f"token-{len(self.server.forms)}"
        self.server.good.add(token)
        lasts = {} if self.server.lasts is None else {"expires_in": self.server.lasts}
        return 200, json.dumps({"access_token": token, "token_type": "bearer", **lasts})

    def _guarded(self, body: bytes) -> tuple[int, str]:
        self.server.seen.append(dict(self.headers.items()))
        self.server.bodies.append(body)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return (200, '{"in": true}') if token in self.server.good else (self.server.status, '{"message": "who?"}')

    do_GET = do_POST = _answer  # noqa: N815 - names that http.server wants

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.001)
    made = Guarded()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


def oauth(server: Guarded, **more: Any) -> ClientCredentials:
    return ClientCredentials("Polaris", f"{server.url}/tokens", "root", SECRET, "ALL", now=CLOCK, **more)


def client(server: Guarded, auth: Auth) -> Http:
    return Http('catalog "x"', server.url, {"X-Realm": "r"}, patience=5, auth=auth)


def test_without_and_with_a_token(server: Guarded) -> None:
    with pytest.raises(Refused, match=r"who\? \(HTTP 401\). Check the credentials"):
        client(server, NONE).get("/v1")
    assert len(server.seen) == 1, "another try would be the same"
    server.good.add("mine")
    assert client(server, Bearer("mine")).post("/v1", {"a": 1}) == {"in": True}
    assert server.seen[-1]["X-Realm"] == "r"
    with pytest.raises(Refused) as error:
        client(server, Bearer("not-mine")).get("/v1")
    assert "not-mine" not in f"{error.value} {Bearer('not-mine')}"
    assert len(server.seen) == 3


def test_one_token_is_asked_for_by_many_threads(server: Guarded) -> None:
    made = client(server, oauth(server, extra={"Polaris-Realm": "POLARIS"}))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: made.get("/v1"), range(24))) == [{"in": True}] * 24
    assert server.forms == [
        {"grant_type": ["client_credentials"], "client_id": ["root"], "client_secret": [SECRET], "scope": ["ALL"]}
    ]


@pytest.mark.parametrize(("lasts", "still", "over"), [(3600, 3539, 3541), (10, 8, 9.5)])
def test_a_token_is_replaced_before_its_end(server: Guarded, lasts: int, still: float, over: float) -> None:
    server.lasts, CLOCK.now = lasts, 1000.0
    made = client(server, oauth(server))
    for after, asked in ((0.0, 1), (still, 1), (over, 2)):
        CLOCK.now = 1000.0 + after
        made.get("/v1")
        assert len(server.forms) == asked


@pytest.mark.parametrize("status", [401, 419])
def test_a_token_that_is_refused_is_replaced_for_reads_and_writes(server: Guarded, status: int) -> None:
    server.lasts, server.status = None, status
    made = client(server, oauth(server))
    made.get("/v1")
    server.good.clear()  # revoked, or the server has forgotten
    assert made.post("/v1", {"a": 1}) == {"in": True}
    assert server.bodies[-2:] == [b'{"a": 1}'] * 2
    assert len(server.forms) == 2


class Never(set[str]):
    def add(self, element: str) -> None:
        """No token is good."""


def test_a_refusal_of_a_new_token_is_reported(server: Guarded) -> None:
    server.good = Never()
    with pytest.raises(Refused, match="HTTP 401"):
        client(server, oauth(server)).get("/v1")
    assert len(server.forms) == 2, "asked once more, and not for ever"


@pytest.mark.parametrize(
    ("refusal", "error", "why"),
    [
        ((401, '{"error": "invalid_client"}'), Refused, r"no token for root \(HTTP 401, invalid_client\). Check"),
        ((400, "no json"), Refused, r"no token for root \(HTTP 400\)"),
        ((500, ""), UnknownState, "HTTP 500"),
        ((503, ""), Throttled, "HTTP 503"),
        ((200, "<html>"), Refused, "Is it the address for tokens"),
        ((200, "[]"), Refused, "has no token"),
        ((302, ""), Refused, "HTTP 302"),
    ],
)
def test_without_a_token_the_reason_is_reported_and_no_secret(
    server: Guarded, refusal: tuple[int, str], error: type[RemoteError], why: str
) -> None:
    server.refusal, made = refusal, oauth(server)
    with pytest.raises(error, match=why) as caught:
        made.headers("GET", server.url, {}, None)
    assert SECRET not in f"{caught.value} {made!r}"


def test_a_server_of_tokens_that_is_down(server: Guarded, free_port: int) -> None:
    made = ClientCredentials("Polaris", f"http://127.0.0.1:{free_port}/tokens", "root", SECRET)
    with pytest.raises(Unreachable, match="Polaris at .*cannot be reached"):
        client(server, made).get("/v1")


def test_requests_are_signed(server: Guarded) -> None:
    signing = SigV4.of("AKID", "SECRETKEY", "s3tables", "eu-west-1", "SESSION")
    with pytest.raises(Refused):
        client(server, signing).request("POST", "/v1/ns%1Fa", {"a": 1}, query={"b": "c d"})
    seen = server.seen[-1]
    words = re.match(r"AWS4-HMAC-SHA256 Credential=AKID/\d{8}/eu-west-1/s3tables/aws4_request, ", seen["Authorization"])
    assert words
    assert [value for name, value in seen.items() if name.endswith("Security-Token")] == ["SESSION"]
    # The request that arrived, signed by botocore itself with the same time.
    url = f"{server.url}/v1/ns%1Fa?b=c+d"
    signed = {name: seen[name] for name in ("Accept", "X-Realm", "Content-Type")}
    again = AWSRequest(method="POST", url=url, data=server.bodies[-1], headers=signed)
    again.context["timestamp"] = seen["X-Amz-Date"]
    signer = SigV4Auth(Credentials("AKID", "SECRETKEY", "SESSION"), "s3tables", "eu-west-1")
    again.headers["X-Amz-Date"] = seen["X-Amz-Date"]
    again.headers["-".join(("X-Amz", "Security", "Token"))] = "SESSION"
    assert (
        f"Signature={signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)}"
        in (seen["Authorization"])
    )
    assert "SECRETKEY" not in repr(signing)
