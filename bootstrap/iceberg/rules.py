"""What Iceberg's Java library requires of a table's metadata before it loads or writes it. Pure.

The bootstrap commits through pyiceberg, which requires less: a table that only pyiceberg can load is useless to Spark
and Trino. The rules are those of Iceberg 1.9 to 1.12: PartitionSpec.Builder and checkCompatibility, SortOrder, Schema,
types.IndexByName, Partitioning.buildPartitionProjectionType, MetadataColumns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bootstrap.iceberg.evolve import FormatProblem
from bootstrap.iceberg.layout import PartitionField, PartitionSpec, SortOrder, order_from_json, spec_from_json
from bootstrap.iceberg.metadata import TableFacts
from lakehouse.iceberg import names, properties, transforms, types
from lakehouse.iceberg.types import Field, List, Map, Struct, Type

_CANNOT = "Iceberg's Java library, and with it Spark and Trino, cannot load such a table"


@dataclass(frozen=True)
class TableState:
    """The parts of a table's metadata that the rules are about."""

    schema: Struct
    identifier: frozenset[int]
    specs: tuple[PartitionSpec, ...]
    spec_id: int
    order: SortOrder
    last_column_id: int
    version: int

    @cached_property
    def fields(self) -> dict[int, tuple[str, Field, tuple[Field, ...]]]:
        """Every field by id: its path, itself, and the fields around it, outermost first."""
        return {field.id: (path, field, around) for path, field, around in _all(self.schema)}

    @cached_property
    def names(self) -> dict[str, int]:
        return _names(self.schema)


def state(facts: TableFacts) -> TableState:
    """A table as it is."""
    return TableState(
        facts.schema,
        facts.identifier,
        facts.specs,
        facts.spec.id,
        facts.order,
        facts.last_column_id,
        facts.format_version,
    )


def after(
    facts: TableFacts | None, schema: Struct, identifier: frozenset[int], updates: Sequence[Mapping[str, Any]]
) -> TableState:
    """The state of a table (None: a new one) after the updates of a commit."""
    specs = {spec.id: spec for spec in facts.specs} if facts else {}
    orders = {order.id: order for order in facts.orders} if facts else {}
    spec_id, order_id = (facts.spec.id, facts.order.id) if facts else (0, 0)
    last, version = (facts.last_column_id, facts.format_version) if facts else (0, 1)
    last_spec, last_order = spec_id, order_id
    for update in updates:
        match update["action"]:
            case "upgrade-format-version":
                version = update["format-version"]
            case "add-schema":
                last = update["last-column-id"]
            case "add-spec":
                spec = spec_from_json(update["spec"])
                specs[spec.id], last_spec = spec, spec.id
            case "set-default-spec":
                spec_id = last_spec if update["spec-id"] == -1 else update["spec-id"]
            case "add-sort-order":
                order = order_from_json(update["sort-order"])
                orders[order.id], last_order = order, order.id
            case "set-default-sort-order":
                order_id = last_order if update["sort-order-id"] == -1 else update["sort-order-id"]
    return TableState(
        schema, identifier, tuple(specs.values()), spec_id, orders.get(order_id, SortOrder(0, ())), last, version
    )


def broken(of: TableState) -> Iterator[FormatProblem]:
    """Each rule that the metadata breaks, at its column, with the fix."""
    yield from _reserved(of)
    yield from _same_names(of.schema, "")
    yield from _partition_names(of)
    yield from _partition_sources(of)
    yield from _sort_sources(of)
    for number in sorted(of.identifier):
        yield from _identifier(of, number)


def messages(facts: TableFacts) -> list[str]:
    """What is wrong with a table as it is, in sentences."""
    now = state(facts)
    problems = [*broken(now), *_shared_partition_names(now)]
    found = [f"column {each.column}: {each.message}" if each.column else each.message for each in problems]
    return found + [why for key, value in facts.properties.items() if (why := properties.refusal(key, value))]


