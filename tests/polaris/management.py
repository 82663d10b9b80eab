"""The double's management API: requests for catalogs, principals, roles and grants, as Polaris 1.7.0 answers them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from tests.polaris.answers import CREATED, DONE, NOTHING, Answer, PolarisError, bad, exists
from tests.polaris.catalog import Entity, apart, checked, named, stored, unreserved
from tests.polaris.privileges import PRIVILEGES
from tests.polaris.realm import CATALOG_ADMIN, SERVICE_ADMIN, Realm, number, shown, with_secret
from tests.polaris.tables import Tables

_MISSING = {
    "namespace": "NoSuchNamespaceException",
    "table": "NoSuchTableException",
    "view": "NoSuchViewException",
}


class Management:
    """Requests, by the parts of the path below ``/api/management/v1``."""

    def __init__(self, realm: Realm, tables: Tables) -> None:
        self._realm, self._tables = realm, tables

    def handle(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Answer:
        """Raises PolarisError."""
        body = body or {}
        match method, parts:
            case "GET", ["catalogs"]:
                return Answer(DONE, {"catalogs": self._realm.listed("catalog:")})
            case "POST", ["catalogs"]:
                return self._create_catalog(body)
            case _, ["catalogs", name]:
                return self._catalog(method, name, body)
            case _, ["catalogs", catalog, "catalog-roles", *rest]:
                self._realm.need(f"catalog:{catalog}")
                return self._catalog_roles(method, catalog, rest, query, body)
            case _, ["principals", *rest]:
                return self._principals(method, rest, body)
            case _, ["principal-roles", *rest]:
                return self._principal_roles(method, rest, body)
        raise PolarisError(404, "NotFoundException", "HTTP 404 Not Found")

    def _create_catalog(self, body: Entity) -> Answer:
        made = checked(body.get("catalog") or {})
        name, base = made["name"], made["properties"]["default-base-location"]
        if f"catalog:{name}" in self._realm.entities:
            raise exists(f"Catalog {name}")
        apart(name, base, made["storageConfigInfo"], self._realm.catalogs())
        entity = self._realm.put(f"catalog:{name}", made, {})
        has = [{"type": "catalog", "privilege": f"CATALOG_MANAGE_{what}"} for what in ("ACCESS", "METADATA")]
        self._realm.put(
            f"catalog-role:{name}/{CATALOG_ADMIN}", {"name": CATALOG_ADMIN, "properties": {}}, {"grants": has}
        )
        admin = self._realm.entities[f"principal-role:{SERVICE_ADMIN}"]
        admin["own"].setdefault("catalog-roles", []).append(f"{name}/{CATALOG_ADMIN}")
        self._realm.saved(f"principal-role:{SERVICE_ADMIN}")
        return Answer(CREATED, {**shown(entity), "lastUpdateTimestamp": 0})

    def _catalog(self, method: str, name: str, body: Entity) -> Answer:
        key = f"catalog:{name}"
        entity = self._realm.need(key)
        if method == "GET":
            return Answer(DONE, shown(entity))
        if method == "PUT":
            base = entity["properties"]["default-base-location"]
            properties = {"default-base-location": base, **unreserved(body.get("properties") or {})}
            storage = body.get("storageConfigInfo")
            if storage is not None:
                storage = stored(storage, properties["default-base-location"])
                apart(name, properties["default-base-location"], storage, self._realm.catalogs())
            done = self._updated(key, entity, {**body, "properties": properties})
            if storage is None:
                return done
            entity["storageConfigInfo"] = storage
            self._realm.saved(key)
            return Answer(DONE, shown(entity))
        if method == "DELETE":
            roles = [each for each in self._realm.entities if each.startswith(f"catalog-role:{name}/")]
            if len(roles) > 1 or not self._tables.is_empty(name):
                raise bad(f"Catalog '{name}' cannot be dropped, it is not empty")
            admin = self._realm.entities[f"principal-role:{SERVICE_ADMIN}"]
            admin["own"]["catalog-roles"].remove(f"{name}/{CATALOG_ADMIN}")
            self._realm.saved(f"principal-role:{SERVICE_ADMIN}")
            for each in (*roles, key):
                self._realm.drop(each)
            return Answer(NOTHING)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _principals(self, method: str, rest: list[str], body: Entity) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(DONE, {"principals": self._realm.listed("principal:")})
            case "POST", []:
                spec = body["principal"]
                named(spec["name"], "Principal")
                key = f"principal:{spec['name']}"
                if key in self._realm.entities:
                    raise exists(f"Principal {spec['name']}")
                pair = {"id": secrets.token_hex(8), "secret": secrets.token_hex(16)}
                own = {"number": number(), **pair, "roles": []}
                properties = unreserved(spec.get("properties") or {})
                made = {"name": spec["name"], "clientId": own["id"], "properties": properties}
                return Answer(CREATED, with_secret(self._realm.put(key, made, own)))
            case _, [name, *more]:
                return self._principal(method, f"principal:{name}", more, body)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _principal(self, method: str, key: str, rest: list[str], body: Entity) -> Answer:
        entity = self._realm.need(key)
        roles = entity["own"]["roles"]
        match method, rest:
            case "GET", []:
                return Answer(DONE, shown(entity))
            case "PUT", []:
                return self._updated(key, entity, body)
            case "DELETE", []:
                self._realm.drop(key)
                return Answer(NOTHING)
            case "POST", ["rotate"]:
                raise PolarisError(
                    403, "ForbiddenException", "Principal 'root' is not authorized for op ROTATE_CREDENTIALS"
                )
            case "POST", ["reset"]:
                own = entity["own"]
                chosen = body.get("clientId") or own["id"]
                if any(each["own"].get("id") == chosen for each in self._realm.entities.values() if each is not entity):
                    raise PolarisError(409, "AlreadyExistsException", f"Client ID already in use: {chosen}")
                entity["entityVersion"] += "clientId" in body
                own["id"] = entity["clientId"] = chosen
                own["secret"] = body.get("clientSecret") or secrets.token_hex(16)
                own.pop("former", None)
                self._realm.saved(key)
                return Answer(DONE, with_secret(entity))
            case "GET", ["principal-roles"]:
                return Answer(
                    DONE, {"roles": [shown(self._realm.entities[f"principal-role:{each}"]) for each in roles]}
                )
            case "PUT", ["principal-roles"]:
                name = body["principalRole"]["name"]
                if self._realm.need(f"principal-role:{name}")["federated"]:
                    raise PolarisError(400, "ValidationException", "Cannot assign a federated role to a principal")
                _add(roles, name)
                self._realm.saved(key)
                return Answer(CREATED)
            case "DELETE", ["principal-roles", name]:
                self._realm.need(f"principal-role:{name}")
                _take(roles, name)
                self._realm.saved(key)
                return Answer(NOTHING)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _principal_roles(self, method: str, rest: list[str], body: Entity) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(DONE, {"roles": self._realm.listed("principal-role:")})
            case "POST", []:
                spec = body["principalRole"]
                named(spec["name"], "PrincipalRole")
                key = f"principal-role:{spec['name']}"
                if key in self._realm.entities:
                    raise exists(f"PrincipalRole {spec['name']}")
                federated, properties = bool(spec.get("federated")), dict(spec.get("properties") or {})
                made = {"name": spec["name"], "federated": federated, "properties": properties}
                self._realm.put(key, made, {"catalog-roles": []})
                return Answer(CREATED, shown(self._realm.entities[key]))
        key = f"principal-role:{rest[0]}"
        entity = self._realm.need(key)
        assigned = entity["own"].setdefault("catalog-roles", [])
        match method, rest[1:]:
            case "GET", []:
                return Answer(DONE, shown(entity))
            case "PUT", []:
                return self._updated(key, entity, body)
            case "DELETE", []:
                if rest[0] == SERVICE_ADMIN:
                    raise bad("Principal role 'service_admin' cannot be dropped")
                for each in self._realm.entities.values():
                    if rest[0] in each["own"].get("roles", ()):
                        each["own"]["roles"].remove(rest[0])
                self._realm.drop(key)
                return Answer(NOTHING)
            case "GET", ["principals"]:
                having = [each for each in self._realm.entities.values() if rest[0] in each["own"].get("roles", ())]
                return Answer(DONE, {"principals": [shown(each) for each in having]})
            case "GET", ["catalog-roles", catalog]:
                self._realm.need(f"catalog:{catalog}")
                of = [each.partition("/")[2] for each in assigned if each.partition("/")[0] == catalog]
                return Answer(DONE, {"roles": [shown(self._realm.role(catalog, each)) for each in of]})
            case "PUT", ["catalog-roles", catalog]:
                name = body["catalogRole"]["name"]
                self._realm.role(catalog, name)
                _add(assigned, f"{catalog}/{name}")
                self._realm.saved(key)
                return Answer(CREATED)
            case "DELETE", ["catalog-roles", catalog, name]:
                self._realm.role(catalog, name)
                _take(assigned, f"{catalog}/{name}")
                self._realm.saved(key)
                return Answer(NOTHING)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

    def _catalog_roles(
        self, method: str, catalog: str, rest: list[str], query: Mapping[str, str], body: Entity
    ) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(DONE, {"roles": self._realm.listed(f"catalog-role:{catalog}/")})
            case "POST", []:
                spec = body["catalogRole"]
                key = f"catalog-role:{catalog}/{spec['name']}"
                if key in self._realm.entities:
                    raise exists(f"CatalogRole {spec['name']} in {catalog}")
                made = {"name": spec["name"], "properties": dict(spec.get("properties") or {})}
                return Answer(CREATED, shown(self._realm.put(key, made, {"grants": []})))
        name = rest[0]
        key, entity = f"catalog-role:{catalog}/{name}", self._realm.role(catalog, name)
        grants = entity["own"]["grants"]
        match method, rest[1:]:
            case "GET", []:
                return Answer(DONE, shown(entity))
            case "PUT", []:
                return self._updated(key, entity, body)
            case "DELETE", []:
                if name == CATALOG_ADMIN:
                    raise bad("Catalog role 'catalog_admin' cannot be dropped")
                for each in self._realm.entities.values():
                    if f"{catalog}/{name}" in each["own"].get("catalog-roles", ()):
                        each["own"]["catalog-roles"].remove(f"{catalog}/{name}")
                self._realm.drop(key)
                return Answer(NOTHING)
            case "GET", ["principal-roles"]:
                having = [
                    e for e in self._realm.entities.values() if f"{catalog}/{name}" in e["own"].get("catalog-roles", ())
                ]
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
                self._realm.saved(key)
                return Answer(CREATED)
        raise PolarisError(405, "NotAllowedException", "HTTP 405 Method Not Allowed")

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
        self._realm.saved(key)
        return Answer(DONE, shown(entity))


def _add(these: list[Any], one: Any) -> None:
    if one not in these:
        these.append(one)


def _take(these: list[Any], one: Any) -> None:
    if one not in these:
        raise PolarisError(400, "GRANT_NOT_FOUND", "Operation failed: GRANT_NOT_FOUND")
    these.remove(one)
