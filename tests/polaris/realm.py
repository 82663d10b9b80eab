"""The double's entities: catalogs, principals, roles and grants, with the rules of Polaris 1.7.0 for them.

Each entity is stored under ``KIND:NAME`` (a catalog role under ``catalog-role:CATALOG/NAME``), as the JSON of the
server's answers; fields that are not in answers are below ``own``.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.polaris.answers import CREATED, DONE, NOTHING, Answer, PolarisError, bad, exists, missing
from tests.polaris.catalog import Entity, apart, checked, named, stored, unreserved
from tests.polaris.privileges import PRIVILEGES, covers
from tests.polaris.tables import Tables

ROOT, SERVICE_ADMIN, CATALOG_ADMIN = "root", "service_admin", "catalog_admin"
_MISSING = {
    "namespace": "NoSuchNamespaceException",
    "table": "NoSuchTableException",
    "view": "NoSuchViewException",
}


class Realm:
    """All entities; ``keep`` is called with the changes. One request is carried out at a time."""

    def __init__(
        self, root: tuple[str, str], tables: Tables, keep: Callable[[Mapping[str, Any], list[str]], None]
    ) -> None:
        self.lock = threading.RLock()
        self.entities: dict[str, Entity] = tables.kept()
        self._keep, self._tables = keep, tables
        if f"principal:{ROOT}" not in self.entities:
            own = {"number": _number(), "id": root[0], "secret": root[1], "roles": [SERVICE_ADMIN]}
            self._put(f"principal:{ROOT}", {"name": ROOT, "clientId": root[0], "properties": {}}, own)
            self._put(
                f"principal-role:{SERVICE_ADMIN}", {"name": SERVICE_ADMIN, "federated": False, "properties": {}}, {}
            )

    # what others ask

    def number_of(self, client: str, secret: str) -> str | None:
        """The number of the principal that has these credentials."""
        for key, each in self.entities.items():
            if key.startswith("principal:") and client == (own := each["own"])["id"]:
                return str(own["number"]) if secret in (own["secret"], own.get("former")) else None
        return None

    def numbered(self, number: str) -> str | None:
        """The name of the principal with that number, which no other one of that name gets."""
        for key, each in self.entities.items():
            if key.startswith("principal:") and each["own"]["number"] == number:
                return str(each["name"])
        return None

    def catalog(self, name: str) -> Entity | None:
        return self.entities.get(f"catalog:{name}")

    def catalogs(self) -> list[Entity]:
        return [each for key, each in self.entities.items() if key.startswith("catalog:")]

    def is_admin(self, principal: str) -> bool:
        return SERVICE_ADMIN in self._roles(principal)

    def privileges(self, principal: str, catalog: str, namespace: list[str], table: str) -> set[str]:
        """The privileges of a principal on a namespace or table of a catalog."""
        found: set[str] = set()
        for role in self._roles(principal):
            of = self.entities.get(f"principal-role:{role}", {"own": {}})["own"].get("catalog-roles", [])
            for name in (each.partition("/")[2] for each in of if each.partition("/")[0] == catalog):
                for grant in self._role(catalog, name)["own"]["grants"]:
                    if covers(grant, namespace, table):
                        found.add(grant["privilege"])
        return found

    def _roles(self, principal: str) -> list[str]:
        entity = self.entities.get(f"principal:{principal}")
        return list(entity["own"]["roles"]) if entity else []

    # changes

    def rotate(self, principal: str) -> Answer:
        """A principal gives itself another secret. The former one goes on, the one before that does not."""
        own = self.entities[f"principal:{principal}"]["own"]
        own["former"], own["secret"] = own["secret"], secrets.token_hex(16)
        self._saved(f"principal:{principal}")
        return Answer(DONE, _with_secret(self.entities[f"principal:{principal}"]))

    def regrant(self, catalog: str, was: Entity, now: Entity | None) -> None:
        """Grants go with a table or view that is renamed, and end with what is dropped (``now`` is None).

        ``was`` and ``now`` are grants without a privilege.
        """
        with self.lock:
            for key in (each for each in self.entities if each.startswith(f"catalog-role:{catalog}/")):
                grants = self.entities[key]["own"]["grants"]
                on = [each for each in grants if {**each, "privilege": ""} == {**was, "privilege": ""}]
                if on:
                    grants[:] = [each for each in grants if each not in on]
                    grants += [{**now, "privilege": each["privilege"]} for each in on if now]
                    self._saved(key)

    def _put(self, key: str, shown: Entity, own: Entity) -> Entity:
        now = int(time.time() * 1000)
        stamps = {
            "createTimestamp": now,
            "lastUpdateTimestamp": now,
            "entityVersion": 1,
        }
        self.entities[key] = {**shown, **stamps, "own": own}
        self._keep({key: self.entities[key]}, [key])
        return self.entities[key]

    def _saved(self, *keys: str) -> None:
        self._keep({key: self.entities[key] for key in keys}, list(keys))

    def _drop(self, key: str) -> None:
        del self.entities[key]
        self._keep({}, [key])

    def _need(self, key: str) -> Entity:
        if key not in self.entities:
            kind, _, name = key.partition(":")
            top = f"TopLevelEntity of type {kind.upper().replace('-', '_')}"
            raise missing("CatalogRole" if kind == "catalog-role" else top, name.rpartition("/")[2])
        return self.entities[key]

    def _role(self, catalog: str, name: str) -> Entity:
        self._need(f"catalog:{catalog}")
        return self._need(f"catalog-role:{catalog}/{name}")

    def _all(self, prefix: str) -> list[Entity]:
        return [shown(each) for key, each in self.entities.items() if key.startswith(prefix)]

    def _updated(self, key: str, entity: Entity, body: Entity) -> Answer:
        version = body.get("currentEntityVersion")
        if version is None:
            if key.startswith("catalog:"):
                raise PolarisError(500, "NullPointerException", 'Cannot invoke "java.lang.Integer.intValue()"')
            raise PolarisError(400)
        if version != entity["entityVersion"]:
            now = f"currentEntityVersion '{entity['entityVersion']}', expected '{version}'"
            raise PolarisError(409, "CommitConflictException", f"Failed to update {entity['name']}; {now}")
        entity["properties"] = dict(body.get("properties") or {})
        entity["entityVersion"] += 1
        entity["lastUpdateTimestamp"] = int(time.time() * 1000)
        self._saved(key)
        return Answer(DONE, shown(entity))

    # requests, by the parts of the path below /api/management/v1

    def handle(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Answer:
        """Raises PolarisError."""
        body = body or {}
        match method, parts:
            case "GET", ["catalogs"]:
                return Answer(DONE, {"catalogs": self._all("catalog:")})
            case "POST", ["catalogs"]:
                return self._create_catalog(body)
            case _, ["catalogs", name]:
                return self._catalog(method, name, body)
            case _, ["catalogs", catalog, "catalog-roles", *rest]:
                self._need(f"catalog:{catalog}")
                return self._catalog_roles(method, catalog, rest, query, body)
            case _, ["principals", *rest]:
                return self._principals(method, rest, body)
            case _, ["principal-roles", *rest]:
                return self._principal_roles(method, rest, body)
        raise PolarisError(404, "NotFoundException", "HTTP 404 Not Found")

    def _create_catalog(self, body: Entity) -> Answer:
        made = checked(body.get("catalog") or {})
        name, base = made["name"], made["properties"]["default-base-location"]
        if f"catalog:{name}" in self.entities:
            raise exists(f"Catalog {name}")
        apart(name, base, made["storageConfigInfo"], self.catalogs())
        entity = self._put(f"catalog:{name}", made, {})
        has = [{"type": "catalog", "privilege": f"CATALOG_MANAGE_{what}"} for what in ("ACCESS", "METADATA")]
        self._put(f"catalog-role:{name}/{CATALOG_ADMIN}", {"name": CATALOG_ADMIN, "properties": {}}, {"grants": has})
        admin = self.entities[f"principal-role:{SERVICE_ADMIN}"]
        admin["own"].setdefault("catalog-roles", []).append(f"{name}/{CATALOG_ADMIN}")
        self._saved(f"principal-role:{SERVICE_ADMIN}")
        return Answer(CREATED, {**shown(entity), "lastUpdateTimestamp": 0})

    def _catalog(self, method: str, name: str, body: Entity) -> Answer:
        key = f"catalog:{name}"
        entity = self._need(key)
        if method == "GET":
            return Answer(DONE, shown(entity))
        if method == "PUT":
            base = entity["properties"]["default-base-location"]
            properties = {"default-base-location": base, **unreserved(body.get("properties") or {})}
            storage = body.get("storageConfigInfo")
            if storage is not None:
                storage = stored(storage, properties["default-base-location"])
                apart(name, properties["default-base-location"], storage, self.catalogs())
            done = self._updated(key, entity, {**body, "properties": properties})
            if storage is None:
                return done
            entity["storageConfigInfo"] = storage
            self._saved(key)
            return Answer(DONE, shown(entity))
        if method == "DELETE":
            roles = [each for each in self.entities if each.startswith(f"catalog-role:{name}/")]
            if len(roles) > 1 or not self._tables.is_empty(name):
                raise bad(f"Catalog '{name}' cannot be dropped, it is not empty")
            admin = self.entities[f"principal-role:{SERVICE_ADMIN}"]
            admin["own"]["catalog-roles"].remove(f"{name}/{CATALOG_ADMIN}")
            self._saved(f"principal-role:{SERVICE_ADMIN}")
            for each in (*roles, key):
                self._drop(each)
            return Answer(NOTHING)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _principals(self, method: str, rest: list[str], body: Entity) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(DONE, {"principals": self._all("principal:")})
            case "POST", []:
                spec = body["principal"]
                named(spec["name"], "Principal")
                key = f"principal:{spec['name']}"
                if key in self.entities:
                    raise exists(f"Principal {spec['name']}")
                pair = {"id": secrets.token_hex(8), "secret": secrets.token_hex(16)}
                own = {"number": _number(), **pair, "roles": []}
                properties = unreserved(spec.get("properties") or {})
                made = {"name": spec["name"], "clientId": own["id"], "properties": properties}
                return Answer(CREATED, _with_secret(self._put(key, made, own)))
            case _, [name, *more]:
                return self._principal(method, f"principal:{name}", more, body)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _principal(self, method: str, key: str, rest: list[str], body: Entity) -> Answer:
        entity = self._need(key)
        roles = entity["own"]["roles"]
        match method, rest:
            case "GET", []:
                return Answer(DONE, shown(entity))
            case "PUT", []:
                return self._updated(key, entity, body)
            case "DELETE", []:
                self._drop(key)
                return Answer(NOTHING)
            case "POST", ["rotate"]:
                raise PolarisError(
                    403, "ForbiddenException", "Principal 'root' is not authorized for op ROTATE_CREDENTIALS"
                )
            case "POST", ["reset"]:
                own = entity["own"]
                chosen = body.get("clientId") or own["id"]
                if any(each["own"].get("id") == chosen for each in self.entities.values() if each is not entity):
                    raise PolarisError(409, "AlreadyExistsException", f"Client ID already in use: {chosen}")
                entity["entityVersion"] += "clientId" in body
                own["id"] = entity["clientId"] = chosen
                own["secret"] = body.get("clientSecret") or secrets.token_hex(16)
                own.pop("former", None)
                self._saved(key)
                return Answer(DONE, _with_secret(entity))
            case "GET", ["principal-roles"]:
                return Answer(DONE, {"roles": [shown(self.entities[f"principal-role:{each}"]) for each in roles]})
            case "PUT", ["principal-roles"]:
                name = body["principalRole"]["name"]
                if self._need(f"principal-role:{name}")["federated"]:
                    raise PolarisError(400, "ValidationException", "Cannot assign a federated role to a principal")
                _add(roles, name)
                self._saved(key)
                return Answer(CREATED)
            case "DELETE", ["principal-roles", name]:
                self._need(f"principal-role:{name}")
                _take(roles, name)
                self._saved(key)
                return Answer(NOTHING)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _principal_roles(self, method: str, rest: list[str], body: Entity) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(DONE, {"roles": self._all("principal-role:")})
            case "POST", []:
                spec = body["principalRole"]
                named(spec["name"], "PrincipalRole")
                key = f"principal-role:{spec['name']}"
                if key in self.entities:
                    raise exists(f"PrincipalRole {spec['name']}")
                federated, properties = bool(spec.get("federated")), dict(spec.get("properties") or {})
                made = {"name": spec["name"], "federated": federated, "properties": properties}
                self._put(key, made, {"catalog-roles": []})
                return Answer(CREATED, shown(self.entities[key]))
        key = f"principal-role:{rest[0]}"
        entity = self._need(key)
        assigned = entity["own"].setdefault("catalog-roles", [])
        match method, rest[1:]:
            case "GET", []:
                return Answer(DONE, shown(entity))
            case "PUT", []:
                return self._updated(key, entity, body)
            case "DELETE", []:
                if rest[0] == SERVICE_ADMIN:
                    raise bad("Principal role 'service_admin' cannot be dropped")
                for each in self.entities.values():
                    if rest[0] in each["own"].get("roles", ()):
                        each["own"]["roles"].remove(rest[0])
                self._drop(key)
                return Answer(NOTHING)
            case "GET", ["principals"]:
                having = [each for each in self.entities.values() if rest[0] in each["own"].get("roles", ())]
                return Answer(DONE, {"principals": [shown(each) for each in having]})
            case "GET", ["catalog-roles", catalog]:
                self._need(f"catalog:{catalog}")
                of = [each.partition("/")[2] for each in assigned if each.partition("/")[0] == catalog]
                return Answer(DONE, {"roles": [shown(self._role(catalog, each)) for each in of]})
            case "PUT", ["catalog-roles", catalog]:
                name = body["catalogRole"]["name"]
                self._role(catalog, name)
                _add(assigned, f"{catalog}/{name}")
                self._saved(key)
                return Answer(CREATED)
            case "DELETE", ["catalog-roles", catalog, name]:
                self._role(catalog, name)
                _take(assigned, f"{catalog}/{name}")
                self._saved(key)
                return Answer(NOTHING)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _catalog_roles(
        self, method: str, catalog: str, rest: list[str], query: Mapping[str, str], body: Entity
    ) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(DONE, {"roles": self._all(f"catalog-role:{catalog}/")})
            case "POST", []:
                spec = body["catalogRole"]
                key = f"catalog-role:{catalog}/{spec['name']}"
                if key in self.entities:
                    raise exists(f"CatalogRole {spec['name']} in {catalog}")
                made = {"name": spec["name"], "properties": dict(spec.get("properties") or {})}
                return Answer(CREATED, shown(self._put(key, made, {"grants": []})))
        name = rest[0]
        key, entity = f"catalog-role:{catalog}/{name}", self._role(catalog, name)
        grants = entity["own"]["grants"]
        match method, rest[1:]:
            case "GET", []:
                return Answer(DONE, shown(entity))
            case "PUT", []:
                return self._updated(key, entity, body)
            case "DELETE", []:
                if name == CATALOG_ADMIN:
                    raise bad("Catalog role 'catalog_admin' cannot be dropped")
                for each in self.entities.values():
                    if f"{catalog}/{name}" in each["own"].get("catalog-roles", ()):
                        each["own"]["catalog-roles"].remove(f"{catalog}/{name}")
                self._drop(key)
                return Answer(NOTHING)
            case "GET", ["principal-roles"]:
                having = [e for e in self.entities.values() if f"{catalog}/{name}" in e["own"].get("catalog-roles", ())]
                return Answer(DONE, {"roles": [shown(each) for each in having]})
            case "GET", ["grants"]:
                return Answer(DONE, {"grants": list(grants)})
            case (("PUT" | "POST"), ["grants"]):
                if query.get("cascade") == "true":
                    raise PolarisError(501)
                grant = body.get("grant") or {}
                kind = str(grant.get("type"))
                if grant.get("privilege") not in PRIVILEGES.get(kind, ()):
                    raise PolarisError(400)
                if kind != "catalog" and not grant.get("namespace"):
                    raise PolarisError(400)
                if not self._tables.is_there(catalog, grant):
                    raise PolarisError(404, _MISSING[kind], f"{kind} does not exist")
                (_add if method == "PUT" else _take)(grants, grant)
                self._saved(key)
                return Answer(CREATED)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")


def shown(entity: Entity) -> Entity:
    """An entity as the server shows it."""
    return {key: value for key, value in entity.items() if key != "own"}


def _number() -> str:
    return secrets.token_hex(8)


def _with_secret(entity: Entity) -> Entity:
    pair = {"clientId": entity["own"]["id"], "clientSecret": entity["own"]["secret"]}
    return {"principal": shown(entity), "credentials": pair}


def _add(these: list[Any], one: Any) -> None:
    if one not in these:
        these.append(one)


def _take(these: list[Any], one: Any) -> None:
    if one not in these:
        raise PolarisError(400, "GRANT_NOT_FOUND", "Operation failed: GRANT_NOT_FOUND")
    these.remove(one)
