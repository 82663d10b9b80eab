"""Change a table in Nessie as Nessie's own clients do: write the next metadata file, then point Nessie at it.

Nessie's Iceberg REST endpoint (at least up to 0.99) rebuilds a table's metadata from the current snapshot only, so a
commit through it removes the table's history (projectnessie/nessie#9634). The engines' native clients keep the history,
and so does this module. One commit of Nessie may change many tables.
https://projectnessie.org/develop/rest/ (API v2, "commit")
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.base import SeenView, same
from bootstrap.catalogs.metadata_files import MetadataFiles, committed, next_location
from bootstrap.catalogs.view_files import ViewFile, ViewFiles
from bootstrap.iceberg.view import compact_view
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, RemoteError
from bootstrap.remote.http import Http


class NessieCommit:
    """Commits to the tables of one branch. Carries out an Iceberg REST commit: requirements, then updates."""

    def __init__(self, what: str, api: Http, connection: CatalogConnection, connections: Connections) -> None:
        self._what, self._api = what, api
        self._tree = f"/trees/{quote(connection.branch, safe='')}"
        self.files = MetadataFiles(connections)
        self.views = ViewFiles(self.files, connections.parallel)

    def current(self, name: str) -> tuple[dict[str, Any], str]:
        """The table's content, and the branch's hash at which it was read. Raises Missing if there is no table."""
        contents, hash_ = self.contents([name])
        if name not in contents:
            raise Missing(f"{self._what}: there is no table or view {name}")
        return contents[name], hash_

    def contents(self, names: Collection[str]) -> tuple[dict[str, dict[str, Any]], str]:
        """The contents of those tables that exist, and the branch's hash at which they were read."""
        keys = [{"elements": name.split(".")} for name in names]
        answer = self._api.post(f"{self._tree}/contents", {"requestedKeys": keys})
        contents = {".".join(each["key"]["elements"]): each["content"] for each in answer["contents"]}
        return contents, answer["effectiveReference"]["hash"]

    def commit(self, commits: Mapping[str, Mapping[str, Any]]) -> dict[str, RemoteError]:
        """Send the commits of several tables, by their names, as one commit of Nessie.

        Returns the error of each table that was not committed: Conflict if a requirement does not hold or somebody
        else was faster, Refused if Iceberg forbids an update, UnknownState if no answer came. If Nessie refuses the
        whole commit, the tables are committed one by one, so that one does not stop the others.
        """
        failed: dict[str, RemoteError] = {}
        operations: dict[str, dict[str, Any]] = {}
        contents, hash_ = self.contents(commits)
        for name, commit in commits.items():
            try:
                operations[name] = self._written(name, commit, contents.get(name))
            except RemoteError as error:
                failed[name] = error
        try:
            self._send(operations, hash_)
        except (Conflict, Refused, Missing) as error:
            if len(operations) == 1:
                return {**failed, **dict.fromkeys(operations, error)}
            for name, operation in operations.items():
                try:
                    self._send({name: operation}, hash_)
                except RemoteError as alone:
                    failed[name] = alone
        except RemoteError as error:
            failed |= dict.fromkeys(operations, error)
        return failed

    def drop(self, name: str, identity: str) -> str:
        """Drop the table from the branch. Its files stay; returns where they are.

        Raises Conflict if the table of that name has another UUID than ``identity``, or if it changes meanwhile.
        """
        content, hash_ = self.current(name)
        metadata = self._same(name, content, identity)
        # With the hash at which it was read: Nessie refuses the commit if somebody has changed the table since.
        self._send({name: {"type": "DELETE", "key": {"elements": name.split(".")}}}, hash_, "drop")
        return str(metadata["location"])

    def rename(self, former: str, name: str, identity: str) -> None:
        """Move the table to another name of the branch in one commit, in which it stays the same content.

        Raises Conflict if the table has another UUID than ``identity`` or changes meanwhile, Exists if the new name is
        taken.
        """
        contents, hash_ = self.contents([former, name])
        if former not in contents:
            raise Missing(f"{self._what}: there is no table {former}")
        if name in contents:
            raise Exists(f"{self._what}: there is already a {name}")
        self._same(former, contents[former], identity)
        self._send(_move({former: name}, contents), hash_, "rename", f"{former} to {name}")

    def rename_namespace(self, former: str, name: str, inside: Collection[str]) -> None:
        """Move a namespace with everything ``inside`` it to another name, in one commit.

        Raises Conflict if something else is in it or changes meanwhile, Exists if a new name is taken.
        """
        names = {each: name + each.removeprefix(former) for each in (former, *inside)}
        contents, hash_ = self.contents([*names, *names.values()])
        if former not in contents:
            raise Missing(f"{self._what}: there is no namespace {former}")
        if gone := [each for each in names if each not in contents]:
            raise Conflict(f"{self._what}: there is no {gone[0]} any more")
        if there := [each for each in names.values() if each in contents]:
            raise Exists(f"{self._what}: there is already a {there[0]}")
        self._send(_move(names, contents), hash_, "rename", f"the namespace {former} to {name}")

    def register(self, name: str, metadata_location: str) -> None:
        """Create a table from an existing metadata file. Raises Exists if the name is taken on the branch."""
        contents, hash_ = self.contents([name])
        if name in contents:
            raise Exists(f"{self._what}: there is already a table {name}")
        metadata = self.files.read(metadata_location)
        self._send({name: _put(name, {}, metadata_location, metadata)}, hash_, "restore")

    def _same(self, name: str, content: Mapping[str, Any], identity: str) -> dict[str, Any]:
        """The table's metadata. Raises Conflict if it is no table, or another one than ``identity``."""
        if content["type"] != "ICEBERG_TABLE":
            raise Conflict(f"{self._what}: {name} is no longer an Iceberg table")
        metadata = self.files.read(content["metadataLocation"])
        same(f"{self._what}: {name}", identity, metadata["table-uuid"])
        return metadata

    def create_view(self, name: str, file: ViewFile) -> None:
        """Create a view whose first metadata file is written. Raises Exists if the name is taken on the branch."""
        contents, hash_ = self.contents([name])
        if name in contents:
            raise Exists(f"{self._what}: there is already a table or view {name}")
        self._send({name: _put_view(name, {}, file)}, hash_)

    def replace_view(self, name: str, replaced: Callable[[str, str], ViewFile]) -> None:
        """Point Nessie at the view's next metadata file, which ``replaced`` makes of its name and its present file.

        Raises Conflict if somebody else changes the view meanwhile.
        """
        content, hash_ = self._view(name)
        file = replaced(f"{self._what}: {name}", content["metadataLocation"])
        self._send({name: _put_view(name, content, file)}, hash_)

    def drop_view(self, name: str, seen: SeenView) -> None:
        """Drop the view from the branch. Raises Conflict if it is not what was ``seen``, or changes meanwhile."""
        content, hash_ = self._view(name)
        self.views.check(f"{self._what}: {name}", content["metadataLocation"], seen)
        self._send({name: {"type": "DELETE", "key": {"elements": name.split(".")}}}, hash_, "drop")

    def _view(self, name: str) -> tuple[dict[str, Any], str]:
        content, hash_ = self.current(name)
        if content["type"] != "ICEBERG_VIEW":
            raise Conflict(f"{self._what}: {name} is no longer an Iceberg view")
        return content, hash_

    def _send(
        self, operations: Mapping[str, Mapping[str, Any]], hash_: str, verb: str = "change", names: str = ""
    ) -> None:
        if operations:
            names = names or (next(iter(operations)) if len(operations) == 1 else f"{len(operations)} tables")
            body = {"commitMeta": {"message": f"lakehouse: {verb} {names}"}, "operations": list(operations.values())}
            self._api.post(f"{self._tree}@{hash_}/history/commit", body)

    def send_to(
        self, branch: str, hash_: str, operations: Sequence[Mapping[str, Any]], message: str
    ) -> tuple[str, dict[tuple[str, ...], str]]:
        """Commit to another branch, which is at this hash. Returns its new one, and the ids of what was added.

        Those are by the parts of the names, which may have dots.
        """
        body = {"commitMeta": {"message": f"lakehouse: {message}"}, "operations": list(operations)}
        answer = self._api.post(f"/trees/{quote(f'{branch}@{hash_}', safe='@')}/history/commit", body)
        added = answer.get("addedContents") or ()
        return answer["targetBranch"]["hash"], {tuple(each["key"]["elements"]): each["contentId"] for each in added}

    def _written(self, name: str, commit: Mapping[str, Any], content: Mapping[str, Any] | None) -> dict[str, Any]:
        """Write the table's next metadata file. Returns the operation that points Nessie at it.

        If the commit fails, the file stays: a request that was repeated on the way fails the second time, and then the
        table already uses this file. If no table uses it, it is an orphan like any other.
        """
        if content is not None and content["type"] != "ICEBERG_TABLE":
            raise Exists(f"{self._what}: {name} exists, but is not an Iceberg table")
        at = content["metadataLocation"] if content else None
        metadata = committed(f"{self._what}: {name}", commit, self.files.read(at) if at else None, at)
        snapshot = -1 if metadata.current_snapshot_id is None else metadata.current_snapshot_id
        written = metadata.model_dump(mode="json", by_alias=True, exclude_none=True)
        written["current-snapshot-id"] = snapshot  # Nessie cannot read a file without it
        location = next_location(at, metadata.location)
        self.files.write(location, json.dumps(written))
        return _put(name, content or {}, location, written)


