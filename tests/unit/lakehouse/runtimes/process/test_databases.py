"""Metrics of databases. tests/kinds/test_003_platform.py asks a real one."""

from __future__ import annotations

import socket
from typing import Any

import pg8000.native
import pytest

from lakehouse.runtimes.process.databases import AskedDatabase, families
from lakehouse.services.service import LOOPBACK
from lakehouse.text.metrics import text

ASKED = AskedDatabase(LOOPBACK, 1, "tables", "writer", "postgres-rest")


class Connection:
    """That of a database which answers."""

    made: dict[str, Any]

    def __init__(self, user: str, **given: Any) -> None:
        type(self).made = {"user": user, **given}

    def run(self, _: str) -> list[list[int]]:
        return [[3, 100, 7_000_000, 40, 2, 0]]

    def close(self) -> None:
        type(self).made["closed"] = True


def test_each_number_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pg8000.native, "Connection", Connection)
    lines = list(text(families([ASKED], {"postgres-rest": "word"}.__getitem__, 2.5)))
    assert [each for each in lines if not each.startswith("#")] == [
        'lakehouse_database_up{database="tables"} 1.0',
        'lakehouse_database_connections{database="tables"} 3.0',
        'lakehouse_database_connections_max{database="tables"} 100.0',
        'lakehouse_database_size_bytes{database="tables"} 7000000.0',
        'lakehouse_database_commits_total{database="tables"} 40.0',
        'lakehouse_database_rollbacks_total{database="tables"} 2.0',
        'lakehouse_database_deadlocks_total{database="tables"} 0.0',
    ]
    assert "# TYPE lakehouse_database_commits_total counter" in lines
    made = {"user": "writer", "host": LOOPBACK, "port": 1, "database": "tables", "password": "word"}
    assert Connection.made == {**made, "timeout": 2.5, "closed": True}


def test_one_that_does_not_answer_has_no_numbers() -> None:
    with socket.create_server((LOOPBACK, 0)) as closed:
        port = closed.getsockname()[1]
    lines = list(text(families([AskedDatabase(LOOPBACK, port, "a", "b", "c")], str, 1.0)))
    assert [each for each in lines if not each.startswith("#")] == ['lakehouse_database_up{database="a"} 0.0']
