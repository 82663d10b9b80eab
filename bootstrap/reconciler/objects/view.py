"""Views: created, replaced by a new version, and dropped, after the tables that they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from functools import lru_cache
from typing import Any

from bootstrap.catalogs.base import HasViews, SeenView
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import VOLATILE, CatalogFacts, Home
from bootstrap.iceberg.view import DROPS, DROPS_ONCE, ViewFacts, definition
from bootstrap.reconciler import properties, renames
from bootstrap.reconciler.changes import Body, Change, Op, address
from bootstrap.reconciler.differences import CatalogPair, Differences
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.marks import DELETABLE, OURS, is_deletable
from bootstrap.reconciler.objects.catalog import closed
from bootstrap.reconciler.objects.namespace import opens, renamed_around
from bootstrap.reconciler.tables.recheck import Recheck
from bootstrap.reconciler.tables.wanted import COMMENT
from bootstrap.reconciler.view_order import ViewOrder
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Refused
from lakehouse.iceberg.types import NO_ID, Field, Struct
from lakehouse.spec import model
from lakehouse.spec.sql import as_said, words

VIEW = "view"
#: Property in which Spark keeps the names of the columns that its query returns.
QUERY_COLUMNS = "spark.query-column-names"
#: Properties that engines set for themselves, so that nobody misses them in a file.
_ENGINES = ("spark.", "engine_version", "create_engine_version", "create-", "engine-", "queryColumnNames", "trino")
#: Why a view gets no entry: the next apply would give its query another meaning.
_ELSEWHERE = (
    "names without a namespace in its SQL belong to {}, and in a file's entry they belong to {}. "
    "Write the entry yourself, with the namespaces of all names"
)


@dataclass(frozen=True)
class NewView(Body):
    """A view to create: its definition as :func:`bootstrap.iceberg.view.definition` makes it."""

    location: str
    definition: Mapping[str, Any]
    properties: Mapping[str, str]


@dataclass(frozen=True)
class ChangedView(Body):
    """A new version of the view that the plan saw, or only other properties if ``definition`` is None."""

    uuid: str
    version: int
    definition: Mapping[str, Any] | None
    updates: Mapping[str, str]
    removals: tuple[str, ...]


@dataclass(frozen=True)
class ViewGone(Body):
    """A view to drop, if it is still the version that the plan saw; ``sql`` are its queries."""

    uuid: str
    version: int
    sql: tuple[str, ...]


@dataclass(frozen=True)
class WantedView:
    """A view as the file describes it; ``at`` is its path in the file."""

    name: str
    sql: Mapping[str, str]
    columns: Struct
    properties: Mapping[str, str]
    location: str
    at: tuple[str, ...]


class IcebergViews(ObjectKind):
    words = (VIEW,)
    bodies = {"create": NewView, "update": ChangedView, "destroy": ViewGone}

    def compare(self, found: Differences) -> None:
        for catalog in found.catalogs:
            for view in _wanted(catalog.name, catalog.spec):
                _compare(found, catalog, view)

    def compare_unnamed(self, found: Differences) -> None:
        for catalog in found.catalogs:
            named = {view.name for view in _wanted(catalog.name, catalog.spec)}
            for name in sorted((catalog.facts.views.keys() | catalog.facts.other_views) - named):
                _unnamed(found, catalog, name)

    def there(self, found: Differences) -> Iterable[str]:
        for catalog in found.catalogs:
            names = (*catalog.facts.views, *catalog.facts.other_views)
            yield from (address(VIEW, catalog.name, each) for each in names)

    def describe(self, found: Entries) -> None:
        for catalog in found.catalogs:
            renaming = frozenset() if found.everything else renames.untouchable(catalog.spec, catalog.facts)
            spaces = {f"{catalog.name}.{each}" for each in catalog.facts.namespaces}
            for full, there in sorted(catalog.facts.views.items()):
                if full in renaming:
                    continue
                namespace, _, name = full.rpartition(".")
                known = catalog.spec.namespaces[namespace].views if namespace in catalog.spec.namespaces else {}
                at = ("catalogs", catalog.name, "namespaces", namespace, "views", name)
                if namespace in catalog.facts.namespaces and (found.everything or name not in known):
                    elsewhere = _elsewhere(catalog, full, there)
                    if name not in known and elsewhere in spaces:  # else no engine of the file finds such names
                        found.leave(*at, why=_ELSEWHERE.format(elsewhere, f"{catalog.name}.{namespace}"))
                    else:
                        found.add(*at, entry=_described(there))

    def level(self, change: Change, changes: Changes) -> int:
        """Its place among the planned views, in which what is read comes first."""
        return _order(changes, destroyed=change.op == "destroy").places[change.address]

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":  # what reads it goes first
            yield from readers(change, changes)
            return
        yield from (each.address for each in changes.of("bucket", "create"))
        yield address("catalog", "", change.catalog)  # it allows the view's location
        yield address("namespace", change.catalog, change.name.rpartition(".")[0])
        yield from renamed_around(change)
        # A view may also get the name that a table had.
        left = (each for each in changes.of("rename", "update") if getattr(each.body, "former", "") == change.name)
        reads = _order(changes, destroyed=False).reads[change.address]
        yield from dict.fromkeys((*reads, *(each.address for each in left)))

    def reads(self, change: Change, changes: Changes) -> Iterable[str]:
        """Refused tables and views that it seems to read: by their names with the namespace, or in its own one."""
        if change.op == "destroy":
            return
        said, own = _words(change), f"{change.catalog}.{change.name}".rpartition(".")[0]
        for each in sorted(changes.barred - {change.address}):
            word, _, full = each.partition(" ")
            space, _, name = full.rpartition(".")
            near = space == own or said.issuperset(space.partition(".")[2].lower().split("."))
            if word in ("table", VIEW) and name.lower() in said and near:
                yield each

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        catalog = work.catalog(change.catalog)
        if not isinstance(catalog, HasViews):
            raise Refused(f"{change.address}: its catalog keeps no Iceberg views")
        match change.body:
            case NewView(location, wanted, content):
                work.kept(Recheck, change.catalog).before_view(change.name, location)
                catalog.create_view(change.name, location, wanted, content)
            case ChangedView(identity, version, wanted, updates, removals):
                catalog.replace_view(change.name, SeenView(identity, version), wanted, updates, removals)
            case ViewGone(identity, version):
                catalog.drop_view(change.name, SeenView(identity, version))
        return ""


def _words(change: Change) -> frozenset[str]:
    """The words in a view's SQL, among them the names of what it reads."""
    match change.body:
        case NewView(_, {"version": version}) | ChangedView(_, _, {"version": version}):
            return words(" ".join(each["sql"] for each in version["representations"]))
        case ViewGone(_, _, sql):
            return words(" ".join(sql))
    return frozenset()


