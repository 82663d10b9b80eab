"""Change a table of Nessie as its own clients do: write the next metadata file, then point Nessie at it.

Nessie's Iceberg REST endpoint (up to 0.99 at least) rebuilds a table's metadata from the current snapshot alone, so a
commit through it takes the table's history away (projectnessie/nessie#9634). The engines' native clients keep it, and
so does this. https://projectnessie.org/develop/rest/ (API v2, "commit")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bootstrap.catalogs.metadata_files import MetadataFiles, committed, next_location
from bootstrap.connections import CatalogConnection, Connections
from bootstrap.errors import Missing
from bootstrap.http import Http


class NessieCommit:
    """Commits to the tables of one branch; carries out what an Iceberg REST commit says: requirements, then updates."""

    def __init__(self, what: str, api: Http, connection: CatalogConnection, connections: Connections) -> None:
        self._what, self._api = what, api
        self._tree = f"/trees/{quote(connection.branch, safe='')}"
        self.files = MetadataFiles(connections)

    def current(self, name: str) -> tuple[dict[str, Any], str]:
        """The table's content and the hash of the branch it was read at. Raises Missing where there is no table."""
        answer = self._api.post(f"{self._tree}/contents", {"requestedKeys": [{"elements": name.split(".")}]})
        if not answer["contents"]:
            raise Missing(f"{self._what}: there is no table {name}")
        return answer["contents"][0]["content"], answer["effectiveReference"]["hash"]

    def commit(self, name: str, commit: Mapping[str, Any], content: Mapping[str, Any], hash_: str) -> None:
        """One commit to an existing table, as :meth:`current` has just found it.

        Raises Conflict where a requirement no longer holds or somebody else was faster, Refused where Iceberg forbids
        an update.
        """
        at = content["metadataLocation"]
        metadata = committed(f"{self._what}: {name}", commit, self.files.read(at), at)
        snapshot = -1 if metadata.current_snapshot_id is None else metadata.current_snapshot_id
        written = metadata.model_dump(mode="json", by_alias=True, exclude_none=True)
        written["current-snapshot-id"] = snapshot  # Nessie cannot read a file without it
        for each in written.get("snapshots", ()):
            if each["snapshot-id"] == snapshot:
                # Nessie takes the current snapshot's schema for the table's, and would not show the new one.
                each["schema-id"] = metadata.current_schema_id
        location = next_location(at, metadata.location)
        # Where the commit fails the file stays: a request that was repeated on the way fails the second time, and then
        # the table is already at this file. One that is nobody's is an orphan like any other.
        self.files.write(location, json.dumps(written))
        operation = {
            "type": "PUT",
            "key": {"elements": name.split(".")},
            "content": {
                **{field: content[field] for field in ("type", "id")},
                "metadataLocation": location,
                "snapshotId": snapshot,
                "schemaId": metadata.current_schema_id,
                "specId": metadata.default_spec_id,
                "sortOrderId": metadata.default_sort_order_id,
            },
        }
        body = {"commitMeta": {"message": f"lakehouse: change table {name}"}, "operations": [operation]}
        self._api.post(f"{self._tree}@{hash_}/history/commit", body)
