"""Principals of a Polaris server, through its management API.

https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from bootstrap.catalogs.polaris_roles import ROOT, Granted, OthersRole, PolarisRoles
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused
from bootstrap.remote.http import Http
from bootstrap.remote.user_keys import UserKeys
from lakehouse.access.polaris import PolarisGrant
from lakehouse.kinds.catalogs.polaris import POLARIS
from lakehouse.runtimes.state import State

CLIENT_ID, CLIENT_SECRET = "client-id", "client-secret"
_MARK = "lakehouse.deletable"  # a property of the principal
_OWNER = "lakehouse.owner"  # a property of its principal role: the lakehouse whose file named it


@dataclass(frozen=True)
class PolarisPrincipal:
    """A principal that is there, without its credentials. ``ours``: the state folder has them.

    ``granted`` is what the toolkit's roles for it give, ``others`` what those of others do, if that was asked for.
    """

    granted: Granted = field(default_factory=dict)
    enabled: bool = True
    ours: bool = True
    deletable: bool = False
    existing: str = ""  # its name, if somebody else made it
    others: tuple[OthersRole, ...] = ()
    made: int = field(default=0, compare=False)  # when it was made, in milliseconds since 1970
    owner: str = field(default="", compare=False)  # the lakehouse that it is of; empty if nobody noted that
    renewing: bool = False  # new credentials were sent, and nobody saw the answer

    def another(self, lakehouse: str) -> str:
        """Why it is not one of this lakehouse; empty if it is."""
        return _other(self.owner, lakehouse)


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

    def facts(
        self, lakehouse: str, existing: Mapping[str, str] | None = None, *, others: bool = False
    ) -> dict[str, PolarisPrincipal]:
        """The principals of a lakehouse of that name, by the name of the toolkit's roles for them.

        ``existing`` are those that somebody else made: their own names by the same. ``others``: also read what roles
        of others give them; of those that somebody else made it is always read.
        """
        roles, kept = PolarisRoles(self._http), self.keys.names()
        there, own = {each["name"]: each for each in roles.principals()}, roles.principal_roles()
        owners = roles.owners(_OWNER)
        names: dict[str, str] = {}
        for role in (each for each in own if each.startswith(f"{lakehouse}-")):
            # One that somebody else made, and that has left the file, has the toolkit's role under another name.
            holders = [role] if role in there else roles.holders(role) if role in kept else []
            if holders:
                names[role] = holders[0]
        names |= {role: name for role, name in (existing or {}).items() if name in there}
        found = {}
        for role, name in names.items():
            granted = {catalog: self._effective(roles, catalog, role) for catalog in roles.catalogs()}
            foreign = name if name != role or role in (existing or {}) else ""
            found[role] = PolarisPrincipal(
                granted={catalog: grants for catalog, grants in granted.items() if grants},
                enabled=role in roles.of(name),
                ours=role in kept or bool(foreign),  # whichever they are: a rotation may have been cut short
                deletable=not foreign and (there[name].get("properties") or {}).get(_MARK) == "true",
                existing=foreign,
                others=roles.others(name, role) if others or foreign else (),
                made=int(there[name].get("createTimestamp") or 0),
                owner=owners.get(role, ""),
                renewing=self.keys.begun(role) is not None,
            )
        return found

    def strangers(self, known: Collection[str]) -> dict[str, tuple[OthersRole, ...]]:
        """All principals besides these and root that have anything in the stack's catalogs, and by which roles."""
        roles = PolarisRoles(self._http)
        found = {each["name"]: roles.others(each["name"]) for each in roles.principals() if each["name"] not in known}
        own = self.warehouses.values()
        return {name: has for name, has in found.items() if name != ROOT and any(each.within(own) for each in has)}

    def create(self, name: str, granted: Granted, *, deletable: bool, owner: str = "") -> None:
        """Create the principal, with credentials that the state folder keeps. ``owner``: the lakehouse that it is of.

        Raises Refused if there is one that has roles of others, or that is of another lakehouse.
        """
        if theirs := _other(PolarisRoles(self._http).owners(_OWNER).get(name, ""), owner):
            raise Refused(f"Polaris: principal {name} {theirs}")
        try:
            self._http.post("/principals", {"principal": {"name": name}, "credentialRotationRequired": False})
        except Exists:
            if others := self._names(f"{_principal(name)}/principal-roles"):
                text = f"Polaris: principal {name} exists, with roles of others ({', '.join(others)})"
                fix = "Remove it or these roles, or name the principal otherwise: another name may say `existing`, too"
                raise Refused(f"{text}. {fix}") from None
        self.renew(name)
        self._made("/principal-roles", _role(name, owner))
        self.change(name, granted, enabled=True, deletable=deletable, owner=owner)

    def change(
        self, name: str, granted: Granted, *, enabled: bool, deletable: bool, existing: str = "", owner: str = ""
    ) -> None:
        """Give the principal exactly these grants and its role, or only take the role away: then its grants stay.

        What it loses comes first, so that nothing that fails later leaves it. ``existing`` is its own name if somebody
        else made it: of that, the toolkit's roles are taken away. Raises Missing if it is not there.
        """
        principal = _principal(existing or name)
        if not enabled:
            if existing:
                self._without_roles(name)
                return
            self._gone(f"{principal}/principal-roles/{quote(name)}")
            self._mark(name, deletable)
            return
        if existing:
            self._take_on(name, existing, owner)
        have = {catalog: self._reduced(catalog, name, granted.get(catalog)) for catalog in self._catalogs()}
        if not existing:
            self._mark(name, deletable)
        for catalog, wanted in granted.items():
            self._give(catalog, name, wanted - have.get(catalog, frozenset()))
        self._http.request("PUT", f"{principal}/principal-roles", {"principalRole": {"name": name}})

    def take(self, name: str, existing: str, role: str, warehouse: str) -> None:
        """Take away a role of others: a principal role of the principal, or of its own role a catalog role there."""
        path = _assigned(warehouse, name) if warehouse else f"{_principal(existing or name)}/principal-roles"
        self._gone(f"{path}/{quote(role, safe='')}")

    def remove(self, name: str, made: int) -> None:
        """Remove the principal with its roles and credentials, which never come back.

        Raises Missing if it is not there, Conflict if it is not the one that was made then.
        """
        if self._http.get(_principal(name)).get("createTimestamp", made) != made:
            raise Conflict(f"Polaris: principal {name} is another one now")
        for catalog in self._catalogs():
            self._gone(f"{_catalog(catalog)}/catalog-roles/{quote(name)}")
        self._http.request("DELETE", _principal(name))
        self._gone(f"/principal-roles/{quote(name)}")
        self.keys.forget(name)

    def _take_on(self, name: str, existing: str, owner: str) -> None:
        """Make the toolkit's role for a principal of others. Its id in the state folder says that there is one.

        Raises Refused if a role of others has that name: the toolkit would take away what it gives.
        """
        found = self._http.get(_principal(existing))
        if self.keys.access_key(name) is not None:
            self._made("/principal-roles", _role(name, owner))
            return
        try:
            self._http.post("/principal-roles", _role(name, owner))
        except Exists:
            # One that nobody else has may be ours: an apply was cut short, or the state folder was lost.
            if any(each != existing for each in PolarisRoles(self._http).holders(name)):
                text = f"Polaris: principal role {name} exists, and is not one that the toolkit made for {existing}"
                raise Refused(f"{text}. Remove it, or give the principal's entry another name") from None
        self.keys.state.keep(f"{name}-{CLIENT_ID}", found["clientId"])

    def _without_roles(self, name: str) -> None:
        for catalog in self._catalogs():
            self._gone(f"{_catalog(catalog)}/catalog-roles/{quote(name)}")
        self._gone(f"/principal-roles/{quote(name)}")

    def renew(self, name: str, existing: str = "") -> None:
        """Give the principal new credentials. The former ones end at once; tokens that they got do not.

        They are noted before they are sent. If this is cut short, the next call sends the same ones.
        """
        # Of the shape that the server demands.
        client, secret = self.keys.begun(name) or (secrets.token_hex(8), secrets.token_hex(16))
        self.keys.begin(name, client, secret)
        try:
            self._http.post(f"{_principal(existing or name)}/reset", {"clientId": client, "clientSecret": secret})
        except (Missing, Refused):  # it did not take them
            self.keys.end(name)
            raise
        self.keys.keep(name, client, secret)
        self.keys.end(name)

    def end_tokens(self, name: str) -> None:
        """End all tokens that the principal ever got. Its credentials, roles and properties stay.

        Whoever has a token gets another one for it, without a secret, as long as the principal is there. So it is made
        again, with another number of the server. Raises Missing if it is not there.
        """
        principal, pair = _principal(name), self.keys.pair(name)
        assert pair is not None
        properties = self._http.get(principal).get("properties") or {}
        roles = self._names(f"{principal}/principal-roles")
        self._http.request("DELETE", principal)
        body = {"principal": {"name": name, "properties": properties}, "credentialRotationRequired": False}
        self._http.post("/principals", body)
        self._http.post(f"{principal}/reset", {"clientId": pair[0], "clientSecret": pair[1]})
        for role in roles:
            self._http.request("PUT", f"{principal}/principal-roles", {"principalRole": {"name": role}})

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
        have = PolarisRoles(self._http).grants(catalog, name)
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

    def _effective(self, roles: PolarisRoles, catalog: str, name: str) -> frozenset[PolarisGrant]:
        """What the principal role has in a catalog: nothing as long as the catalog's role is not assigned to it."""
        there = name in roles.in_catalog(catalog) and name in roles.principal_roles()
        return roles.grants(catalog, name) if there and name in roles.catalog_roles(name, catalog) else frozenset()

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


def _role(name: str, owner: str) -> dict[str, object]:
    return {"principalRole": {"name": name, **({"properties": {_OWNER: owner}} if owner else {})}}


def _other(owner: str, lakehouse: str) -> str:
    """Why a name is not this lakehouse's; empty if it is, or if nobody noted whose it is."""
    if not owner or owner == lakehouse:
        return ""
    return f"is of the lakehouse {owner}, which makes the same name of its own and a principal's. Name it otherwise"


def _catalog(name: str) -> str:
    return f"/catalogs/{quote(name, safe='')}"


def _assigned(catalog: str, name: str) -> str:
    """The catalog roles of a principal role in a catalog."""
    return f"/principal-roles/{quote(name)}/catalog-roles/{quote(catalog, safe='')}"
