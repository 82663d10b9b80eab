"""Rules between a catalog's contents and its kind in a stack. They apply with every engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lakehouse.spec import renames
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import CatalogRules, EntryProblem, known
from lakehouse.spec.model import Catalog, Lakehouse, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack, LocalStack
from lakehouse.text.words import listed


def check_catalogs(
    name: str, stack: LocalStack | AwsStack, lakehouse: Lakehouse, *, everything: bool
) -> Iterator[Problem]:
    """Problems of a stack's catalogs.

    Without ``everything``, only those that no deployed lakehouse can have.
    """
    for catalog, entry in stack.catalogs.items():
        if (content := lakehouse.catalogs.get(catalog)) is not None:
            kind = _kind(stack, entry)
            whose = f"{kind.label}, the catalog of stacks.{name},"
            about: tuple[KeyPath, ...] = (("stacks", name),)
            yield from _namespaces(catalog, content, kind, whose, about)
            yield from _formats(catalog, content, kind, whose, about)
            if everything:
                yield from _references(catalog, content, kind, whose, about)
                yield from _layouts(catalog, content, kind, whose, about)
                yield from renames.unsupported(catalog, content, kind, whose, about)
                yield from _views(catalog, content, kind, whose, about)


def check_entries(name: str, stack: LocalStack | AwsStack, lakehouse: Lakehouse, runtime: str) -> Iterator[Problem]:
    """Problems of the entries of a stack's catalogs that their kinds report for a runtime, or for AWS."""
    for kind, entries in _by_kind(stack, lakehouse):
        yield from (_problem(name, wrong) for wrong in kind.check(entries, runtime))


def check_namespaces(name: str, stack: LocalStack | AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Namespaces that two catalogs of a stack would share, because one server outside of the stack has both."""
    about: tuple[KeyPath, ...] = (("stacks", name),)
    for kind, entries in _by_kind(stack, lakehouse):
        owners: dict[tuple[object, ...], KeyPath] = {}
        for catalog, entry in entries.items() if kind.outside is not None else ():
            server = [getattr(entry, key, None) for key in kind.outside or ()]
            for namespace in lakehouse.catalogs[catalog].namespaces:
                at: KeyPath = ("catalogs", catalog, "namespaces", namespace)
                if (other := owners.setdefault((namespace, *server), at)) != at:
                    message = f'"{namespace}" is also a namespace of another catalog, and both are in the same'
                    why = f"{kind.label} in stacks.{name}, where they would be one database. Rename one."
                    yield Problem(at, f"{message} {why}", about, beside=other)


def missing(lakehouse: Lakehouse, folder: Path) -> Iterator[Problem]:
    """Problems of files and folders that the entries of process stacks name. ``folder`` is the folder of the file."""
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and stack.runtime == "process":
            for kind, entries in _by_kind(stack, lakehouse):
                yield from (_problem(name, wrong) for wrong in kind.look(entries, folder))


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Catalogs with a key to deletion although no stack has them on a server that can drop them."""
    for name, content in lakehouse.catalogs.items():
        kinds = [_kind(stack, stack.catalogs[name]) for stack in lakehouse.stacks.values() if name in stack.catalogs]
        if content.deletable and kinds and not any(kind.makes_catalogs for kind in kinds):
            able = listed(kind.label for kind in known().catalogs.values() if kind.makes_catalogs)
            there = listed(dict.fromkeys(kind.label for kind in kinds))
            rule = f"only {able} drops catalogs, and this one is on {there}"
            yield Problem(("catalogs", name, "deletable"), f"`deletable: true` has no effect: {rule}. Remove it")


def _kind(stack: LocalStack | AwsStack, entry: KindEntry) -> CatalogRules:
    return known().catalogs[known().stores[stack.store.kind].catalog or entry.kind]


def _by_kind(stack: LocalStack | AwsStack, lakehouse: Lakehouse) -> Iterator[tuple[CatalogRules, dict[str, KindEntry]]]:
    """Each kind with its entries by catalog, in the order of the file. A shared server belongs to the first entry."""
    for word, kind in known().catalogs.items():
        there = ((each, stack.catalogs[each]) for each in lakehouse.catalogs if each in stack.catalogs)
        entries = {catalog: entry for catalog, entry in there if entry.kind == word}
        if entries:
            yield kind, entries


def _problem(stack: str, wrong: EntryProblem) -> Problem:
    at: KeyPath = ("stacks", stack, "catalogs", wrong.catalog)
    return Problem((*at, wrong.key) if wrong.key else at, wrong.message)


def _namespaces(
    catalog: str, content: Catalog, kind: CatalogRules, whose: str, about: tuple[KeyPath, ...]
) -> Iterator[Problem]:
    for namespace in content.namespaces:
        if "." in namespace and not kind.can.nested_namespaces:
            message = f'"{namespace}" is nested, but {whose} has only one level. Write "{namespace.replace(".", "_")}"'
            yield Problem(("catalogs", catalog, "namespaces", namespace), message, about)


def _references(
    catalog: str, content: Catalog, kind: CatalogRules, whose: str, about: tuple[KeyPath, ...]
) -> Iterator[Problem]:
    if kind.can.references:
        return
    for key, references in (("branches", content.branches), ("tags", content.tags)):
        for reference in references:
            message = f'"{reference}" belongs to a whole catalog, but {whose} has no {key}. Remove it'
            yield Problem(("catalogs", catalog, key, reference), message, about)


def _formats(
    catalog: str, content: Catalog, kind: CatalogRules, whose: str, about: tuple[KeyPath, ...]
) -> Iterator[Problem]:
    most = kind.can.format_version
    for at, table in _tables(catalog, content):
        if table.format_version > most:
            message = f"{table.format_version} is too new: {whose} supports tables up to format {most}"
            yield Problem((*at, "format_version"), f"{message}. Write {most}", about)


def _layouts(
    catalog: str, content: Catalog, kind: CatalogRules, whose: str, about: tuple[KeyPath, ...]
) -> Iterator[Problem]:
    if not kind.can.nested_partitions:
        for at, table in _tables(catalog, content):
            yield from _layout(at, table, whose, about)


def _views(
    catalog: str, content: Catalog, kind: CatalogRules, whose: str, about: tuple[KeyPath, ...]
) -> Iterator[Problem]:
    if kind.can.views:
        return
    for namespace, inner in content.namespaces.items():
        for view in inner.views:
            message = f'"{view}" is a view, but {whose} keeps no Iceberg views. Remove it'
            yield Problem(("catalogs", catalog, "namespaces", namespace, "views", view), message, about)


def _tables(catalog: str, content: Catalog) -> Iterator[tuple[KeyPath, Table]]:
    for namespace, inner in content.namespaces.items():
        for table, definition in inner.tables.items():
            yield ("catalogs", catalog, "namespaces", namespace, "tables", table), definition


def _layout(at: KeyPath, table: Table, whose: str, about: tuple[KeyPath, ...]) -> Iterator[Problem]:
    for nth, field in enumerate(table.partition_by):
        if not field.wrong and "." in (column := field.term.column):  # another check reports a wrong one
            message = f'"{column}" is a field of a struct, and {whose} cannot partition by such fields'
            yield Problem((*at, "partition_by", nth), f"{message}. Add a column for it, and use that", about)
