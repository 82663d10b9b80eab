"""The double's rules for one catalog: what a request must say, and what the server stores of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tests.polaris.answers import PolarisError, bad

Entity = dict[str, Any]
#: The properties of a catalog whose names begin with `polaris.`, which is otherwise reserved, that tests set.
_SETTINGS = {"polaris.config.drop-with-purge.enabled", "polaris.config.allow.unstructured.table.location"}


def checked(spec: Entity) -> Entity:
    """The stored form of a request to create a catalog. Raises PolarisError."""
    if spec.get("type") not in ("INTERNAL", "EXTERNAL"):
        raise PolarisError(400)
    for key in ("name", "properties", "storageConfigInfo"):
        if spec.get(key) is None:
            raise _violation(f"{key}: must not be null")
    named(spec["name"], "Catalog")
    base = spec["properties"].get("default-base-location")
    if not base:
        raise PolarisError(400)
    return {
        "type": spec["type"],
        "name": spec["name"],
        "properties": unreserved(spec["properties"]),
        "storageConfigInfo": stored(spec["storageConfigInfo"], base),
    }


def named(name: str, what: str) -> None:
    """Raises PolarisError if an entity, for example a PrincipalRole, cannot have that name."""
    if not 1 <= len(name) <= 256:
        raise _violation("name: size must be between 1 and 256", what)
    if re.match(r"(?i)\s*system\$", name):
        raise _violation("name: must match a pattern that SYSTEM$ does not", what)


def _violation(what: str, of: str = "Catalog") -> PolarisError:
    where = f"create{of}.create{of}Request.{of[0].lower()}{of[1:]}"
    return PolarisError(400, "ResteasyReactiveViolationException", f"Invalid value: {where}.{what}")


def unreserved(properties: Entity) -> Entity:
    """The properties, if the server accepts their names."""
    for key in properties:
        if key.startswith("polaris.") and key not in _SETTINGS:
            raise PolarisError(400, "IllegalArgumentException", f"Property '{key}' matches reserved prefix 'polaris.'")
    return dict(properties)


def stored(storage: Entity, base: str) -> Entity:
    """Storage settings with the server's additions."""
    kind = storage.get("storageType")
    if kind == "FILE":
        raise PolarisError(400, "IllegalArgumentException", f"Unsupported storage type: {kind}")
    if kind != "S3":
        raise PolarisError(400)
    allowed = list(storage.get("allowedLocations") or [base])
    if not any(within(base, each) for each in allowed):
        raise bad(f"default-base-location '{base}' is not within any of the allowed locations {allowed}")
    return {"allowedKmsKeys": [], "pathStyleAccess": False, **storage, "allowedLocations": allowed}


def apart(name: str, base: str, storage: Entity, catalogs: Iterable[Entity]) -> None:
    """Raises PolarisError if a location is in that of another catalog, or the other way round."""
    mine = (base, *storage["allowedLocations"])
    for other in catalogs:
        theirs = (other["properties"]["default-base-location"], *other["storageConfigInfo"]["allowedLocations"])
        if other["name"] != name and any(overlap(a, b) for a in mine for b in theirs):
            why = "One or more of its locations overlaps with an existing catalog"
            raise PolarisError(400, "ValidationException", f"Cannot create Catalog {name}. {why}")


def within(location: str, folder: str) -> bool:
    """Whether a location is a folder or below it."""
    return f"{location.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def overlap(one: str, other: str) -> bool:
    return within(one, other) or within(other, one)
