from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from bootstrap.engines.seatunnel import SeaTunnelJob, SeaTunnelServer
from bootstrap.remote.errors import Missing

ANSWER = {
    "orders": {"state": "RUNNING", "problem": "", "read": 500, "written": 499},
    "shop": {"state": "FAILED", "problem": "it failed\\n\\tat x", "read": -1, "written": -1},
}


class Handler(BaseHTTPRequestHandler):
    """What `seatunnel.bsh` answers."""

    asked: ClassVar[list[tuple[str, str, str]]] = []

    def do_GET(self) -> None:
        self._answer(200, ANSWER)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.path, self.headers["Content-Type"], body))
        self._answer(*((200, {}) if "orders" in self.path else (404, {"message": "there is no such pipeline"})))

    def _answer(self, code: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[SeaTunnelServer]:
    Handler.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield SeaTunnelServer(f"http://127.0.0.1:{http.server_address[1]}")
        http.shutdown()
        thread.join()


def test_the_state_of_each_job(server: SeaTunnelServer) -> None:
    found = server.jobs()
    assert found["orders"] == SeaTunnelJob("orders", "RUNNING", "", 500, 499)
    assert (found["shop"].read, found["shop"].written) == (None, None)


def test_a_change_is_asked_for_as_no_page_of_another_site_can(server: SeaTunnelServer) -> None:
    server.stop("orders")
    server.start("orders")
    assert [path for path, _, _ in Handler.asked] == ["/pipelines/orders/stop", "/pipelines/orders/start"]
    assert {kind for _, kind, _ in Handler.asked} == {"application/json"}


def test_a_pipeline_that_is_not_there(server: SeaTunnelServer) -> None:
    with pytest.raises(Missing):
        server.stop("other")


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        ("", ""),
        ("org.X: it failed\n\tat a.b\n\tat c.d", "org.X: it failed"),
        ("a\nCaused by: b\n\tat x\nCaused by: c\n\tat y", "c"),
    ],
)
def test_the_first_cause(problem: str, why: str) -> None:
    assert SeaTunnelJob("a", "FAILED", problem).why == why
