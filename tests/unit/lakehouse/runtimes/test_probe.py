"""Commands that check whether a service is ready."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import probe
from lakehouse.runtimes.probe import Asked, await_ready, ready
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service


@pytest.mark.parametrize(("code", "well"), [("0", True), ("3", False)])
def test_a_command_ends_well_or_not(tmp_path: Path, code: str, well: bool) -> None:
    command = ("/bin/sh", "-c", 'echo "$WORD" > said; exit ' + code)
    assert ready(Probe("exec", command=command), Asked(tmp_path, environment={"WORD": "hello"})) is well
    assert (tmp_path / "said").read_text() == "hello\n"


def test_a_command_that_is_not_there_or_hangs_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ready(Probe("exec", command=("/no/such/program",)), Asked(tmp_path))
    monkeypatch.setattr(probe, "COMMAND_SECONDS", 0.2)
    assert not ready(Probe("exec", command=(sys.executable, "-c", "import time; time.sleep(60)")), Asked(tmp_path))


def test_a_command_sees_no_credentials_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert ready(Probe("exec", command=("/bin/sh", "-c", 'test -z "$AWS_SECRET_ACCESS_KEY"')), Asked(tmp_path))


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the status in the path, as the last part of it."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Location", "/there/404")
        self.end_headers()
        self.wfile.write('{"starting": false} ü'.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "expect", "well"),
    [
        ("/200", "", True),
        ("/200", "false", True),
        ("/200", "ü", True),
        ("/200", "true", False),
        ("/302", "", True),
        ("/404", "", False),
        ("/503", "false", False),
    ],
)
def test_a_server_is_ready_if_it_answers_with_what_is_expected(port: int, path: str, expect: str, well: bool) -> None:
    assert ready(Probe("http", port, path, expect=expect)) is well


def test_a_server_that_is_not_there_or_speaks_no_http_is_not_ready(
    port: int, free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    assert not ready(Probe("http", free_port, "/200"))
    monkeypatch.setattr(Answers, "protocol_version", "no protocol\r\n")
    assert not ready(Probe("http", port, "/200"))
    assert not ready(Probe("https", port, "/200", trust="ca.pem"), Asked(tmp_path)), "the authority is missing"


SERVICE = Service("web", "i", (), ("/web",), Probe("tcp", 1, patience=5))


def test_the_process_is_looked_at_now_and_then_and_whenever_something_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [False] * 6 + [True, True]
    looks: list[int] = []

    def process() -> Process:
        looks.append(len(answers))
        return Process("web", "BACKOFF" if answers else "RUNNING", 1, 1, "")

    monkeypatch.setattr(probe, "_INTERVAL", 0)
    monkeypatch.setattr(probe, "ready", lambda *_: answers.pop(0))
    await_ready(SERVICE, State(tmp_path), process)
    assert looks == [7, 3, 1, 0], "at the first probe and at the fifth, then at each answer"


def test_a_process_that_ended_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(LakehouseError, match="web is not ready.*its process is FATAL"):
        await_ready(SERVICE, State(tmp_path), lambda: Process("web", "FATAL", 0, 0, ""))
    with pytest.raises(LakehouseError, match="its process is gone"):
        await_ready(SERVICE, State(tmp_path), lambda: None)


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_INTERVAL", 0.01)
    service = Service("web", "i", (), ("/web",), Probe("exec", command=("/bin/false",), patience=0))
    with pytest.raises(LakehouseError, match="did not answer within 0 s and its process is RUNNING"):
        await_ready(service, State(tmp_path), lambda: Process("web", "RUNNING", 1, 1, ""))
