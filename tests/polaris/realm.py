"""The double's entities: catalogs, principals, roles and grants. Requests for them are in management.py.

Each entity is stored under ``KIND:NAME`` (a catalog role under ``catalog-role:CATALOG/NAME``), as the JSON of the
server's answers; fields that are not in answers are below ``own``.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.polaris.answers import DONE, Answer, missing
from tests.polaris.catalog import Entity
from tests.polaris.privileges import covers
from tests.polaris.tables import Tables

ROOT, SERVICE_ADMIN, CATALOG_ADMIN = "root", "service_admin", "catalog_admin"


class Realm:
    """All entities; ``keep`` is called with the changes. One request is carried out at a time."""

    def __init__(
        self, root: tuple[str, str], tables: Tables, keep: Callable[[Mapping[str, Any], list[str]], None]
    ) -> None:
        self.lock = threading.RLock()
        self.entities: dict[str, Entity] = tables.kept()
        self._keep = keep
        if f"principal:{ROOT}" not in self.entities:
            own = {"number": number(), "id": root[0], "secret": root[1], "roles": [SERVICE_ADMIN]}
            self.put(f"principal:{ROOT}", {"name": ROOT, "clientId": root[0], "properties": {}}, own)
            self.put(
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
                for grant in self.role(catalog, name)["own"]["grants"]:
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
        self.saved(f"principal:{principal}")
        return Answer(DONE, with_secret(self.entities[f"principal:{principal}"]))

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
                    self.saved(key)

    # what requests do

    def put(self, key: str, entity: Entity, own: Entity) -> Entity:
        """A new entity."""
        now = int(time.time() * 1000)
        stamps = {
            "createTimestamp": now,
            "lastUpdateTimestamp": now,
            "entityVersion": 1,
        }
        self.entities[key] = {**entity, **stamps, "own": own}
        self._keep({key: self.entities[key]}, [key])
        return self.entities[key]

    def saved(self, *keys: str) -> None:
        """Keep entities that were changed."""
        self._keep({key: self.entities[key] for key in keys}, list(keys))

    def drop(self, key: str) -> None:
        del self.entities[key]
        self._keep({}, [key])

    def need(self, key: str) -> Entity:
        """Raises PolarisError if it is not there."""
        if key not in self.entities:
            kind, _, name = key.partition(":")
            top = f"TopLevelEntity of type {kind.upper().replace('-', '_')}"
            raise missing("CatalogRole" if kind == "catalog-role" else top, name.rpartition("/")[2])
        return self.entities[key]

    def role(self, catalog: str, name: str) -> Entity:
        """A role of a catalog. Raises PolarisError."""
        self.need(f"catalog:{catalog}")
        return self.need(f"catalog-role:{catalog}/{name}")

    def listed(self, prefix: str) -> list[Entity]:
        """The entities whose keys begin so, as the server shows them."""
        return [shown(each) for key, each in self.entities.items() if key.startswith(prefix)]


def shown(entity: Entity) -> Entity:
    """An entity as the server shows it."""
    return {key: value for key, value in entity.items() if key != "own"}


def number() -> str:
    """Of a new principal."""
    return secrets.token_hex(8)


def with_secret(entity: Entity) -> Entity:
    """A principal as answers show it that give its secret, too."""
    pair = {"clientId": entity["own"]["id"], "clientSecret": entity["own"]["secret"]}
    return {"principal": shown(entity), "credentials": pair}
