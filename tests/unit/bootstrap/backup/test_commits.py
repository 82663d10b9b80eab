"""Which commits are needed, and in which order: for any tree of branches and tags."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.backup.commits import needed


@st.composite
def trees(draw: st.DrawFn) -> dict[str, list[str]]:
    """The logs of references to some commits of a tree, the newest commit first."""
    parents: list[int | None] = []
    for number in range(draw(st.integers(0, 8))):
        parents.append(draw(st.none() | st.integers(0, number - 1)) if number else None)
    heads = draw(st.lists(st.none() | st.integers(0, max(0, len(parents) - 1)), max_size=4))
    logs = {}
    for number, head in enumerate(heads):
        log, at = [], head if parents else None
        while at is not None:
            log.append(f"c{at}")
            at = parents[at]
        logs[f"r{number}"] = log
    return logs


@settings(deadline=None)
@given(trees())
def test_every_head_and_every_fork_is_there_after_what_it_needs(logs: dict[str, list[str]]) -> None:
    found = needed(logs)
    order = list(found)
    assert {log[0] for log in logs.values() if log} <= found.keys()
    for one, other in combinations(logs.values(), 2):
        common = next((commit for commit in one if commit in other), None)
        assert common is None or common in found, "a merge looks for the last commit that both have"
    for commit, parent in found.items():
        log = next(log for log in logs.values() if commit in log)
        before = [each for each in log[log.index(commit) + 1 :] if each in found]
        assert parent == (before[0] if before else None)
        assert parent is None or order.index(parent) < order.index(commit)


def test_what_lies_between_is_left_out() -> None:
    logs = {"main": ["e", "d", "c", "b", "a"], "tag": ["b", "a"], "dev": ["x", "d", "c", "b", "a"], "empty": []}
    assert needed(logs) == {"b": None, "d": "b", "e": "d", "x": "d"}
