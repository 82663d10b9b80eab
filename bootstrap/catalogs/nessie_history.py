"""Nessie's log: which commit removed a table, and where the table was before it.

https://projectnessie.org/develop/rest/ (API v2, "history"); the filter is https://projectnessie.org/develop/spec/#filters
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.base import Gone
from bootstrap.remote.errors import Missing
from bootstrap.remote.http import Http

_DROPS = "operations.exists(op, op.type == 'DELETE')"


def gone(api: Http, branch: str, names: Collection[str]) -> dict[str, Gone]:
    """How the branch lost each of these tables; tables that it never had are left out.

    Reads the log once for all of them, newest commits first.
    """
    found: dict[str, Gone] = {}
    for entry in _log(api, branch) if names else ():
        dropped = {_name(op): op for op in entry.get("operations") or () if op["type"] == "DELETE"}
        for name in dropped.keys() & set(names) - found.keys():
            if (content := _before(api, branch, entry.get("parentCommitHash"), name)) is not None:
                found[name] = _gone(entry, content)
        if len(found) == len(names):
            break
    return found


def formerly(api: Http, branch: str, name: str) -> Iterator[Gone]:
    """How the branch lost each table that had the name, each as it was last, newest commits first."""
    seen: set[str] = set()
    for entry in _log(api, branch):
        if any(op["type"] == "DELETE" and _name(op) == name for op in entry.get("operations") or ()):
            content = _before(api, branch, entry.get("parentCommitHash"), name)
            if content is not None and content["id"] not in seen:
                seen.add(content["id"])
                yield _gone(entry, content)


def _gone(entry: Mapping[str, Any], content: Mapping[str, Any]) -> Gone:
    """A rename is one commit that drops the old name and gives the new name the same content."""
    puts = [op for op in entry["operations"] if op["type"] == "PUT" and op["content"].get("id") == content.get("id")]
    renamed_to = _name(puts[0]) if puts else ""
    meta = entry["commitMeta"]
    who = ", ".join(filter(None, meta.get("authors") or [meta.get("author")]))
    how = f"renamed to {renamed_to}" if renamed_to else "dropped"
    by = f"commit {meta['hash'][:16]} of {meta['commitTime'][:19]}{f' by {who}' if who else ''}"
    message = (meta.get("message") or "").partition("\n")[0]
    return Gone(f'{how} ({by}: "{message}")', content["metadataLocation"], renamed_to)


def _before(api: Http, branch: str, hash_: str | None, name: str) -> Mapping[str, Any] | None:
    """The table as it was at a commit; None if the name was not a table there."""
    try:
        at = quote(f"{branch}@{hash_}", safe="@")
        answer = api.post(f"/trees/{at}/contents", {"requestedKeys": [{"elements": name.split(".")}]})
    except Missing:
        return None
    content: Mapping[str, Any] | None = next((each["content"] for each in answer["contents"]), None)
    return content if content is not None and content["type"] == "ICEBERG_TABLE" else None


def _log(api: Http, branch: str) -> Iterator[dict[str, Any]]:
    token: str | None = None
    while True:
        path = f"/trees/{quote(branch, safe='')}/history"
        page = api.get(path, fetch="ALL", filter=_DROPS, **{"page-token": token})
        yield from page["logEntries"]
        if not page.get("hasMore"):
            return
        token = page["token"]


def _name(operation: Mapping[str, Any]) -> str:
    return ".".join(operation["key"]["elements"])
