"""Rules between the values of a lakehouse.yaml, part by part."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.iceberg import defaults as column_defaults
from lakehouse.iceberg import transforms, types
from lakehouse.spec import limits, support, tables, views
from lakehouse.spec.access import check_access
from lakehouse.spec.aws import check_aws
from lakehouse.spec.catalogs import check_catalogs, check_entries, check_namespaces
from lakehouse.spec.databases import check_databases
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.further import check_properties, no_secrets
from lakehouse.spec.kinds import AWS, KindRules, known
from lakehouse.spec.lineages import check_lineage
from lakehouse.spec.locations import check_locations
from lakehouse.spec.model import Catalog, Column, Lakehouse, Namespace, Table
from lakehouse.spec.monitors import check_monitoring
from lakehouse.spec.pipeline_checks import check_pipelines
from lakehouse.spec.placed import check_hosts
from lakehouse.spec.ports import listeners
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.renames import check_fields, check_renames
from lakehouse.spec.schedules import check_schedule, check_schedule_in_aws
from lakehouse.spec.secure import check_secure
from lakehouse.spec.stacks import AwsStack, LocalStack
from lakehouse.spec.stores import check_buckets, check_store
from lakehouse.spec.table_buckets import check_table_buckets
from lakehouse.spec.upstreams import check_upstreams
from lakehouse.spec.versions import version_refusal
from lakehouse.text.words import listed, suggest

_RESERVED = {  # Iceberg table properties that another key of the file sets
    "format-version": "format_version",
    "location": "location",
    "comment": "doc",
    "provider": "nothing: every table is an Iceberg table",
    "sort-order": "sort_by",
}


def check(lakehouse: Lakehouse, *, engines: bool = True) -> list[Problem]:
    """All problems of a lakehouse whose single values are valid. Without problems it can be deployed.

    With ``engines``, also what an engine does not support and what would harm live tables.
    """
    return list(found(lakehouse, engines=engines))


def found(lakehouse: Lakehouse, *, engines: bool = True) -> Iterator[Problem]:
    """As :func:`check`, one by one, so that the first of many problems come without delay."""
    if engines:
        yield from limits.refusals(lakehouse)
    yield from _contents(lakehouse)
    yield from check_upstreams(lakehouse)
    yield from check_buckets(lakehouse)
    yield from check_locations(lakehouse, everything=engines)
    yield from check_access(lakehouse, everything=engines)
    yield from _engines(lakehouse)
    yield from check_pipelines(lakehouse)
    yield from _stacks(lakehouse, everything=engines)
    yield from support.unsupported(lakehouse)


def _contents(lakehouse: Lakehouse) -> Iterator[Problem]:
    for name, source in lakehouse.sources.items():
        if name in lakehouse.buckets:
            message = f'"{name}" is also one of `buckets`, and s3://{name}/ can mean only one. Remove it here or there'
            yield Problem(("sources", name), message, about=(("buckets", name),))
        if source.endpoint and not source.credentials:
            message = f"{source.endpoint} is not AWS, so the environment's credentials do not fit. Name a file: "
            yield Problem(("sources", name, "endpoint"), message + "`credentials: FILE`")
    for name, catalog in lakehouse.catalogs.items():
        at: KeyPath = ("catalogs", name)
        yield from _built_in(at, name, lakehouse)
        yield from no_secrets((*at, "properties"), catalog.properties)
        yield from _references(at, catalog)
        for namespace, content in catalog.namespaces.items():
            yield from _namespace((*at, "namespaces"), namespace, content, catalog.namespaces)
        yield from check_renames(name, catalog)


def _built_in(at: KeyPath, name: str, lakehouse: Lakehouse) -> Iterator[Problem]:
    if name in known().built_in:
        every = known().catalogs
        chosen = {stack.catalogs[name].kind for stack in lakehouse.stacks.values() if name in stack.catalogs}
        fitting = [word for word, kind in every.items() if name in kind.replaces]
        if not chosen or not chosen <= set(fitting):
            fix = f", or use only catalogs of kind {listed(fitting)} for it" if fitting else ""
            yield Problem(at, f'"{name}" is a built-in catalog of an engine. Choose another name{fix}')


def _namespace(at: KeyPath, name: str, content: Namespace, others: dict[str, Namespace]) -> Iterator[Problem]:
    parent, _, leaf = name.rpartition(".")
    if parent and parent not in others:
        message = f'"{name}" is in the namespace "{parent}", which is not in the file. Add `{parent}: {{}}` before it'
        yield Problem((*at, name), message, about=((*at, parent),))
    elif parent and leaf in others[parent].tables:
        message = f'"{name}" is also the name of a table, and names in a catalog are unique. Rename one.'
        yield Problem((*at, name), message, beside=(*at, parent, "tables", leaf))
    elif parent and leaf in others[parent].views:
        message = f'"{name}" is also the name of a view, and names in a catalog are unique. Rename one.'
        yield Problem((*at, name), message, beside=(*at, parent, "views", leaf))
    yield from no_secrets((*at, name, "properties"), content.properties)
    for table, definition in content.tables.items():
        yield from _table((*at, name, "tables", table), definition)
    for view, query in content.views.items():
        yield from views.check_view((*at, name), view, query, content.tables)


def _references(at: KeyPath, catalog: Catalog) -> Iterator[Problem]:
    sources = {name: each.source for name, each in (*catalog.tags.items(), *catalog.branches.items())}
    for key, references in (("branches", catalog.branches), ("tags", catalog.tags)):
        for name, reference in references.items():
            place = (*at, key, name)
            if name == "main":
                yield Problem(
                    place, '"main" always exists: it is the branch that the catalog works on. Choose another name'
                )
            elif name in _followed(reference.source, sources):
                yield Problem((*place, "from"), f'"{name}" would start at itself. Name another branch or tag')
            if key == "tags" and name in catalog.branches:
                message = f'"{name}" is also the name of a branch, and names in a catalog are unique. Rename one.'
                yield Problem(place, message, beside=(*at, "branches", name))


def _followed(name: str, sources: dict[str, str]) -> set[str]:
    """``name`` and all references from which it is created, directly or indirectly."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        name = sources.get(name, name)
    return seen