def readers(change: Change, changes: Changes) -> Iterable[str]:
    """The addresses of the views to drop that seem to read a view or table to drop."""
    return _order(changes, destroyed=True).readers.get(change.address, ())


@lru_cache(maxsize=4)
def _order(changes: Changes, *, destroyed: bool) -> ViewOrder:
    """The order of the planned views with one fate, computed once for a plan."""
    ops: tuple[Op, ...] = ("destroy",) if destroyed else ("create", "update")
    tables = [each for word in ("table", "rename") for op in ops for each in changes.of(word, op)]
    return ViewOrder.of({each.address: _words(each) for op in ops for each in changes.of(VIEW, op)}, tables)


def _wanted(catalog: str, spec: model.Catalog) -> Iterator[WantedView]:
    for namespace, content in spec.namespaces.items():
        for name, view in content.views.items():
            own = dict(view.properties)
            if view.doc is not None:
                own[COMMENT] = view.doc
            if view.deletable:
                own[DELETABLE] = "true"
            columns = [Field(NO_ID, each, of.type.parsed, False, of.doc) for each, of in view.columns.items()]
            yield WantedView(
                f"{namespace}.{name}",
                view.sql,
                Struct(tuple(columns)),
                own,
                "/".join([str(spec.location), *namespace.split("."), name]),
                ("catalogs", catalog, "namespaces", namespace, "views", name),
            )


def _compare(found: Differences, catalog: CatalogPair, want: WantedView) -> None:
    view = address(VIEW, catalog.name, want.name)
    if view in found.barred:
        return  # its namespace does not get its new name
    have, home = catalog.facts.views.get(want.name), found.facts.homes.get(f"{catalog.name}.{want.name}")
    message = _refusal(catalog.facts, want)
    if not message and have is None:
        message = closed(found, catalog.name) or (home.refused if home else "")
    if message:
        found.refuse(view, message, want.at)
    elif have is None:
        found.changes.append(_created(catalog.name, want, home))
    else:
        _changed(found, catalog, want, have)


def _refusal(facts: CatalogFacts, want: WantedView) -> str:
    if not facts.limits.views:
        return f"{facts.limits.kind} keeps no Iceberg views. Remove the entry"
    if want.name in facts.tables:
        return "a table has this name. Choose another name"
    if want.name in facts.others:
        return "something other than an Iceberg view has this name. Choose another name"
    if want.name in facts.other_views:
        return "the catalog lists it, but it cannot be read as an Iceberg view. Choose another name"
    return ""


