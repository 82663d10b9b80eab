"""Existing objects as entries of lakehouse.yaml: each kind of object adds its own. Pure."""

from __future__ import annotations

from typing import Any

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.differences import CatalogPair
from lakehouse.spec.base import Model
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import dotted


class Entries:
    """Collects entries, object by object.

    With ``everything`` (`export`) the whole file is written again; without it (`import`) only objects that the file
    does not name get entries. ``data`` is the present file; a kind that describes everything removes its part from it.
    """

    def __init__(self, lakehouse: Lakehouse, facts: Facts, *, everything: bool) -> None:
        self.lakehouse, self.facts, self.everything = lakehouse, facts, everything
        self.data: dict[str, Any] = lakehouse.model_dump(mode="json", exclude_unset=True)
        self.added: dict[tuple[str, ...], Any] = {}
        self.left: list[str] = []

    @property
    def catalogs(self) -> list[CatalogPair]:
        """Each catalog: what the file says about it, and what exists."""
        return [CatalogPair(name, spec, self.facts.catalogs[name]) for name, spec in self.lakehouse.catalogs.items()]

    def add(self, *at: str, entry: Any) -> None:
        """Add an entry. If it breaks a rule of the file, it is left out later and reported."""
        self.added[at] = entry

    def leave(self, *at: str, why: str) -> None:
        """Report an object that no entry can describe."""
        self.left.append(f"{dotted(at)}: {why}")


def said(of: Model | None, *keys: str) -> dict[str, Any]:
    """Those keys of a file's entry that are set: only the file knows them."""
    entry = {} if of is None else of.model_dump(mode="json", exclude_unset=True, include=set(keys))
    return {key: entry[key] for key in keys if entry.get(key) is not None}
