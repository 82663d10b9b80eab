"""Catalogs: each is read as a whole, with its namespaces, tables, branches and tags, and created if its server can.

Those of Nessie, Glue and others exist with their server, so no change of them is ever planned. Polaris creates catalogs
on request: an update names the entity's version at the time of the plan, by which the server refuses an outdated
update.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.catalogs.base import CatalogEntity, CatalogTerms, MakesCatalogs
from bootstrap.iceberg.claims import of_table, of_view
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.marks import DELETABLE
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Refused
from lakehouse.spec.claims import parts
from lakehouse.spec.locations import scattered
from lakehouse.spec.model import Catalog, Lakehouse
from lakehouse.spec.renames import former_names, former_namespaces
from lakehouse.text.written import written

CATALOG = "catalog"
_STORAGE = "storage "  # the beginning of details
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class CatalogSettings(Body):
    """All of a catalog's properties and storage settings; ``version`` is the version that they change."""

    properties: Mapping[str, str]
    storage: Settings
    version: int = 0


@dataclass(frozen=True)
class CatalogGone(Body):
    """A catalog to drop; ``through`` is the catalog of the file by which its server is reached."""

    through: str
    version: int


@dataclass(frozen=True)
class Server:
    """A catalog of the file on a server that creates catalogs: its name there, and all catalogs of the server."""

    warehouse: str
    storage: Settings
    there: Mapping[str, CatalogEntity]
    terms: CatalogTerms

    def wanted(self, owner: str, spec: Catalog) -> tuple[dict[str, str], dict[str, Any]]:
        """The properties and storage settings that the file wants."""
        properties = {self.terms.base: str(spec.location), **self.terms.properties, **spec.properties}
        if scattered(spec):
            properties[self.terms.anywhere] = "true"
        if spec.deletable:
            properties[DELETABLE] = owner
        tables = (table for namespace in spec.namespaces.values() for table in namespace.tables.values())
        places = {table.location for table in tables if table.location is not None}
        outside = sorted(each for each in places if not f"{each}/".startswith(f"{spec.location}/"))
        return properties, {**self.storage, self.terms.allowed: [str(spec.location), *outside]}


