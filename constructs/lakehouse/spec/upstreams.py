"""Rules of a table's ``upstreams``."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import Problem
from lakehouse.text.words import listed, suggest


def check_upstreams(lakehouse: Lakehouse) -> Iterator[Problem]:
    """A table among the upstreams is in a catalog of the file, and is another table."""
    for catalog, content in lakehouse.catalogs.items():
        for namespace, each in content.namespaces.items():
            for name, table in each.tables.items():
                for number, upstream in enumerate(table.upstreams):
                    if refused := _refusal(upstream, f"{catalog}.{namespace}.{name}", list(lakehouse.catalogs)):
                        at = ("catalogs", catalog, "namespaces", namespace, "tables", name, "upstreams", number)
                        yield Problem(at, refused)


def _refusal(upstream: str, own: str, catalogs: list[str]) -> str:
    if "://" in upstream:
        return ""
    if upstream == own:
        return f'"{upstream}" is this table itself. Name where its rows come from'
    first = upstream.partition(".")[0]
    if first not in catalogs:
        return (
            f'"{upstream}": there is no catalog "{first}", only {listed(catalogs)}.{suggest(first, catalogs)} '
            "A table elsewhere is written with its system: postgres://database.schema.table"
        )
    return ""
