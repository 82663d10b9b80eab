"""What the bootstrap needs from a catalog of any kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.iceberg.view import ViewFacts
from bootstrap.remote.errors import Conflict, RemoteError
from lakehouse.spec.kinds import Limits

#: Called with the number of tables read so far, and the number of all tables.
Reading = Callable[[int, int], None]


class LiveCatalog(Protocol):
    """A catalog's contents. Names are dotted; writes raise the errors of :mod:`bootstrap.remote.errors`."""

    @property
    def limits(self) -> Limits:
        """What its kind can do."""

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        """What exists: all names, and the given tables and views in full (None: all of them)."""

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        """``facts`` with the tables and views in full that were only listed. Nothing is listed again.

        What is no Iceberg table or view, or has vanished meanwhile, stays among those that were only listed.
        """
        ...

    def read(self, names: Collection[str]) -> CatalogFacts:
        """Only these tables and views, as they are now, without those that do not exist. The catalog is not listed."""
        ...

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None: ...

    def update_namespace(self, name: str, updates: Mapping[str, str], removals: Collection[str]) -> None: ...

    def drop_namespace(self, name: str) -> None: ...

    def register_table(self, name: str, metadata_location: str) -> None:
        """Create a table from an existing metadata file. Raises Exists if the name is taken."""

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        """Carry out an Iceberg REST commit: ``requirements`` and ``updates``; ``assert-create`` creates the table."""

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        """Drop the table from the catalog; ``purge`` deletes its files too. Returns what it could not do, as text.

        ``identity`` is the UUID in the table's metadata. Raises Conflict if the table of that name has another one.
        """
        ...


class SeenView(NamedTuple):
    """A view as a plan saw it: the UUID in its metadata, and the id of its current version."""

    uuid: str
    version: int


@runtime_checkable
class HasViews(Protocol):
    """A catalog that keeps Iceberg views. ``wanted`` is a :func:`bootstrap.iceberg.view.definition`."""

    def create_view(self, name: str, location: str, wanted: Mapping[str, Any], properties: Mapping[str, str]) -> None:
        """Create the view. Raises Exists if the name is taken."""

    def replace_view(
        self,
        name: str,
        seen: SeenView,
        wanted: Mapping[str, Any] | None,
        updates: Mapping[str, str],
        removals: Collection[str],
    ) -> None:
        """Give the view a new version (None: it keeps its own), and set and remove properties.

        Raises Conflict if it is no longer what was ``seen``.
        """

    def drop_view(self, name: str, seen: SeenView) -> None:
        """Drop the view. Raises Conflict if it is no longer what was ``seen``."""


@runtime_checkable
class Remembers(Protocol):
    """A catalog with its own history, and with tables on other branches and tags."""

    def elsewhere(self) -> Mapping[str, str]:
        """The folders of tables and views on other branches and tags, by ``TABLE on REFERENCE``."""

    def gone(self, names: Collection[str]) -> Mapping[str, Gone]:
        """How each of these missing tables was lost; tables that never existed are left out."""

    def formerly(self, name: str) -> Iterator[Gone]:
        """All tables that had the name and lost it, the last one first."""


@runtime_checkable
class HasReferences(Protocol):
    """A catalog with its own branches and tags."""

    def other_references(self) -> list[str]:
        """All branches and tags except the one that the connection uses."""

    def tables_elsewhere(self) -> Mapping[str, str]:
        """The addresses of the metadata files of all tables on the other branches and tags, by ``TABLE on REFERENCE``.

        Of all, because a table that was renamed has its former name there.
        """
        ...


@runtime_checkable
class Locates(Protocol):
    """A catalog that lists its tables and views with their locations."""

    def locations(self) -> Mapping[str, str]:
        """The address of the metadata file of each table and view, by its name. Reads none of them."""


class Head(NamedTuple):
    """A table as its catalog lists it: its metadata file's address, and its current snapshot (None: it has none)."""

    location: str
    snapshot: int | None


@runtime_checkable
class Heads(Protocol):
    """A catalog that knows the location and snapshot of its tables without reading them."""

    def heads(self) -> Mapping[str, Head]:
        """All tables by name."""

    def head(self, table: str) -> Head:
        """One table as it is now. Raises Missing if there is none of that name."""


