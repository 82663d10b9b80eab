"""An HTTP proxy with the faults of real networks: it drops requests and answers, delays, repeats and refuses them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

_OF_ONE_CONNECTION = {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}
FAULTS = ("lose request", "lose answer", "repeat", "delay", "busy")


class Faults(ThreadingHTTPServer):
    """Forwards to ``target``; ``share`` of the requests meet one of :data:`FAULTS`, counted in ``met``."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, target: str, share: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.share, self.random = target, share, random.Random(seed)
        self.met: Counter[str] = Counter()
        self.pool = urllib3.PoolManager(retries=False, maxsize=32, timeout=30)
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self) -> str:
        with self.lock:
            chosen = self.random.choice(FAULTS) if self.random.random() < self.share else ""
            self.met[chosen] += 1
            return chosen

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are expected here."""


class _Handler(BaseHTTPRequestHandler):
    server: Faults
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, for which no client waits

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        fault = self.server.fault()
        if fault == "lose request":
            self.close_connection = True
            return
        if fault == "busy":
            self._answer(503, b"", {"Retry-After": "0"})
            return
        if fault == "delay":
            time.sleep(self.server.random.uniform(0, 0.3))
        # With the Host, because a store's requests are signed with it.
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _OF_ONE_CONNECTION}
        url = self.server.target + self.path
        answer = self.server.pool.request(self.command, url, body=body, headers=headers)
        if fault == "repeat":
            answer = self.server.pool.request(self.command, url, body=body, headers=headers)
        if fault == "lose answer":
            self.close_connection = True
            return
        kept = {key: value for key, value in answer.headers.items() if key.lower() in ("content-type", "etag")}
        self._answer(answer.status, answer.data, kept)

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _forward  # noqa: N815 - names that http.server wants

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@contextmanager
def faulty(target: str, share: float, seed: int) -> Iterator[Faults]:
    """The proxy, for as long as the context lasts."""
    server = Faults(target, share, seed)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        server.pool.clear()
        thread.join()
