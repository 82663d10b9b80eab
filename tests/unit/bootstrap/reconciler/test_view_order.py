"""What is read comes first, whatever the names are, and nothing waits for itself."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.view_order import ViewOrder

names = st.sampled_from("abcdefgh")


def order(reads: dict[str, str], *tables: str) -> ViewOrder:
    views = {f"view lake.n.{view}": frozenset(words) for view, words in reads.items()}
    return ViewOrder.of(views, [Change("create", "table", "lake", f"n.{table}") for table in tables])


def test_a_view_comes_after_those_that_it_reads_and_needs_its_tables() -> None:
    found = order({"a": "bt", "b": "c", "c": "x", "d": ""}, "t", "u")
    assert sorted(found.places, key=found.places.__getitem__) == [f"view lake.n.{name}" for name in "cbad"]
    assert found.reads["view lake.n.a"] == ["view lake.n.b", "table lake.n.t"]
    assert found.readers == {
        "view lake.n.b": ["view lake.n.a"],
        "view lake.n.c": ["view lake.n.b"],
        "table lake.n.t": ["view lake.n.a"],
    }


@given(st.dictionaries(names, st.lists(names, max_size=4).map("".join), max_size=8))
def test_no_view_waits_for_itself_or_a_later_one(reads: dict[str, str]) -> None:
    found = order(reads)
    assert sorted(found.places.values()) == list(range(len(reads)))
    for view, before in found.reads.items():
        assert all(found.places[each] < found.places[view] for each in before)
        assert all(view in found.readers[each] for each in before)


def test_a_long_chain() -> None:
    views = {f"view lake.n.v{nth}": frozenset([f"v{nth + 1}"]) for nth in range(5_000)}
    found = ViewOrder.of(views, ())
    assert found.places["view lake.n.v4999"] == 0
    assert found.reads["view lake.n.v0"] == ["view lake.n.v1"]
