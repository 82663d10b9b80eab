"""The privileges that may be granted on each type of securable; the server refuses others.

https://github.com/apache/polaris/blob/main/spec/polaris-management-service.yml
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PROPERTIES = ("READ_PROPERTIES", "WRITE_PROPERTIES", "FULL_METADATA", "LIST", "DROP")
_MANAGE = {f"CATALOG_MANAGE_{each}" for each in ("ACCESS", "CONTENT", "METADATA")}
_CHANGES = (
    *("ADD_PARTITION_SPEC", "ADD_SCHEMA", "ADD_SNAPSHOT", "ADD_SORT_ORDER", "ASSIGN_UUID", "MANAGE_STRUCTURE"),
    *("REMOVE_PARTITION_SPECS", "REMOVE_PROPERTIES", "REMOVE_SNAPSHOTS", "REMOVE_SNAPSHOT_REF", "REMOVE_STATISTICS"),
    *("SET_CURRENT_SCHEMA", "SET_DEFAULT_SORT_ORDER", "SET_LOCATION", "SET_PROPERTIES", "SET_SNAPSHOT_REF"),
    *("SET_STATISTICS", "UPGRADE_FORMAT_VERSION", "READ_DATA", "WRITE_DATA"),
)
_TABLE = {f"TABLE_{each}" for each in (*_PROPERTIES, *_CHANGES)}
_VIEW = {f"VIEW_{each}" for each in _PROPERTIES}
_POLICY = {f"POLICY_{each}" for each in ("CREATE", "DROP", "FULL_METADATA", "LIST", "READ", "WRITE")}
_NAMESPACE = {f"NAMESPACE_{each}" for each in (*_PROPERTIES, "CREATE")}
_INSIDE = _MANAGE | _NAMESPACE | _TABLE | _VIEW | _POLICY | {"TABLE_CREATE", "VIEW_CREATE"}


def _policies(thing: str) -> set[str]:
    return {f"{thing}_{each}_POLICY" for each in ("ATTACH", "DETACH")}


PRIVILEGES = {
    "catalog": _INSIDE | _policies("CATALOG") | {f"CATALOG_{each}_PROPERTIES" for each in ("READ", "WRITE")},
    "namespace": _INSIDE | _policies("NAMESPACE"),
    "table": _TABLE | _policies("TABLE") | {"CATALOG_MANAGE_ACCESS"},
    "view": _VIEW | {"CATALOG_MANAGE_ACCESS"},
}


def covers(grant: Mapping[str, Any], namespace: list[str], table: str) -> bool:
    """Whether a grant is on the namespace or table, or on its parent."""
    on = grant.get("namespace") or []
    if grant["type"] == "catalog":
        return True
    if grant["type"] == "namespace":
        return namespace[: len(on)] == on
    return namespace == on and table == (grant.get("tableName") or grant.get("viewName"))
