"""What the file's rules need to know about a kind of store, catalog, engine or platform service.

The kinds are in :mod:`lakehouse.kinds`, one file each, which registers them here when it is imported. This package is
below it and imports no kind: if none is registered yet, it loads that module by name, as an entry point is loaded. So
every load of a file knows all kinds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from lakehouse.spec.entries import KindEntry
from lakehouse.spec.problems import Problem

HOME = "lakehouse.kinds"
AWS = "aws"  # where a kind may run, besides the runtimes of local stacks


class Feature(StrEnum):
    """A feature that a file may use and that an engine, a store or a kind of catalog may not support."""

    TIME = "a column of type time, also inside a list, map or struct"
    NANOS = "a column of type timestamp_ns or timestamptz_ns, also inside a list, map or struct"
    FORMAT_3 = "a table of format 3"
    NESTED = "a nested namespace"
    INFORMATION = "the namespace information_schema"
    ICEBERG_TABLES = "the table iceberg_tables in the namespace system"
    SYSTEM = "the namespace system"
    FIXED = "partitions by the values of a fixed column"
    UUID = "partitions by buckets of a uuid column, beside sort_by"
    BROTLI = "brotli as the codec of Parquet files"
    PROVIDER = "a custom location provider"
    LONG = "names of over 255 bytes in a path, or over 200 with a column's values"
    DELETED_BESIDE = "metadata files that engines delete, beside branches or tags"
    DELETED = "metadata files that engines delete"
    VIEW = "a view with SQL of the engine"


@dataclass(frozen=True)
class Limit:
    """One cell of the matrix engine x catalog x feature.

    ``rule`` says what happens, ``fix`` what to write instead; ``{}`` in ``rule`` is replaced by the value in the file.
    ``engine`` is the engine to which the limit of a catalog applies, or ``maintain``.
    """

    feature: Feature
    refused: bool  # false: only a warning
    rule: str
    fix: str
    engine: str = ""


@dataclass(frozen=True)
class Opening:
    """A way to rows around filters and masks: ``why`` it is open, and the ``fix``, both as parts of a sentence."""

    why: str
    fix: str


#: A server that asks nobody who they are. Whoever may write there also puts another table's files under a new name.
_ANYBODY = Opening(
    "its catalog's server does what anybody on its network asks, as giving the table a name without filters",
    "give the catalog a kind that asks who a client is, as polaris",
)


@dataclass(frozen=True)
class Enforcement:
    """What a kind enforces of `access`, and what it leaves open, as `lakehouse access` says it."""

    enforces: str
    leaves: str


@dataclass(frozen=True)
class Unsecured:
    """Why a kind cannot be in a stack with `secure`, as a sentence.

    ``accept`` is the word by which a file accepts it all the same; empty: no file can.
    """

    why: str
    accept: str = ""


#: What no kind has by itself: each that has TLS, and asks who a client is, says so with ``unsecured=None``.
_OPEN = Unsecured("this release has no TLS for it")


@dataclass(frozen=True)
class Listener:
    """A port of a kind. ``number`` is its default on this machine, ``inside`` its number in a container.

    For a further server of the same kind, the name is ``NAME-CATALOG`` and the default is the next number. ``when`` and
    ``each`` are keys of the engine's entry: the port exists only if the key ``when`` is set, and as many times as the
    value of the key ``each``; ``{}`` in the name is replaced by the count. ``catalog`` is a kind of catalog: a store's
    port with it exists only if the stack has such a catalog. In a secure stack, the proxy has a port that is
    ``proxied``, and the service has one more, which only the proxy needs (:func:`lakehouse.spec.ports.plain`). A port
    that is ``monitored`` exists only in a stack with `monitoring`.
    """

    name: str  # as under `stacks.NAME.ports`
    number: int
    inside: int
    meaning: str = ""  # its purpose, as `lakehouse endpoints` shows it
    when: str = ""
    each: str = ""
    catalog: str = ""
    proxied: bool = False
    monitored: bool = False


@dataclass(frozen=True)
class Capabilities:
    """What an object store supports. `lakehouse store probe` measures it (docs/stores.md)."""

    sts: bool  # issues temporary credentials, so that a catalog can vend them
    policies: bool  # bucket policies, so that clients without keys can read a bucket
    versioning: bool
    lifecycle: bool  # expires objects and replaced versions by itself
    conditional_writes: bool  # If-None-Match and If-Match on PutObject


@dataclass(frozen=True)
class Limits:
    """What a kind of catalog supports. `validate` and a plan both use these values."""

    kind: str = "catalog"  # name in messages
    format_version: int = 3  # the highest that it supports
    nested_partitions: bool = True  # tables may be partitioned by fields of structs
    references: bool = False  # the catalog as a whole has branches and tags
    nested_namespaces: bool = True
    views: bool = False  # engines can keep Iceberg views in it
    renames: bool = False  # it renames a table in one step, and the table keeps its rows and history
    multi_table_commits: bool = False  # one commit can change several tables, all or none
    history: bool = True  # Iceberg REST clients, such as PyIceberg, see former snapshots
    locations: bool = True  # a table may be in another folder than NAMESPACE/NAME, and its files outlive it


@dataclass(frozen=True)
class Further:
    """What ``properties`` of a kind may set: settings without a key of their own, written unchanged into ``file``.

    ``owned`` maps a key, or a prefix of keys followed by ``*``, to what sets it. ``forbidden`` maps a part of a value
    to what the service would read it as.
    """

    file: str  # where the properties are written, as messages say it
    key: str  # pattern of a key
    example: str
    owned: Mapping[str, str] = field(default_factory=dict)
    forbidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EntryProblem:
    """A problem of a kind's entry for a catalog. ``key`` is its key; empty for the entry as a whole."""

    catalog: str
    key: str
    message: str