class Catalogs(ObjectKind):
    words = (CATALOG,)
    bodies = {"create": CatalogSettings, "update": CatalogSettings, "destroy": CatalogGone}

    def prepare(self, lakehouse: Lakehouse, world: World) -> None:
        """Give a server the store's present addresses, before it is asked for tables: it reads them by its own.

        They change with ports and with `secure`, so the former ones may not answer, and then no plan can be made.
        """
        for name, spec in lakehouse.catalogs.items():
            live = world.catalog(name)
            if not isinstance(live, MakesCatalogs):
                continue
            have = live.entities().get(live.warehouse)
            if have is None or have.properties.get(live.terms.base, "").rstrip("/") != spec.location:
                continue
            if (storage := _readdressed(have.storage, live.storage, live.terms)) is not None:
                live.update_catalog(have.version, have.properties, storage)

    def read(self, look: Inquiry) -> Put:
        """Read the tables that the file names, and all of exclusive catalogs; ``reading`` counts over all catalogs."""
        counted: dict[str, tuple[int, int]] = {}

        def catalog(name: str, spec: Catalog) -> tuple[CatalogFacts, Server | None]:
            def count(read: int, of: int) -> None:
                counted[name] = (read, of)
                if look.reading:
                    reads = list(counted.values())  # one copy: the other catalogs' threads count meanwhile
                    look.reading(sum(each for each, _ in reads), sum(all_ for _, all_ in reads))

            named = {f"{name}.{each}" for name, of in spec.namespaces.items() for each in (*of.tables, *of.views)}
            named |= set(former_names(spec).values())
            whole = look.everything or spec.managed == "exclusive" or bool(former_namespaces(spec))
            live = look.world.catalog(name)
            server = None
            if isinstance(live, MakesCatalogs):
                server = Server(live.warehouse, live.storage, live.entities(), live.terms)
            return live.facts(None if whole else named, count), server

        specs = look.lakehouse.catalogs
        with ThreadPoolExecutor(max(1, len(specs))) as pool:
            read = {name: pool.submit(catalog, name, spec) for name, spec in specs.items()}
            found = {name: each.result() for name, each in read.items()}
        contents = {name: facts for name, (facts, _) in found.items()}
        servers = {name: server for name, (_, server) in found.items() if server is not None}

        def put(facts: Facts) -> Facts:
            return replace(facts, catalogs=contents, own={**facts.own, CATALOG: servers} if servers else facts.own)

        return put

    def compare(self, found: Differences) -> None:
        servers: Mapping[str, Server] = found.facts.own.get(CATALOG, {})
        for name, server in servers.items():
            spec = found.lakehouse.catalogs[name]
            have = server.there.get(server.warehouse)
            if have is None:
                properties, storage = server.wanted(found.lakehouse.name, spec)
                details = tuple(Detail("+", f"{key} = {value}") for key, value in properties.items())
                body = CatalogSettings(properties, storage)
                found.changes.append(Change("create", CATALOG, "", name, details, body))
            elif (place := have.properties.get(server.terms.base, "")).rstrip("/") != spec.location:
                rule = f"it is at {place} on its server, and a catalog cannot be moved"
                fix = "Keep that location, or write another `warehouse` for a new catalog"
                found.refuse(address(CATALOG, "", name), f"{rule}. {fix}", ("catalogs", name, "location"))

    def compare_unnamed(self, found: Differences) -> None:
        servers: Mapping[str, Server] = found.facts.own.get(CATALOG, {})
        for name, server in servers.items():  # only now it is known which tables go, and so which locations
            have = server.there.get(server.warehouse)
            if have is not None and address(CATALOG, "", name) not in found.barred:
                _update(found, name, server, have)
        named = {server.warehouse for server in servers.values()}
        there = {name: (each, through) for through, server in servers.items() for name, each in server.there.items()}
        for name in sorted(there.keys() - named):
            have, through = there[name]
            change = Change("destroy", CATALOG, "", name, (), CatalogGone(through, have.version))
            if name in found.lakehouse.catalogs:
                found.unnamed.append(change.address)  # another catalog of the file has this address
            else:
                found.destroy(change, marked=have.properties.get(DELETABLE) == found.lakehouse.name)

    def there(self, found: Differences) -> Iterable[str]:
        servers: Mapping[str, Server] = found.facts.own.get(CATALOG, {})
        for each in found.catalogs:
            server = servers.get(each.name)
            if server is None or server.warehouse in server.there:
                yield address(CATALOG, "", each.name)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":
            yield from (each.address for each in changes.inside(change.name, destroyed=True))
        elif any(each.symbol == "-" or each.text.startswith(_STORAGE) for each in change.details if each.symbol != "+"):
            # It may take a location away, and without its location a table's files could not be deleted.
            dropped = (*changes.of("table", "destroy"), *changes.of("view", "destroy"))
            yield from (each.address for each in dropped if each.catalog == change.name)

    def sent_to(self, change: Change) -> str:
        return change.body.through if isinstance(change.body, CatalogGone) else change.name

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        server = work.catalog(self.sent_to(change))
        if not isinstance(server, MakesCatalogs):
            raise Refused(f"{change.address}: no server of this lakehouse creates or drops catalogs")
        match change.body:
            case CatalogGone():
                server.drop_catalog(change.name)
            case CatalogSettings(properties, storage, version) if change.op == "update":
                server.update_catalog(version, properties, storage)
            case CatalogSettings(properties, storage):
                server.create_catalog(properties, storage)
        return ""


def closed(found: Differences, name: str) -> str:
    """Why nothing can be created in the catalog; empty if something can. Called after the catalogs are compared."""
    catalog = address(CATALOG, "", name)
    return f'nothing is created in a refused catalog: first fix "{catalog}"' if catalog in found.barred else ""