def may_be_broken(metadata: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> bool:
    """A quick check of the raw metadata: False means that no name in it breaks a rule."""
    ids = {column["name"]: column["id"] for column in columns}
    if any(names.metadata_column(name) for name in ids):
        return True
    return any(
        "." in field["name"] or ids.get(field["name"], field["source-id"]) != field["source-id"]
        for spec in metadata["partition-specs"]
        for field in spec["fields"]
    )


def column_names(schema: Struct, source: int, transform: str) -> set[str]:
    """The names that a partition field may not have; an identity field may have its own column's."""
    return {name for name, number in _names(schema).items() if number != source or transform != "identity"}


def _names(schema: Struct) -> dict[str, int]:
    """Ids by every name by which Java finds a field: full paths, and the short ones below lists and maps."""
    return dict(_short(schema)) | {path: field.id for path, field, _ in _all(schema)}


def _reserved(of: TableState) -> Iterator[FormatProblem]:
    for field in of.schema.fields:
        if hidden := names.metadata_column(field.name):
            rule = f'"{field.name}" is the name of Iceberg\'s metadata column {hidden}, and Spark cannot read the table'
            yield FormatProblem(
                field.name, f"{rule}. Give it another name, with `renamed_from: {field.name}` if it has rows"
            )
    if of.last_column_id > names.LAST_FIELD_ID or any(number > names.LAST_FIELD_ID for number in of.fields):
        rule = f"ids of columns end at {names.LAST_FIELD_ID}: those above are Iceberg's own"
        yield FormatProblem("", f"{rule}. Copy the table into a new one (CREATE TABLE ... AS SELECT)")


def _same_names(struct: Struct, prefix: str) -> Iterator[FormatProblem]:
    seen: dict[str, str] = {}
    written: dict[str, str] = {}
    for field in struct.fields:
        path = prefix + field.name
        lower, file_name = names.folded(field.name), names.in_files(field.name)
        if lower in seen:
            rule = f'"{seen[lower]}" and "{field.name}" differ only in case, and engines treat them as one column'
            yield FormatProblem(path, f"{rule}. Rename one")
        elif file_name in written:
            rule = f'"{written[file_name]}" and "{field.name}" are both written into files as "{file_name}"'
            yield FormatProblem(path, f"{rule}. Rename one")
        seen.setdefault(lower, field.name)
        written.setdefault(file_name, field.name)
        for inner, around in _structs(field.type, f"{path}."):
            yield from _same_names(inner, around)


def _structs(of: Type, prefix: str) -> Iterator[tuple[Struct, str]]:
    """The outermost structs of a type, with the prefix of their fields' paths."""
    if isinstance(of, Struct):
        yield of, prefix
    elif isinstance(of, List):
        yield from _structs(of.element, f"{prefix}element.")
    elif isinstance(of, Map):
        yield from _structs(of.key, f"{prefix}key.")
        yield from _structs(of.value, f"{prefix}value.")


def _partition_names(of: TableState) -> Iterator[FormatProblem]:
    """checkAndAddPartitionName, for every spec that the table has had."""
    reported: set[tuple[str, int]] = set()
    for spec in of.specs:
        here: set[str] = set()
        for field in spec.fields:
            owner = of.names.get(field.name)
            if owner is not None and owner != field.source_id and (field.name, field.source_id) not in reported:
                reported.add((field.name, field.source_id))
                yield FormatProblem(of.fields[owner][0], _clash(of, spec, field))
            if field.name in here:
                yield FormatProblem("", f'partition spec {spec.id} has two fields named "{field.name}": {_CANNOT}')
            here.add(field.name)


def _shared_partition_names(of: TableState) -> Iterator[FormatProblem]:
    """Partitioning.partitionType: one struct of the fields of all specs, each named as the last spec with it says."""
    newest = {field.field_id: field for spec in of.specs for field in spec.fields}
    owners: dict[str, PartitionField] = {}
    for field in newest.values():
        other = owners.setdefault(field.name, field)
        if other.field_id != field.field_id:
            rule = f'two partition fields of its specs are named "{field.name}" ({other.transform}, {field.transform})'
            what = "Spark cannot read its partitions (`_partition`, the table `.partitions`)"
            yield FormatProblem("", f"{rule}: {what}. Copy the table into a new one (CREATE TABLE ... AS SELECT)")


def _clash(of: TableState, spec: PartitionSpec, field: PartitionField) -> str:
    when = "is" if spec.id == of.spec_id else "was"
    source = of.fields[field.source_id][0] if field.source_id in of.fields else "a column that is gone"
    what = f"{field.transform} of {source}"
    rule = f'"{field.name}" is the name of a partition field: the table {when} partitioned by {what}'
    fix = f"Give the column another name, with `renamed_from: {field.name}` if it is there already"
    return f"{rule} under this name (partition spec {spec.id}). {_CANNOT}. {fix}"


def taken_over(before: TableState, of: TableState) -> Iterator[FormatProblem]:
    """A column that gets the name of a partition field of itself: Java loads such a table, but cannot create one."""
    for spec in of.specs:
        for field in spec.fields:
            if field.transform in ("identity", "void") or of.names.get(field.name) != field.source_id:
                continue
            if before.names.get(field.name) != field.source_id:
                yield FormatProblem(field.name, _clash(of, spec, field))


def _partition_sources(of: TableState) -> Iterator[FormatProblem]:
    """PartitionSpec.checkCompatibility, for the spec that rows are written with."""
    spec = next((spec for spec in of.specs if spec.id == of.spec_id), PartitionSpec(0, ()))
    if spec.fields and of.version > 1 and all(field.transform == "void" for field in spec.fields):
        rule = f"void({', '.join(field.name for field in spec.fields)}) alone partitions by nothing"
        yield FormatProblem("", f"{rule}, and Trino cannot change rows of such a table. Leave it out of `partition_by`")
    for field in spec.fields:
        if field.transform == "void" and field.source_id not in of.fields:
            rule = (
                f'the partition field "{field.name}" is void, and its column is gone: engines cannot write such a table'
            )
            yield FormatProblem("", f"{rule}. Keep the column, or write `format_version: 2` and apply before it goes")
        elif field.transform != "void":
            yield from _source(of, field.source_id, field.transform, f'the partition field "{field.name}"')


def _sort_sources(of: TableState) -> Iterator[FormatProblem]:
    for field in of.order.fields:
        if field.transform == "void":
            rule = "void sorts by nothing, and Spark cannot write to such a table"
            yield FormatProblem("", f"{rule}. Leave it out of `sort_by`")
        yield from _source(of, field.source_id, field.transform, "a sort field")


def _source(of: TableState, number: int, transform: str, what: str) -> Iterator[FormatProblem]:
    if number not in of.fields:
        yield FormatProblem("", f"{what} is made of a column that is gone (id {number}): {_CANNOT}")
        return
    path, field, around = of.fields[number]
    if not isinstance(field.type, str) or not all(isinstance(each.type, Struct) for each in around):
        kind = str(field.type)
        yield FormatProblem(path, f"{what} is made of {path}, which is {kind} or in a list or map: {_CANNOT}")
    elif not _takes(transform.partition("[")[0], field.type):
        yield FormatProblem(path, f"{what} is {transform} of {path}, which is {field.type}: {_CANNOT}")


def _takes(transform: str, kind: str) -> bool:
    try:
        return transforms.takes(transform, types.parse(kind))
    except ValueError:  # a type of a later format, which is unknown here
        return True


def _identifier(of: TableState, number: int) -> Iterator[FormatProblem]:
    """Schema.validateIdentifierField."""
    if number not in of.fields:
        yield FormatProblem("", f"an identifier column (id {number}) is gone. Leave it out of `identifier`")
        return
    path, field, around = of.fields[number]
    optional = next((each.name for each in around if not each.required), None)
    if not isinstance(field.type, str) or field.type in ("float", "double") or not field.required:
        required = " required" if field.required else ""
        rule = "an identifier column is required and neither nested nor a floating-point number"
        yield FormatProblem(path, f"{rule}; this is {field.type!s}{required}. Leave it out of `identifier`")
    elif not all(isinstance(each.type, Struct) for each in around):
        yield FormatProblem(path, "an identifier column is not in a list or map. Leave it out of `identifier`")
    elif optional is not None:
        rule = f'an identifier column is not in an optional struct, and "{optional}" is one'
        yield FormatProblem(path, f"{rule}. Make the struct required, or leave the column out of `identifier`")


def _all(of: Type, prefix: str = "", around: tuple[Field, ...] = ()) -> Iterator[tuple[str, Field, tuple[Field, ...]]]:
    """Every field at any depth; a list's element and a map's key and value are fields too."""
    for field in _members(of):
        path = prefix + field.name
        yield path, field, around
        yield from _all(field.type, f"{path}.", (*around, field))


def _members(of: Type) -> tuple[Field, ...]:
    if isinstance(of, Struct):
        return of.fields
    if isinstance(of, List):
        return (Field(of.element_id, "element", of.element, of.element_required),)
    if isinstance(of, Map):
        return (Field(of.key_id, "key", of.key, True), Field(of.value_id, "value", of.value, of.value_required))
    return ()


def _short(of: Type, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Names without the `element` and `value` of structs in lists and maps, as in ``locations.latitude``."""
    for field in _members(of):
        path = prefix + field.name
        yield path, field.id
        skipped = isinstance(of, List | Map) and field.name != "key" and isinstance(field.type, Struct)
        yield from _short(field.type, prefix if skipped else f"{path}.")