@dataclass(frozen=True, kw_only=True)
class KindRules:
    """A kind. ``word`` is its name in the file, ``on`` the runtimes that support it, or AWS.

    ``secured`` are keys of ``properties``, or prefixes followed by ``*``, that a stack with `secure` refuses: they
    would open a port, or switch off a login or TLS.
    """

    word: str
    label: str  # name in messages
    on: tuple[str, ...] = ("process", "docker")
    listeners: tuple[Listener, ...] = ()
    limits: tuple[Limit, ...] = ()
    entry: type[KindEntry] = KindEntry  # the keys that its mapping accepts in the file
    further: Further | None = None  # None: it accepts no properties
    guard: Enforcement | None = None  # None: what is usual for a store, and nothing for a catalog or an engine
    closed: Enforcement | None = None  # instead of `guard` in a secure stack, for a kind with one token for everybody
    unsecured: Unsecured | None = _OPEN  # why it cannot be in a stack with `secure`; None: it can
    secured: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoreRules(KindRules):
    """A kind of object store."""

    can: Capabilities
    users: Literal["", "minio", "iam"] = ""  # the API for users and their policies: MinIO's own, or AWS IAM's
    license: bool = False  # it starts only with the file that `license` of the stack names
    catalog: str = ""  # the kind that serves its tables, instead of the one that the file names
    opening: Opening | None = None  # the way around filters and masks on tables that it serves

    @property
    def has_tables(self) -> bool:
        """Whether its server also serves Iceberg tables, to catalogs of a kind that is ``in_store``."""
        return False


@dataclass(frozen=True)
class Asking:
    """What `access` is worth to a catalog's server in a secure stack, where it asks who a client is.

    ``to_writers`` is the way around filters and masks that is left to who may write to another table of the catalog.
    """

    guard: Enforcement
    to_writers: Opening


