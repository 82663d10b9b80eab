"""A double of the part of Docker's API that doctor uses, for states that no real Docker here can have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def docker_api(version: str, *, memory_mb: int = 16_000, offered: bool = False) -> Iterator[str]:
    """A Docker of that version without images or containers; ``offered``: a registry has every image.

    The value is what DOCKER_HOST is to be.
    """
    answers: dict[str, Any] = {
        "version": {"Version": version, "ApiVersion": "1.40", "MinAPIVersion": "1.12"},
        "info": {"MemTotal": memory_mb << 20, "DockerRootDir": "/no/such/folder"},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].lstrip("/").split("/")
            name = path[1] if path[0].startswith("v1.") else path[0]
            if name == "_ping":
                return self._send(200, b"OK")
            if name == "containers":
                return self._send(200, b"[]")
            if name == "distribution" and offered:
                return self._send(200, b'{"Descriptor": {"digest": "sha256:1"}, "Platforms": []}')
            if name in answers:
                return self._send(200, json.dumps(answers[name]).encode())
            return self._send(404, b'{"message": "No such image"}')

        def do_HEAD(self) -> None:
            self._send(200, b"")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
