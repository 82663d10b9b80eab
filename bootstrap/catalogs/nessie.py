"""Project Nessie, through its own API. Only namespaces are changed through Iceberg REST.

One paged request lists every namespace with its properties and every table with its metadata location. So only tables
that changed since the last run are read, and those from the store.
https://projectnessie.org/develop/rest/ (API v2, "entries")
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.base import Gone, Head, Reading, SeenView
from bootstrap.catalogs.cache import FactsCache
from bootstrap.catalogs.loading import FileFacts
from bootstrap.catalogs.nessie_commit import NessieCommit
from bootstrap.catalogs.nessie_history import formerly, gone
from bootstrap.catalogs.references import CatalogReferences
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.iceberg.claims import folder_of
from bootstrap.iceberg.metadata import CatalogFacts, ReferenceFacts
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import RemoteError
from bootstrap.remote.http import Http
from lakehouse.kinds.catalogs.nessie import NESSIE

#: Nessie writes it into each commit: it knows no user by itself, and for its Iceberg REST there is no other way.
_AUTHOR = {"Nessie-Commit-Authors": "lakehouse"}


class NessieCatalog(RestCatalog):
    """One warehouse of a Nessie server, on one branch."""

    limits = NESSIE.can

    def __init__(self, name: str, connection: CatalogConnection, connections: Connections) -> None:
        connection = replace(connection, headers={**_AUTHOR, **connection.headers})
        super().__init__(name, connection, connections)
        what = f'catalog "{name}"'
        self.api = Http(
            what,
            connection.api,
            connection.headers,
            connections.patience,
            connections.parallel,
            auth=connection.auth,
            trust=connection.trust,
        )

    @cached_property
    def commits(self) -> NessieCommit:
        return NessieCommit(f'catalog "{self.name}"', self.api, self.connection, self.connections)

    @cached_property
    def references(self) -> CatalogReferences:
        return CatalogReferences(self.api, self.connection.branch)

    @property
    def prefix(self) -> str:
        """``branch|warehouse``: known without a request to the server."""
        return f"/v1/{quote(f'{self.connection.branch}|{self.connection.warehouse}', safe='')}"

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        for error in self.commit_tables({name: commit}).values():
            raise error

    def commit_tables(self, commits: Mapping[str, Mapping[str, Any]]) -> Mapping[str, RemoteError]:
        return self.commits.commit(commits)

    def rename_table(self, former: str, name: str, identity: str) -> None:
        self.commits.rename(former, name, identity)

    def rename_namespace(self, former: str, name: str, inside: Collection[str]) -> None:
        self.commits.rename_namespace(former, name, inside)

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        location = self.commits.drop(name, identity)
        return f"Nessie deletes no files: those of the table are still at {location}" if purge else ""

    def create_view(self, name: str, location: str, wanted: Mapping[str, Any], properties: Mapping[str, str]) -> None:
        self.commits.create_view(name, self.commits.views.create(location, wanted, properties))

    def replace_view(
        self,
        name: str,
        seen: SeenView,
        wanted: Mapping[str, Any] | None,
        updates: Mapping[str, str],
        removals: Collection[str],
    ) -> None:
        replaced = partial(self.commits.views.replace, seen=seen, wanted=wanted, updates=updates, removals=removals)
        self.commits.replace_view(name, replaced)

    def drop_view(self, name: str, seen: SeenView) -> None:
        self.commits.drop_view(name, seen)

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        namespaces: dict[str, Mapping[str, str]] = {}
        kinds: dict[str, set[str]] = {"ICEBERG_TABLE": set(), "ICEBERG_VIEW": set()}
        locations: dict[str, str] = {}
        others: set[str] = set()
        for entry in self.entries():
            name, content = ".".join(entry["name"]["elements"]), entry["content"]
            if entry["type"] == "NAMESPACE":
                namespaces[name] = content.get("properties") or {}
            elif entry["type"] in kinds:
                kinds[entry["type"]].add(name)
                locations[name] = content["metadataLocation"]
            else:
                others.add(name)
        references = {each.name: ReferenceFacts(each.kind, each.points_to, each.deletable)
                      for each in self.references.list() if each.name != self.connection.branch}  # fmt: skip
        unread, views = frozenset(kinds["ICEBERG_TABLE"] | others), frozenset(kinds["ICEBERG_VIEW"])
        listed = CatalogFacts(
            namespaces, {}, unread, self.limits, references, other_views=views, unread=locations
        )  # fmt: skip
        return self.contents.read(listed, tables, reading)

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        return self.contents.read(facts, None, lambda count, of: None)

    @cached_property
    def contents(self) -> FileFacts:
        """From the metadata files: Nessie's Iceberg REST endpoint may show the schema of the last rows instead."""
        kept = f"{self.connection.uri} {self.connection.warehouse} {self.connection.branch}"
        cache = FactsCache(self.connections.cache, kept)
        return FileFacts(self.commits.files, self.commits.views, cache, self.connections.parallel)

    def read(self, names: Collection[str]) -> CatalogFacts:
        there = self.commits.contents(names)[0].items()
        tables, views = (
            {name: of["metadataLocation"] for name, of in there if of["type"] == kind}
            for kind in ("ICEBERG_TABLE", "ICEBERG_VIEW")
        )
        return self.contents.fresh(tables, views)

    def locations(self) -> Mapping[str, str]:
        known = (each for each in self.entries() if each["type"] in ("ICEBERG_TABLE", "ICEBERG_VIEW"))
        return {".".join(each["name"]["elements"]): each["content"]["metadataLocation"] for each in known}

    def heads(self) -> Mapping[str, Head]:
        entries = (each for each in self.entries() if each["type"] == "ICEBERG_TABLE")
        return {".".join(each["name"]["elements"]): _head(each["content"]) for each in entries}

    def head(self, table: str) -> Head:
        return _head(self.commits.current(table)[0])

    def other_references(self) -> list[str]:
        return [each.name for each in self.references.list() if each.name != self.connection.branch]

    def tables_elsewhere(self) -> Mapping[str, str]:
        return self._elsewhere("ICEBERG_TABLE")

    def elsewhere(self) -> Mapping[str, str]:
        return {owner: folder_of(at) for owner, at in self._elsewhere("ICEBERG_TABLE", "ICEBERG_VIEW").items()}

    def _elsewhere(self, *types: str) -> dict[str, str]:
        return {
            f"{'.'.join(entry['name']['elements'])} on {reference.kind} {reference.name}": entry["content"][
                "metadataLocation"
            ]
            for reference in self.references.list()
            if reference.name != self.connection.branch
            for entry in self.entries(reference.name)
            if entry["type"] in types
        }

    def gone(self, names: Collection[str]) -> Mapping[str, Gone]:
        return gone(self.api, self.connection.branch, names)

    def formerly(self, name: str) -> Iterator[Gone]:
        return formerly(self.api, self.connection.branch, name)

    def register_table(self, name: str, metadata_location: str) -> None:
        self.commits.register(name, metadata_location)

    def entries(self, reference: str | None = None) -> Iterator[dict[str, Any]]:
        """Every entry of the branch, or of another reference (``NAME`` or ``NAME@HASH``), with its content."""
        token: str | None = None
        while True:
            path = f"/trees/{quote(reference or self.connection.branch, safe='@')}/entries"
            page = self.api.get(path, content="true", **{"page-token": token})
            yield from page["entries"]
            if not page.get("hasMore"):
                return
            token = page["token"]


def _head(content: Mapping[str, Any]) -> Head:
    snapshot = content.get("snapshotId")
    return Head(content["metadataLocation"], None if snapshot == -1 else snapshot)