def _table(at: KeyPath, table: Table) -> Iterator[Problem]:
    yield from _columns(at, table)
    yield from _partition(at, table)
    yield from _sort(at, table)
    yield from _identifier(at, table)
    yield from tables.check_table(at, table)
    yield from no_secrets((*at, "properties"), table.properties)
    for key in table.properties:
        if key in _RESERVED:
            yield Problem((*at, "properties", key), f'"{key}" is not a property here: it is set by {_RESERVED[key]}')


def _columns(at: KeyPath, table: Table) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    former: dict[str, str] = {}
    for name, column in table.columns.items():
        place = (*at, "columns", name)
        if (first := seen.setdefault(name.lower(), name)) != name:
            message = f'"{name}" and "{first}" differ only in case, and engines treat them as one column. Rename one.'
            yield Problem(place, message, beside=(*at, "columns", first))
        if table.format_version < 3 and (newer := sorted(types.names(column.iceberg_type) & types.VERSION_3)):
            message = f'"{newer[0]}" needs Iceberg\'s format 3, but the table has format {table.format_version}'
            fix = f". Use {newer[0].removesuffix('_ns')}" if newer[0].endswith("_ns") else ". Use string"
            yield Problem((*place, "type"), message + fix, about=((*at, "format_version"),))
        yield from _defaults(place, column, table.format_version, at)
        yield from check_fields(place, column)
        if column.renamed_from is None:
            continue
        if column.renamed_from in table.columns:
            message = f'"{column.renamed_from}" is still a column of the table. Remove one of the two'
            yield Problem((*place, "renamed_from"), message)
        if (other := former.setdefault(column.renamed_from, name)) != name:
            message = f'"{column.renamed_from}" is already the former name of "{other}". Remove one'
            yield Problem((*place, "renamed_from"), message)


def _defaults(place: KeyPath, column: Column, version: int, table: KeyPath) -> Iterator[Problem]:
    for key, text in (("initial_default", column.initial_default), ("write_default", column.write_default)):
        if text is None:
            continue
        if version < 3:
            message = f"default values need Iceberg's format 3, but the table has format {version}. Remove it"
            yield Problem((*place, key), message, about=((*table, "format_version"),))
            continue
        try:
            column_defaults.value(column.type, text)
        except ValueError as error:
            yield Problem((*place, key), str(error), about=((*place, "type"),))


def _partition(at: KeyPath, table: Table) -> Iterator[Problem]:
    columns = {name: column.iceberg_type for name, column in table.columns.items()}
    seen: set[tuple[str, str]] = set()
    for nth, text in enumerate(table.partition_by):
        place = (*at, "partition_by", nth)
        if text.wrong:
            yield Problem(place, text.wrong)
            continue
        transform = text.term
        about = ((*at, "columns", transform.column.partition(".")[0]),)
        if why := transforms.refusal(transform, columns):
            yield Problem(place, why, about)
            continue
        # Iceberg treats the four time transforms as one: a finer one makes a coarser one redundant.
        kind = "time" if transform.name in ("year", "month", "day", "hour") else transform.name
        if (kind, transform.column) in seen:
            message = f'"{text}" partitions by "{transform.column}" a second time in the same way. Remove one'
            yield Problem(place, message)
        seen.add((kind, transform.column))
        if transform.field_name in columns and transform.name != "identity":
            message = (
                f'"{text}" makes a partition field named "{transform.field_name}", the name of a column. Rename it'
            )
            yield Problem(place, message)


def _sort(at: KeyPath, table: Table) -> Iterator[Problem]:
    columns = {name: column.iceberg_type for name, column in table.columns.items()}
    seen: set[transforms.Term] = set()
    for nth, text in enumerate(table.sort_by):
        place = (*at, "sort_by", nth)
        if text.wrong:
            yield Problem(place, text.wrong)
            continue
        transform = text.term
        about = ((*at, "columns", transform.column.partition(".")[0]),)
        if why := transforms.refusal(transform, columns):
            yield Problem(place, why, about)
        elif transform in seen:
            yield Problem(place, f'"{text}" sorts by "{transform}" a second time. Remove one')
        seen.add(transform)


