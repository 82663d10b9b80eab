"""Messages to a webhook and by mail, and that no error has the address."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bootstrap.schedule.notify import Message, missed, send
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


def told(folder: Path) -> str:
    waited: list[float] = []
    return f"{send(Notify(webhook='hook.url'), folder, MESSAGE, waited.append)} after {waited}"


def test_what_is_not_taken_is_said_without_the_address(hook: type[Hook], tmp_path: Path) -> None:
    hook.answer = 403
    assert told(tmp_path) == "webhook: not sent, its server answered 403 after []"
    _address(tmp_path, f"http://127.0.0.1:{free(1)[0]}/services/hidden")
    assert told(tmp_path) == "webhook: not sent, ConnectionError after [5.0, 30.0]"
    for each in ("hidden words", "https://hidden..example/", "http://[::1"):
        _address(tmp_path, each)
        assert re.fullmatch(r"webhook: not sent, (InvalidURL|LocationParseError) after \[\]", told(tmp_path))


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_server_that_cannot_take_it_now_is_asked_again(hook: type[Hook], tmp_path: Path, code: int) -> None:
    hook.answer = code

    def pause(seconds: float) -> None:
        hook.answer = 200

    assert send(Notify(webhook="hook.url"), tmp_path, MESSAGE, pause) == "webhook: sent"
    assert len(hook.received) == 2
    hook.answer = code
    assert told(tmp_path) == f"webhook: not sent, its server answered {code} after [5.0, 30.0]"


def test_a_mail_server_that_is_none_stops_nothing(tmp_path: Path) -> None:
    """A label without a letter, as a file that was deployed by an earlier version may have it."""
    mail = Mail.model_construct(server="smtp..example.com:25", sender="a@b.c", to=["a@b.c"], tls=False, user=None)
    assert send(Notify.model_construct(webhook=None, mail=mail), tmp_path, MESSAGE) == "mail: not sent, UnicodeError"


def test_a_server_that_begins_to_answer_and_does_not_end_holds_up_nothing(tmp_path: Path) -> None:
    class Slow(Hook):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.flush()
            over.wait(30)

    over = threading.Event()
    with HTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _address(tmp_path, f"http://127.0.0.1:{server.server_port}/services/hidden")
        assert told(tmp_path) == "webhook: sent after []"
        over.set()
        server.shutdown()


@pytest.mark.parametrize(
    ("said", "lost"),
    [("", False), ("webhook: sent", False), ("webhook: sent; mail: sent", False), ("webhook: sent; mail: x", True)],
)
def test_who_did_not_get_it_is_known(said: str, lost: bool) -> None:
    assert missed(said) == lost


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
        again = Notify(mail=mail.model_copy(update={"tls": True}))
        assert send(again, tmp_path, MESSAGE, lambda seconds: None).startswith("mail: not sent")
        server.shutdown()
    (letter,) = Smtp.letters
    assert "To: a@example.com, b@example.com" in letter
    assert "Error: no space" in letter


def test_nobody_is_told_if_nobody_is_named(tmp_path: Path) -> None:
    assert send(Notify(), tmp_path, MESSAGE) == ""
