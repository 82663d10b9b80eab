"""Existing objects as entries of lakehouse.yaml: sections for ``import``, the whole file for ``export``.

Pure. Entries that the file's rules refuse are left out and reported with the reason, so that the file stays valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.kind import Registry
from bootstrap.reconciler.objects import OBJECTS
from lakehouse.spec.checks import check
from lakehouse.spec.model import Catalog, Lakehouse
from lakehouse.spec.problems import KeyPath, dotted

_Path = tuple[str, ...]
_Added = dict[_Path, Any]


class Described(NamedTuple):
    """What the file would say. ``left`` lists what a file cannot hold, each with the reason."""

    data: dict[str, Any]
    left: list[str]
    entries: int  # their number


def imported(lakehouse: Lakehouse, facts: Facts, kinds: Registry = OBJECTS) -> Described:
    """The sections for existing objects that the file does not name; empty if there are none."""
    found, left = _entries(lakehouse, facts, kinds, everything=False)
    return Described(_tree(found.added), left, len(found.added))


def exported(lakehouse: Lakehouse, facts: Facts, kinds: Registry = OBJECTS) -> Described:
    """The whole file: its own settings, and the existing contents."""
    found, left = _entries(lakehouse, facts, kinds, everything=True)
    joined: dict[str, Any] = _joined(found.data, _tree(found.added))
    return Described({key: joined[key] for key in Lakehouse.model_fields if key in joined}, left, len(found.added))


def _entries(lakehouse: Lakehouse, facts: Facts, kinds: Registry, *, everything: bool) -> tuple[Entries, list[str]]:
    """The entries of all kinds that a file can hold, and what it cannot hold, each with the reason."""
    found = Entries(lakehouse, facts, everything=everything)
    for kind in kinds:
        kind.describe(found)
    left = list(found.left)
    found.added = dict(_valid(lakehouse, _ordered(found), left))
    _check(found, left)
    return found, left


def _ordered(found: Entries) -> _Added:
    """The entries in the order of the file and of the kinds, parents before children."""
    sections = {key: list(of) for key, of in found.data.items() if isinstance(of, dict)}
    known: dict[_Path, int] = {
        (key, name): place for key, names in sections.items() for place, name in enumerate(names)
    }
    ranks: dict[_Path, int] = {}
    for at in found.added:
        ranks.setdefault(at[:3], len(ranks))
    order = sorted(found.added, key=lambda at: (known.get(at[:2], len(known)), ranks[at[:3]], at))
    return {at: found.added[at] for at in order}


def _valid(lakehouse: Lakehouse, added: _Added, left: list[str]) -> Iterator[tuple[_Path, Any]]:
    """The entries without those that the model refuses, such as names that are not allowed, and their children."""
    least = _least(lakehouse)
    refused: set[_Path] = set()
    for at, entry in added.items():
        if any(at[:length] in refused for length in range(len(at))):
            continue
        try:
            Lakehouse.model_validate(_joined(least, _tree({at: entry})))
        except ValidationError as error:
            refused.add(at)
            left.append(f"{dotted(at)}: {str(error.errors()[0]['msg']).removeprefix('Value error, ')}")
        else:
            yield at, entry


def _least(lakehouse: Lakehouse) -> dict[str, Any]:
    """The file with only the keys that every file must have."""
    data = lakehouse.model_dump(mode="json", exclude_unset=True)
    least = {key: data[key] for key, field in Lakehouse.model_fields.items() if field.is_required()}
    needed = [key for key, field in Catalog.model_fields.items() if field.is_required()]
    return {**least, "catalogs": {name: {key: of[key] for key in needed} for name, of in data["catalogs"].items()}}


def _check(found: Entries, left: list[str]) -> None:
    """Take out, and report, the entries that break a rule between values of the file."""
    while True:
        problems = check(Lakehouse.model_validate(_joined(found.data, _tree(found.added))))
        wrong = {part: problem.message for problem in problems if (part := _part(found.added, problem.at))}
        if not wrong:
            return
        for part, message in wrong.items():
            if _take_out(found.added, part):
                left.append(f"{dotted(part)}: {message}")


def _part(added: _Added, at: KeyPath) -> _Path:
    """The smallest part to leave out for a problem at ``at``: a property of an entry, or an entry. Empty if neither."""
    path = tuple(map(str, at))
    for length in range(len(path), 0, -1):
        if (part := path[:length]) in added or _is_property(added, part):
            return part
    return ()


def _is_property(added: _Added, part: _Path) -> bool:
    return part[-2:-1] == ("properties",) and part[-1] in added.get(part[:-2], {}).get("properties", {})


def _take_out(added: _Added, part: _Path) -> bool:
    """Remove the part. Returns whether it was still there."""
    if _is_property(added, part):
        del added[part[:-2]]["properties"][part[-1]]
        return True
    inside = [at for at in added if at[: len(part)] == part]
    for at in inside:
        del added[at]
    return bool(inside)


def _tree(added: _Added) -> dict[str, Any]:
    """The entries as nested mappings."""
    tree: dict[str, Any] = {}
    for at, entry in added.items():
        inner = tree
        for step in at[:-1]:
            inner = inner.setdefault(step, {})
        inner[at[-1]] = dict(entry) if isinstance(entry, dict) else entry  # children are added to the copy
    return tree


def _joined(data: Any, more: Mapping[str, Any]) -> Any:
    """``data`` with the entries of ``more`` added, level by level."""
    if not isinstance(data, dict):
        return more if data is None else data
    joined = dict(data)
    for key, value in more.items():
        joined[key] = _joined(joined[key], value) if key in joined and isinstance(value, dict) else value
    return joined
