"""The commits that branches and tags need, from their logs. Pure.

Needed are the commits that a reference points to, and those at which two of them part: a merge looks for the latter.
What lies between two of these becomes one commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest


def needed(logs: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Each commit that is needed and the nearest needed one before it (None: there is none). Earlier ones are first.

    ``logs`` are the hashes of the commits of each reference, the newest first.
    """
    before: dict[str, str | None] = {}
    children: dict[str, set[str]] = {}
    for log in logs.values():
        for commit, parent in zip_longest(log, log[1:]):
            before[commit] = parent
            if parent is not None:
                children.setdefault(parent, set()).add(commit)
    found = {log[0] for log in logs.values() if log} | {each for each, after in children.items() if len(after) > 1}
    depths = {commit: len(log) - place for log in logs.values() for place, commit in enumerate(log)}
    return {commit: _nearest(before[commit], before, found) for commit in sorted(found, key=lambda c: (depths[c], c))}


def _nearest(commit: str | None, before: Mapping[str, str | None], found: set[str]) -> str | None:
    while commit is not None and commit not in found:
        commit = before[commit]
    return commit
