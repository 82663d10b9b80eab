"""What Iceberg's Java library asks of a table's entry beyond Iceberg's format: names that it keeps for itself."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec import names, transforms
from lakehouse.spec.model import Table
from lakehouse.spec.problems import Location, Problem


def check_table(at: Location, table: Table) -> Iterator[Problem]:
    """Problems of one table's entry."""
    yield from _columns(at, table)
    yield from _layout(at, table)


def _columns(at: Location, table: Table) -> Iterator[Problem]:
    written: dict[str, str] = {}
    for name in table.columns:
        place = (*at, "columns", name)
        if hidden := names.metadata_column(name):
            rule = f'"{name}" is not a name for a column: {hidden} is a metadata column of Iceberg, which engines add'
            yield Problem(place, f"{rule} to every table, and Spark could not read this one. Take another name")
        first = written.setdefault(names.in_files(name), name)
        if first.lower() != name.lower():
            message = f'"{first}" and "{name}" are both written into files as "{names.in_files(name)}". Rename one.'
            yield Problem(place, message, beside=(*at, "columns", first))


def _layout(at: Location, table: Table) -> Iterator[Problem]:
    """A void field alone: an engine takes the table for partitioned, or sorted, and finds nothing to do it by."""
    for key, read in (("partition_by", transforms.partition_field), ("sort_by", _sorted)):
        kinds = []
        for text in getattr(table, key):
            try:
                kinds.append(read(text).name)
            except ValueError:
                kinds.append("")  # it is reported elsewhere
        if key == "partition_by" and kinds and table.format_version > 1 and set(kinds) == {"void"}:
            message = "void alone partitions by nothing, and Trino cannot change rows of such a table. Remove it"
            yield Problem((*at, key, 0), message)
        elif key == "sort_by" and "void" in kinds:
            message = "void sorts by nothing, and Spark cannot write to such a table. Remove it"
            yield Problem((*at, key, kinds.index("void")), message)


def _sorted(text: str) -> transforms.Transform:
    return transforms.sort_field(text).transform
