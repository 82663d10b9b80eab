"""The toolkit's own metrics, of services that are there and of some that are not."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes import certificates, owner
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.process import numbers
from lakehouse.runtimes.process.numbers import Looks, NumbersSettings
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import LOOPBACK, Probe
from lakehouse.text.metrics import text
from tests.ports import free


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"UP")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Nothing."""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def settings(state: State) -> Iterator[NumbersSettings]:
    with HTTPServer((LOOPBACK, 0), Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        nobody, own = free(2)
        services = [
            {"name": name, "role": role, "host": LOOPBACK, "probe": asdict(Probe("http", port, "/q", expect="UP"))}
            for name, role, port in (("nessie", "catalog", server.server_port), ("trino", "engine", nobody))
        ]
        write_private(
            state.root / "watched.json",
            json.dumps(
                {"address": LOOPBACK, "port": own, "looks": {"tables": 300}, "seconds": 2, "services": services}
            ),
        )
        yield NumbersSettings.read(state.root / "watched.json", state)
        server.shutdown()


def test_whether_each_service_answers(settings: NumbersSettings) -> None:
    lines = list(text(numbers.of_services(settings.services, settings.seconds)))
    assert 'lakehouse_service_up{service="nessie",role="catalog"} 1.0' in lines
    assert 'lakehouse_service_up{service="trino",role="engine"} 0.0' in lines
    assert sum(line.startswith("lakehouse_service_answer_seconds{") for line in lines) == 2


def test_it_serves_what_it_knows(state: State, settings: NumbersSettings) -> None:
    write_private(state.data(numbers.NAME) / "tables.prom", 'lakehouse_table_health{table="t"} 90\n')
    write_private(state.data(numbers.NAME) / "pipelines.prom", 'lakehouse_pipeline_failed{pipeline="p"} 0\n')
    server = numbers.serve(state, settings, [Looks(state, name, 60) for name in ("tables", "pipelines")])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        at = f"http://{LOOPBACK}:{settings.port}"
        with urllib.request.urlopen(f"{at}/metrics", timeout=20) as answer:
            said = answer.read().decode()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{at}/other", timeout=20)
    finally:
        server.shutdown()
        server.server_close()
    for name in ("lakehouse_service_up{", "lakehouse_disk_free_bytes ", "lakehouse_tables_read_timestamp_seconds "):
        assert f"\n{name}" in f"\n{said}"
    assert 'lakehouse_table_health{table="t"} 90\n' in said
    assert 'lakehouse_pipeline_failed{pipeline="p"} 0\n' in said


def ran(
    state: State, monkeypatch: pytest.MonkeyPatch, code: int, out: str, errors: str = "", name: str = "tables"
) -> Looks:
    """After a look by a program that says this."""
    mark = Owner("demo", "local", "id", "/a/lakehouse.yaml", str(state.root))
    monkeypatch.setattr(owner, "read", lambda root: mark)
    asked: list[str] = []

    def run(command: tuple[str, ...], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, code, out, errors)

    monkeypatch.setattr(subprocess, "run", run)
    looks = Looks(state, name, 60)
    looks.look()
    words = {"tables": ["metrics"], "pipelines": ["pipelines", "status"]}[name]
    at = asked.index("--file")
    assert asked[at:] == ["--file", "/a/lakehouse.yaml", "--stack", "local", *words, "--prometheus"]
    return looks


def test_a_look_that_fails_keeps_what_was_known(
    state: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "lakehouse_tables_read_success 1.0" in text(ran(state, monkeypatch, 0, "a 1\n").families())
    tables = ran(state, monkeypatch, 1, "", "nessie does not answer")
    assert "lakehouse_tables_read_success 0.0" in text(tables.families())
    assert tables.text() == "a 1\n"
    assert "nessie does not answer" in capsys.readouterr().out


def test_pipelines_are_looked_at_by_their_own_command(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = ran(state, monkeypatch, 0, "a 1\n", name="pipelines")
    assert "lakehouse_pipelines_read_success 1.0" in text(looks.families())
    assert looks.text() == "a 1\n"


def test_the_end_of_each_certificate(state: State) -> None:
    assert not list(numbers.of_certificates(state.root / "certificates"))
    certificates.make(state, Certificate.of("trino", "localhost").chain)
    lines = list(text(numbers.of_certificates(state.root / "certificates")))
    end = certificates.lifetime(state, "trino")[1]
    assert f'lakehouse_certificate_end_timestamp_seconds{{certificate="trino"}} {float(end)}' in lines
    assert any('certificate="authority"' in line for line in lines)


def test_a_stack_with_a_schedule_says_how_that_goes(state: State, settings: NumbersSettings) -> None:
    server = numbers.serve(state, replace(settings, scheduled=True, services=()), [Looks(state, "tables", 60)])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{settings.port}/metrics", timeout=20) as answer:
            assert "\nlakehouse_scheduler_up 0.0\n" in answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
