"""What runs on a host, with a folder of units and a systemctl that does nothing."""

from __future__ import annotations

import hashlib
import os
import platform
import pwd
import shutil
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from lakehouse.runtimes import certificates
from lakehouse.runtimes.hosts import on_host
from lakehouse.runtimes.probe import BUSY_SECONDS
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import Drain

PREFIX = "lakehouse-demo-prod."
SHOWN = {
    "show": "ActiveState=active\nSubState=running\nMainPID=42\nMemoryCurrent=1048576\n"
    "ActiveEnterTimestampMonotonic=1\nUnitFileState=enabled\nDropInPaths=/run/systemd/system/service.d/lxc.conf\n",
    "--stateless": "table inet lakehouse_demo_prod { }",
    "is-enabled": "enabled",
}
FIREWALL = {"table": "lakehouse_demo_prod", "firewall": "firewall.service", "data": "/nowhere", "ports": {}}


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "units"
    folder.mkdir()
    monkeypatch.setattr(on_host, "_UNITS", folder)
    monkeypatch.setattr(on_host, "_call", lambda *words: SHOWN.get(words[1], ""))
    return folder


def install(units: Path, tmp_path: Path, name: str) -> Path:
    unit = units / f"{PREFIX}{name}.service"
    unit.write_text("[Service]\n")
    configs = tmp_path / "configs"
    (configs / name).mkdir(parents=True)
    (configs / f"{name}.unit").write_text(hashlib.sha256(unit.read_bytes()).hexdigest())
    return unit


def whole(tmp_path: Path, *packages: str) -> Any:
    asked = {"kind": "tcp", "port": 1, "path": "/", "expect": "", "packages": list(packages)}
    configs = str(tmp_path / "configs")
    called = {"do": "look", "seconds": 2, "prefix": PREFIX, "configs": configs, **FIREWALL}
    return on_host.main({**called, "services": {"trino": asked}})


def package(tmp_path: Path) -> str:
    """A package with two files, as it was unpacked, and the file that says so."""
    folder = tmp_path / "trino-4.7.6"
    (folder / "lib").mkdir(parents=True)
    for name in ("a.jar", "lib/b.jar"):
        (folder / name).write_text("four")
    stamp = tmp_path / "trino-4.7.6.0123456789abcdef"
    stamp.touch()
    return str(stamp)


def repaired(tmp_path: Path, stamp: str) -> None:
    on_host.main({"do": "repair", "packages": [stamp], "data": str(tmp_path / "data"), "owner": "id words\n"})


def noted(tmp_path: Path, stamp: str) -> None:
    on_host.main({"do": "note", "packages": [stamp], "configs": str(tmp_path / "configs"), **FIREWALL})


def test_whether_a_service_answers_is_asked_on_the_host(units: Path, tmp_path: Path) -> None:
    install(units, tmp_path, "trino")
    (units / "others.service").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = {"kind": "tcp", "port": server.getsockname()[1], "path": "/", "expect": "", "packages": []}
        called = {"do": "look", "seconds": 2, "prefix": PREFIX, "configs": str(tmp_path / "configs"), **FIREWALL}
        found = on_host.main({**called, "services": {"trino": asked}})["units"]
        assert list(found) == ["trino"]
        assert (found["trino"]["ready"], found["trino"]["edited"], found["trino"]["missing"]) == (True, False, [])
        assert (found["trino"]["pid"], found["trino"]["memory"]) == (42, 1 << 20)
    assert whole(tmp_path)["units"]["trino"]["ready"] is False


def test_a_plan_waits_for_the_answer_of_a_service_that_is_busy(units: Path, tmp_path: Path, busy_port: int) -> None:
    install(units, tmp_path, "trino")
    asked = {"kind": "http", "port": busy_port, "path": "/", "expect": "", "packages": [], "trust": ""}
    called = {"do": "look", "prefix": PREFIX, "configs": str(tmp_path / "configs"), **FIREWALL}
    for seconds, ready in ((1, False), (BUSY_SECONDS, True)):
        found = on_host.main({**called, "seconds": seconds, "services": {"trino": asked}})["units"]
        assert found["trino"]["ready"] is ready


