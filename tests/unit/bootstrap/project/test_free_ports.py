from __future__ import annotations

from bootstrap.project.free_ports import free_ports

USUAL = {"trino": 8085, "store": 9000}


def test_free_ports_stay() -> None:
    assert free_ports(USUAL, lambda number: True) == USUAL


def test_if_one_is_taken_all_move_alike() -> None:
    assert free_ports(USUAL, lambda number: number != 9000) == {"trino": 8185, "store": 9100}
    assert free_ports(USUAL, lambda number: number not in (9000, 8185)) == {"trino": 8285, "store": 9200}


def test_none_reaches_the_ports_of_outgoing_connections() -> None:
    assert free_ports(USUAL, lambda number: number > 32_767) is None
    assert free_ports(USUAL, lambda number: number > 30_000) == {"trino": 30085, "store": 31000}
    assert free_ports({}, lambda number: False) == {}
