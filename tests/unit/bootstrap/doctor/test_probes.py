"""What is observed, on this machine as it is."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.doctor import probes
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Hashed, Secret, Text, filled


def test_the_node_and_cli_of_this_project_are_found() -> None:
    assert probes.node_version() is not None
    assert probes.cdktf_is_there()


def test_memory_is_that_of_this_machine() -> None:
    total, available = probes.memory()
    assert 0 < available <= total


def test_a_state_folder(tmp_path: Path) -> None:
    assert not probes.state_folder(tmp_path / "none").there
    tmp_path.chmod(0o705)
    seen = probes.state_folder(tmp_path)
    assert (seen.there, seen.mine, seen.writable, seen.mode) == (True, True, True, 0o705)


def test_names() -> None:
    assert probes.resolves("localhost") is True
    assert probes.resolves("no-such-host.invalid") is False
    assert probes.resolves("a" * 70 + ".invalid") is False  # no name has a part that long


@pytest.fixture
def server() -> Iterator[Callable[[], str]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.send_header("X-Amz-Request-Id", "1")
            self.end_headers()
            self.wfile.write(b"<Error/>")

        def log_message(self, *args: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield lambda: f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_an_answer_whatever_proxy_the_shell_has(
    server: Callable[[], str], monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port}")
    answer = probes.ask(server())
    assert (answer.status, answer.headers["x-amz-request-id"], answer.body) == (403, "1", "<Error/>")
    assert "date" in answer.headers


def test_no_answer(free_port: int) -> None:
    assert probes.ask(f"http://127.0.0.1:{free_port}").reason == "connection refused"
    assert probes.ask("http://no-such-host.invalid:9000").unresolved


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "silent" in probes.ask(f"http://127.0.0.1:{silent.getsockname()[1]}").reason


def test_keys_are_looked_for_and_never_made(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert probes.missing_secrets(state) == ["store-access-key", "store-secret-key"]
    assert probes.access_key(state) == ""
    assert list(tmp_path.iterdir()) == []
    state.secret("store-access-key")
    assert probes.missing_secrets(state) == ["store-secret-key"]
    assert probes.access_key(state) == state.secret("store-access-key")
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "store-access-key").write_text("chosen")
    assert probes.access_key(state) == "chosen"


def test_services_that_were_started_with_other_keys(tmp_path: Path) -> None:
    state = State(tmp_path)
    text: Text = ("identity=", Secret("store-access-key"), "\ncredential=", Secret("store-secret-key"), "\n")
    contents: dict[str, Text] = {"now": text, "then": text, "never": text, "keyless": "plain"}
    some = [
        Service(name, "image", (), (), Probe("tcp", 1), files=(File("x.conf", content),))
        for name, content in contents.items()
    ]
    keys = (state.secret("store-access-key"), state.secret("store-secret-key"))
    for name, (first, second) in {"now": keys, "then": (keys[0], "former"), "keyless": ("", "")}.items():
        state.config(name).mkdir(parents=True)
        (state.config(name) / "x.conf").write_text(f"identity={first}\ncredential={second}\n")
    assert probes.written_otherwise(some, state) == ["then"]


def test_a_file_with_the_hash_of_another_secret_is_seen(tmp_path: Path) -> None:
    state = State(tmp_path)
    text = Hashed(Secret("password"))
    service = Service("trino", "image", (), (), Probe("tcp", 1), files=(File("owner", text),))
    state.config("trino").mkdir(parents=True)
    (state.config("trino") / "owner").write_text(filled(text, state.secret))
    assert probes.further_secrets([service]) == ["password"]
    assert probes.written_otherwise([service], state, ["password"]) == []
    state.keep("password", "another")
    assert probes.written_otherwise([service], state, ["password"]) == ["trino"]
    assert probes.written_otherwise([service], state) == [], "only those that were asked for"
    state.forget("password")
    (state.config("trino") / "owner").write_text("emptied")
    assert probes.written_otherwise([service], state, ["password"]) == ["trino"]


def test_other_secrets_than_the_stores_keys(tmp_path: Path) -> None:
    state = State(tmp_path)
    text: Text = (Secret("store-access-key"), " ", Secret("password"))
    service = Service("postgres", "image", (), (), Probe("tcp", 1), files=(File("x.sql", text),))
    names = probes.further_secrets([service, service])
    assert names == ["password"]
    assert probes.missing_secrets(state, names) == ["password"]
    state.config("postgres").mkdir(parents=True)
    (state.config("postgres") / "x.sql").write_text(f"another {state.secret('password')}")
    assert probes.written_otherwise([service], state, names) == []
    assert probes.written_otherwise([service], state) == ["postgres"], "the store's keys are other ones"
    (state.config("postgres") / "x.sql").write_text("another former")
    assert probes.written_otherwise([service], state, names) == ["postgres"]


def test_the_end_of_a_log_without_requests_that_would_hide_it() -> None:
    class Runtime:
        def log(self, service: str, lines: int) -> str:
            request = "2026-11-26 17:43:11,226 INFO  [io.qu.ht.access-log] 127.0.0.1 - root [...]"
            every = [*(f"WARN {nth}" for nth in range(100)), *[request] * 300]
            return "\n".join(every[-lines:])

    local: Any = SimpleNamespace(runtime=Runtime())
    assert probes.log(local, "polaris") == [f"WARN {nth}" for nth in range(20, 100)]