@dataclass(frozen=True)
class Gone:
    """A table that no longer exists: ``how`` it was lost, as text, and where its last metadata file is.

    ``renamed_to`` is its new name; empty if it has none.
    """

    how: str
    metadata_location: str
    renamed_to: str = ""


def unchanged_view(what: str, seen: SeenView, found: ViewFacts) -> None:
    """Check that a view is as it was ``seen``; ``what`` names it in the error. Raises Conflict if it is not."""
    if found.uuid != seen.uuid:
        raise Conflict(f"{what} is another view than the plan saw")
    if found.version != seen.version:
        raise Conflict(f"{what} has version {found.version}, and the plan saw version {seen.version}")


def same(what: str, identity: str, found: str) -> None:
    """Check that the table is still the same one; ``what`` names it in the error.

    Raises Conflict if it was dropped and created again since its ``identity`` was read.
    """
    if found != identity:
        raise Conflict(f"{what} is another table than the plan saw")


@dataclass(frozen=True)
class CatalogEntity:
    """A catalog as its server stores it; ``version`` is the one that an update must name.

    ``readable``: the principal that creates catalogs may read and write their data.
    """

    name: str
    version: int
    properties: Mapping[str, str]
    storage: Mapping[str, Any]
    readable: bool = True


@dataclass(frozen=True)
class CatalogTerms:
    """The names that a server which makes catalogs has for their settings."""

    base: str  # property with the catalog's location
    anywhere: str  # property that, if "true", lets tables be outside the folder of their namespace
    properties: Mapping[str, str]  # those that every catalog has
    allowed: str  # storage setting with all locations that its tables may be in
    own: frozenset[str]  # storage settings that the server adds by itself
    addresses: frozenset[str] = frozenset()  # storage settings by which the server itself reaches the store


@runtime_checkable
class MakesCatalogs(Protocol):
    """A catalog whose server creates and drops catalogs on request, and can have several."""

    terms: CatalogTerms

    @property
    def warehouse(self) -> str:
        """The name by which the server knows the catalog."""

    @property
    def storage(self) -> Mapping[str, Any]:
        """The server's settings for the catalog's files, without the allowed locations."""

    def entities(self) -> Mapping[str, CatalogEntity]:
        """Every catalog of the server, by the server's name for it."""

    def create_catalog(self, properties: Mapping[str, str], storage: Mapping[str, Any]) -> None:
        """Create the catalog. Raises Exists if there is one of that name."""

    def update_catalog(self, version: int, properties: Mapping[str, str], storage: Mapping[str, Any]) -> None:
        """Set all of these. Raises Conflict if the catalog no longer has that version."""

    def drop_catalog(self, name: str) -> None:
        """Drop one of the server's catalogs. Raises Refused if it is not empty."""


@runtime_checkable
class RenamesTables(Protocol):
    """A catalog that renames a table in one step. The table keeps its rows, its history and its folder."""

    def rename_table(self, former: str, name: str, identity: str) -> None:
        """Give the table ``former`` the name ``name``, which may be in another namespace.

        ``identity`` is the UUID in the table's metadata. Raises Conflict if the table of that name has another one,
        Missing if there is none, Exists if the new name is taken.
        """
        ...


@runtime_checkable
class RenamesNamespaces(Protocol):
    """A catalog that renames a namespace with all that is in it in one commit."""

    def rename_namespace(self, former: str, name: str, inside: Collection[str]) -> None:
        """Give ``former`` the name ``name``; ``inside`` are all tables and namespaces in it.

        Raises Conflict if something else is in it, Missing if there is none, Exists if a new name is taken.
        """
        ...


@runtime_checkable
class CommitsMany(Protocol):
    """A catalog that takes the commits of many tables in one request."""

    def commit_tables(self, commits: Mapping[str, Mapping[str, Any]]) -> Mapping[str, RemoteError]:
        """Carry out commits as :meth:`LiveCatalog.commit_table` does. Returns the error of each table that failed.

        A table that fails does not stop the others. Raises an error if nothing could be sent.
        """
        ...
