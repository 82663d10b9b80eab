"""What principals of a Polaris server have by roles that others made. Only reads, each thing once.

https://polaris.apache.org/releases/1.1.0/access-control/: a principal has principal roles, each of which has catalog
roles, which have grants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bootstrap.remote.errors import Missing
from bootstrap.remote.http import Http
from lakehouse.access.polaris import PolarisGrant

#: The principal, principal role and catalog role by which a server is administered: never listed, never taken away.
ROOT, SERVICE_ADMIN, CATALOG_ADMIN = "root", "service_admin", "catalog_admin"

#: Grants by the server's name of the catalog.
Granted = Mapping[str, frozenset[PolarisGrant]]


@dataclass(frozen=True)
class OthersRole:
    """A principal role of others that a principal has (``role``), or catalog roles of others that its own role has.

    ``granted`` is by the server's name of the catalog and the catalog role; ``own``: the role is the principal's own.
    """

    role: str
    granted: Mapping[str, Mapping[str, frozenset[PolarisGrant]]] = field(default_factory=dict)
    own: bool = False

    def within(self, warehouses: Iterable[str]) -> Granted:
        """What it gives in these catalogs, besides what catalog_admin gives."""
        found = {}
        for catalog in warehouses:
            roles = self.granted.get(catalog, {})
            found[catalog] = frozenset().union(*(grants for role, grants in roles.items() if role != CATALOG_ADMIN))
        return {each: grants for each, grants in found.items() if grants}

    @property
    def administers(self) -> tuple[str, ...]:
        """The catalogs in which it has the role catalog_admin."""
        return tuple(sorted(each for each, roles in self.granted.items() if CATALOG_ADMIN in roles))


class PolarisRoles:
    """The roles of a server's principals, as its management API has them now."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._answers: dict[str, Any] = {}

    def principals(self) -> list[Mapping[str, Any]]:
        """All principals, as the server lists them."""
        found: list[Mapping[str, Any]] = self._get("/principals")["principals"]
        return found

    def principal_roles(self) -> list[str]:
        return self._names("/principal-roles")

    def owners(self, key: str) -> dict[str, str]:
        """That property of all principal roles that have it, by their names."""
        found = (
            (each["name"], (each.get("properties") or {}).get(key)) for each in self._get("/principal-roles")["roles"]
        )
        return {name: value for name, value in found if value}

    def catalogs(self) -> list[str]:
        return sorted(each["name"] for each in self._get("/catalogs")["catalogs"])

    def of(self, principal: str) -> list[str]:
        """The principal's principal roles."""
        return self._names(f"/principals/{quote(principal, safe='')}/principal-roles")

    def holders(self, role: str) -> list[str]:
        """The principals that have a principal role."""
        found = self._get(f"/principal-roles/{quote(role, safe='')}/principals")["principals"]
        return sorted(each["name"] for each in found)

    def in_catalog(self, catalog: str) -> list[str]:
        """All catalog roles of a catalog."""
        return self._names(f"/catalogs/{quote(catalog, safe='')}/catalog-roles")

    def catalog_roles(self, role: str, catalog: str) -> list[str]:
        """The catalog roles of a principal role in a catalog."""
        return self._names(f"/principal-roles/{quote(role, safe='')}/catalog-roles/{quote(catalog, safe='')}")

    def grants(self, catalog: str, role: str) -> frozenset[PolarisGrant]:
        """The grants of a catalog role; none if it is not there."""
        path = f"/catalogs/{quote(catalog, safe='')}/catalog-roles/{quote(role, safe='')}/grants"
        try:
            return frozenset(map(PolarisGrant.read, self._get(path)["grants"]))
        except Missing:
            return frozenset()

    def others(self, principal: str, own: str = "") -> tuple[OthersRole, ...]:
        """What a principal has by roles of others; ``own`` is the name of the toolkit's roles for it."""
        found = []
        for role in self.of(principal):
            if role == SERVICE_ADMIN:
                continue
            granted = {
                catalog: {
                    each: self.grants(catalog, each)
                    for each in self.catalog_roles(role, catalog)
                    if (role, each) != (own, own)
                }
                for catalog in self.catalogs()
            }
            granted = {catalog: roles for catalog, roles in granted.items() if roles}
            if granted:
                found.append(OthersRole(role, granted, own=role == own))
        return tuple(found)

    def _names(self, path: str) -> list[str]:
        return sorted(each["name"] for each in self._get(path)["roles"])

    def _get(self, path: str) -> Any:
        if path not in self._answers:
            self._answers[path] = self._http.get(path)
        return self._answers[path]
