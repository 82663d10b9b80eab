"""Catalogs that a store serves by itself: each is a bucket of its own, in which the server places the tables."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.claims import PATHS
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Bucket, Catalog, Lakehouse, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed

MAPPING = "schema.name-mapping.default"  # the servers write this property of a table by themselves
_SETTINGS = ("versioning", "expire_days", "noncurrent_days")


def table_buckets(lakehouse: Lakehouse, stack: LocalStack) -> dict[str, str]:
    """The buckets of the stack that are table buckets, each with the catalog that it is."""
    kinds = known().catalogs
    names = (name for name, entry in stack.catalogs.items() if kinds[entry.kind].in_store)
    return {lakehouse.catalogs[name].location.bucket: name for name in names if name in lakehouse.catalogs}


def check_table_buckets(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Problems of such catalogs of a stack, and of their buckets."""
    about: tuple[KeyPath, ...] = (("stacks", name),)
    for bucket, catalog in table_buckets(lakehouse, stack).items():
        word, label = stack.catalogs[catalog].kind, known().catalogs[stack.catalogs[catalog].kind].label
        if not known().stores[stack.store.kind].has_tables:
            able = listed(each for each, kind in known().stores.items() if kind.has_tables)
            message = f"{word} is served by the store, and {stack.store} serves no tables; {able} does. Use that store"
            yield Problem(("stacks", name, "catalogs", catalog), message, (("stacks", name, "store"),))
        whose = f"{label}, the catalog of stacks.{name},"
        content = lakehouse.catalogs[catalog]
        if content.location.prefix:
            rule = f"{whose} has a bucket of its own, so its location is one"
            fix = "Write s3://BUCKET, and add that bucket to `buckets`"
            yield Problem(("catalogs", catalog, "location"), f'"{content.location}" is a folder: {rule}. {fix}', about)
        if bucket in lakehouse.buckets:
            yield from _bucket(("buckets", bucket), lakehouse.buckets[bucket], whose, about)
        yield from _places(("catalogs", catalog), content, whose, about)


def _bucket(at: KeyPath, bucket: Bucket, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    for key in _SETTINGS:
        if getattr(bucket, key):
            yield Problem((*at, key), f"a table bucket has no {key}, and {whose} is one. Remove it", about)
    if bucket.access != "private":
        message = f'"{bucket.access}": a table bucket is read only with keys, and {whose} is one. Remove it'
        yield Problem((*at, "access"), message, about)


def _places(at: KeyPath, content: Catalog, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    for namespace, inner in content.namespaces.items():
        place = (*at, "namespaces", namespace)
        if "location" in inner.properties:
            yield _placed((*place, "properties", "location"), inner.properties["location"], whose, about)
        for table, definition in inner.tables.items():
            yield from _table((*place, "tables", table), table, definition, whose, about)


def _table(at: KeyPath, name: str, table: Table, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    if name.startswith("_"):
        rule = f"in {whose} a name begins with a letter or a digit"
        yield Problem(at, f'"{name}" begins with an underscore: {rule}. Did you mean "{name.strip("_")}"?', about)
    if table.location is not None:
        yield _placed((*at, "location"), table.location, whose, about)
    for key in PATHS:
        if key in table.properties:
            yield _placed((*at, "properties", key), table.properties[key], whose, about)
    for key, fields in (("partition_by", table.partition_by), ("sort_by", table.sort_by)):
        for nth, field in enumerate(fields):
            if not field.wrong and "." in field.term.column:
                rule = f"{whose} takes no files in a folder with a dot in its name, such as that of its partitions"
                yield Problem((*at, key, nth), f'"{field}" is a field of a struct: {rule}. Add a column for it', about)
    if MAPPING in table.properties:
        message = f'"{MAPPING}" is written by {whose} itself. Remove it'
        yield Problem((*at, "properties", MAPPING), message, about)


def _placed(at: KeyPath, location: str, whose: str, about: tuple[KeyPath, ...]) -> Problem:
    return Problem(at, f'"{location}": {whose} chooses the folders of its tables itself. Remove it', about)
