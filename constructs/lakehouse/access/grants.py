"""The grants of `access` in lakehouse.yaml: one verb on one target, for one principal."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.spec import Lakehouse, Verb

VERBS: tuple[Verb, ...] = ("read", "write", "manage")  # each includes those before it


@dataclass(frozen=True)
class Grant:
    """One verb on one target, and why: the role that grants it."""

    principal: str
    verb: Verb
    target: str  # catalog, catalog.namespace, or catalog.namespace.table
    role: str


def grants(lakehouse: Lakehouse) -> list[Grant]:
    """Every grant of every principal, in the file's order."""
    return [
        Grant(name, verb, target, role)
        for name, principal in lakehouse.access.principals.items()
        for role in dict.fromkeys(principal.roles)
        for target, verbs in lakehouse.access.roles[role].grants.items()
        for verb in VERBS
        if verb in verbs
    ]


def split(lakehouse: Lakehouse, target: str) -> tuple[str, ...]:
    """``(catalog,)``, ``(catalog, namespace)`` or ``(catalog, namespace, table)``; a namespace may hold dots."""
    catalog, _, rest = target.partition(".")
    if not rest:
        return (catalog,)
    if rest in lakehouse.catalogs[catalog].namespaces:
        return (catalog, rest)
    namespace, _, table = rest.rpartition(".")
    return (catalog, namespace, table)
