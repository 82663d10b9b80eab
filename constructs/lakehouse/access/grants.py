"""The grants of `access` in lakehouse.yaml: one verb on one target, for one principal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.spec import Lakehouse, Narrowed, Verb
from lakehouse.spec.access import covered, masks, split, within
from lakehouse.spec.roles import PrincipalServer

VERBS: tuple[Verb, ...] = ("read", "write", "manage")  # each includes those before it


@dataclass(frozen=True)
class Grant:
    """One verb on one target, and why: the role that grants it.

    ``rows`` is the filter of a grant that leaves out rows, ``masks`` has pairs of a column and its mask, and ``former``
    the former names of masked columns, under which old snapshots show their values. Only an engine applies them, so no
    other layer gives such a grant anything.
    """

    principal: str
    verb: Verb
    target: str  # catalog, catalog.namespace, or a table or view of that
    role: str
    rows: str = ""
    masks: tuple[tuple[str, str], ...] = ()
    former: tuple[str, ...] = ()
    within: str = ""  # the target in the file, if that is around this one

    @property
    def narrows(self) -> bool:
        """Whether it leaves out rows or values."""
        return bool(self.rows or self.masks)


def grants(lakehouse: Lakehouse, principal: str = "") -> list[Grant]:
    """Every grant of every principal, or of that one, in the file's order.

    One that masks the tags of a namespace or a catalog is a grant for each table and view that the file has there.
    """
    return [
        grant
        for name, member in lakehouse.access.principals.items()
        if principal in ("", name)
        for role in dict.fromkeys(member.roles)
        for target, granted in lakehouse.access.roles[role].grants.items()
        for grant in _granted(lakehouse, name, role, target, granted)
    ]


def known_to(lakehouse: Lakehouse, server: PrincipalServer) -> list[Grant]:
    """The grants of the principals that a server of a stack on this machine shall know."""
    return [grant for grant in grants(lakehouse) if lakehouse.access.principals[grant.principal].is_known_to(server)]


def plain(lakehouse: Lakehouse, principal: str) -> list[Grant]:
    """A principal's grants that leave out nothing: all that a layer without filters and masks may give."""
    return [grant for grant in grants(lakehouse, principal) if not grant.narrows]


def covers(lakehouse: Lakehouse, grant: Grant, catalog: str, namespace: str, name: str = "") -> bool:
    """Whether the target is that namespace, or the table or view of this name in it, or around it.

    A namespace's grants hold for the namespaces in it.
    """
    of, *path = split(lakehouse, grant.target)
    if of != catalog:
        return False
    if len(path) == 2:
        return path == [namespace, name]
    return not path or f"{namespace}.".startswith(f"{path[0]}.")


def _granted(
    lakehouse: Lakehouse, principal: str, role: str, target: str, granted: list[Verb] | Narrowed
) -> Iterator[Grant]:
    if not isinstance(granted, Narrowed):
        yield from (Grant(principal, verb, target, role) for verb in VERBS if verb in granted)
        return
    for catalog, namespace, table in covered(lakehouse, target):
        definition = lakehouse.catalogs[catalog].namespaces[namespace].tables[table]
        hidden = masks(definition, granted.columns)
        former = tuple(name for column, _ in hidden if (name := definition.columns[column].renamed_from) is not None)
        on = f"{catalog}.{namespace}.{table}"
        around = target if on != target else ""
        yield Grant(principal, "read", on, role, granted.rows, hidden, former, within=around)
    for view in _views(lakehouse, target):
        yield Grant(principal, "read", view, role, within=target)


def _views(lakehouse: Lakehouse, target: str) -> Iterator[str]:
    catalog, *path = split(lakehouse, target)
    content = lakehouse.catalogs[catalog]
    if len(path) < 2:
        for namespace in within(content, path[0]) if path else content.namespaces:
            yield from (f"{catalog}.{namespace}.{view}" for view in content.namespaces[namespace].views)


def is_view(lakehouse: Lakehouse, target: str) -> bool:
    """Whether a target is a view of the file."""
    path = split(lakehouse, target)
    return len(path) == 3 and path[2] in lakehouse.catalogs[path[0]].namespaces[path[1]].views
