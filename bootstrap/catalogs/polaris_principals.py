"""Principals of a Polaris server, through its management API.

https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused
from bootstrap.remote.http import Http
from bootstrap.remote.user_keys import UserKeys
from lakehouse.access.polaris import PolarisGrant
from lakehouse.kinds.catalogs.polaris import POLARIS
from lakehouse.runtimes.state import State

CLIENT_ID, CLIENT_SECRET = "client-id", "client-secret"
_MARK = "lakehouse.deletable"  # a property of the principal

#: Grants by the server's name of the catalog.
Granted = Mapping[str, frozenset[PolarisGrant]]


@dataclass(frozen=True)
class PolarisPrincipal:
    """An existing principal, without its credentials. ``ours``: the state folder has them."""

    granted: Granted = field(default_factory=dict)
    enabled: bool = True
    ours: bool = True
    deletable: bool = False


class PolarisPrincipals:
    """The principals of a lakehouse. Each has a principal role, and one role in each catalog, of its own name.

    The grants of these roles are exactly the file's; roles and assignments of others stay as they are. The principal
    role is made after the credentials are known: a principal without it is half made, and :meth:`create` goes on.
    Without an assignment of that role the principal has no access, but keeps its credentials.
    """

    def __init__(self, connections: Connections, state: State) -> None:
        own = {name: each for name, each in connections.catalogs.items() if each.kind == POLARIS.word}
        #: The server's names of the file's catalogs.
        self.warehouses = {name: each.warehouse for name, each in own.items()}
        at = next(iter(own.values()))
        self.uri = at.uri
        self._http = Http(
            "Polaris", at.api, at.headers, connections.patience, connections.parallel, auth=at.auth, trust=at.trust
        )
        self.keys = UserKeys(state, (CLIENT_ID, CLIENT_SECRET))

    def any_made(self, lakehouse: str) -> bool:
        """Whether a principal was made for a lakehouse of that name, as the state folder knows. Asks no server."""
        return self.keys.any_of(lakehouse)

    def facts(self, lakehouse: str) -> dict[str, PolarisPrincipal]:
        """The principals whose names have the prefix of a lakehouse of that name."""
        there = {each["name"]: each for each in self._http.get("/principals")["principals"]}
        roles = self._names("/principal-roles")
        names = [name for name in there if name.startswith(f"{lakehouse}-") and name in roles]
        if not names:
            return {}
        catalogs = {each: self._names(f"{_catalog(each)}/catalog-roles") for each in self._catalogs()}
        kept = self.keys.names()
        found = {}
        for name in names:
            granted = {catalog: self._effective(catalog, name) for catalog, of in catalogs.items() if name in of}
            found[name] = PolarisPrincipal(
                granted={catalog: grants for catalog, grants in granted.items() if grants},
                enabled=name in self._names(f"{_principal(name)}/principal-roles"),
                ours=name in kept,  # whichever they are: a rotation may have been cut short
                deletable=(there[name].get("properties") or {}).get(_MARK) == "true",
            )
        return found

    def create(self, name: str, granted: Granted, *, deletable: bool) -> None:
        """Create the principal, with credentials that the state folder keeps."""
        try:
            self._http.post("/principals", {"principal": {"name": name}, "credentialRotationRequired": False})
        except Exists:
            if others := self._names(f"{_principal(name)}/principal-roles"):
                text = f"Polaris: principal {name} exists, with roles of others ({', '.join(others)})"
                raise Refused(f"{text}. Remove it, or name the principal otherwise") from None
        self.renew(name)
        self._made("/principal-roles", {"principalRole": {"name": name}})
        self.change(name, granted, enabled=True, deletable=deletable)

    def change(self, name: str, granted: Granted, *, enabled: bool, deletable: bool) -> None:
        """Give the principal exactly these grants and its role, or only take the role away: then its grants stay.

        What it loses comes first, so that nothing that fails later leaves it. Raises Missing if it is not there.
        """
        if not enabled:
            self._gone(f"{_principal(name)}/principal-roles/{quote(name)}")
            self._mark(name, deletable)
            return
        have = {catalog: self._reduced(catalog, name, granted.get(catalog)) for catalog in self._catalogs()}
        self._mark(name, deletable)
        for catalog, wanted in granted.items():
            self._give(catalog, name, wanted - have.get(catalog, frozenset()))
        self._http.request("PUT", f"{_principal(name)}/principal-roles", {"principalRole": {"name": name}})

    def remove(self, name: str) -> None:
        """Remove the principal with its roles and credentials, which never come back. Raises Missing."""
        for catalog in self._catalogs():
            self._gone(f"{_catalog(catalog)}/catalog-roles/{quote(name)}")
        self._http.request("DELETE", _principal(name))
        self._gone(f"/principal-roles/{quote(name)}")
        self.keys.forget(name)

    def renew(self, name: str) -> None:
        """Give the principal new credentials. The former ones end at once; tokens that they got last up to an hour."""
        client, secret = secrets.token_hex(8), secrets.token_hex(16)  # of the shape that the server demands
        self._http.post(f"{_principal(name)}/reset", {"clientId": client, "clientSecret": secret})
        self.keys.keep(name, client, secret)

    def leave(self, catalog: str) -> None:
        """Remove the roles of this lakehouse's principals in a catalog: with one, the server does not drop it."""
        kept = self.keys.names()
        for name in self._names(f"{_catalog(catalog)}/catalog-roles"):
            if name in kept:
                self._gone(f"{_catalog(catalog)}/catalog-roles/{quote(name)}")

    def _reduced(self, catalog: str, name: str, wanted: frozenset[PolarisGrant] | None) -> frozenset[PolarisGrant]:
        """Revoke what is not wanted in a catalog. Returns what is granted there already."""
        role = f"{_catalog(catalog)}/catalog-roles/{quote(name)}"
        if not wanted:
            self._gone(role)
            return frozenset()
        have = self._granted(catalog, name)
        for grant in sorted(have - wanted):
            self._http.post(f"{role}/grants", {"grant": grant.sent()})  # the API's way to revoke
        return have & wanted

    def _give(self, catalog: str, name: str, further: frozenset[PolarisGrant]) -> None:
        at, role = f"{_catalog(catalog)}/catalog-roles", {"catalogRole": {"name": name}}
        self._made(at, role)
        self._http.request("PUT", _assigned(catalog, name), role)
        for grant in sorted(further):
            self._http.request("PUT", f"{at}/{quote(name)}/grants", {"grant": grant.sent()})

    def _mark(self, name: str, deletable: bool) -> None:
        found = self._http.get(_principal(name))
        properties = dict(found.get("properties") or {})
        wanted = {**properties, _MARK: "true"} if deletable else {k: v for k, v in properties.items() if k != _MARK}
        if wanted != properties:
            body = {"currentEntityVersion": found["entityVersion"], "properties": wanted}
            self._http.request("PUT", _principal(name), body)

    def _effective(self, catalog: str, name: str) -> frozenset[PolarisGrant]:
        """What the principal role has in a catalog: nothing as long as the catalog's role is not assigned to it."""
        return self._granted(catalog, name) if name in self._names(_assigned(catalog, name)) else frozenset()

    def _granted(self, catalog: str, name: str) -> frozenset[PolarisGrant]:
        try:
            found = self._http.get(f"{_catalog(catalog)}/catalog-roles/{quote(name)}/grants")["grants"]
        except Missing:
            return frozenset()
        return frozenset(map(PolarisGrant.read, found))

    def _catalogs(self) -> list[str]:
        return sorted(each["name"] for each in self._http.get("/catalogs")["catalogs"])

    def _names(self, path: str) -> list[str]:
        return sorted(each["name"] for each in self._http.get(path)["roles"])

    def _made(self, path: str, body: Mapping[str, object]) -> None:
        with suppress(Exists):
            self._http.post(path, body)

    def _gone(self, path: str) -> None:
        try:
            self._http.request("DELETE", path)
        except (Missing, Refused, Conflict) as error:
            if not isinstance(error, Missing) and "GRANT_NOT_FOUND" not in str(error):
                raise


def _principal(name: str) -> str:
    return f"/principals/{quote(name, safe='')}"


def _catalog(name: str) -> str:
    return f"/catalogs/{quote(name, safe='')}"


def _assigned(catalog: str, name: str) -> str:
    """The catalog roles of a principal role in a catalog."""
    return f"/principal-roles/{quote(name)}/catalog-roles/{quote(catalog, safe='')}"
