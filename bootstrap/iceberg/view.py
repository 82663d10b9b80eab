"""Iceberg views: a view as it is, and the metadata of a new version. Pure.

https://iceberg.apache.org/view-spec/
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

from bootstrap.iceberg.schema import number, struct_from_json, type_to_json
from lakehouse.iceberg.types import Struct

_Json = Mapping[str, Any]
_LAST = -1  # in an update: the id of what was added last
#: How many versions of a view are kept, as Iceberg's Java library does unless this property says otherwise.
_HISTORY, _KEPT = "version.history.num-entries", 10
#: Property of a view: a new version may lack an engine's SQL that the last one had.
DROPS = "replace.drop-dialect.allowed"
#: Property that says that we have set the other one, for a single commit. After a kill both are still there.
DROPS_ONCE = "lakehouse.drops-dialect"


@dataclass(frozen=True)
class ViewFacts:
    """A view as it is. ``metadata`` is at least :func:`compact_view` metadata."""

    metadata_location: str
    metadata: _Json = field(repr=False)

    @property
    def uuid(self) -> str:
        return str(self.metadata["view-uuid"])

    @property
    def location(self) -> str:
        return str(self.metadata["location"])

    @property
    def version(self) -> int:
        """The id of its current version."""
        return int(self.metadata["current-version-id"])

    @property
    def properties(self) -> Mapping[str, str]:
        properties: Mapping[str, str] = self.metadata["properties"]
        return properties

    @property
    def _current(self) -> _Json:
        return next(each for each in self.metadata["versions"] if each["version-id"] == self.version)

    @property
    def sql(self) -> dict[str, str]:
        """The current version's query, by the engine whose SQL it is."""
        queries = (each for each in self._current["representations"] if each["type"] == "sql")
        return {each["dialect"].lower(): each["sql"].strip() for each in queries}

    @property
    def default_catalog(self) -> str | None:
        """The catalog of names without one in the query; None: the view's own."""
        return self._current.get("default-catalog")

    @property
    def default_namespace(self) -> str:
        """The namespace of names without one in the query."""
        return ".".join(self._current.get("default-namespace") or ())

    @cached_property
    def columns(self) -> Struct:
        schema_id = self._current["schema-id"]
        return struct_from_json(next(each for each in self.metadata["schemas"] if each["schema-id"] == schema_id))


def compact_view(metadata: _Json) -> dict[str, Any]:
    """View metadata with only the current version and its schema. Raises ValueError if that is not all there."""
    try:
        kept = {key: metadata[key] for key in ("view-uuid", "location", "current-version-id")}
        version = next(each for each in metadata["versions"] if each["version-id"] == metadata["current-version-id"])
        schema = next(each for each in metadata["schemas"] if each["schema-id"] == version["schema-id"])
        found = {**kept, "versions": [version], "schemas": [schema], "properties": metadata.get("properties") or {}}
        seen = ViewFacts("", found)
        _ = seen.sql, seen.columns
    except KeyError as error:
        raise ValueError(f'the metadata of a view has no "{error.args[0]}"') from None
    except StopIteration:
        raise ValueError("the metadata of a view has no such version, or no such schema, as its current one") from None
    except (TypeError, AttributeError):
        raise ValueError("it is not the metadata of a view") from None
    return found


def definition(sql: Mapping[str, str], columns: Struct, catalog: str, namespace: str) -> dict[str, Any]:
    """A view's ``schema`` and ``version`` as JSON, without the ids and the time that they get when they are sent."""
    ids = count(1)
    schema = type_to_json(number(columns, lambda: next(ids)))
    version = {
        "summary": {"engine-name": "lakehouse"},
        "default-catalog": catalog,
        "default-namespace": namespace.split("."),
        "representations": [{"type": "sql", "sql": text, "dialect": engine} for engine, text in sql.items()],
    }
    return {"schema": schema, "version": version}


def new_metadata(wanted: _Json, location: str, properties: Mapping[str, str], now: int) -> dict[str, Any]:
    """The metadata of a new view; ``now`` in milliseconds since 1970."""
    return {
        "view-uuid": str(uuid.uuid4()),
        "format-version": 1,
        "location": location,
        "schemas": [{**wanted["schema"], "schema-id": 0}],
        "current-version-id": 1,
        "versions": [{**wanted["version"], "version-id": 1, "schema-id": 0, "timestamp-ms": now}],
        "version-log": [{"version-id": 1, "timestamp-ms": now}],
        "properties": dict(properties),
    }


def version_updates(before: _Json, wanted: _Json, now: int) -> list[dict[str, Any]]:
    """The updates of Iceberg REST that give a view a new version; ``before`` is its whole metadata.

    A schema or version that the view has had gets its id again: the Java library takes none twice.
    """
    schema, updates = struct_from_json(wanted["schema"]), []
    schema_id = next((each["schema-id"] for each in before["schemas"] if struct_from_json(each) == schema), None)
    if schema_id is None:
        updates.append({"action": "add-schema", "schema": {**wanted["schema"], "schema-id": 0}})
    version = {**wanted["version"], "schema-id": _LAST if schema_id is None else schema_id}
    known = next((each["version-id"] for each in before["versions"] if _same(each, version)), None)
    if known is None:
        new = max(each["version-id"] for each in before["versions"]) + 1
        added = {**version, "version-id": new, "timestamp-ms": now}
        updates.append({"action": "add-view-version", "view-version": added})
    last = _LAST if known is None else known
    return [*updates, {"action": "set-current-view-version", "view-version-id": last}]


def _same(one: _Json, other: _Json) -> bool:
    """Whether two versions differ at most in who made them and when."""
    keys = ("schema-id", "default-catalog", "default-namespace", "representations")
    return all(one.get(key) == other.get(key) for key in keys)


def next_metadata(
    before: _Json, wanted: _Json | None, updates: Mapping[str, str], removals: Collection[str], now: int
) -> dict[str, Any]:
    """A view's metadata after a change. ``wanted`` is its new :func:`definition`; None: the query stays as it is."""
    left = {key: value for key, value in (before.get("properties") or {}).items() if key not in removals}
    after = {**before, "properties": {**left, **updates}}
    if wanted is None:
        return after
    schema_id = max(each["schema-id"] for each in before["schemas"]) + 1
    version_id = max(each["version-id"] for each in before["versions"]) + 1
    version = {**wanted["version"], "version-id": version_id, "schema-id": schema_id, "timestamp-ms": now}
    kept = _history(after["properties"])
    versions = [*sorted(before["versions"], key=lambda each: int(each["version-id"])), version][-kept:]
    known = {each["version-id"] for each in versions}
    log = [*before.get("version-log", ()), {"version-id": version_id, "timestamp-ms": now}]
    return {
        **after,
        "schemas": [*before["schemas"], {**wanted["schema"], "schema-id": schema_id}],
        "current-version-id": version_id,
        "versions": versions,
        "version-log": [each for each in log if each["version-id"] in known],
    }


def _history(properties: Mapping[str, str]) -> int:
    value = properties.get(_HISTORY, "")
    return max(1, int(value)) if value.isdecimal() else _KEPT
