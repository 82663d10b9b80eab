"""Former names (`renamed_from`) of namespaces, tables and fields of structs: what they mean, and their rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lakehouse.iceberg.types import fields
from lakehouse.spec.kinds import CatalogRules
from lakehouse.spec.model import Catalog, Column
from lakehouse.spec.problems import KeyPath, Problem


def former_names(catalog: Catalog) -> dict[str, str]:
    """The former names of the file's tables by their names, both dotted: ``{"bronze.bars": "bronze.minute_bars"}``.

    A former name in a namespace that is renamed too is the one after that. So the table is still found if an apply was
    interrupted after it had renamed only the namespace.
    """
    spaces = {former: name for name, former in former_namespaces(catalog).items()}
    return {
        f"{namespace}.{name}": _after(_dotted(namespace, table.renamed_from), spaces)
        for namespace, content in catalog.namespaces.items()
        for name, table in content.tables.items()
        if table.renamed_from is not None
    }


def former_namespaces(catalog: Catalog) -> dict[str, str]:
    """The former names of the file's namespaces by their names."""
    return {
        name: content.renamed_from for name, content in catalog.namespaces.items() if content.renamed_from is not None
    }


def crosses(catalog: Catalog) -> bool:
    """Whether a table was in another namespace, and so may have its files in the folder of that one."""
    names = former_names(catalog).items()
    other = any(name.rpartition(".")[0] != former.rpartition(".")[0] for name, former in names)
    return other or bool(former_namespaces(catalog))


def check_renames(catalog: str, content: Catalog) -> Iterator[Problem]:
    """Former names that are still in use, or that two namespaces or two tables have."""
    yield from _namespaces(catalog, content)
    there = {f"{namespace}.{table}" for namespace, inner in content.namespaces.items() for table in inner.tables}
    owners: dict[str, str] = {}
    for name, former in former_names(content).items():
        at = (*table_at(catalog, name), "renamed_from")
        if former == name:
            yield Problem(at, f'"{former}" is the name that the table has now. Remove it')
        elif former in there:
            message = f'"{former}" is still a table of the file. Remove one of the two; to exchange names, rename one'
            yield Problem(at, f"{message} table to a third name first, and apply.", beside=table_at(catalog, former))
        elif (other := owners.setdefault(former, name)) != name:
            yield Problem(at, f'"{former}" is already the former name of "{other}". Remove one')


def check_fields(at: KeyPath, column: Column) -> Iterator[Problem]:
    """Former names of fields of structs that another field of the struct still has, or that two fields have."""
    there = {path for path, _ in fields(column.iceberg_type)}
    owners: dict[str, str] = {}
    for path, name in column.type.former.items():
        struct = path.rpartition(".")[0]
        former = f"{struct}.{name}" if struct else name
        if former in there:
            yield Problem((*at, "type"), f'"{former}", the former name of "{path}", is still a field. Remove one')
        elif (other := owners.setdefault(former, path)) != path:
            yield Problem((*at, "type"), f'"{former}" is the former name of both "{other}" and "{path}". Remove one')


def unsupported(
    catalog: str, content: Catalog, kind: CatalogRules, whose: str, about: tuple[KeyPath, ...]
) -> Iterator[Problem]:
    """Renames in a catalog of a kind that has none."""
    if not kind.can.renames:
        for name in former_namespaces(content):
            message = f"{whose} renames no namespace and no table. Create the namespace as a new one, rename its tables"
            at = ("catalogs", catalog, "namespaces", name, "renamed_from")
            yield Problem(at, f"{message} with an engine, and remove `renamed_from`", about)
        for name, former in former_names(content).items():
            message = f"{whose} has no call that renames a table in one step, so `renamed_from` cannot be carried out"
            fix = f"Rename it with an engine (ALTER TABLE {former} RENAME TO {name}), and remove `renamed_from`"
            yield Problem((*table_at(catalog, name), "renamed_from"), f"{message}. {fix}", about)


def _namespaces(catalog: str, content: Catalog) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, former in former_namespaces(content).items():
        at = ("catalogs", catalog, "namespaces", name, "renamed_from")
        if _related(name, former):
            fix = "Choose a name outside of it" if name != former else "Remove it"
            yield Problem(at, f'"{former}" and "{name}" are the same namespace, or one is in the other. {fix}')
        elif inside := next((each for each in content.namespaces if f"{each}.".startswith(f"{former}.")), None):
            beside = ("catalogs", catalog, "namespaces", inside)
            yield Problem(at, f'"{inside}" is still a namespace of the file. Remove one of the two.', beside=beside)
        elif (other := owners.setdefault(former, name)) != name:
            yield Problem(at, f'"{former}" is already the former name of "{other}". Remove one')
        elif near := next((each for each in _others(name, content) if each != former and _related(former, each)), None):
            rule = f'"{former}" and "{near}" are in one another, and both are part of a rename'
            yield Problem(at, f"{rule}. Rename one namespace, apply, and then rename the other.")


def _others(name: str, content: Catalog) -> Iterator[str]:
    """The former and the new names of the other namespaces that are renamed."""
    for other, former in former_namespaces(content).items():
        if other != name:
            yield from (former, other)


def _related(one: str, other: str) -> bool:
    """Whether the namespaces are the same, or one is in the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def table_at(catalog: str, name: str) -> tuple[str, ...]:
    """The place of a table in the file."""
    namespace, _, table = name.rpartition(".")
    return ("catalogs", catalog, "namespaces", namespace, "tables", table)


def _dotted(namespace: str, former: str) -> str:
    return former if "." in former else f"{namespace}.{former}"


def _after(table: str, spaces: Mapping[str, str]) -> str:
    """The table's name after the renames of namespaces: ``spaces`` has their new names by the former ones."""
    for former, name in spaces.items():
        if table.startswith(f"{former}."):
            return name + table.removeprefix(former)
    return table