@pytest.mark.parametrize(
    "change",
    [
        "UnitFileState=disabled",
        "DropInPaths={units}/lakehouse-demo-prod.trino.service.d/override.conf",
        "DropInPaths=/etc/systemd/system.control/lakehouse-demo-prod.trino.service.d/50-MemoryMax.conf",
        "DropInPaths=/run/systemd/system/lakehouse-demo-prod.trino.service.d/override.conf",
    ],
)
def test_a_unit_that_was_changed_by_hand_is_seen(
    units: Path, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = install(units, tmp_path, "trino")
    assert whole(tmp_path)["units"]["trino"]["edited"] is False
    unit.write_text("[Service]\nNice=1\n")
    assert whole(tmp_path)["units"]["trino"]["edited"] is True
    unit.write_text("[Service]\n")
    monkeypatch.setitem(SHOWN, "show", SHOWN["show"] + change.format(units=units) + "\n")
    assert whole(tmp_path)["units"]["trino"]["edited"] is True


@pytest.mark.parametrize("text", ["another", None])
def test_a_file_that_was_changed_by_hand_is_seen(units: Path, tmp_path: Path, text: str | None) -> None:
    unit = install(units, tmp_path, "trino")
    file = tmp_path / "configs" / "trino" / "a file"
    file.write_text("installed")
    noted = tmp_path / "configs" / "trino.unit"
    noted.write_text(
        f"{hashlib.sha256(unit.read_bytes()).hexdigest()}\n{hashlib.sha1(b'installed').hexdigest()} {file}\n"
    )
    assert whole(tmp_path)["units"]["trino"]["edited"] is False
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    assert whole(tmp_path)["units"]["trino"]["edited"] is True
    on_host.main({"do": "drop", "files": [str(file)]})
    assert not file.exists()


@pytest.mark.parametrize("lost", ["trino-4.7.6/lib/b.jar", "trino-4.7.6", "trino-4.7.6.0123456789abcdef"])
def test_a_package_that_lost_a_file_is_seen_and_brought_again(units: Path, tmp_path: Path, lost: str) -> None:
    install(units, tmp_path, "trino")
    stamp = package(tmp_path)
    noted(tmp_path, stamp)
    assert whole(tmp_path, stamp)["missing"] == []
    path = tmp_path / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    found = whole(tmp_path, stamp)
    assert found["missing"] == found["units"]["trino"]["missing"] == [stamp]
    repaired(tmp_path, stamp)
    assert not Path(stamp).exists()


def test_a_package_that_is_whole_is_not_brought_again(units: Path, tmp_path: Path) -> None:
    stamp = package(tmp_path)
    for _ in range(2):
        repaired(tmp_path, stamp)
        assert Path(stamp).exists()
        noted(tmp_path, stamp)
    assert Path(stamp).read_text() == "2 8"
    facts = on_host.main({"do": "facts", "data": str(tmp_path / "data"), "prefix": PREFIX, "ports": {}})
    assert facts["owner"] == "id words"


def test_a_firewall_that_was_changed_by_hand_has_another_digest(
    units: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    seen = {whole(tmp_path)["firewall"]}
    (tmp_path / "configs" / "firewall.nft").write_text("table")
    seen.add(whole(tmp_path)["firewall"])
    (units / "firewall.service").write_text("[Service]")
    seen.add(whole(tmp_path)["firewall"])
    (units / "nftables.service.d").mkdir()
    (units / "nftables.service.d" / "firewall.conf").write_text("[Service]")
    seen.add(whole(tmp_path)["firewall"])
    monkeypatch.setitem(SHOWN, "is-enabled", "disabled")
    seen.add(whole(tmp_path)["firewall"])
    monkeypatch.setitem(SHOWN, "--stateless", "")
    seen.add(whole(tmp_path)["firewall"])
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("last", "ready"),
    [
        ("ActiveState=active\nNRestarts=4", True),
        ("ActiveState=activating\nNRestarts=5", False),
        ("ActiveState=failed", False),
        ("ActiveState=inactive", False),
    ],
)
def test_a_service_is_waited_for_until_it_answers_or_ends_again_and_again(
    monkeypatch: pytest.MonkeyPatch, last: str, ready: bool
) -> None:
    shown = ["ActiveState=activating", "ActiveState=activating\nNRestarts=1", last]
    monkeypatch.setattr(on_host, "_call", lambda *_: shown.pop(0))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = {"kind": "tcp", "port": server.getsockname()[1], "path": "/", "expect": ""}
        assert on_host.main({"do": "wait", "unit": "x", "patience": 60, **probe})["ready"] is ready
    assert not shown


class _Worker(BaseHTTPRequestHandler):
    """A worker that is empty at the second question."""

    asked: ClassVar[list[str]] = []
    refuses = False

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        who = f"{self.headers['X-Trino-User']} {self.headers['Authorization']}"
        self.asked.append(f"{who} {self.path} {body}")
        self.send_response(403 if self.refuses else 200)
        self.end_headers()

    def do_GET(self) -> None:
        self.asked.append("GET")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"empty" if self.asked.count("GET") > 1 else b"busy")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("refuses", "empty"), [(False, True), (True, False)])
