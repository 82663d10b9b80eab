"""Branches and tags: of a whole catalog if it is Nessie, and of a single table in any Iceberg catalog.

pyiceberg's REST calls for them succeed and do nothing on Nessie (apache/iceberg-python#2828), so Nessie is asked
through its own API: https://projectnessie.org/develop/rest/ (API v2, "trees").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

from bootstrap.catalogs.base import LiveCatalog
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused
from bootstrap.remote.http import Http

ReferenceKind = Literal["branch", "tag"]
#: A tag with this prefix records that the file called the reference deletable, because Nessie's references have no
#: properties. It points to the beginning of the log, so that it protects no files from clean-up.
_MARK = "lakehouse.deletable."


@dataclass(frozen=True)
class LiveReference:
    """A branch or a tag. ``points_to`` is a commit's hash in Nessie, and a snapshot's id in a table.

    ``deletable``: whether a file called it deletable; only for references of a catalog.
    """

    name: str
    kind: ReferenceKind
    points_to: str
    deletable: bool = False


@dataclass(frozen=True)
class Merged:
    """The result of a merge: the target's new hash and the names that changed. ``applied``: whether anything did."""

    points_to: str
    changed: tuple[str, ...]
    applied: bool


def references_of(catalog: LiveCatalog) -> CatalogReferences:
    """A catalog's branches and tags. Raises Refused if its kind has none."""
    found = getattr(catalog, "references", None)
    if not isinstance(found, CatalogReferences):
        raise Refused("this kind of catalog has no branches and tags; only its tables do")
    return found


@dataclass(frozen=True)
class LogPage:
    """Hashes of commits, the newest first, and the token of the next page; None: there is none."""

    hashes: tuple[str, ...]
    token: str | None


class CatalogReferences:
    """Branches and tags of a whole Nessie catalog: every table in it at once."""

    def __init__(self, api: Http, main: str) -> None:
        self.http, self.main = api, main

    def list(self) -> Iterator[LiveReference]:
        """All references except our own marks."""
        found = list(self._pages())
        marked = {each.name.removeprefix(_MARK) for each in found if each.name.startswith(_MARK)}
        yield from (replace(r, deletable=r.name in marked) for r in found if not r.name.startswith(_MARK))

    def _pages(self) -> Iterator[LiveReference]:
        token: str | None = None
        while True:
            page = self.http.get("/trees", **{"page-token": token})
            yield from (_reference(data) for data in page["references"])
            if not page.get("hasMore"):
                return
            token = page["token"]

    def get(self, name: str) -> LiveReference:
        """The reference of that name. Raises Missing if there is none."""
        return _reference(self.http.get(f"/trees/{quote(name, safe='')}")["reference"])

    def create(self, name: str, kind: ReferenceKind, source: str | None = None) -> LiveReference:
        """Create a reference. Raises Exists if the name is taken, Missing if the source does not exist."""
        origin = self.get(source or self.main)
        body = {"type": origin.kind.upper(), "name": origin.name, "hash": origin.points_to}
        return _reference(self.http.post("/trees", body, name=name, type=kind.upper())["reference"])

    def mark(self, name: str, deletable: bool) -> None:
        """Record whether the file calls it deletable. The record is needed after its entry has left the file."""
        if not deletable:
            with suppress(Missing):
                self._remove(LiveReference(_MARK + name, "tag", self.beginning))
            return
        body = {"type": "BRANCH", "name": self.main, "hash": self.beginning}
        with suppress(Exists):
            self.http.post("/trees", body, name=_MARK + name, type="TAG")

    @cached_property
    def beginning(self) -> str:
        """The hash of what nothing was committed to."""
        return str(self.http.get("/config")["noAncestorHash"])

    def history(self, reference: LiveReference, token: str | None = None, at_most: int | None = None) -> LogPage:
        """A page of the log of a reference, as it was when it was read."""
        path = f"/trees/{quote(f'{reference.name}@{reference.points_to}', safe='@')}/history"
        page = self.http.get(path, **{"page-token": token, "max-records": str(at_most) if at_most else None})
        hashes = tuple(str(each["commitMeta"]["hash"]) for each in page["logEntries"])
        return LogPage(hashes, page["token"] if page.get("hasMore") else None)

    def point(self, name: str, kind: ReferenceKind, points_to: str) -> None:
        """Create the reference at a commit, or move it there from wherever it is.

        Raises Conflict if somebody moves it at the same time.
        """
        try:
            there = self.get(name)
        except Missing:
            body = {"type": "BRANCH", "name": self.main, "hash": points_to}
            if points_to != self.beginning:
                body = {"type": "DETACHED", "hash": points_to}
            self.http.post("/trees", body, name=name, type=kind.upper())
            return
        if there.kind != kind:
            self._remove(there)
            self.point(name, kind, points_to)
        elif there.points_to != points_to:
            path = f"/trees/{quote(f'{name}@{there.points_to}', safe='@')}"
            self.http.request(
                "PUT", path, {"type": "DETACHED", "hash": points_to}, query={"type": kind.upper()}
            )  # fmt: skip

    def delete(self, name: str, kind: ReferenceKind, expected: str | None = None) -> None:
        """Delete a reference; ``expected`` is the hash it must be at.

        Raises Refused if it is the branch that the catalog works on, Conflict if it moved meanwhile.
        """
        if name == self.main:
            raise Refused(f'"{name}" is the branch that the catalog works on. It cannot be deleted')
        there = self.get(name)
        if there.kind != kind:
            raise Refused(f'"{name}" is a {there.kind}, not a {kind}. Use `lakehouse {there.kind} delete`')
        if expected not in (None, there.points_to):
            raise Conflict(f'{kind} "{name}" moved in the meantime: it is at {there.points_to}, not at {expected}')
        self._remove(there)
        self.mark(name, False)

    def _remove(self, reference: LiveReference) -> None:
        path = f"/trees/{quote(f'{reference.name}@{reference.points_to}', safe='@')}"
        self.http.request("DELETE", path, query={"type": reference.kind.upper()})

    def merge(self, source: str, target: str | None = None) -> Merged:
        """Merge the commits of ``source`` into ``target``: all tables in one commit, or none.

        Raises Conflict, with the tables that changed on both sides, if they cannot be merged.
        """
        origin, goal = self.get(source), self.get(target or self.main)
        path = f"/trees/{quote(f'{goal.name}@{goal.points_to}', safe='@')}/history/merge"
        try:
            answer = self.http.post(path, {"fromRefName": origin.name, "fromHash": origin.points_to})
        except Conflict as error:
            fix = f"Make the change again on a new branch of {goal.name}"
            raise Conflict(f'"{source}" cannot be merged into "{goal.name}": {error}. {fix}') from None
        points_to = answer.get("resultantTargetHash") or goal.points_to
        changed = tuple(".".join(each["key"]["elements"]) for each in answer.get("details") or [])
        return Merged(points_to, changed, points_to != goal.points_to)