def _identifier(at: KeyPath, table: Table) -> Iterator[Problem]:
    for nth, name in enumerate(table.identifier):
        place = (*at, "identifier", nth)
        column = table.columns.get(name)
        about = ((*at, "columns", name),)
        if column is None:
            message = f'"{name}" is not a column of the table.{suggest(name, table.columns)}'
            yield Problem(place, message, about)
        elif isinstance(column.iceberg_type, types.List | types.Map | types.Struct) or column.type in (
            "float",
            "double",
        ):
            message = f'"{name}" is {column.type}: an identifier column is primitive, but not float or double'
            yield Problem(place, message, about)
        elif not column.required:
            message = f'"{name}" is optional: identifier columns are required. Set {name}: {{required: true}}'
            yield Problem(place, message, (*about, (*about[0], "required")))
        if name in table.identifier[:nth]:
            yield Problem(place, f'"{name}" appears twice. Remove one')


def _engines(lakehouse: Lakehouse) -> Iterator[Problem]:
    for word, kind in known().engines.items():
        entry, at = getattr(lakehouse.engines, word), ("engines", word)
        if entry is None:
            continue
        if why := version_refusal(kind.label, entry.version, kind.versions):
            yield Problem((*at, "version"), why)
        yield from no_secrets((*at, "properties"), entry.properties)
        if kind.further is not None:
            yield from check_properties(at, entry.properties, kind)
        yield from kind.check(lakehouse)


def _stacks(lakehouse: Lakehouse, *, everything: bool) -> Iterator[Problem]:
    for name, stack in lakehouse.stacks.items():
        at: KeyPath = ("stacks", name, "catalogs")
        for catalog in stack.catalogs:
            if catalog not in lakehouse.catalogs:
                message = f'"{catalog}" is not one of `catalogs`.{suggest(catalog, lakehouse.catalogs)}'
                yield Problem((*at, catalog), message, (("catalogs", catalog),))
        for catalog in lakehouse.catalogs:
            if catalog not in stack.catalogs:
                kind = support.on(known().catalogs, stack.runtime if isinstance(stack, LocalStack) else AWS)[0]
                message = f'"{catalog}" is missing: every stack has all of `catalogs`. Add {catalog}: {kind}'
                yield Problem(at, message, ((*at, catalog),))
        yield from _kinds(name, stack)
        yield from check_store(name, stack, lakehouse)
        yield from check_catalogs(name, stack, lakehouse, everything=everything)
        if everything:
            yield from check_namespaces(name, stack, lakehouse)
        if isinstance(stack, LocalStack):
            yield from check_entries(name, stack, lakehouse, stack.runtime)
            yield from check_table_buckets(name, stack, lakehouse)
            yield from _ports(name, stack, lakehouse)
            yield from check_databases(name, stack, lakehouse)
            yield from check_hosts(name, stack, lakehouse)
            yield from check_secure(name, stack, lakehouse)
            yield from check_monitoring(name, stack)
            yield from check_lineage(name, stack, lakehouse)
            yield from check_schedule(name, stack, lakehouse)
        else:
            yield from check_entries(name, stack, lakehouse, AWS)
            yield from check_aws(name, stack, lakehouse)
            yield from check_schedule_in_aws(name, stack, lakehouse)


def _kinds(name: str, stack: LocalStack | AwsStack) -> Iterator[Problem]:
    """Problems of the properties of each kind in a stack."""
    places: list[tuple[KeyPath, KindEntry, KindRules]] = [
        (("stacks", name, "store"), stack.store, known().stores[stack.store.kind])
    ]
    places += [
        (("stacks", name, "catalogs", catalog), entry, known().catalogs[entry.kind])
        for catalog, entry in stack.catalogs.items()
    ]
    for at, entry, kind in places:
        yield from no_secrets((*at, "properties"), entry.properties)
        yield from check_properties(at, entry.properties, kind)


def _ports(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    there = listeners(lakehouse, stack)
    taken: dict[int, str] = {}
    for port, number in stack.ports.items():
        at: KeyPath = ("stacks", name, "ports", port)
        if port not in there:
            fix = suggest(port, there) or f" Its ports are {', '.join(there)}."
            # It may be the port of an entry that is itself wrong.
            about: list[KeyPath] = [("engines", word) for word in known().engines]
            about += [
                ("engines", word, key)
                for word, kind in known().engines.items()
                for each in kind.listeners
                for key in (each.when, each.each)
                if key
            ]
            about += [("stacks", name, "store"), ("stacks", name, "catalogs", port.rpartition("-")[2])]
            yield Problem(at, f'"{port}" is not a port of this stack.{fix}', tuple(about))
        if (other := taken.setdefault(number, port)) != port:
            beside = ("stacks", name, "ports", other)
            yield Problem(at, f'{number} is also the port of "{other}". Choose another.', beside=beside)
