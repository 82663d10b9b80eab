"""Change a table of Nessie as its own clients do: write the next metadata file, then point Nessie at it.

Nessie's Iceberg REST endpoint (up to 0.99 at least) rebuilds a table's metadata from the current snapshot alone, so a
commit through it takes the table's history away (projectnessie/nessie#9634). The engines' native clients keep it, and
so does this. https://projectnessie.org/develop/rest/ (API v2, "commit")
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlparse

from botocore.exceptions import BotoCoreError, ClientError

from bootstrap.connections import CatalogConnection, Connections
from bootstrap.errors import Conflict, Missing, Refused, UnknownState, Unreachable
from bootstrap.http import Http
from bootstrap.s3 import client


class NessieCommit:
    """Commits to the tables of one branch. Carries out what an Iceberg REST commit says: requirements, then updates."""

    def __init__(self, what: str, api: Http, connection: CatalogConnection, connections: Connections) -> None:
        self._what, self._api = what, api
        self._tree = f"/trees/{quote(connection.branch, safe='')}"
        self._s3 = client(connections.store, patience=connections.patience, parallel=connections.parallel)

    def commit(self, name: str, commit: Mapping[str, Any]) -> None:
        """One commit to an existing table.

        Raises Conflict where a requirement no longer holds or somebody else was faster, Missing where there is no such
        table, Refused where Iceberg forbids an update.
        """
        # pyiceberg knows what an update does to a table's metadata; its import costs half a second, so only here.
        from pydantic import TypeAdapter, ValidationError
        from pyiceberg.exceptions import CommitFailedException
        from pyiceberg.table.metadata import TableMetadataUtil
        from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

        key = {"elements": name.split(".")}
        answer = self._api.post(f"{self._tree}/contents", {"requestedKeys": [key]})
        if not answer["contents"]:
            raise Missing(f"{self._what}: there is no table {name}")
        content, hash_ = answer["contents"][0]["content"], answer["effectiveReference"]["hash"]
        base = TableMetadataUtil.parse_raw(self._read(content["metadataLocation"]))
        try:
            for requirement in TypeAdapter(tuple[TableRequirement, ...]).validate_python(commit["requirements"]):
                requirement.validate(base)
            updates = TypeAdapter(tuple[TableUpdate, ...]).validate_python(commit["updates"])
            metadata = update_table_metadata(base, updates, metadata_location=content["metadataLocation"])
        except CommitFailedException as error:
            raise Conflict(f"{self._what}: {name}: {error}") from error
        except (ValidationError, ValueError) as error:
            raise Refused(f"{self._what}: {name}: {str(error).splitlines()[0]}") from error
        location = _next(content["metadataLocation"], metadata.location)
        self._write(location, metadata.model_dump_json(by_alias=True, exclude_none=True))
        operation = {
            "type": "PUT",
            "key": key,
            "content": {
                **{field: content[field] for field in ("type", "id")},
                "metadataLocation": location,
                "snapshotId": -1 if metadata.current_snapshot_id is None else metadata.current_snapshot_id,
                "schemaId": metadata.current_schema_id,
                "specId": metadata.default_spec_id,
                "sortOrderId": metadata.default_sort_order_id,
            },
        }
        body = {"commitMeta": {"message": f"lakehouse: change table {name}"}, "operations": [operation]}
        try:
            self._api.post(f"{self._tree}@{hash_}/history/commit", body)
        except UnknownState:
            raise  # the commit may stand, and then the file is the table's
        except (Conflict, Missing, Refused):
            self._remove(location)
            raise

    def _read(self, location: str) -> str:
        bucket, key = _place(location)
        try:
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"{self._what}: metadata", location, str(error)) from error

    def _write(self, location: str, text: str) -> None:
        bucket, key = _place(location)
        try:
            self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"{self._what}: metadata", location, str(error)) from error

    def _remove(self, location: str) -> None:
        bucket, key = _place(location)
        with suppress(BotoCoreError, ClientError):
            self._s3.delete_object(Bucket=bucket, Key=key)


def _next(former: str, location: str) -> str:
    """The next metadata file: ``00003-UUID.metadata.json`` after ``00002-UUID.metadata.json``."""
    number = former.rpartition("/")[2].partition("-")[0]
    version = int(number) + 1 if number.isdigit() else 0
    return f"{location.rstrip('/')}/metadata/{version:05d}-{uuid.uuid4()}.metadata.json"


def _place(location: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` address."""
    parts = urlparse(location)
    return parts.netloc, parts.path.removeprefix("/")
