"""Catalogs that a store serves by itself: each is a bucket of its own, in which the server places the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lakehouse.spec.claims import PATHS
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Bucket, Catalog, Lakehouse, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed

MAPPING = "schema.name-mapping.default"  # the servers write this property of a table by themselves
_SETTINGS = ("versioning", "expire_days", "noncurrent_days")

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-buckets-naming.html, which SeaweedFS checks too
_RESERVED = "aws"
BUCKET_STARTS = ("xn--", "sthree-", "amzn-s3-demo-", _RESERVED)
BUCKET_ENDS = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
_FOLDER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # what SeaweedFS takes before the = of a partition's folder


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
        yield from check_names(("catalogs", catalog), content, whose, about)
        yield from _places(("catalogs", catalog), content, whose, about)


def check_names(at: KeyPath, content: Catalog, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    """Namespaces and tables with names that no table bucket may have."""
    for namespace, inner in content.namespaces.items():
        place = (*at, "namespaces", namespace)
        if namespace.startswith(_RESERVED):
            message = f'"{namespace}" begins with "{_RESERVED}", which {whose} keeps for itself. Choose another name'
            yield Problem(place, message, about)
        elif namespace.endswith("_"):
            rule = f"in {whose} a namespace ends with a letter or a digit"
            message = f'"{namespace}" ends with an underscore: {rule}. Did you mean "{namespace.rstrip("_")}"?'
            yield Problem(place, message, about)
        for table in inner.tables:
            if table.startswith("_"):
                rule = f"in {whose} a name begins with a letter or a digit"
                message = f'"{table}" begins with an underscore: {rule}. Did you mean "{table.strip("_")}"?'
                yield Problem((*place, "tables", table), message, about)


def _bucket(at: KeyPath, bucket: Bucket, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    name = str(at[-1])
    if reserved := next((each for each in BUCKET_STARTS if name.startswith(each)), None):
        message = (
            f'"{name}" begins with "{reserved}", which no table bucket may, and {whose} is one. Choose another name'
        )
        yield Problem(at, message, about)
    elif reserved := next((each for each in BUCKET_ENDS if name.endswith(each)), None):
        message = f'"{name}" ends with "{reserved}", which no table bucket may, and {whose} is one. Choose another name'
        yield Problem(at, message, about)
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
            yield from _table((*place, "tables", table), definition, whose, about)


def _table(at: KeyPath, table: Table, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    if table.location is not None:
        yield _placed((*at, "location"), table.location, whose, about)
    for key in PATHS:
        if key in table.properties:
            yield _placed((*at, "properties", key), table.properties[key], whose, about)
    for nth, field in enumerate(table.partition_by):
        place = (*at, "partition_by", nth)
        if not field.wrong and "." in field.term.column:
            rule = f"{whose} takes no files in a folder with a dot in its name, such as that of its partitions"
            yield Problem(place, f'"{field}" is a field of a struct: {rule}. Add a column for it', about)
        elif not field.wrong and not _FOLDER.fullmatch(field.term.field_name):
            rule = f"the folder of a partition in {whose} has only letters from a to z, digits and underscores"
            message = f'"{field}" makes partitions named "{field.term.field_name}": {rule} before its value'
            yield Problem(place, f"{message}, and no digit first. Add a column with such a name", about)
    if MAPPING in table.properties:
        message = f'"{MAPPING}" is written by {whose} itself. Remove it'
        yield Problem((*at, "properties", MAPPING), message, about)


def _placed(at: KeyPath, location: str, whose: str, about: tuple[KeyPath, ...]) -> Problem:
    return Problem(at, f'"{location}": {whose} chooses the folders of its tables itself. Remove it', about)