class _Staying:
    """The folders of the tables and views that the plan does not drop, for a catalog in ``root`` that was read."""

    def __init__(self, found: Differences, catalog: str, root: str) -> None:
        tables = found.facts.catalogs[catalog].tables.items()
        staying = ((name, table) for name, table in tables if address("table", catalog, name) not in found.going)
        self.folders = [(name, claim.location) for name, table in staying for claim in of_table(name, "", table)]
        for name, view in found.facts.catalogs[catalog].views.items():
            if address("view", catalog, name) not in found.going:
                self.folders += [(name, claim.location) for claim in of_view(name, "", view)]
        self.root = root

    @property
    def anywhere(self) -> bool:
        """Whether one of them is not in the folder of its namespace."""
        return any(not _is_in(each, "/".join((self.root, *name.split(".")[:-1]))) for name, each in self.folders)

    def among(self, locations: Iterable[str], others: Iterable[str]) -> list[str]:
        """The locations that one of the folders is in, if it is in none of the ``others``."""
        needed = [each for _, each in self.folders if not any(_is_in(each, other) for other in others)]
        return [each for each in locations if any(_is_in(folder, each) for folder in needed)]


def _is_in(folder: str, location: str) -> bool:
    around = parts(location)
    return parts(folder)[: len(around)] == around


def _update(
    found: Differences,
    name: str,
    server: Server,
    have: CatalogEntity,
) -> None:
    spec, terms = found.lakehouse.catalogs[name], server.terms
    properties, storage = server.wanted(found.lakehouse.name, spec)
    exclusive = spec.managed == "exclusive"
    there = {key: value for key, value in have.properties.items() if key != terms.base}
    want = {key: value for key, value in properties.items() if key != terms.base}
    gone = {key for key in there.keys() - want.keys() if exclusive or key == DELETABLE}
    if there.get(DELETABLE) != found.lakehouse.name:
        gone.discard(DELETABLE)  # a mark that another lakehouse's file set is not ours to remove
    more = [each for each in have.storage.get(terms.allowed, ()) if each not in storage[terms.allowed]]
    if exclusive:  # else others may have tables there
        staying = _Staying(found, name, str(spec.location))
        more = staying.among(more, storage[terms.allowed])
        if staying.anywhere:
            gone.discard(terms.anywhere)
    found.unnamed += (f"location {name} {each}" for each in more)
    storage = {**storage, terms.allowed: [*storage[terms.allowed], *more]}
    lines = [
        *_lines("property ", there, want, gone),
        *_lines(_STORAGE, _shown(have.storage), _shown(storage), {*have.storage} - {*storage} - terms.own),
    ]
    if not have.readable:
        lines.append(Detail("+", "privilege to read and write data"))
    if lines:
        # The server replaces all properties and settings by those that it is sent.
        kept = {key: value for key, value in have.properties.items() if key not in gone}
        body = CatalogSettings({**kept, **properties}, storage, have.version)
        found.changes.append(Change("update", CATALOG, "", name, tuple(lines), body))
    found.unnamed += (f"property {name}.{key}" for key in sorted(there.keys() - want.keys() - gone))


def _readdressed(have: Settings, wanted: Settings, terms: CatalogTerms) -> Settings | None:
    """A catalog's storage settings with the addresses that are wanted; None if it has them."""
    present = {key: wanted[key] for key in terms.addresses & wanted.keys() & have.keys()}
    if all(have[key] == value for key, value in present.items()):
        return None
    return {key: value for key, value in have.items() if key in {*wanted, terms.allowed}} | present


def _shown(storage: Settings) -> dict[str, Any]:
    said = {key: value for key, value in storage.items() if value is not None}
    return {key: sorted(value) if isinstance(value, list) else value for key, value in said.items()}


def _lines(what: str, have: Settings, want: Settings, gone: Iterable[str]) -> Iterator[Detail]:
    for key, value in want.items():
        if key not in have:
            yield Detail("+", f"{what}{key} = {written(value)}")
        elif have[key] != value:
            yield Detail("~", f"{what}{key}: {written(have[key])} -> {written(value)}")
    yield from (Detail("-", f"{what}{key}") for key in sorted(gone) if key in have)
