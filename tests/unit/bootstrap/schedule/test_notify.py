"""Messages to a webhook and by mail, and that no error has the address."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bootstrap.schedule.notify import Message, send
from lakehouse.spec.schedule import Mail, Notify
from tests.ports import free

MESSAGE = Message("demo, stack local: backup failed", "Error: no space")


class Hook(BaseHTTPRequestHandler):
    received: ClassVar[list[dict[str, str]]] = []
    answer = 200

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Nothing."""


class Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a message needs."""

    letters: ClassVar[list[str]] = []

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            if line.upper() == "DATA":
                self._say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.letters.append("".join(lines))
            if line.upper() == "QUIT":
                self._say("221 bye")
                return
            self._say("250 fine")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[type[Hook]]:
    handler = type("Handler", (Hook,), {"received": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _address(tmp_path, f"http://127.0.0.1:{server.server_port}/services/hidden")
        yield handler
        server.shutdown()


def _address(folder: Path, text: str, mode: int = 0o600) -> None:
    (folder / "hook.url").write_text(f"{text}\n")
    (folder / "hook.url").chmod(mode)


def test_a_webhook_gets_what_slack_shows(hook: type[Hook], tmp_path: Path) -> None:
    assert send(Notify(webhook="hook.url"), tmp_path, MESSAGE) == "webhook: sent"
    assert hook.received == [{"text": "*demo, stack local: backup failed*\n```\nError: no space\n```"}]


def test_what_is_not_taken_is_said_without_the_address(hook: type[Hook], tmp_path: Path) -> None:
    hook.answer = 403
    assert send(Notify(webhook="hook.url"), tmp_path, MESSAGE) == "webhook: not sent, its server answered 403"
    _address(tmp_path, f"http://127.0.0.1:{free(1)[0]}/services/hidden")
    assert send(Notify(webhook="hook.url"), tmp_path, MESSAGE) == "webhook: not sent, ConnectionError"
    _address(tmp_path, "hidden words")
    assert send(Notify(webhook="hook.url"), tmp_path, MESSAGE) == "webhook: not sent, InvalidURL"


def test_an_address_that_others_may_read_is_not_used(hook: type[Hook], tmp_path: Path) -> None:
    (tmp_path / "hook.url").chmod(0o644)
    assert "may read it" in send(Notify(webhook="hook.url"), tmp_path, MESSAGE)
    assert hook.received == []


def test_a_mail_goes_to_everybody(tmp_path: Path) -> None:
    Smtp.letters.clear()
    with socketserver.TCPServer(("127.0.0.1", 0), Smtp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mail = Mail(
            server=f"127.0.0.1:{server.server_address[1]}", sender="lake@example.com",
            to=["a@example.com", "b@example.com"], tls=False,
        )  # fmt: skip
        assert send(Notify(mail=mail), tmp_path, MESSAGE) == "mail: sent"
        assert send(Notify(mail=mail.model_copy(update={"tls": True})), tmp_path, MESSAGE).startswith("mail: not sent")
        server.shutdown()
    (letter,) = Smtp.letters
    assert "To: a@example.com, b@example.com" in letter
    assert "Error: no space" in letter


def test_nobody_is_told_if_nobody_is_named(tmp_path: Path) -> None:
    assert send(Notify(), tmp_path, MESSAGE) == ""
