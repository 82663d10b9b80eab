"""What the file's rules ask of a kind of store, catalog, engine or platform service.

The kinds themselves are in :mod:`lakehouse.kinds`, one file each, which registers them here as it is imported. This
package is below it and imports none of them: it asks for that module by name if nothing is registered yet, as an entry
point is asked for, so whoever loads a file sees every kind.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lakehouse.spec.entries import KindEntry

HOME = "lakehouse.kinds"
AWS = "aws"  # where a kind may run, besides the runtimes of local stacks


class Feature(StrEnum):
    """What a file may use and an engine, a store or a kind of catalog may lack."""

    TIME = "a column of type time, also inside a list, map or struct"
    NESTED = "a nested namespace"
    INFORMATION = "the namespace information_schema"
    ICEBERG_TABLES = "the table iceberg_tables in the namespace system"
    SYSTEM = "the namespace system"
    FIXED = "partitions by the values of a fixed column"
    UUID = "partitions by buckets of a uuid column, beside sort_by"
    BROTLI = "brotli as the codec of Parquet files"
    PROVIDER = "a custom location provider"
    LONG = "names of over 255 bytes in a path, over 200 where a column's values are in it"
    DELETED_BESIDE = "metadata files that engines delete, beside branches or tags"
    DELETED = "metadata files that engines delete"
    EXPIRY_BESIDE = "expiry of snapshots or orphans beside branches or tags"
    EXPIRY_GC = "expiry of snapshots or orphans without gc.enabled"


@dataclass(frozen=True)
class Limit:
    """One cell of the matrix engine x catalog x feature.

    ``rule`` says what happens, ``fix`` what to write instead; ``{}`` is what the file says. ``engine`` is who meets the
    limit of a catalog: an engine's word, or ``maintain``.
    """

    feature: Feature
    refused: bool  # else it is a warning
    rule: str
    fix: str
    engine: str = ""


@dataclass(frozen=True)
class Listener:
    """A port of a kind. ``number`` is what it would like on this machine, ``inside`` what it has in a container.

    A further server of the same kind has ``NAME-CATALOG`` and the next number. ``when`` and ``each`` are keys of the
    engine's entry: the port is there only if the one is set, and as many times as the other says, ``{}`` counting.
    """

    name: str  # as under `stacks.NAME.ports`
    number: int
    inside: int
    meaning: str = ""  # what it is for, in `lakehouse endpoints`
    when: str = ""
    each: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What an object store can do. `lakehouse store probe` measures it (docs/stores.md)."""

    sts: bool  # hands out temporary credentials, so that a catalog can vend them
    policies: bool  # bucket policies, so that a bucket can be open to readers without keys
    versioning: bool
    lifecycle: bool  # expires objects and replaced versions by itself
    conditional_writes: bool  # If-None-Match and If-Match on PutObject


@dataclass(frozen=True)
class Limits:
    """What a kind of catalog can and cannot do; `validate` and a plan refuse by the same values."""

    kind: str = "catalog"  # as people call it
    format_version: int = 3  # the highest it takes
    nested_layout: bool = True  # a field of a struct may be partitioned and sorted by
    references: bool = False  # the catalog as a whole has branches and tags
    nested_namespaces: bool = True
    gc_default: bool = True  # what gc.enabled means in a table that does not say it
    history: bool = True  # Iceberg REST clients, such as PyIceberg, see former snapshots


@dataclass(frozen=True)
class Further:
    """What ``properties`` of a kind may say: what is not modelled, written into ``file`` as it stands.

    ``owned`` are keys, or beginnings of keys that end in ``*``, with what sets them; ``forbidden`` are parts of values
    with what they would be taken for.
    """

    file: str  # for people: what the properties get into
    key: str  # pattern of a key
    example: str
    owned: Mapping[str, str] = field(default_factory=dict)
    forbidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class KindRules:
    """A kind, by its ``word`` in the file; ``on`` are the runtimes that have it, or AWS."""

    word: str
    label: str  # as people call it
    on: tuple[str, ...] = ("process", "docker")
    listeners: tuple[Listener, ...] = ()
    limits: tuple[Limit, ...] = ()
    entry: type[KindEntry] = KindEntry  # the keys that its mapping takes in the file
    further: Further | None = None  # None: it takes no properties


@dataclass(frozen=True, kw_only=True)
class StoreRules(KindRules):
    """A kind of object store."""

    can: Capabilities
    users: bool = False  # users and their policies by MinIO's admin API
    license: bool = False  # it does not start without the file that `license` of the stack names
    catalog: str = ""  # the kind that serves its tables, whatever the file says


@dataclass(frozen=True, kw_only=True)
class CatalogRules(KindRules):
    """A kind of catalog. ``shared``: one server carries all catalogs of the kind; else each has its own."""

    can: Limits
    shared: bool = False
    needs: tuple[str, ...] = ()  # platform kinds that it stands on


@dataclass(frozen=True)
class Kinds:
    """All kinds by their words, those that are offered first come first."""

    stores: Mapping[str, StoreRules]
    catalogs: Mapping[str, CatalogRules]
    engines: Mapping[str, KindRules]
    platform: Mapping[str, KindRules]


_registered: list[Kinds] = []


def register(kinds: Kinds) -> None:
    """Make these the kinds that are known."""
    _registered[:] = [kinds]


def known() -> Kinds:
    """The kinds that are registered."""
    if not _registered:
        importlib.import_module(HOME)
    return _registered[0]