def _created(catalog: str, want: WantedView, home: Home | None) -> Change:
    location = home.location if home else want.location
    details = [Detail("+", f"location {location}: {home.reason}")] if home and home.reason else []
    details += [Detail("+", f"column {_said(field)}") for field in want.columns.fields]
    for engine, text in want.sql.items():
        details += [Detail("+", f"sql {engine}: {line}") for line in text.splitlines()]
    details += [Detail("+", f"property {key} = {value}") for key, value in want.properties.items()]
    content = definition(want.sql, want.columns, catalog, want.name.rpartition(".")[0])
    body = NewView(location, content, properties.created(want.properties))
    return Change("create", VIEW, catalog, want.name, tuple(details), body)


def _changed(found: Differences, catalog: CatalogPair, want: WantedView, have: ViewFacts) -> None:
    namespace = want.name.rpartition(".")[0]
    details = [*_columns(have.columns, want.columns), *_sql(have.sql, want.sql)]
    if elsewhere := _elsewhere(catalog, want.name, have):
        details.append(Detail("~", f"names without a namespace: {elsewhere} -> {catalog.name}.{namespace}"))
    content = definition(want.sql, want.columns, catalog.name, namespace) if details else None
    there = {key: value for key, value in have.properties.items() if key in want.properties or not _engines_own(key)}
    if content is not None and QUERY_COLUMNS in have.properties:  # Spark would look for the former query's columns
        there[QUERY_COLUMNS] = have.properties[QUERY_COLUMNS]
    ours = {QUERY_COLUMNS, *((DROPS,) if DROPS_ONCE in have.properties else ())}
    change = properties.changed(
        want.properties, there, lambda key: key in ours or properties.removable(key, catalog.exclusive)
    )
    if details or change.updates or change.removals:
        body = ChangedView(have.uuid, have.version, content, change.updates, tuple(change.removals))
        details += change.details
        found.changes.append(Change("update", VIEW, catalog.name, want.name, tuple(details), body))
    found.unnamed += properties.unnamed(f"{catalog.name}.{want.name}", want.properties, there, change.removals)


def _elsewhere(catalog: CatalogPair, name: str, have: ViewFacts) -> str:
    """Where names without a namespace in the view's query belong; empty if it is the view's own namespace."""
    default = f"{have.default_catalog or catalog.name}.{have.default_namespace}"
    # Without a namespace the engine could make the view only if its query needs none.
    return default if have.default_namespace and default != f"{catalog.name}.{name.rpartition('.')[0]}" else ""


def _engines_own(key: str) -> bool:
    return key.startswith((*_ENGINES, *VOLATILE))


def _columns(have: Struct, want: Struct) -> Iterator[Detail]:
    return _differences("column ", [_said(field) for field in have.fields], [_said(field) for field in want.fields])


def _said(field: Field) -> str:
    return f"{field.name} {field.type}" + (f" ({field.doc})" if field.doc else "")


def _sql(have: Mapping[str, str], want: Mapping[str, str]) -> Iterator[Detail]:
    for engine in dict.fromkeys([*want, *have]):
        before, after = have.get(engine, ""), want.get(engine, "")
        lines = list(_differences(f"sql {engine}: ", before.splitlines(), after.splitlines()))
        yield from lines or ([] if before == after else [Detail("~", f"sql {engine}: line breaks")])


def _differences(what: str, have: list[str], want: list[str]) -> Iterator[Detail]:
    """The lines that come and go."""
    for line in list(unified_diff(have, want, n=0, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield Detail(line[0], what + line[1:])


def _unnamed(found: Differences, catalog: CatalogPair, name: str) -> None:
    have, opened = catalog.facts.views.get(name), opens(catalog, name)
    if have is None:  # it was only listed: nothing is known about it, so it is not destroyed
        found.stay(address(VIEW, catalog.name, name), marked=False, ours=catalog.exclusive, opened=opened)
        return
    change = Change(
        "destroy", VIEW, catalog.name, name, (), ViewGone(have.uuid, have.version, tuple(have.sql.values()))
    )
    found.destroy(change, marked=is_deletable(have.properties), ours=catalog.exclusive, opened=opened)


def _described(view: ViewFacts) -> dict[str, Any]:
    columns = {
        field.name: {"type": str(field.type), "doc": field.doc} if field.doc else str(field.type)
        for field in view.columns.fields
    }
    entry: dict[str, Any] = {"sql": as_said(view.sql), "columns": columns}
    chosen = (each for each in view.properties.items() if each[0] != COMMENT and not each[0].startswith(OURS))
    if own := {key: value for key, value in chosen if not _engines_own(key)}:
        entry["properties"] = own
    if COMMENT in view.properties:
        entry["doc"] = view.properties[COMMENT]
    if is_deletable(view.properties):
        entry["deletable"] = True
    return entry
