"""Existing objects as entries of lakehouse.yaml: each kind of object adds its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.differences import CatalogPair
from lakehouse.spec.base import Model
from lakehouse.spec.model import Catalog, Lakehouse
from lakehouse.spec.problems import dotted

EntryPath = tuple[str, ...]
Added = dict[EntryPath, Any]


class Entries:
    """Collects entries, object by object.

    With ``everything`` (`export`) the whole file is written again; without it (`import`) only objects that the file
    does not name get entries. ``data`` is the present file; a kind that describes everything removes its part from it.
    """

    def __init__(self, lakehouse: Lakehouse, facts: Facts, *, everything: bool) -> None:
        self.lakehouse, self.facts, self.everything = lakehouse, facts, everything
        self.data: dict[str, Any] = lakehouse.model_dump(mode="json", exclude_unset=True)
        self.added: Added = {}
        self.left: list[str] = []

    @property
    def catalogs(self) -> list[CatalogPair]:
        """Each catalog: what the file says about it, and what exists."""
        return [CatalogPair(name, spec, self.facts.catalogs[name]) for name, spec in self.lakehouse.catalogs.items()]

    def add(self, *at: str, entry: Any) -> None:
        """Add an entry. If it breaks a rule of the file, it is left out later and reported."""
        self.added[at] = entry

    def whole(self) -> Lakehouse:
        """The file with the entries so far, without those that its model refuses."""
        return Lakehouse.model_validate(joined(self.data, tree(dict(valid(self.lakehouse, self.added, [])))))

    def leave(self, *at: str, why: str) -> None:
        """Report an object that no entry can describe."""
        self.left.append(f"{dotted(at)}: {why}")


def said(of: Model | None, *keys: str) -> dict[str, Any]:
    """Those keys of a file's entry that are set: only the file knows them."""
    entry = {} if of is None else of.model_dump(mode="json", exclude_unset=True, include=set(keys))
    return {key: entry[key] for key in keys if entry.get(key) is not None}


def valid(lakehouse: Lakehouse, added: Added, left: list[str]) -> Iterator[tuple[EntryPath, Any]]:
    """The entries without those that the model refuses, such as names that are not allowed, and their children."""
    least = _least(lakehouse)
    refused: set[EntryPath] = set()
    for at, entry in added.items():
        if any(at[:length] in refused for length in range(len(at))):
            continue
        try:
            Lakehouse.model_validate(joined(least, tree({at: entry})))
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


def tree(added: Added) -> dict[str, Any]:
    """The entries as nested mappings."""
    whole: dict[str, Any] = {}
    for at, entry in added.items():
        inner = whole
        for step in at[:-1]:
            inner = inner.setdefault(step, {})
        inner[at[-1]] = dict(entry) if isinstance(entry, dict) else entry  # children are added to the copy
    return whole


def joined(data: Any, more: Mapping[str, Any]) -> Any:
    """``data`` with the entries of ``more`` added, level by level."""
    if not isinstance(data, dict):
        return more if data is None else data
    both = dict(data)
    for key, value in more.items():
        both[key] = joined(both[key], value) if key in both and isinstance(value, dict) else value
    return both