class TableReferences:
    """Branches and tags of one table's snapshots, as Iceberg defines them."""

    def __init__(self, catalog: LiveCatalog, table: str) -> None:
        self.catalog, self.table = catalog, table

    def _metadata(self) -> Any:
        facts = self.catalog.read({self.table}).tables.get(self.table)
        if facts is None:
            raise Missing(f'there is no table "{self.table}"')
        return facts.metadata

    def list(self) -> Iterator[LiveReference]:
        for name, ref in (self._metadata().get("refs") or {}).items():
            yield LiveReference(name, ref["type"], str(ref["snapshot-id"]))

    def create(self, name: str, kind: ReferenceKind, snapshot: int | None = None) -> LiveReference:
        """Create one at ``snapshot``, or at the current one.

        Raises Conflict if the name is taken, Refused if the table is empty.
        """
        metadata = self._metadata()
        target = snapshot or metadata.get("current-snapshot-id")
        if target in (None, -1):
            raise Refused(f"{self.table} has no snapshot yet, so a {kind} has nothing to point to")
        requirement = {"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": None}
        update = {"action": "set-snapshot-ref", "ref-name": name, "type": kind, "snapshot-id": target}
        self._commit(metadata, requirement, update)
        if name not in {each.name for each in self.list()}:
            rule = f"the catalog accepted the {kind} but does not keep it: it does not support references of tables"
            raise Refused(f"{rule}. Without --table, the command makes a {kind} of the whole catalog")
        return LiveReference(name, kind, str(target))

    def delete(self, name: str, kind: ReferenceKind, expected: int | None = None) -> None:
        """Delete a reference; ``expected`` is the snapshot that it must be at.

        Raises Missing if there is none of that name, Refused if it is ``main``, Conflict if it moved meanwhile.
        """
        metadata = self._metadata()
        ref = (metadata.get("refs") or {}).get(name)
        if ref is None or ref["type"] != kind:
            raise Missing(f'{self.table} has no {kind} "{name}"')
        if name == "main":
            raise Refused("main is the table itself. It cannot be deleted")
        if expected not in (None, ref["snapshot-id"]):
            moved = f"it is at {ref['snapshot-id']}, not at {expected}"
            raise Conflict(f'{kind} "{name}" of {self.table} moved in the meantime: {moved}')
        requirement = {"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": ref["snapshot-id"]}
        self._commit(metadata, requirement, {"action": "remove-snapshot-ref", "ref-name": name})

    def _commit(self, metadata: Any, requirement: dict[str, Any], update: dict[str, Any]) -> None:
        identity = {"type": "assert-table-uuid", "uuid": metadata["table-uuid"]}
        self.catalog.commit_table(self.table, {"requirements": [identity, requirement], "updates": [update]})


def _reference(data: dict[str, Any]) -> LiveReference:
    return LiveReference(data["name"], "tag" if data["type"] == "TAG" else "branch", data["hash"])