def test_a_service_is_drained_until_it_is_empty(monkeypatch: pytest.MonkeyPatch, refuses: bool, empty: bool) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(_Worker, "asked", [])
    monkeypatch.setattr(_Worker, "refuses", refuses)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Worker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        drain = Drain("trino-worker", server.server_port, "/state", done="empty", put='"DRAINING"', user="operator")
        assert on_host.main({"do": "drain", "pid": 0, **asdict(drain)}) == {"empty": empty}
        on_host.main({"do": "fill", **asdict(replace(drain, undo='"ACTIVE"'))})
        server.shutdown()
    assert _Worker.asked.pop() == 'operator None /state "ACTIVE"'
    assert _Worker.asked == ['operator None /state "DRAINING"', *(["GET", "GET"] if empty else ["GET"])]


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Path]]:
    """The port of a worker with TLS, and the certificate to trust."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(_Worker, "asked", [])
    state = State(tmp_path / "state")
    certificates.make(state, Certificate.of("worker", "10.0.0.12").chain)
    folder = state.root / "certificates"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "worker" / "certificate.pem", folder / "worker" / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Worker) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, folder / "authority" / "certificate.pem"
        server.shutdown()


def test_a_service_with_tls_is_asked_and_drained_by_who_trusts_it(encrypted: tuple[int, Path], tmp_path: Path) -> None:
    port, trust = encrypted
    probe = {"kind": "https", "port": port, "path": "/", "expect": "busy", "trust": str(trust)}
    assert on_host._ready(probe)
    (tmp_path / "other.pem").write_bytes(trust.read_bytes().replace(b"M", b"N"))
    for wrong in (tmp_path / "other.pem", tmp_path / "missing.pem"):
        assert not on_host._ready({**probe, "trust": str(wrong)})
    assert not on_host._ready({**probe, "trust": ""})
    drain = Drain("trino-worker", port, "/state", done="empty", put="x", trust=str(trust), shows="Basic ann")
    assert on_host.main({"do": "drain", "pid": 0, **asdict(drain)}) == {"empty": True}
    assert "None Basic ann /state x" in _Worker.asked
    lost = replace(drain, trust=str(tmp_path / "missing.pem"))
    assert on_host.main({"do": "drain", "pid": 0, **asdict(lost)}) == {"empty": False}


def test_a_service_that_is_drained_by_a_signal_and_ends_is_not_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("os.kill", lambda *given: sent.append(given))
    drain = Drain("spark-worker", 1, "/json/", done="empty", signal="PWR")  # nothing listens there
    assert on_host.main({"do": "drain", "pid": 42, **asdict(drain)}) == {"empty": False}
    assert sent == [(42, signal.SIGPWR)]


def test_a_host_keeps_only_the_data(units: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(units, tmp_path, "trino")
    (units / "firewall.service").touch()
    (units / "nftables.service.d").mkdir()
    (units / "nftables.service.d" / "firewall.conf").touch()
    (tmp_path / "temporary" / "tmp").mkdir(parents=True)
    for name in ("packages", "data"):
        (tmp_path / "opt" / name / "trino").mkdir(parents=True)
        (tmp_path / "opt" / name / "trino" / "file").touch()
    monkeypatch.setattr("pwd.getpwall", lambda: [SimpleNamespace(pw_dir=str(tmp_path))])
    asked: dict[str, Any] = {
        "do": "clear",
        "prefix": PREFIX,
        "configs": str(tmp_path / "configs"),
        "packages": str(tmp_path / "opt" / "packages"),
        "data": str(tmp_path / "opt" / "data"),
        "user": "nobody-at-all",
        "firewall": "firewall.service",
        "temporary": "temporary",
        "hardening": [str(tmp_path / "sshd.conf"), str(tmp_path / "never written")],
    }
    (tmp_path / "sshd.conf").touch()
    assert on_host.main(asked) == {"left": []}
    assert list(units.iterdir()) == []
    assert not (tmp_path / "sshd.conf").exists()
    assert (tmp_path / "opt" / "data" / "trino" / "file").exists()
    assert (tmp_path / "opt" / "data").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "opt" / "packages").exists()
    assert not (tmp_path / "temporary").exists()
    assert on_host.main({"do": "size", "data": asked["data"]}) == {"bytes": 0, "owner": ""}
    shutil.rmtree(tmp_path / "opt" / "data" / "trino")
    (tmp_path / "opt" / "data" / "owner").write_text("id words")
    me, ended = pwd.getpwuid(os.getuid()).pw_name, []
    monkeypatch.setattr(os, "kill", lambda *given: ended.append(given))
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert on_host.main({**asked, "user": me}) == {"left": [f"the user {me}, who still runs programs"]}
    assert (os.getpid(), signal.SIGKILL) in ended
    assert not (tmp_path / "opt" / "data").exists(), "it had nothing but whose it was"


@pytest.mark.parametrize(
    ("name", "value", "lacks"),
    [
        ("machine", lambda: "aarch64", "a processor of x86-64 (its is aarch64)"),
        ("libc_ver", lambda: ("", ""), "glibc"),
    ],
)
def test_a_host_on_which_no_package_runs_is_seen_before_any_is_brought(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: object, lacks: str
) -> None:
    asked = {"do": "facts", "data": str(tmp_path), "prefix": PREFIX, "ports": {}}
    assert lacks not in on_host.main(asked)["lacks"]
    monkeypatch.setattr(platform, name, value)
    assert lacks in on_host.main(asked)["lacks"]


def test_a_disk_that_cannot_be_written_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As after an error of the disk, or on a host whose /opt is meant to be so."""
    asked = {"do": "facts", "data": str(tmp_path / "new"), "prefix": PREFIX, "ports": {}}
    found = os.statvfs(tmp_path)
    assert on_host.main(asked)["lacks"] == on_host.main({**asked, "data": str(tmp_path)})["lacks"]
    flags = SimpleNamespace(f_flag=os.ST_RDONLY, f_files=0, f_favail=0, f_frsize=found.f_frsize, f_bavail=1, f_blocks=1)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**vars(flags), f_bfree=1))
    assert f"a disk at {tmp_path} that can be written: it is mounted read-only" in on_host.main(asked)["lacks"]


