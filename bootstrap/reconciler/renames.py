"""Tables that have the former name of a table of the file, and get the new one. Pure.

Every comparison takes the facts as they are after the renames. So a table keeps its rows under its new name, is changed
there, and is never taken for one that the file does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bootstrap.iceberg.metadata import CatalogFacts, Facts
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.renames import former_names


def after(lakehouse: Lakehouse, facts: Facts) -> Facts:
    """``facts`` with the tables that will be renamed under their new names."""
    return replace(facts, catalogs=catalogs_after(lakehouse, facts.catalogs))


def catalogs_after(lakehouse: Lakehouse, catalogs: Mapping[str, CatalogFacts]) -> dict[str, CatalogFacts]:
    """The catalogs with the tables that will be renamed under their new names, which ``renamed`` lists."""
    return {
        name: _after(former_names(lakehouse.catalogs[name]), facts) if name in lakehouse.catalogs else facts
        for name, facts in catalogs.items()
    }


def _after(former: Mapping[str, str], facts: CatalogFacts) -> CatalogFacts:
    there = facts.tables.keys() | facts.others | facts.views.keys() | facts.other_views
    going = {name: old for name, old in former.items() if old in facts.tables and name not in there}
    if not going:
        return facts
    names = {old: name for name, old in going.items()}
    tables = {names.get(name, name): table for name, table in facts.tables.items()}
    return replace(facts, tables=tables, renamed={**facts.renamed, **going})
