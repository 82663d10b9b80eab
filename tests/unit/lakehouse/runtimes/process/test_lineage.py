"""What takes events: names are joined, nobody without the key is heard, and nothing is lost on the way."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes.process import lineage
from lakehouse.runtimes.process.lineage import Events, InFile, LineageSettings, ToServer
from lakehouse.services.service import LOOPBACK
from lakehouse.text.openlineage import PATH, DatasetNames

NAMES = DatasetNames("trino://here", {"lake": "lake"})
KEY = "4" * 40
EVENT = {"eventType": "COMPLETE", "outputs": [{"namespace": "trino://here", "name": "lake.bronze.orders"}]}


class Server(BaseHTTPRequestHandler):
    """Answers with the first of ``answers``, and with 201 if there is none."""

    got: list[tuple[str, str, Any]]
    answers: list[int]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.got.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(self.answers.pop(0) if self.answers else 201)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Server]]]:
    handler = type("Handler", (Server,), {"got": [], "answers": []})
    with ThreadingHTTPServer((LOOPBACK, 0), handler) as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://{LOOPBACK}:{found.server_port}/openapi/lineage", handler
        found.shutdown()


@contextmanager
def listening(events: Events) -> Iterator[str]:
    with lineage.serve(LineageSettings(LOOPBACK, 0, NAMES, KEY), events) as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://{LOOPBACK}:{found.server_port}"
        found.shutdown()


def post(url: str, body: bytes, key: str = KEY) -> int:
    request = urllib.request.Request(url, body, {"Authorization": f"Bearer {key}"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def numbers(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = [each.split() for each in answer.read().decode().splitlines() if not each.startswith("#")]
    return {name.removeprefix("lakehouse_lineage_"): float(value) for name, value in lines}


def test_a_file_gets_each_event_with_joined_names(tmp_path: Path) -> None:
    file = tmp_path / "a" / "events.jsonl"
    with listening(InFile(file)) as url:
        assert [post(url + PATH, json.dumps(EVENT).encode()) for _ in range(2)] == [201, 201]
        assert numbers(url) == {"received": 2, "waiting": 0, "refused": 0, "lost": 0}
    first, second = map(json.loads, file.read_text().splitlines())
    assert first == second
    assert first["outputs"][0]["namespace"] == "iceberg"
    assert file.stat().st_mode & 0o777 == 0o600, "an event has the text of its statement"


def test_who_has_no_key_is_not_heard(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with listening(InFile(file)) as url:
        assert post(url + PATH, b"{}", key="") == 401
        assert post(url + PATH, b"{}", key=KEY[1:]) == 401
        assert post(url + "/", b"{}") == 404
    assert not file.exists()


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b'"a"', b'{"inputs": 1}', b'{"inputs": [{"namespace": "s3://a"}]}'])
def test_what_is_no_event_is_refused(body: bytes, tmp_path: Path) -> None:
    with listening(InFile(tmp_path / "events.jsonl")) as url:
        assert post(url + PATH, body) in (400, 413)
        assert numbers(url)["received"] == 0


def test_a_server_gets_them_in_order_with_its_token(tmp_path: Path, server: tuple[str, type[Server]]) -> None:
    url, handler = server
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("s3cret\n")
    events = ToServer(tmp_path / "events.sqlite", url, token)
    assert events.add('{"a": 1}')
    assert events.add('{"a": 2}')
    assert events.send()
    token.write_text("n3w\n")
    assert events.send()
    assert handler.got == [
        ("/openapi/lineage", "Bearer s3cret", {"a": 1}),
        ("/openapi/lineage", "Bearer n3w", {"a": 2}),
    ]
    assert (events.waiting, events.send()) == (0, True)


@pytest.mark.parametrize("answer", [302, 401, 404, 429, 500, 503])
def test_what_the_server_does_not_take_waits(answer: int, tmp_path: Path, server: tuple[str, type[Server]]) -> None:
    url, handler = server
    handler.answers[:] = [answer]
    events = ToServer(tmp_path / "events.sqlite", url, None)
    events.add("{}")
    assert not events.send()
    assert events.waiting == 1
    again = ToServer(tmp_path / "events.sqlite", url, None)
    assert again.send(), "it outlives the process"
    assert len(handler.got) == 2
    assert (again.waiting, again.refused) == (0, 0)


@pytest.mark.parametrize("answer", [400, 413, 422])
def test_an_event_that_the_server_refuses_does_not_keep_the_others(
    answer: int, tmp_path: Path, server: tuple[str, type[Server]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, handler = server
    handler.answers[:] = [answer]
    events = ToServer(tmp_path / "events.sqlite", url, None)
    events.add('{"bad": 1}')
    events.add('{"good": 1}')
    assert events.send()
    assert events.send()
    assert (events.waiting, events.refused) == (0, 1)
    assert f"{url} answers {answer}" in capsys.readouterr().out


def test_a_token_that_others_may_read_is_sent_to_nobody(
    tmp_path: Path, server: tuple[str, type[Server]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, handler = server
    token = tmp_path / "token"
    token.touch(0o644)
    token.write_text("s3cret\n")
    token.chmod(0o644)
    events = ToServer(tmp_path / "events.sqlite", url, token)
    events.add("{}")
    assert not events.send()
    assert (handler.got, events.waiting) == ([], 1)
    assert f"lineage.token: {token} has mode 0644" in capsys.readouterr().out


def test_a_server_that_is_away_is_asked_again(tmp_path: Path, free_port: int) -> None:
    events = ToServer(tmp_path / "events.sqlite", f"http://{LOOPBACK}:{free_port}/", None)
    events.add("{}")
    assert not events.send()
    assert events.waiting == 1


def test_a_server_that_speaks_no_http_is_asked_again(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"what?\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        events = ToServer(tmp_path / "events.sqlite", f"http://{LOOPBACK}:{server.getsockname()[1]}/", None)
        events.add("{}")
        assert not events.send()
        thread.join()
    assert events.waiting == 1


def test_an_error_of_the_database_does_not_end_the_sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = ToServer(tmp_path / "events.sqlite", "http://nowhere/", None)
    asked: list[int] = []

    def send() -> bool:
        asked.append(1)
        if len(asked) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        raise KeyboardInterrupt

    monkeypatch.setattr(events, "send", send)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(KeyboardInterrupt):
        events.run()
    assert len(asked) == 3


def test_without_room_the_engine_hears_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[str, type[Server]]
) -> None:
    monkeypatch.setattr(lineage, "_ROOM", 3)
    with listening(ToServer(tmp_path / "events.sqlite", server[0], None)) as url:
        assert [post(url + PATH, b"{}") for _ in range(2)] == [201, 507]
        assert numbers(url) == {"received": 1, "waiting": 1, "refused": 0, "lost": 1}


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.jsonl").mkdir()
    with listening(InFile(tmp_path / "events.jsonl")) as url:
        assert post(url + PATH, b"{}") == 507
        assert numbers(url)["lost"] == 1
    assert "an event is lost: [Errno 21]" in capsys.readouterr().out


def test_events_go_on_by_themselves(tmp_path: Path, server: tuple[str, type[Server]]) -> None:
    url, handler = server
    events = ToServer(tmp_path / "events.sqlite", url, None)
    threading.Thread(target=events.run, daemon=True).start()
    with listening(events) as own:
        assert post(own + PATH, json.dumps(EVENT).encode()) == 201
        deadline = time.monotonic() + 20
        while numbers(own)["waiting"] and time.monotonic() < deadline:
            time.sleep(0.02)
    assert handler.got[0][2]["outputs"][0]["name"] == "lake.bronze.orders"


def test_a_further_address_has_the_same_server(tmp_path: Path) -> None:
    events = InFile(tmp_path / "events.jsonl")
    with lineage.serve(LineageSettings(LOOPBACK, 0, NAMES, KEY), events, ["127.0.0.2"]) as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        for address in (LOOPBACK, "127.0.0.2"):
            assert post(f"http://{address}:{found.server_port}{PATH}", json.dumps(EVENT).encode()) == 201
        assert numbers(f"http://{LOOPBACK}:{found.server_port}")["received"] == 2
        found.shutdown()