def _move(names: Mapping[str, str], contents: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The operations that give contents new names, under which they stay the same: with their ids."""
    operations: dict[str, dict[str, Any]] = {}
    for former, name in names.items():
        content = dict(contents[former])
        if content["type"] == "NAMESPACE":
            content["elements"] = name.split(".")
        operations[former] = {"type": "DELETE", "key": {"elements": former.split(".")}}
        operations[name] = {"type": "PUT", "key": {"elements": name.split(".")}, "content": content}
    return operations


def _put(name: str, former: Mapping[str, Any], location: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The operation that points Nessie at a metadata file; ``former`` is the table's present content."""
    return {
        "type": "PUT",
        "key": {"elements": name.split(".")},
        "content": {
            "type": "ICEBERG_TABLE",
            **({"id": former["id"]} if former else {}),
            "metadataLocation": location,
            "snapshotId": metadata.get("current-snapshot-id", -1),
            "schemaId": metadata.get("current-schema-id", 0),
            "specId": metadata.get("default-spec-id", 0),
            "sortOrderId": metadata.get("default-sort-order-id", 0),
        },
    }


def _put_view(name: str, former: Mapping[str, Any], file: ViewFile) -> dict[str, Any]:
    """The operation that points Nessie at a view's metadata file; ``former`` is the view's present content."""
    (version,) = compact_view(file.metadata)["versions"]
    return {
        "type": "PUT",
        "key": {"elements": name.split(".")},
        "content": {
            "type": "ICEBERG_VIEW",
            **({"id": former["id"]} if former else {}),
            "metadataLocation": file.location,
            "versionId": version["version-id"],
            "schemaId": version["schema-id"],
        },
    }
