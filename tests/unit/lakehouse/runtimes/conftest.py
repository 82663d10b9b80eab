"""Fixtures of the runtimes' tests."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

import pytest


class _Busy(http.server.BaseHTTPRequestHandler):
    """Answers well, later than a service that has nothing else to do."""

    def do_GET(self) -> None:
        time.sleep(2.3)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy_port() -> Iterator[int]:
    """The port of a service that answers after 2.3 s."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
