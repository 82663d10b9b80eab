"""A table's metadata files in the store, and the next one after a commit.

For catalogs that keep only the location of a table's metadata file. https://iceberg.apache.org/spec/#table-metadata
"""

from __future__ import annotations

import gzip
import json
import os
import uuid
import zlib
from collections.abc import Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from bootstrap.remote import trust
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Refused, first_line
from bootstrap.remote.objects import Objects

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pyiceberg.io.pyarrow import PyArrowFileIO
    from pyiceberg.table.metadata import TableMetadata

_COMPRESSED = (".gz.metadata.json", ".metadata.json.gz")


class MetadataFiles:
    """Metadata files of one store. Raises the errors of :mod:`bootstrap.remote.errors`."""

    def __init__(self, connections: Connections) -> None:
        self._connections, self._objects = connections, Objects(connections)

    def read(self, location: str) -> dict[str, Any]:
        """A metadata file. Engines may compress them: https://iceberg.apache.org/docs/latest/configuration/

        Raises Refused if the file cannot be read as one.
        """
        data = self._objects.read(location)
        try:
            content: dict[str, Any] = json.loads(gzip.decompress(data) if location.endswith(_COMPRESSED) else data)
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise Refused(f"{location} is damaged, or is not a table's metadata: {first_line(error)}") from None
        return content

    def write(self, location: str, text: str) -> None:
        """Write a metadata file. Each has its own name, so that none is ever overwritten."""
        self._objects.write(location, text.encode())

    @cached_property
    def io(self) -> PyArrowFileIO:
        """pyiceberg's access to the same store."""
        from bootstrap.remote.trusting import TrustingFileIO

        return TrustingFileIO(file_settings(self._connections))


def file_settings(connections: Connections) -> dict[str, str]:
    """The settings with which pyiceberg reaches the files: the store's keys, or those that boto3 finds for AWS.

    Arrow's S3 client supports fewer sources of credentials than boto3 (SSO, web identities), so they are passed to it.
    """
    import boto3

    store = connections.store
    keys = (store.access_key, store.secret_key, store.session_token)
    if store.endpoint is None and store.access_key is None and (found := boto3.Session().get_credentials()):
        frozen = found.get_frozen_credentials()
        keys = (frozen.access_key, frozen.secret_key, frozen.token)
    endpoint = store.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    names = ("s3.access-key-id", "s3.secret-access-key", "s3.session-token")
    settings = {**dict(zip(names, keys, strict=True)), "s3.endpoint": endpoint, "s3.region": store.region}
    return {key: value for key, value in settings.items() if value} | trust.of_store(store.trust)


def parsed(location: str, content: dict[str, Any]) -> TableMetadata:
    """The content of the metadata file at ``location``. Raises Refused if pyiceberg does not know its format."""
    from pyiceberg.exceptions import ValidationError
    from pyiceberg.table.metadata import TableMetadataUtil

    try:
        return TableMetadataUtil.parse_obj(content)
    except (ValidationError, ValueError) as error:  # pydantic's own is a ValueError
        raise Refused(f"{location} is not a table's metadata that can be read: {first_line(error)}") from None


def committed(what: str, commit: Mapping[str, Any], base: dict[str, Any] | None, at: str | None) -> TableMetadata:
    """The metadata after an Iceberg REST commit to ``base``, whose file is ``at`` (None: the table is new).

    ``what`` names the table in errors. Raises Conflict if a requirement does not hold, Refused if Iceberg forbids an
    update.
    """
    # pyiceberg knows what an update does to a table's metadata. Its import takes half a second, so it is only here.
    from pyiceberg.exceptions import CommitFailedException, ValidationError
    from pyiceberg.table.metadata import TableMetadataUtil
    from pyiceberg.table.update import update_table_metadata

    try:
        known = None if base is None else TableMetadataUtil.parse_obj(base)
        start = known or _nothing()
        for requirement in _adapters()[0].validate_python(commit["requirements"]):
            requirement.validate(known)
        updates = _adapters()[1].validate_python(commit["updates"])
        return update_table_metadata(start, updates, enforce_validation=known is None, metadata_location=at)
    except CommitFailedException as error:
        raise Conflict(f"{what}: {error}") from error
    except (ValidationError, ValueError) as error:  # pydantic's own is a ValueError
        raise Refused(f"{what}: {first_line(error)}") from error


@cache
def _nothing() -> TableMetadata:
    """The empty metadata that a new table's first updates apply to, as in pyiceberg. Cached: making it is slow."""
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadataV1

    return TableMetadataV1.model_construct(last_column_id=-1, schema=Schema())


@cache
def _adapters() -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    """Parsers of requirements and of updates. Cached: making them takes longer than using them."""
    from pydantic import TypeAdapter
    from pyiceberg.table.update import TableRequirement, TableUpdate

    return TypeAdapter(tuple[TableRequirement, ...]), TypeAdapter(tuple[TableUpdate, ...])


def next_location(former: str | None, table: str) -> str:
    """The next metadata file of the table at ``table``: ``00003-UUID.metadata.json`` after ``00002-UUID...``."""
    number = (former or "").rpartition("/")[2].partition("-")[0]
    version = int(number) + 1 if number.isdigit() else 0
    return f"{table.rstrip('/')}/metadata/{version:05d}-{uuid.uuid4()}.metadata.json"
