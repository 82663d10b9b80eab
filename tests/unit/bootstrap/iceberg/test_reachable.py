"""Which files are needed by which branch or tag: whatever the histories, expiry frees only what no head names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.iceberg.reachable import TableHead, freed, needed


class Stored:
    """Lists, manifests and files of a store, by their names. A manifest's entry is live, or records a removal."""

    def __init__(self, lists: dict[str, set[str]], manifests: dict[str, dict[str, bool]]) -> None:
        self.lists, self.entries = lists, manifests

    def manifests(self, lists: Collection[str], *, lenient: bool = False) -> set[str]:
        return {name for at in lists for name in (self.lists.get(at, set()) if lenient else self.lists[at])}

    def files(self, manifests: Collection[str], *, removed: bool = False, lenient: bool = False) -> set[str]:
        known = [self.entries.get(at, {}) if lenient else self.entries[at] for at in manifests]
        return {file for entries in known for file, live in entries.items() if live or removed}


def snapshot(number: int) -> dict[str, Any]:
    return {"snapshot-id": number, "manifest-list": f"list{number}"}


def metadata(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"snapshots": [snapshot(number) for number in numbers], **more}


def head(where: str, *numbers: int, **more: Any) -> TableHead:
    return TableHead(where, f"{where}.json", metadata(*numbers, **more))


#: An append, an append, and the compaction of both files into one, which records that they are gone.
COMPACTED = Stored(
    {"list1": {"m1"}, "list2": {"m1", "m2"}, "list3": {"m3", "m4"}},
    {"m1": {"a": True}, "m2": {"b": True}, "m3": {"ab": True}, "m4": {"a": False, "b": False}},
)


@pytest.mark.parametrize(
    ("heads", "expired", "gone"),
    [
        ([head("main", 3)], {1, 2}, {"list1", "list2", "m1", "m2", "a", "b"}),
        ([head("main", 3), head("on tag v1", 1)], {1, 2}, {"list2", "m2", "b"}),
        ([head("main", 3), head("on tag v2", 1, 2)], {1, 2}, set()),
        ([head("main", 3), head("on branch etl", 2)], {1, 2}, {"list1"}),
        ([head("main", 2, 3)], {1}, {"list1"}),
        ([head("main", 1, 2, 3)], set(), set()),
    ],
)
def test_what_expiry_frees_beside_branches_and_tags(heads: list[TableHead], expired: set[int], gone: set[str]) -> None:
    assert freed(metadata(1, 2, 3), expired, heads, COMPACTED) == gone


def test_all_that_a_metadata_file_names_is_needed() -> None:
    log = [{"metadata-file": "0.json"}]
    of = {
        "metadata-log": log,
        "statistics": [{"snapshot-id": 3, "statistics-path": "s.puffin"}],
        "partition-statistics": [{"snapshot-id": 3, "statistics-path": "p.parquet"}],
    }
    named = {"main.json", "0.json", "s.puffin", "p.parquet", "list3", "m3", "m4", "ab"}
    assert needed([head("main", 3, **of)], COMPACTED) == named


def test_statistics_go_with_their_snapshot_unless_a_head_has_them() -> None:
    statistics = [{"snapshot-id": n, "statistics-path": f"{n}.puffin"} for n in (1, 2, 3)]
    former = metadata(1, 2, 3, statistics=statistics)
    heads = [head("main", 3, statistics=statistics[2:]), head("on tag v", 1, statistics=statistics[:1])]
    assert {at for at in freed(former, {1, 2}, heads, COMPACTED) if at.endswith(".puffin")} == {"2.puffin"}


def test_tables_of_format_1_may_name_their_manifests_without_a_list() -> None:
    old, new = ({"snapshot-id": n, "manifests": [f"m{n}"]} for n in (1, 2))
    now = TableHead("main", "main.json", {"snapshots": [new]})
    assert freed({"snapshots": [old, new]}, {1}, [now], COMPACTED) == {"m1", "a"}
    assert needed([now], COMPACTED) == {"main.json", "m2", "b"}


def test_a_missing_file_of_an_expired_snapshot_names_nothing_and_one_of_a_live_snapshot_stops() -> None:
    partly = Stored({"list3": {"m3"}}, {"m3": {"ab": True}})
    assert freed(metadata(1, 3), {1}, [head("main", 3)], partly) == {"list1"}
    with pytest.raises(KeyError, match="list2"):
        freed(metadata(1, 2, 3), {1}, [head("main", 2, 3)], partly)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Stored, int]:
    """Up to eight snapshots, whose manifests share files in any way: appends, rewrites, removals."""
    count = draw(st.integers(1, 8))
    files, manifests = (st.sampled_from([f"{kind}{n}" for n in range(8)]) for kind in "fm")
    entries = {f"m{n}": draw(st.dictionaries(files, st.booleans(), max_size=4)) for n in range(8)}
    lists = {f"list{n}": draw(st.sets(manifests, max_size=4)) for n in range(count)}
    return Stored(lists, entries), count


@given(st.data())
def test_expiry_frees_what_only_expired_snapshots_need_and_nothing_else(data: st.DataObject) -> None:
    store, count = data.draw(histories())
    every = range(count)
    expired = data.draw(st.sets(st.sampled_from(every)))
    others = data.draw(st.lists(st.sets(st.sampled_from(every)), max_size=4))
    heads = [head("main", *set(every) - expired), *(head(f"on tag {n}", *each) for n, each in enumerate(others))]
    gone = freed(metadata(*every), expired, heads, store)

    live = {number for each in heads for number in (s["snapshot-id"] for s in each.metadata["snapshots"])}
    for number in live:  # each snapshot that a head names is read as before
        assert f"list{number}" not in gone
        for manifest in store.lists[f"list{number}"]:
            assert manifest not in gone
            assert gone.isdisjoint(file for file, there in store.entries[manifest].items() if there)
    # Nothing is left over: what expired is freed, or a head needs it.
    former = [TableHead("former", "former.json", metadata(*expired))]
    assert needed(former, store) - {"former.json"} - needed(heads, store) <= gone
    assert gone.isdisjoint(needed(heads, store))
    # Orphan removal afterwards finds the same files needed.
    assert all(f"list{number}" in needed(heads, store) for number in live)