@dataclass(frozen=True, kw_only=True)
class CatalogRules(KindRules):
    """A kind of catalog. If ``shared``, one server serves all catalogs of the kind; else each has its own server.

    ``check`` yields problems of a stack's entries of this kind, given by catalog, for a runtime or AWS. ``look`` yields
    problems of files and folders that they name on this machine, relative to the folder of the file. ``outside`` are
    the keys of an entry that say which server outside of the stack has the catalog: all catalogs there share one set of
    namespaces; None: the stack runs the server. ``to_writers`` takes a catalog of the file and its entry, and yields
    the ways around filters and masks for who may write to another table of the catalog, if the store issues keys.
    """

    can: Limits
    opening: Opening | None = _ANYBODY  # the way around filters and masks that its server opens
    to_writers: Callable[[Any, KindEntry], Iterable[Opening]] = lambda catalog, entry: ()
    asking: Asking | None = None  # None: in a secure stack it enforces no more than in others
    outside: tuple[str, ...] | None = None
    volatile: str = ""  # the beginning of table properties that it writes by itself at every load
    shared: bool = False
    in_store: bool = False  # the store serves it, each catalog from a bucket of its own (a table bucket)
    needs: tuple[str, ...] = ()  # platform kinds that it depends on
    replaces: tuple[str, ...] = ()  # names of engines' built-in catalogs that a catalog of this kind may have
    check: Callable[[Mapping[str, KindEntry], str], Iterable[EntryProblem]] = lambda entries, runtime: ()
    look: Callable[[Mapping[str, KindEntry], Path], Iterable[EntryProblem]] = lambda entries, folder: ()

    @property
    def makes_catalogs(self) -> bool:
        """Whether its server creates and drops catalogs on request."""
        return False


@dataclass(frozen=True, kw_only=True)
class EngineRules(KindRules):
    """A kind of query engine, with an entry of its word in `engines` that has a `version` and `properties`.

    ``check``, ``hidden`` and ``openings`` take the lakehouse. ``hidden`` yields what the engine would not show of its
    contents; a deployed lakehouse can still be read and destroyed with such problems. ``openings`` yields the ways to
    rows that it opens around filters and masks.
    """

    versions: Mapping[str, object]  # by the values of `version`, the oldest first
    check: Callable[[Any], Iterator[Problem]]  # further rules for its entry
    hidden: Callable[[Any], Iterator[Problem]] | None = None
    narrows: bool = False  # it applies the filters and masks of grants
    openings: Callable[[Any], Iterable[Opening]] = lambda lakehouse: ()
    insecure: Callable[[Any], Iterable[Problem]] = lambda lakehouse: ()  # what its entry cannot have in a secure stack
    catalogs: tuple[str, ...] = ()  # names of its built-in catalogs, which no other may have
    managed: bool = False  # AWS runs it with `engines: managed`
    emits: tuple[str, ...] = ()  # keys of `properties` that `lineage` of a stack sets, or prefixes followed by ``*``


@dataclass(frozen=True, kw_only=True)
class PipelineRules(KindRules):
    """A kind of engine of `pipelines`. It writes to tables of catalogs of the kinds in ``catalogs``.

    ``sources`` are the keys of `from` that it reads, ``takes`` those of `columns` and `transforms`. ``check``
    takes the lakehouse, and yields problems of its pipelines. ``failure`` says why one of them may have failed.
    """

    catalogs: tuple[str, ...]
    sources: tuple[str, ...]
    failure: str
    takes: tuple[str, ...] = ()
    check: Callable[[Any], Iterable[Problem]] = lambda lakehouse: ()
    needs: tuple[str, ...] = ()  # platform kinds that it depends on


@dataclass(frozen=True)
class Kinds:
    """All kinds by their words, in the order in which they are offered."""

    stores: Mapping[str, StoreRules]
    catalogs: Mapping[str, CatalogRules]
    engines: Mapping[str, EngineRules]
    platform: Mapping[str, KindRules]
    pipelines: Mapping[str, PipelineRules]
    monitoring: Mapping[str, KindRules] = field(default_factory=dict)  # what a stack with `monitoring` has
    lineage: Mapping[str, KindRules] = field(default_factory=dict)  # what a stack with `lineage` has

    @property
    def built_in(self) -> set[str]:
        """Names of the engines' built-in catalogs."""
        return {name for kind in self.engines.values() for name in kind.catalogs}


_registered: list[Kinds] = []


def register(kinds: Kinds) -> None:
    """Set the known kinds, replacing those registered before."""
    _registered[:] = [kinds]


def known() -> Kinds:
    """The registered kinds. Loads them if none is registered."""
    if not _registered:
        importlib.import_module(HOME)
    return _registered[0]
