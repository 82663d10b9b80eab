"""What runs on a host, with a folder of units and a systemctl that does nothing."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest

from lakehouse.runtimes.hosts import on_host

PREFIX = "lakehouse-demo-prod."


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "units"
    folder.mkdir()
    monkeypatch.setattr(on_host, "_UNITS", folder)
    shown = "ActiveState=active\nSubState=running\nMainPID=42\nMemoryCurrent=1048576\nActiveEnterTimestampMonotonic=1\n"
    monkeypatch.setattr(on_host, "_call", lambda *words: shown if "show" in words else "")
    return folder


def install(units: Path, tmp_path: Path, name: str) -> Path:
    unit = units / f"{PREFIX}{name}.service"
    unit.write_text("[Service]\n")
    configs = tmp_path / "configs"
    (configs / name).mkdir(parents=True)
    (configs / f"{name}.unit").write_text(hashlib.sha256(unit.read_bytes()).hexdigest())
    return unit


def look(tmp_path: Path, port: int, *packages: str) -> dict[str, object]:
    asked = {"kind": "tcp", "port": port, "path": "/", "expect": "", "packages": list(packages)}
    called = {"do": "look", "prefix": PREFIX, "configs": str(tmp_path / "configs"), "services": {"trino": asked}}
    found: dict[str, object] = on_host.main(called)["trino"]
    return found


def test_a_unit_that_was_changed_by_hand_or_lost_a_package_is_seen(units: Path, tmp_path: Path) -> None:
    unit = install(units, tmp_path, "trino")
    (units / "others.service").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = look(tmp_path, port, str(tmp_path))
        assert (found["ready"], found["edited"], found["missing"]) == (True, False, [])
        assert (found["pid"], found["memory"]) == (42, 1 << 20)
        unit.write_text("[Service]\nNice=1\n")
        found = look(tmp_path, port, str(tmp_path / "gone"))
        assert (found["edited"], found["missing"]) == (True, [str(tmp_path / "gone")])
    assert look(tmp_path, port)["ready"] is False


def test_a_host_keeps_only_the_data(units: Path, tmp_path: Path) -> None:
    install(units, tmp_path, "trino")
    (units / "firewall.service").touch()
    for name in ("packages", "data"):
        (tmp_path / "opt" / name / "trino").mkdir(parents=True)
        (tmp_path / "opt" / name / "trino" / "file").touch()
    asked = {
        "do": "clear",
        "prefix": PREFIX,
        "configs": str(tmp_path / "configs"),
        "packages": str(tmp_path / "opt" / "packages"),
        "data": str(tmp_path / "opt" / "data"),
        "user": "nobody-at-all",
        "firewall": "firewall.service",
    }
    assert on_host.main(asked) == {"left": []}
    assert list(units.iterdir()) == []
    assert (tmp_path / "opt" / "data" / "trino" / "file").exists()
    assert (tmp_path / "opt" / "data").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "opt" / "packages").exists()
