"""Any catalog that speaks the Iceberg REST protocol.

https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml. The requests are made directly, without
pyiceberg's client: a change of a table takes one request instead of two to four, and no models are built for tables
that need no change.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.base import Reading, SeenView, same, unchanged_view
from bootstrap.catalogs.loading import loaded
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.iceberg.view import DROPS, DROPS_ONCE, ViewFacts, compact_view, version_updates
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Conflict, Missing, Refused
from bootstrap.remote.http import Http
from lakehouse.kinds.catalogs.rest import REST

#: Between the levels of a namespace in a path.
_SEPARATOR = "%1F"
_LISTS = 3  # at most, if others rename and drop meanwhile


class RestCatalog:
    """A catalog at ``uri``. Its own settings (the prefix) are requested once."""

    limits = REST.can

    def __init__(self, name: str, connection: CatalogConnection, connections: Connections) -> None:
        self.name, self.connection, self.connections = name, connection, connections
        what = f'catalog "{name}"'
        self.http = Http(
            what,
            connection.uri,
            connection.headers,
            connections.patience,
            connections.parallel,
            auth=connection.auth,
            trust=connection.trust,
        )

    @cached_property
    def prefix(self) -> str:
        """The part of every path that the server chooses."""
        config = self.http.get("/v1/config", warehouse=self.connection.warehouse or None)
        prefix = {**config.get("defaults", {}), **config.get("overrides", {})}.get("prefix", "")
        return f"/v1/{prefix}" if prefix else "/v1"

    # reading

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        """See :class:`~bootstrap.catalogs.base.LiveCatalog`. It lists again if something went between list and load.

        It may have got another name, which the first lists do not have.
        """
        lists = 0
        while True:
            found, lists = self._read_in(self._listed(), tables, reading), lists + 1
            gone = self._gone(found, tables)
            if not gone or lists == _LISTS:
                return replace(found, others=found.others - gone, other_views=found.other_views - gone)

    def _listed(self) -> CatalogFacts:
        with ThreadPoolExecutor(self.connections.parallel) as pool:
            names = sorted(self._namespaces(pool))
            # All requests are handed to the pool before the first answer is waited for.
            answers = pool.map(self._namespace, names)
            present = pool.map(lambda name: self._named(name, "tables"), names)
            listed = pool.map(lambda name: self._named(name, "views"), names if self.limits.views else ())
            properties = {name: of for name, of in zip(names, answers, strict=True) if of is not None}
            return CatalogFacts(
                properties,
                {},
                frozenset(chain.from_iterable(present)),
                self.limits,
                other_views=frozenset(chain.from_iterable(listed)),
            )

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        return self._read_in(facts, None, lambda count, of: None)

    def _gone(self, facts: CatalogFacts, wanted: Collection[str] | None) -> set[str]:
        """Tables and views that were listed and are gone. What is listed and cannot be read is of another format."""
        found: set[str] = set()
        for kind, listed in (("tables", facts.others), ("views", facts.other_views)):
            missed = {name for name in listed if wanted is None or name in wanted}
            spaces = {name.rpartition(".")[0] for name in missed}
            found |= missed - {name for space in spaces for name in self._named(space, kind)}
        return found

    def _read_in(self, facts: CatalogFacts, wanted: Collection[str] | None, reading: Reading) -> CatalogFacts:
        """``facts`` with these of the tables and views that were only listed (None: with all of them)."""
        names, views = (
            sorted(name for name in listed if wanted is None or name in wanted)
            for listed in (facts.others, facts.other_views)
        )
        read = loaded({name: name for name in names}, self._table, reading, self.connections.parallel)
        seen = loaded({name: name for name in views}, self._view, lambda count, of: None, self.connections.parallel)
        return facts.with_read(read, {name: self._compact(name, view) for name, view in seen.items()})

    def read(self, names: Collection[str]) -> CatalogFacts:
        asked = frozenset(names)
        found = self.completed(CatalogFacts({}, {}, asked, self.limits))
        views = asked - found.tables.keys() if self.limits.views else frozenset()
        found = self.completed(replace(found, others=frozenset(), other_views=views))
        return replace(found, other_views=frozenset())

    def _namespaces(self, pool: ThreadPoolExecutor) -> list[str]:
        """All namespaces. The protocol lists those in one other, so all of one depth are asked for at a time."""
        found = level = self._inside(None)
        while level:
            level = [name for inside in pool.map(self._inside, level) for name in inside]
            found = [*found, *level]
        return found

    def _inside(self, parent: str | None) -> list[str]:
        """The namespaces directly in another one, or those that are in none."""
        asked = None if parent is None else parent.replace(".", "\x1f")
        try:
            return [".".join(each) for each in self._pages(f"{self.prefix}/namespaces", "namespaces", parent=asked)]
        except Missing:
            if parent is None:
                raise
            return []  # dropped since it was listed

    def _namespace(self, name: str) -> Mapping[str, str] | None:
        try:
            properties: Mapping[str, str] = self.http.get(self._namespace_path(name)).get("properties") or {}
        except Missing:
            return None
        return properties

    def _named(self, namespace: str, kind: str) -> list[str]:
        """The names of the ``tables`` or ``views`` in a namespace."""
        try:
            found = list(self._pages(f"{self._namespace_path(namespace)}/{kind}", "identifiers"))
        except Missing:
            return []
        return [".".join([*each["namespace"], each["name"]]) for each in found]

    def _pages(self, path: str, key: str, **query: str | None) -> Iterator[Any]:
        token: str | None = None
        while True:
            page = self.http.get(path, pageToken=token, **query)
            yield from page[key]
            token = page.get("next-page-token")
            if not token:
                return

    def _table(self, name: str) -> TableFacts | None:
        try:
            answer = self._load(name)
        except Missing:
            return None
        return TableFacts(answer.get("metadata-location") or "", compact(answer["metadata"]))

    def _load(self, name: str) -> Any:
        """A table without the snapshots that no branch or tag of it names, if its server can leave them out.

        Servers with Iceberg's handlers refuse that with HTTP 400 if such a snapshot has statistics, as Trino writes
        them: https://github.com/apache/iceberg/issues/17538, seen on Polaris 1.7.0. They are asked for all.
        """
        try:
            return self.http.get(self._table_path(name), snapshots="refs")
        except Refused:
            return self.http.get(self._table_path(name))

    def _view(self, name: str) -> ViewFacts | None:
        try:
            answer = self.http.get(self._view_path(name))
        except Missing:
            return None
        return ViewFacts(answer.get("metadata-location") or "", answer["metadata"])

    def _compact(self, name: str, view: ViewFacts) -> ViewFacts:
        try:
            return ViewFacts(view.metadata_location, compact_view(view.metadata))
        except ValueError as error:
            raise Refused(f'catalog "{self.name}": the view {name} cannot be read: {error}') from None

    # writing

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None:
        self.http.post(f"{self.prefix}/namespaces", {"namespace": name.split("."), "properties": dict(properties)})

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None:
        body = {"updates": dict(updates), "removals": list(removals)}
        self.http.post(f"{self._namespace_path(name)}/properties", body)

    def drop_namespace(self, name: str) -> None:
        if self.limits.views and self._named(name, "views"):  # Iceberg's JDBC catalog looks only for tables
            raise Conflict(f'catalog "{self.name}": {name} is not empty: it has views')
        self.http.request("DELETE", self._namespace_path(name))

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        self.http.post(self._table_path(name), commit)

    def register_table(self, name: str, metadata_location: str) -> None:
        namespace, _, table = name.rpartition(".")
        body = {"name": table, "metadata-location": metadata_location}
        self.http.post(f"{self._namespace_path(namespace)}/register", body)

    def rename_table(self, former: str, name: str, identity: str) -> None:
        self._same(former, identity)
        self.http.post(
            f"{self.prefix}/tables/rename", {"source": _identifier(former), "destination": _identifier(name)}
        )

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        self._same(name, identity)
        self.http.request("DELETE", self._table_path(name), query={"purgeRequested": json.dumps(purge)})
        return ""

    def _same(self, name: str, identity: str) -> None:
        # The protocol takes a name and no UUID: a table that is created again at this very moment is not noticed.
        found = self._load(name)["metadata"]["table-uuid"]
        same(f'catalog "{self.name}": {name}', identity, found)

    def create_view(self, name: str, location: str, wanted: Mapping[str, Any], properties: Mapping[str, str]) -> None:
        namespace, _, view = name.rpartition(".")
        version = {**wanted["version"], "version-id": 1, "schema-id": 0, "timestamp-ms": _now()}
        body = {
            "name": view,
            "location": location,
            "schema": {**wanted["schema"], "schema-id": 0},
            "view-version": version,
            "properties": dict(properties),
        }
        self.http.post(f"{self._namespace_path(namespace)}/views", body)

    def replace_view(
        self,
        name: str,
        seen: SeenView,
        wanted: Mapping[str, Any] | None,
        updates: Mapping[str, str],
        removals: Collection[str],
    ) -> None:
        # The protocol's only requirement is the UUID: another version that is made at this very moment is not noticed.
        there = self._seen(name, seen)
        changes = [] if wanted is None else version_updates(there.metadata, wanted, _now())
        drops = wanted is not None and not there.sql.keys() <= _dialects(wanted)
        staying = {key: value for key, value in there.properties.items() if key not in removals}
        allowed = {**staying, **updates}.get(DROPS, "").lower() == "true"
        if drops and not allowed:  # the library refuses to lose an engine's SQL by mistake; here the plan has shown it
            updates = {**updates, DROPS: "true", DROPS_ONCE: "true"}
            removals = [key for key in removals if key not in updates]
        if updates:
            changes.append({"action": "set-properties", "updates": dict(updates)})
        if removals:
            changes.append({"action": "remove-properties", "removals": list(removals)})
        self._commit_view(name, seen, changes)
        if drops and not allowed:
            # Not in the same commit: the library looks at the properties after all updates. A plan sees what is left.
            self._commit_view(name, seen, [{"action": "remove-properties", "removals": [DROPS, DROPS_ONCE]}])

    def drop_view(self, name: str, seen: SeenView) -> None:
        # The protocol takes a name and no UUID, as for tables.
        self._seen(name, seen)
        self.http.request("DELETE", self._view_path(name))

    def _seen(self, name: str, seen: SeenView) -> ViewFacts:
        if (there := self._view(name)) is None:
            raise Missing(f'catalog "{self.name}": there is no view {name}')
        unchanged_view(f'catalog "{self.name}": {name}', seen, there)
        return there

    def _commit_view(self, name: str, seen: SeenView, updates: list[dict[str, Any]]) -> None:
        requirements = [{"type": "assert-view-uuid", "uuid": seen.uuid}]
        self.http.post(self._view_path(name), {"requirements": requirements, "updates": updates})

    def _namespace_path(self, name: str) -> str:
        return f"{self.prefix}/namespaces/{_SEPARATOR.join(quote(part, safe='') for part in name.split('.'))}"

    def _table_path(self, name: str) -> str:
        namespace, _, table = name.rpartition(".")
        return f"{self._namespace_path(namespace)}/tables/{quote(table, safe='')}"

    def _view_path(self, name: str) -> str:
        namespace, _, view = name.rpartition(".")
        return f"{self._namespace_path(namespace)}/views/{quote(view, safe='')}"


def _identifier(name: str) -> dict[str, Any]:
    """A table's name as requests have it."""
    *namespace, table = name.split(".")
    return {"namespace": namespace, "name": table}


def _dialects(wanted: Mapping[str, Any]) -> set[str]:
    return {each["dialect"] for each in wanted["version"]["representations"]}


def _now() -> int:
    return time.time_ns() // 1_000_000
