"""What each principal must be allowed and denied in an engine that enforces `access`.

It is derived from the grants of the file, and not from the engine's rules, so that rules that allow too much or too
little are found. Other than :mod:`lakehouse.access.proof`, it knows filters and masks: an engine applies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lakehouse.access.grants import VERBS, Grant, covers, grants
from lakehouse.spec import Lakehouse, Verb

EngineOperation = Literal[
    "list",  # SHOW TABLES names it
    "load",  # DESCRIBE it
    "read",  # SELECT from it
    "read-all",  # all of its rows, and all columns as they are
    "history",  # SELECT from its metadata tables, as "t$files", whose bounds show values
    "write",  # INSERT, UPDATE, DELETE
    "execute",  # ALTER TABLE ... EXECUTE: compaction, expiry, rollback
    "create",  # CREATE TABLE with its name, in place of it
    "drop",
]
#: The lowest verb that allows an operation, if the grant leaves out nothing.
NEEDED: dict[EngineOperation, Verb] = {
    "list": "read",
    "load": "read",
    "read": "read",
    "read-all": "read",
    "history": "read",
    "write": "write",
    "execute": "write",
    "create": "manage",
    "drop": "manage",
}
#: What a grant with a filter or mask allows too.
NARROWED: tuple[EngineOperation, ...] = ("list", "load", "read")


@dataclass(frozen=True)
class EngineCall:
    """One operation of one principal on a table or view, and what the file says of it.

    If it is allowed, the principal sees the rows for which one of ``filters`` is true (none: all rows), and instead of
    a column of ``masks`` its mask: the word mask for NULL, or an expression. Snapshots with a column of ``former``, the
    former name of a masked one, show NULL in its place. ``name`` is empty for a namespace: the operation is on any
    table in it that the file does not name.
    """

    principal: str
    operation: EngineOperation
    catalog: str
    namespace: str
    name: str
    allowed: bool
    filters: tuple[str, ...] = ()
    masks: tuple[tuple[str, str], ...] = ()
    former: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """CATALOG.NAMESPACE, or CATALOG.NAMESPACE.TABLE."""
        return ".".join(filter(None, (self.catalog, self.namespace, self.name)))


def engine_calls(lakehouse: Lakehouse) -> Iterator[EngineCall]:
    """Every principal's operations on every table and view of the file, and on other tables in each namespace."""
    for principal in lakehouse.access.principals:
        own = grants(lakehouse, principal)
        for catalog, content in lakehouse.catalogs.items():
            for namespace, inner in content.namespaces.items():
                for name in ("", *inner.tables, *inner.views):
                    here = [each for each in own if covers(lakehouse, each, catalog, namespace, name)]
                    for operation in NEEDED:
                        if operation not in ("history", "execute") or name not in inner.views:
                            yield _call(principal, operation, catalog, namespace, name, here)


def _call(
    principal: str, operation: EngineOperation, catalog: str, namespace: str, name: str, here: list[Grant]
) -> EngineCall:
    plain = [VERBS.index(grant.verb) for grant in here if not grant.narrows]
    where = (principal, operation, catalog, namespace, name)
    if max(plain, default=-1) >= VERBS.index(NEEDED[operation]):
        return EngineCall(*where, allowed=True)
    narrowed = [grant for grant in here if grant.narrows]
    if narrowed and operation in NARROWED:
        filters = tuple(dict.fromkeys(grant.rows for grant in narrowed if grant.rows))
        first = narrowed[0]  # the masks of all are the same
        return EngineCall(*where, allowed=True, filters=filters, masks=first.masks, former=first.former)
    return EngineCall(*where, allowed=False)
