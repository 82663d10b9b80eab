"""The Polaris compiler: what `access` of lakehouse.yaml means as grants of a catalog role.

``write`` includes ``read``, and ``manage`` includes ``write``. A table with a filter or mask is not granted: Polaris
has neither, and would give its files' keys to who may load it. Grants of a catalog hold for all that is in it, those of
a namespace for its tables, views and nested namespaces. https://polaris.apache.org/releases/1.1.0/access-control/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse.access.grants import VERBS, is_view, plain
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.access import split

_TABLE: dict[Verb, tuple[str, ...]] = {
    "read": ("TABLE_READ_DATA", "TABLE_READ_PROPERTIES"),
    "write": ("TABLE_WRITE_DATA", "TABLE_WRITE_PROPERTIES"),  # a commit is a change of properties to Polaris
    "manage": ("TABLE_DROP",),
}
_INSIDE: dict[Verb, tuple[str, ...]] = {
    "read": ("NAMESPACE_LIST", "NAMESPACE_READ_PROPERTIES", "TABLE_LIST", "VIEW_LIST", "VIEW_READ_PROPERTIES"),
    "write": (),
    "manage": (
        *("NAMESPACE_CREATE", "NAMESPACE_DROP", "NAMESPACE_WRITE_PROPERTIES", "TABLE_CREATE"),
        *("VIEW_CREATE", "VIEW_DROP", "VIEW_WRITE_PROPERTIES"),
    ),
}


_VIEW: dict[Verb, tuple[str, ...]] = {
    "read": ("VIEW_READ_PROPERTIES",),
    "write": (),
    "manage": ("VIEW_DROP", "VIEW_WRITE_PROPERTIES"),
}


@dataclass(frozen=True, order=True)
class PolarisGrant:
    """A privilege on a catalog (no namespace), a namespace, a table or a view."""

    namespace: tuple[str, ...]
    name: str  # of the table or view; empty for a catalog or a namespace
    privilege: str
    type: str = "catalog"

    def sent(self) -> dict[str, Any]:
        """The grant in the management API's JSON."""
        about: dict[str, Any] = {"type": self.type, "privilege": self.privilege}
        if self.namespace:
            about["namespace"] = list(self.namespace)
        return {**about, f"{self.type}Name": self.name} if self.name else about

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> PolarisGrant:
        """A grant as the server answers it; a type that is unknown here keeps its privilege."""
        kind = str(found["type"])
        name = str(found.get(f"{kind}Name") or "")
        return cls(tuple(found.get("namespace") or ()), name, str(found["privilege"]), kind)

    @property
    def on(self) -> str:
        """NAMESPACE, NAMESPACE.TABLE, or empty for the catalog."""
        return ".".join((*self.namespace, *filter(None, (self.name,))))

    @property
    def place(self) -> PolarisPlace:
        return self.namespace, self.name, self.type


#: The namespace, the name of a table or view in it, and the type of grant.
PolarisPlace = tuple[tuple[str, ...], str, str]


def grants_on(place: PolarisPlace, verb: Verb) -> frozenset[PolarisGrant]:
    """What a verb on a catalog, namespace, table or view means there."""
    namespace, name, kind = place
    found: set[PolarisGrant] = set()
    for each in VERBS[: VERBS.index(verb) + 1]:
        own = _VIEW[each] if kind == "view" else _TABLE[each]
        privileges = own if name else (*own, *_INSIDE[each])
        found.update(PolarisGrant(namespace, name, privilege, kind) for privilege in privileges)
    return frozenset(found)


def polaris_grants(lakehouse: Lakehouse, principal: str) -> dict[str, frozenset[PolarisGrant]]:
    """A principal's grants by the catalog of the file; catalogs without any are left out."""
    found: dict[str, set[PolarisGrant]] = {}
    for grant in plain(lakehouse, principal):
        catalog, *path = split(lakehouse, grant.target)
        namespace = tuple(path[0].split(".")) if path else ()
        name = path[1] if len(path) == 2 else ""
        view = is_view(lakehouse, grant.target)
        kind = "view" if view else "table" if name else "namespace" if namespace else "catalog"
        found.setdefault(catalog, set()).update(grants_on((namespace, name, kind), grant.verb))
    return {catalog: frozenset(each) for catalog, each in found.items()}
