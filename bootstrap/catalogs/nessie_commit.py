"""Change a table of Nessie as its own clients do: write the next metadata file, then point Nessie at it.

Nessie's Iceberg REST endpoint (up to 0.99 at least) rebuilds a table's metadata from the current snapshot alone, so a
commit through it takes the table's history away (projectnessie/nessie#9634). The engines' native clients keep it, and
so does this. https://projectnessie.org/develop/rest/ (API v2, "commit")
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlparse

from bootstrap.connections import CatalogConnection, Connections
from bootstrap.errors import Conflict, Missing, Refused
from bootstrap.http import Http
from bootstrap.reconciler.stores import typed
from bootstrap.s3 import client

_COMPRESSED = (".gz.metadata.json", ".metadata.json.gz")


class NessieCommit:
    """Commits to the tables of one branch; carries out what an Iceberg REST commit says: requirements, then updates."""

    def __init__(self, what: str, api: Http, connection: CatalogConnection, connections: Connections) -> None:
        self._what, self._api = what, api
        self._tree = f"/trees/{quote(connection.branch, safe='')}"
        self._store = connections.store.endpoint or f"s3.{connections.store.region}.amazonaws.com"
        self._s3 = client(connections.store, patience=connections.patience, parallel=connections.parallel)

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
        # pyiceberg knows what an update does to a table's metadata; its import costs half a second, so only here.
        from pydantic import TypeAdapter, ValidationError
        from pyiceberg.exceptions import CommitFailedException
        from pyiceberg.table.metadata import TableMetadataUtil
        from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

        base = TableMetadataUtil.parse_obj(self.read(content["metadataLocation"]))
        try:
            for requirement in TypeAdapter(tuple[TableRequirement, ...]).validate_python(commit["requirements"]):
                requirement.validate(base)
            updates = TypeAdapter(tuple[TableUpdate, ...]).validate_python(commit["updates"])
            metadata = update_table_metadata(base, updates, metadata_location=content["metadataLocation"])
        except CommitFailedException as error:
            raise Conflict(f"{self._what}: {name}: {error}") from error
        except (ValidationError, ValueError) as error:
            raise Refused(f"{self._what}: {name}: {str(error).splitlines()[0]}") from error
        snapshot = -1 if metadata.current_snapshot_id is None else metadata.current_snapshot_id
        written = metadata.model_dump(mode="json", by_alias=True, exclude_none=True)
        written["current-snapshot-id"] = snapshot  # Nessie cannot read a file without it
        for each in written.get("snapshots", ()):
            if each["snapshot-id"] == snapshot:
                # Nessie takes the current snapshot's schema for the table's, and would not show the new one.
                each["schema-id"] = metadata.current_schema_id
        location = _next(content["metadataLocation"], metadata.location)
        # Where the commit fails the file stays: a request that was repeated on the way fails the second time, and then
        # the table is already at this file. One that is nobody's is an orphan like any other.
        self._write(location, json.dumps(written))
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

    def read(self, location: str) -> dict[str, Any]:
        """A metadata file. Engines may compress them: https://iceberg.apache.org/docs/latest/configuration/"""
        bucket, key = _place(location)
        with typed(self._store):
            data = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        content: dict[str, Any] = json.loads(gzip.decompress(data) if key.endswith(_COMPRESSED) else data)
        return content

    def _write(self, location: str, text: str) -> None:
        bucket, key = _place(location)
        with typed(self._store):
            self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")


def _next(former: str, location: str) -> str:
    """The next metadata file: ``00003-UUID.metadata.json`` after ``00002-UUID.metadata.json``."""
    number = former.rpartition("/")[2].partition("-")[0]
    version = int(number) + 1 if number.isdigit() else 0
    return f"{location.rstrip('/')}/metadata/{version:05d}-{uuid.uuid4()}.metadata.json"


def _place(location: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` address."""
    parts = urlparse(location)
    return parts.netloc, parts.path.removeprefix("/")
