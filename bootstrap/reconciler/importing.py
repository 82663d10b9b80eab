"""Existing objects as entries of lakehouse.yaml: sections for ``import``, the whole file for ``export``.

Pure. Entries that the file's rules refuse are left out and reported with the reason, so that the file stays valid.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.entries import Added, Entries, EntryPath, joined, tree, valid
from bootstrap.reconciler.kind import Registry
from bootstrap.reconciler.objects import OBJECTS
from lakehouse.spec.checks import check
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, dotted


class Described(NamedTuple):
    """What the file would say. ``left`` lists what a file cannot hold, each with the reason."""

    data: dict[str, Any]
    left: list[str]
    entries: int  # their number


def imported(lakehouse: Lakehouse, facts: Facts, kinds: Registry = OBJECTS) -> Described:
    """The sections for existing objects that the file does not name; empty if there are none."""
    found, left = _entries(lakehouse, facts, kinds, everything=False)
    return Described(tree(found.added), left, len(found.added))


def exported(lakehouse: Lakehouse, facts: Facts, kinds: Registry = OBJECTS) -> Described:
    """The whole file: its own settings, and the existing contents."""
    found, left = _entries(lakehouse, facts, kinds, everything=True)
    whole: dict[str, Any] = joined(found.data, tree(found.added))
    return Described({key: whole[key] for key in Lakehouse.model_fields if key in whole}, left, len(found.added))


def _entries(lakehouse: Lakehouse, facts: Facts, kinds: Registry, *, everything: bool) -> tuple[Entries, list[str]]:
    """The entries of all kinds that a file can hold, and what it cannot hold, each with the reason."""
    found = Entries(lakehouse, facts, everything=everything)
    for kind in kinds:
        kind.describe(found)
    left = list(found.left)
    found.added = dict(valid(lakehouse, _ordered(found), left))
    _check(found, left)
    return found, left


def _ordered(found: Entries) -> Added:
    """The entries in the order of the file and of the kinds, parents before children."""
    sections = {key: list(of) for key, of in found.data.items() if isinstance(of, dict)}
    known: dict[EntryPath, int] = {
        (key, name): place for key, names in sections.items() for place, name in enumerate(names)
    }
    ranks: dict[EntryPath, int] = {}
    for at in found.added:
        ranks.setdefault(at[:3], len(ranks))
    order = sorted(found.added, key=lambda at: (known.get(at[:2], len(known)), ranks[at[:3]], at))
    return {at: found.added[at] for at in order}


def _check(found: Entries, left: list[str]) -> None:
    """Take out, and report, the entries that break a rule between values of the file."""
    while True:
        problems = check(Lakehouse.model_validate(joined(found.data, tree(found.added))))
        wrong = {part: problem.message for problem in problems if (part := _part(found.added, problem.at))}
        if not wrong:
            return
        for part, message in wrong.items():
            if _take_out(found.added, part):
                left.append(f"{dotted(part)}: {message}")


def _part(added: Added, at: KeyPath) -> EntryPath:
    """The smallest part to leave out for a problem at ``at``: a property of an entry, or an entry. Empty if neither."""
    path = tuple(map(str, at))
    for length in range(len(path), 0, -1):
        if (part := path[:length]) in added or _is_property(added, part):
            return part
    return ()


def _is_property(added: Added, part: EntryPath) -> bool:
    return part[-2:-1] == ("properties",) and part[-1] in added.get(part[:-2], {}).get("properties", {})


def _take_out(added: Added, part: EntryPath) -> bool:
    """Remove the part. Returns whether it was still there."""
    if _is_property(added, part):
        del added[part[:-2]]["properties"][part[-1]]
        return True
    inside = [at for at in added if at[: len(part)] == part]
    for at in inside:
        del added[at]
    return bool(inside)
