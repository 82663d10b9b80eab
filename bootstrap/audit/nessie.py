"""Nessie's log: the commits of each branch. https://projectnessie.org/develop/rest/ (API v2, "history")"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bootstrap.audit.event import OK, AccessEvent, Redact, shortened
from bootstrap.catalogs.references import CatalogReferences

_PAGE = "100"  # commits in an answer
_MOST = 3  # names of a commit that are shown


@dataclass(frozen=True)
class NessieCommits:
    """The commits of a catalog. ``named``: it asks for tokens, so WHO is the token's; else what the client wrote."""

    catalog: str
    references: CatalogReferences
    redact: Redact
    named: bool = False

    @property
    def layer(self) -> str:
        return f"nessie {self.catalog}"

    @property
    def note(self) -> str:
        if self.named:
            return "all commits. WHO is the name in the token: lakehouse for an apply, lakehouse/trino for Trino"
        return (
            "all commits; it asks nobody for a name. WHO is what the client wrote: lakehouse for an apply, and for "
            "Spark and Trino the user of the system that runs them"
        )

    def read(self, since: datetime | None) -> Iterator[AccessEvent]:
        """A commit that is on several branches is shown once: on the catalog's own if it is there."""
        every = (each.name for each in self.references.list() if each.kind == "branch")
        branches = sorted(every, key=lambda name: (name != self.references.main, name))
        logs = [self._log(branch, since) for branch in branches]
        seen: set[str] = set()
        for hash_, event in heapq.merge(*logs, key=lambda each: each[1].time, reverse=True):
            if hash_ not in seen:
                seen.add(hash_)
                yield event

    def _log(self, branch: str, since: datetime | None) -> Iterator[tuple[str, AccessEvent]]:
        token: str | None = None
        while True:
            query = {"fetch": "ALL", "max-records": _PAGE, "filter": _filter(since), "page-token": token}
            page = self.references.http.get(f"/trees/{quote(branch, safe='')}/history", **query)
            on = "" if branch == self.references.main else f" on {branch}"
            for entry in page["logEntries"]:
                yield entry["commitMeta"]["hash"], event(entry, self.catalog, on, self.layer, self.redact)
            if not page.get("hasMore"):
                return
            token = page["token"]


def event(entry: Mapping[str, Any], catalog: str, on: str, layer: str, redact: Redact) -> AccessEvent:
    """An entry of the log. ``on`` names the branch if that has to be said."""
    meta = entry["commitMeta"]
    who = meta.get("committer") or ", ".join(filter(None, meta.get("authors") or [meta.get("author")]))
    first = (meta.get("message") or "").strip().partition("\n")[0]
    operations = [each for each in entry.get("operations") or () if each["type"] in ("PUT", "DELETE")]
    names = [".".join((catalog, *each["key"]["elements"])) for each in operations]
    further = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return AccessEvent(
        datetime.fromisoformat(meta["commitTime"]),
        layer,
        who,
        shortened(redact(first)) or "commit",
        f"{', '.join(names[:_MOST])}{further}{on}" if names else f"{catalog}{on}",
        OK,
    )


def _filter(since: datetime | None) -> str | None:
    """https://projectnessie.org/develop/spec/#filters"""
    if since is None:
        return None
    return f"timestamp(commit.commitTime) >= timestamp('{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}')"
