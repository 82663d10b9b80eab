"""What the bootstrap asks of a catalog, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.errors import Conflict, RemoteError
from lakehouse.spec.kinds import Limits

#: Called with the number of tables read so far, and of all.
Reading = Callable[[int, int], None]


class LiveCatalog(Protocol):
    """A catalog's contents. Names are dotted; writes raise the errors of :mod:`bootstrap.remote.errors`."""

    @property
    def limits(self) -> Limits:
        """What its kind can do."""

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        """What is there: all names, and the given tables in full (None: all tables)."""

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None: ...

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None: ...

    def drop_namespace(self, name: str) -> None: ...

    def register_table(self, name: str, metadata_location: str) -> None:
        """Make a table of a metadata file that is there. Raises Exists if there is something of that name."""

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        """Carry out an Iceberg REST commit: ``requirements`` and ``updates``; it creates under ``assert-create``."""

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        """Take the table out of the catalog; ``purge`` deletes its files too. Returns what of that it could not do.

        Raises Conflict if the table of that name is another one: ``identity`` is the UUID in the table's metadata.
        """
        ...


@runtime_checkable
class Remembers(Protocol):
    """A catalog with a history of its own, and with tables on further branches and tags."""

    def elsewhere(self) -> Mapping[str, str]:
        """The folders of the tables on other branches and tags, by ``TABLE on REFERENCE``."""

    def gone(self, names: Collection[str]) -> Mapping[str, Gone]:
        """How each of these tables, which are not there, went; those that never were there are left out."""


@runtime_checkable
class HasReferences(Protocol):
    """A catalog with branches and tags of its own."""

    def other_references(self) -> list[str]:
        """Branches and tags besides the one that the connection is at."""

    def metadata_elsewhere(self, table: str) -> set[str]:
        """The addresses of the table's metadata files on the other branches and tags."""


@runtime_checkable
class Locates(Protocol):
    """A catalog whose list of tables says where each one is."""

    def locations(self) -> Mapping[str, str]:
        """The address of each table's metadata file, by the table's name; no table is read."""


class Head(NamedTuple):
    """A table as its catalog names it: where its metadata file is, and its current snapshot; None if it has none."""

    location: str
    snapshot: int | None


@runtime_checkable
class Heads(Protocol):
    """A catalog that says of tables where they are and at which snapshot, and reads none for it."""

    def heads(self) -> Mapping[str, Head]:
        """All tables by name."""

    def head(self, table: str) -> Head:
        """One table as it is by now. Raises Missing if there is none of that name."""


@dataclass(frozen=True)
class Gone:
    """A table that is no longer there: ``how`` it went, in words, and where the last of its metadata files is.

    ``renamed_to`` is its new name, where it has one.
    """

    how: str
    metadata_location: str
    renamed_to: str = ""


def same(what: str, identity: str, found: str) -> None:
    """Raise Conflict where a table was dropped and made again since its ``identity`` was read; ``what`` names it."""
    if found != identity:
        raise Conflict(f"{what} is another table than the one that was to be dropped")


@runtime_checkable
class CommitsMany(Protocol):
    """A catalog that takes the commits of many tables in one request."""

    def commit_tables(self, commits: Mapping[str, Mapping[str, Any]]) -> Mapping[str, RemoteError]:
        """Carry out commits as :meth:`LiveCatalog.commit_table` does; returns the error of each table that failed.

        A table that fails does not stop the others. Raises if nothing at all could be sent.
        """
        ...
