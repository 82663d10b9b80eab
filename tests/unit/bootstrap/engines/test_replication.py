from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bootstrap.engines.replication import SourceDatabase, _drop, _kept, drop
from bootstrap.remote.errors import Unreachable

CONFIG = {
    "database.hostname": "127.0.0.1",
    "database.port": "5432",
    "database.dbname": "shop",
    "database.user": "reader",
    "slot.name": "lakehouse_shop_1",
    "publication.name": "lakehouse_shop_1",
}


def test_only_a_connector_that_reads_postgresql_has_a_slot() -> None:
    assert SourceDatabase.of({"topics": "orders"}) is None
    assert str(SourceDatabase.of(CONFIG)) == "shop at 127.0.0.1:5432"


class Server:
    """A PostgreSQL whose slot is read by these processes, in turn; None: nobody reads it."""

    def __init__(self, *readers: int | None) -> None:
        self.readers, self.calls = list(readers), list[str]()

    def run(self, statement: str, **values: Any) -> list[list[Any]]:
        if statement.startswith("SELECT active_pid"):
            return [[self.readers.pop(0)]] if self.readers else []
        self.calls.append(statement.split("(")[0].removeprefix("SELECT "))
        return []


@pytest.mark.parametrize(
    ("readers", "calls"),
    [
        ((), []),
        ((None,), ["pg_drop_replication_slot"]),
        ((7, 7, None), ["pg_terminate_backend", "pg_terminate_backend", "pg_drop_replication_slot"]),
    ],
)
def test_a_slot_is_dropped_when_nobody_reads_it(readers: tuple[int | None, ...], calls: list[str]) -> None:
    server = Server(*readers)
    assert _drop(server, "lakehouse_shop_1", lambda seconds: None, end_reader=True)
    assert server.calls == calls


@pytest.mark.parametrize(
    ("readers", "dropped", "calls"),
    [
        ((), True, []),
        ((None,), True, ["pg_drop_replication_slot"]),
        ((7, 7, None), True, ["pg_drop_replication_slot"]),  # it was killed, and the server has noticed that
        ((7,) * 200, False, []),
    ],
)
def test_nobody_who_reads_is_ended_unless_it_is_asked_for(
    readers: tuple[int | None, ...], dropped: bool, calls: list[str]
) -> None:
    server = Server(*readers)
    assert _drop(server, "lakehouse_shop_1", lambda seconds: None, end_reader=False) == dropped
    assert server.calls == calls


@pytest.mark.parametrize(("rows", "kept"), [([["1024"]], 1024), ([[None]], None), ([], None)])
def test_what_a_slot_keeps_is_known_if_it_is_there(rows: list[list[Any]], kept: int | None) -> None:
    class Slots:
        def run(self, statement: str, **values: Any) -> list[list[Any]]:
            assert values == {"slot": "lakehouse_shop_1"}
            return rows

    assert _kept(Slots(), "lakehouse_shop_1") == kept


def test_a_server_that_is_down_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    source = SourceDatabase.of({**CONFIG, "database.port": str(port)})
    assert source is not None
    with pytest.raises(Unreachable, match=f"PostgreSQL at 127.0.0.1:{port} cannot be reached"):
        drop(source, "secret")


@pytest.mark.parametrize("says", [b"", b"N"], ids=["nothing", "no TLS"])
def test_a_server_that_ends_connections_is_named_and_no_socket_stays_open(says: bytes) -> None:
    """Also while the error is kept: else the garbage collector finds an open socket, anywhere, later."""

    def serve(server: socket.socket) -> None:
        for _ in ("with TLS", "without"):
            with server.accept()[0] as each:
                each.settimeout(10)
                each.recv(8)
                each.sendall(says)
                each.shutdown(socket.SHUT_WR)
                while each.recv(1024):  # until the other side closes
                    pass

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve, server)
        source = SourceDatabase.of({**CONFIG, "database.port": str(server.getsockname()[1])})
        assert source is not None
        with pytest.raises(Unreachable) as kept:
            drop(source, "secret")
        served.result()
        assert "PostgreSQL" in str(kept.value)
