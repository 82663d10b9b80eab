"""The namespace that a verification works in: created for it, and removed with every file in it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from bootstrap.session import clients
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError


def unique() -> str:
    """A name that nobody else uses."""
    return f"verify_{secrets.token_hex(4)}"


def create(target: Target, catalog: str, namespace: str) -> None:
    """Create the namespace."""
    # Glue requires a database's location; the others choose it.
    at = {"location": f"{target.lakehouse.catalogs[catalog].location}/{namespace}"} if target.in_aws else {}
    clients.iceberg(target, catalog).create_namespace(namespace, at)


def remove(target: Target, catalog: str, namespace: str) -> int:
    """Drop the namespace and its tables, and delete their files. Returns how many files there were.

    Raises LakehouseError if files are left.
    """
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    client = clients.iceberg(target, catalog)
    # The default folders of tables, and their actual locations (an engine may have chosen another one).
    places = {f"{target.lakehouse.catalogs[catalog].location.rstrip('/')}/{namespace}/"}
    with suppress(NoSuchNamespaceError):
        for identifier in client.list_tables(namespace):
            with suppress(NoSuchTableError):
                places.add(client.load_table(identifier).location().rstrip("/") + "/")
                client.drop_table(identifier)
        client.drop_namespace(namespace)
    store = clients.s3(target)
    # Only a path with the namespace's own name is ours to delete.
    return sum(_delete(store, place) for place in places if f"/{namespace}/" in place)


def _delete(store: Any, place: str) -> int:
    url = urlsplit(place)
    bucket, prefix = url.netloc, url.path.lstrip("/")
    keys = [each["Key"] for page in _pages(store, bucket, prefix) for each in page.get("Contents", ())]
    for key in keys:
        store.delete_object(Bucket=bucket, Key=key)
    left = [each["Key"] for page in _pages(store, bucket, prefix) for each in page.get("Contents", ())]
    if left:
        raise LakehouseError(f"{len(left)} files are left under {place}, the first is {left[0]}")
    return len(keys)


def _pages(store: Any, bucket: str, prefix: str) -> Any:
    return store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
