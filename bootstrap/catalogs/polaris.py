"""Apache Polaris: Iceberg REST for the tables, its management API for the catalogs themselves.

https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.base import CatalogEntity, CatalogTerms, Reading
from bootstrap.catalogs.polaris_principals import PolarisPrincipals
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Missing, Refused
from bootstrap.remote.http import Http
from lakehouse.kinds.catalogs.polaris import ANYWHERE, POLARIS

_ADMIN = "catalog_admin"  # the role that the server creates with each catalog, for the principal that creates catalogs
_CONTENT = "CATALOG_MANAGE_CONTENT"  # to read, write and purge data; that role does not have it


TERMS = CatalogTerms(
    base="default-base-location",
    anywhere=ANYWHERE,
    properties={"polaris.config.drop-with-purge.enabled": "true"},
    allowed="allowedLocations",
    own=frozenset({"allowedKmsKeys", "pathStyleAccess", "externalId", "userArn", "currentKmsKey"}),
    addresses=frozenset({"endpoint", "endpointInternal", "stsEndpoint"}),
)


class PolarisCatalog(RestCatalog):
    """One catalog of a Polaris server, and the server's list of them."""

    limits = POLARIS.can
    terms = TERMS

    def __init__(self, name: str, connection: CatalogConnection, connections: Connections) -> None:
        super().__init__(name, connection, connections)
        self.management = Http(
            f'catalog "{name}"',
            connection.api,
            connection.headers,
            connections.patience,
            connections.parallel,
            auth=connection.auth,
            trust=connection.trust,
        )

    @property
    def warehouse(self) -> str:
        return self.connection.warehouse

    @property
    def storage(self) -> Mapping[str, Any]:
        return self.connection.storage or {}

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        try:
            self.prefix  # noqa: B018 - asked for once; a catalog that is not there yet has none
        except Missing:
            return CatalogFacts({}, {}, limits=self.limits)
        return super().facts(tables, reading)

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None:
        """Two requests: the server carries out only half of one that both sets and removes, and answers 409.

        Removals come first: if the second request fails, the namespace still says which properties it manages.
        """
        if removals:
            super().update_namespace(name, {}, removals)
        if updates:
            super().update_namespace(name, updates, ())

    # the server's catalogs

    def entities(self) -> Mapping[str, CatalogEntity]:
        return {each["name"]: self._entity(each) for each in self.management.get("/catalogs")["catalogs"]}

    def _entity(self, found: Mapping[str, Any]) -> CatalogEntity:
        mine = found["name"] == self.warehouse
        storage = found.get("storageConfigInfo") or {}
        readable = not mine or self._is_granted()
        return CatalogEntity(found["name"], found["entityVersion"], found.get("properties") or {}, storage, readable)

    def create_catalog(self, properties: Mapping[str, str], storage: Mapping[str, Any]) -> None:
        about = {"properties": dict(properties), "storageConfigInfo": dict(storage)}
        self.management.post("/catalogs", {"catalog": {"type": "INTERNAL", "name": self.warehouse, **about}})
        self._grant()

    def update_catalog(self, version: int, properties: Mapping[str, str], storage: Mapping[str, Any]) -> None:
        about = {"properties": dict(properties), "storageConfigInfo": dict(storage)}
        self.management.request("PUT", self._path(), {"currentEntityVersion": version, **about})
        self._grant()

    def drop_catalog(self, name: str) -> None:
        if self.connections.user_keys is not None:
            PolarisPrincipals(self.connections, self.connections.user_keys).leave(name)
        try:
            self.management.request("DELETE", self._path(name))
        except Refused as error:
            if "not empty" not in str(error):
                raise
            rule = "it is dropped only if it has no namespace and no role except catalog_admin"
            raise Refused(f"{error}: {rule}. Drop those first") from None

    def _grant(self) -> None:
        body = {"grant": {"type": "catalog", "privilege": _CONTENT}}
        self.management.request("PUT", f"{self._path()}/catalog-roles/{_ADMIN}/grants", body)

    def _is_granted(self) -> bool:
        grants = self.management.get(f"{self._path()}/catalog-roles/{_ADMIN}/grants")["grants"]
        return any(each["type"] == "catalog" and each["privilege"] == _CONTENT for each in grants)

    def _path(self, name: str = "") -> str:
        return f"/catalogs/{quote(name or self.warehouse, safe='')}"
