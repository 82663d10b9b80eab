from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.doctor import machine
from bootstrap.doctor.machine import Folder

WANTED = {"trino": 1400, "spark": 2600}


@pytest.mark.parametrize(
    ("total", "available", "running", "severity", "cause"),
    [
        (16000, 12000, (), "ok", ""),
        (3999, 3900, (), "error", "larger than this machine's"),
        (3999, 100, ("trino", "spark"), "error", "larger than this machine's"),
        (16000, 3000, (), "error", "other programs"),
        (16000, 3000, ("spark",), "ok", ""),
        (16000, 4100, (), "warning", "almost nothing"),
        (16000, 200, ("trino", "spark"), "warning", "almost nothing"),
    ],
)
def test_memory(total: int, available: int, running: tuple[str, ...], severity: str, cause: str) -> None:
    found = machine.memory(total, available, WANTED, running, "local")
    assert found.severity == severity
    assert cause in found.cause
    assert "4000" in found.found
    assert ("`lakehouse deploy`" in found.fix) == (severity != "ok")


@pytest.mark.parametrize(
    ("folder", "severity", "fix"),
    [
        (Folder(Path("/s"), there=False), "ok", ""),
        (Folder(Path("/s"), there=True), "ok", ""),
        (Folder(Path("/s"), there=True, mine=False, writable=False), "error", "chown"),
        (Folder(Path("/s"), there=True, writable=False), "error", "chmod u+rwx '/s'"),
        (Folder(Path("/s"), there=True, mode=0o755), "warning", "`chmod 700 '/s'`"),
        (Folder(Path("/s"), there=True, mode=0o710), "warning", "`chmod 700 '/s'`"),
    ],
)
def test_the_state_folder(folder: Folder, severity: str, fix: str) -> None:
    found = machine.state(folder)
    assert found.severity == severity
    assert fix in found.fix


def test_a_state_folder_of_another_lakehouse_is_an_error() -> None:
    found = machine.state(Folder(Path("/s"), there=True), "It belongs to another. Name another folder.")
    assert (found.severity, found.cause, found.fix) == ("error", "It belongs to another", "Name another folder.")
