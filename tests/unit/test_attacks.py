"""Each port of each kind is attacked somewhere, and docs/security.md says what works."""

from __future__ import annotations

from pathlib import Path

from tests.attacks.asks import ASKS, named, table

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def test_something_is_tried_at_each_port_of_each_kind() -> None:
    assert [name for _, name in named() if name not in ASKS and not name.startswith("aistor")] == []


def test_nothing_is_tried_at_ports_that_no_kind_has() -> None:
    assert sorted(ASKS.keys() - {name for _, name in named()} - {"rest-plain"}) == []


def test_the_page_says_what_works() -> None:
    assert "\n".join(table()) in PAGE.read_text()