def test_a_preflight_takes_no_walk_through_data_whose_files_come_and_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "here").write_text("four")
    monkeypatch.setattr(os, "walk", lambda *_: [(str(tmp_path), [], ["here", "gone"])])
    assert on_host.main({"do": "size", "data": str(tmp_path)})["bytes"] == 4
    monkeypatch.setattr(os, "walk", None)
    monkeypatch.setattr(Path, "rglob", None)
    assert on_host.main({"do": "facts", "data": str(tmp_path), "prefix": PREFIX, "ports": {}})["free_mb"]


def test_a_host_knows_from_where_it_is_asked_also_below_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_host, "_PROC", str(tmp_path))
    assert on_host._caller() == ""
    for number, parent, environment in (
        (os.getpid(), 5, "HOME=/root"),
        (5, 4, "SSH_CONNECTION=10.0.0.9 50000 10.0.0.11 22\0A=b"),
    ):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "environ").write_text(environment)
        (tmp_path / str(number) / "stat").write_text(f"{number} (su do) x) S {parent} 1 1")
    assert on_host._caller() == "10.0.0.9"


def test_a_python_that_is_too_old_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lakehouse.runtimes.hosts.on_host.sys.version_info", (3, 6, 8))
    found = on_host.main({"do": "facts", "data": str(tmp_path), "prefix": PREFIX, "ports": {}})["lacks"]
    assert any(each.startswith("Python 3.9 or newer as python3") for each in found)


def test_a_host_without_the_firewalls_program_is_looked_at_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plan looks at hosts, and has to say what they lack."""
    monkeypatch.setattr(on_host, "_PATH", str(tmp_path))
    asked = {"do": "look", "prefix": "x.", "configs": str(tmp_path), "data": str(tmp_path), "services": {}, "ports": {}}
    found = on_host.main({**asked, "firewall": "x-firewall.service", "table": "x"})
    assert {"systemctl", "nft"} <= {*found["facts"]["lacks"]}


def test_the_program_that_has_a_port_of_a_service_is_named_unless_it_is_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        number, free = server.getsockname()[1], other.getsockname()[1]
        other.close()
        asked = {"do": "facts", "data": str(tmp_path), "prefix": PREFIX, "ports": {"trino": [number, free]}}
        taken = on_host.main(asked)["taken"]
        assert [*taken] == [number]
        assert taken[number].endswith(f" (pid {os.getpid()})")
        process = tmp_path / "proc" / str(os.getpid())
        process.mkdir(parents=True)
        (process / "fd").symlink_to(f"/proc/{os.getpid()}/fd")
        (process.parent / "net").symlink_to("/proc/net")
        monkeypatch.setattr(on_host, "_PROC", str(process.parent))
        (process / "comm").write_text("java\n")
        (process / "cgroup").write_text("0::/system.slice/other.service\n")
        assert on_host.main(asked)["taken"] == {number: f"java (pid {os.getpid()})"}
        (process / "cgroup").write_text(f"0::/system.slice/{PREFIX}trino.service\n")
        assert on_host.main(asked)["taken"] == {}
