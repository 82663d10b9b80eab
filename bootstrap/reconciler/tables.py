"""What a table needs: the one commit that creates it, or that brings it to what the file wants. Pure.

Commits are those of the Iceberg REST catalog: requirements that must hold, updates to make.
https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml (CommitTableRequest)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.reconciler import layout
from bootstrap.reconciler.evolve import Detail, Evolution, Problem, describe, evolve, fresh
from bootstrap.reconciler.layout import PartitionField, PartitionSpec, SortField, SortOrder
from bootstrap.reconciler.metadata import Limits, TableFacts
from bootstrap.reconciler.schema import Struct, type_to_json, walk
from bootstrap.reconciler.wanted import DELETABLE, DELETABLE_COLUMNS, WantedTable

Json = dict[str, Any]

#: Our own marks: what the file does not say (any more) is taken away.
_OURS = "lakehouse."
#: Properties that engines and catalogs set by themselves; even an exclusive catalog does not take them away.
_ENGINES = (
    "ingest.",  # what `lakehouse ingest` has loaded
    *("created-at", "owner", "gc.enabled", "history.", "schema.name-mapping", "trino"),
    "write.parquet.compression-codec",
)


@dataclass(frozen=True)
class TableChange:
    """A commit with its description; empty ``updates``: nothing to do."""

    requirements: tuple[Json, ...]
    updates: tuple[Json, ...]
    details: tuple[Detail, ...]
    problems: tuple[Problem, ...]
    kept: tuple[str, ...] = ()


def refusals(wanted: WantedTable, facts: TableFacts | None, limits: Limits) -> Iterable[Problem]:
    """What this kind of catalog cannot do."""
    if wanted.format_version > limits.format_version:
        rule = f"{limits.kind} knows format versions up to {limits.format_version}, not {wanted.format_version}"
        yield Problem("", f"{rule}. Write `format_version: {limits.format_version}`")
    elif facts is not None and facts.format_version < wanted.format_version and not limits.upgrades:
        rule = f"the table has format version {facts.format_version}, and {limits.kind} does not upgrade it"
        yield Problem("", f"{rule}. Write `format_version: {facts.format_version}`")
    if not limits.nested_layout:
        for term in (*wanted.partition_by, *(sort.term for sort in wanted.sort_by)):
            if "." in term.column:
                rule = f"{limits.kind} does not partition or sort by a field of a struct ({term})"
                yield Problem(term.column, f"{rule}. Add a column for it, and take that")


def creation(wanted: WantedTable) -> TableChange:
    """A new table in one commit.

    Not createTable: servers (Nessie 0.99) put the table elsewhere than that request says, but honour set-location.
    """
    schema, last_id = fresh(wanted.schema)
    problems: list[Problem] = []
    updates: list[Json] = [{"action": "upgrade-format-version", "format-version": wanted.format_version}]
    updates += _schema_updates(schema, _identifier(wanted, schema, problems), last_id, 0)
    spec = PartitionSpec(0, tuple(_new_fields(wanted, schema, problems)))
    updates += [
        {"action": "add-spec", "spec": layout.spec_to_json(spec)},
        {"action": "set-default-spec", "spec-id": -1},
    ]
    fields = _sort_fields(wanted, schema, problems)
    order = SortOrder(1 if fields else 0, fields)
    updates += [
        {"action": "add-sort-order", "sort-order": layout.order_to_json(order)},
        {"action": "set-default-sort-order", "sort-order-id": -1},
        {"action": "set-location", "location": wanted.location},
    ]
    if wanted.properties:
        updates.append({"action": "set-properties", "updates": dict(wanted.properties)})
    details = [Detail("+", f"column {field.name} {describe(field)}") for field in schema.fields]
    if wanted.partition_by:
        details.append(Detail("+", f"partition_by {_listed(wanted.partition_by)}"))
    if wanted.sort_by:
        details.append(Detail("+", f"sort_by {_listed(wanted.sort_by)}"))
    details += [Detail("+", f"property {key} = {value}") for key, value in wanted.properties.items()]
    return TableChange(({"type": "assert-create"},), tuple(updates), tuple(details), tuple(problems))


def unchanged(wanted: WantedTable, facts: TableFacts, *, exclusive: bool) -> bool:
    """A quick look at the metadata as it is written: True means that :func:`evolution` would find nothing to do.

    Of thousands of tables most are as they should be, and this tells them ten times faster. It may say no to a table
    that is: nested types and rare forms are left to the full comparison.
    """
    data = facts.metadata
    if data["format-version"] != wanted.format_version or wanted.fixed_location:
        return False
    schema = next(each for each in data["schemas"] if each["schema-id"] == data["current-schema-id"])
    fields, columns = schema["fields"], wanted.schema.fields
    if len(fields) != len(columns) or any(
        have["name"] != want.name
        or have["type"] != want.type
        or have["required"] != want.required
        or (have.get("doc") != want.doc and (exclusive or want.doc is not None))
        for have, want in zip(fields, columns, strict=True)
    ):
        return False
    there = data["properties"]
    if not there.items() >= wanted.properties.items():
        return False
    if any(key not in wanted.properties and removable(key, exclusive) for key in there):
        return False
    names = {field["id"]: field["name"] for field in fields}
    if sorted(names.get(number, "") for number in schema.get("identifier-field-ids", ())) != sorted(wanted.identifier):
        return False
    spec = next(each for each in data["partition-specs"] if each["spec-id"] == data["default-spec-id"])
    order = next(each for each in data["sort-orders"] if each["order-id"] == data["default-sort-order-id"])
    return [(f["transform"], names.get(f["source-id"])) for f in spec["fields"]] == [
        (term.transform, term.column) for term in wanted.partition_by
    ] and [(f["transform"], names.get(f["source-id"]), f["direction"], f["null-order"]) for f in order["fields"]] == [
        (sort.term.transform, sort.term.column, sort.direction, sort.null_order) for sort in wanted.sort_by
    ]


def evolution(wanted: WantedTable, facts: TableFacts, *, exclusive: bool, allow_destroy: bool) -> TableChange:
    """What brings the table to what the file wants, in one commit."""
    marked = set(facts.properties.get(DELETABLE_COLUMNS, "").split(","))
    open_to_drop = exclusive and wanted.deletable

    def droppable(path: str) -> bool:
        return allow_destroy and (open_to_drop or path.split(".")[0] in marked)

    step = evolve(
        facts.schema,
        wanted.schema,
        facts.last_column_id,
        renamed_from=wanted.renamed_from,
        droppable=droppable,
        authoritative_docs=exclusive,
    )
    requirements: list[Json] = [{"type": "assert-table-uuid", "uuid": facts.uuid}]
    updates: list[Json] = []
    details, problems = list(step.details), list(step.problems)
    if wanted.format_version > facts.format_version:
        updates.append({"action": "upgrade-format-version", "format-version": wanted.format_version})
        details.append(Detail("~", f"format_version {facts.format_version} -> {wanted.format_version}"))
    elif wanted.format_version < facts.format_version:
        rule = f"the table has format version {facts.format_version}, and a version never goes back"
        problems.append(Problem("", f"{rule}. Write `format_version: {facts.format_version}`"))
    if wanted.fixed_location and wanted.location.rstrip("/") != facts.location.rstrip("/"):
        rule = f"the table is at {facts.location}, and a table does not move with its data"
        problems.append(Problem("", f"{rule}. Write `location: {facts.location}`"))
    for part in (_schema_change, _partition_change, _sort_change):
        part(wanted, facts, step, requirements, updates, details, problems)
    _property_change(_marked(wanted, facts, step.kept), facts, exclusive, updates, details)
    if not updates:
        requirements = []
    return TableChange(tuple(requirements), tuple(updates), tuple(details), tuple(problems), step.kept)


def _schema_change(
    wanted: WantedTable,
    facts: TableFacts,
    step: Evolution,
    requirements: list[Json],
    updates: list[Json],
    details: list[Detail],
    problems: list[Problem],
) -> None:
    identifier = _identifier(wanted, step.schema, problems)
    if step.schema == facts.schema and identifier == facts.identifier:
        return
    if identifier != facts.identifier:
        details.append(Detail("~", f"identifier {_names(facts.schema, facts.identifier)} -> {list(wanted.identifier)}"))
    present = {field.id for _, field in walk(step.schema)}
    for spec in facts.specs:
        for part in spec.fields:
            gone = next((path for path, f in walk(facts.schema) if f.id == part.source_id), None)
            if gone and part.source_id not in present and part.transform != "void":
                rule = f"the table is or was partitioned by {part.name!r}, and engines cannot read files of a partition"
                problems.append(Problem(gone, f"{rule} whose column is gone. Keep the column"))
    requirements += [
        {"type": "assert-current-schema-id", "current-schema-id": facts.schema_id},
        {"type": "assert-last-assigned-field-id", "last-assigned-field-id": facts.last_column_id},
    ]
    same = [number for number, known in facts.schemas.items() if known == (step.schema, identifier)]
    if same:
        updates.append({"action": "set-current-schema", "schema-id": same[-1]})
    else:
        updates += _schema_updates(step.schema, identifier, step.last_column_id, max(facts.schemas) + 1)


def _partition_change(
    wanted: WantedTable,
    facts: TableFacts,
    step: Evolution,
    requirements: list[Json],
    updates: list[Json],
    details: list[Detail],
    problems: list[Problem],
) -> None:
    terms = [(term.column, term.transform) for term in wanted.partition_by]
    goal = _sources(step.schema, terms, problems, "partition_by")
    fields = [(f.source_id, f.transform) for f in facts.spec.fields]
    now = [field for field in fields if field[1] != "void" or field in goal]
    # A version 1 spec only ever grows, so the order in it cannot be chosen.
    version = max(facts.format_version, wanted.format_version)
    if now == goal or (version == 1 and sorted(now) == sorted(goal)):
        return
    evolved = _evolved_fields(facts, goal, wanted, step.schema, version)
    details.append(Detail("~", f"partition_by {_listed(_terms(facts, step.schema))} -> {_listed(wanted.partition_by)}"))
    requirements += [
        {"type": "assert-default-spec-id", "default-spec-id": facts.spec.id},
        {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": facts.last_partition_id},
    ]
    same = [spec.id for spec in facts.specs if spec.fields == evolved]
    if same:
        updates.append({"action": "set-default-spec", "spec-id": same[-1]})
        return
    spec = PartitionSpec(max(spec.id for spec in facts.specs) + 1, evolved)
    updates += [
        {"action": "add-spec", "spec": layout.spec_to_json(spec)},
        {"action": "set-default-spec", "spec-id": -1},
    ]


def _evolved_fields(
    facts: TableFacts, goal: list[tuple[int, str]], wanted: WantedTable, schema: Struct, version: int
) -> tuple[PartitionField, ...]:
    """The new spec's fields; one that any earlier spec had gets its id and name back, as the format asks."""
    known = {(f.source_id, f.transform): f for spec in facts.specs for f in spec.fields}
    last = facts.last_partition_id
    fields: list[PartitionField] = []
    if version == 1:
        fields = [
            f if (f.source_id, f.transform) in goal else f._replace(transform="void") for f in facts.spec.fields
        ]  # version 1 readers find partition values by position
    placed = {(f.source_id, f.transform) for f in fields}
    terms = dict(zip(goal, wanted.partition_by, strict=True))
    for source, transform in goal:
        if (source, transform) in placed:
            continue
        term, former = terms[source, transform], known.get((source, transform))
        taken = {f.name for f in fields} | _taken(schema, term)
        if former is not None and former.name not in taken and version > 1:
            fields.append(former)
            continue
        last += 1
        fields.append(PartitionField(source, last, layout.partition_name(term, taken), transform))
    return tuple(fields)


def _sort_change(
    wanted: WantedTable,
    facts: TableFacts,
    step: Evolution,
    requirements: list[Json],
    updates: list[Json],
    details: list[Detail],
    problems: list[Problem],
) -> None:
    fields = _sort_fields(wanted, step.schema, problems)
    if fields == facts.order.fields:
        return
    details.append(Detail("~", f"sort_by {_listed(_sorting(facts, step.schema))} -> {_listed(wanted.sort_by)}"))
    requirements.append({"type": "assert-default-sort-order-id", "default-sort-order-id": facts.order.id})
    same = [order.id for order in facts.orders if order.fields == fields]
    if same:
        updates.append({"action": "set-default-sort-order", "sort-order-id": same[-1]})
        return
    number = max([0, *(order.id for order in facts.orders)]) + 1 if fields else 0
    updates += [
        {"action": "add-sort-order", "sort-order": layout.order_to_json(SortOrder(number, fields))},
        {"action": "set-default-sort-order", "sort-order-id": -1 if number else 0},
    ]


def _marked(wanted: WantedTable, facts: TableFacts, kept: Iterable[str]) -> dict[str, str]:
    """The wanted properties; a column that an earlier file called deletable keeps that mark as long as it is there."""
    former = facts.properties.get(DELETABLE_COLUMNS, "").split(",")
    staying = {path.split(".")[0] for path in kept}
    columns = wanted.properties.get(DELETABLE_COLUMNS, "").split(",")
    marks = sorted({*filter(None, columns), *(name for name in former if name in staying)})
    return {**wanted.properties, **({DELETABLE_COLUMNS: ",".join(marks)} if marks else {})}


def _property_change(
    wanted: Mapping[str, str], facts: TableFacts, exclusive: bool, updates: list[Json], details: list[Detail]
) -> None:
    there = facts.properties
    change = {key: value for key, value in wanted.items() if there.get(key) != value}
    gone = [key for key in there if key not in wanted and removable(key, exclusive)]
    for key, value in change.items():
        text = f"{key} = {value}" if key not in there else f"{key}: {there[key]} -> {value}"
        details.append(Detail("~" if key in there else "+", f"property {text}"))
    details += [Detail("-", f"property {key}") for key in gone]
    if change:
        updates.append({"action": "set-properties", "updates": change})
    if gone:
        updates.append({"action": "remove-properties", "removals": gone})


def removable(key: str, exclusive: bool) -> bool:
    """Whether a property the file does not name is to go: our own marks, and in exclusive catalogs others too."""
    return key.startswith(_OURS) or (exclusive and not key.startswith(_ENGINES))


def _schema_updates(schema: Struct, identifier: frozenset[int], last_id: int, number: int) -> list[Json]:
    data = {"schema-id": number, "identifier-field-ids": sorted(identifier), **type_to_json(schema)}
    return [
        {"action": "add-schema", "schema": data, "last-column-id": last_id},
        {"action": "set-current-schema", "schema-id": -1},
    ]


def _identifier(wanted: WantedTable, schema: Struct, problems: list[Problem]) -> frozenset[int]:
    fields = dict(walk(schema))
    for name in wanted.identifier:
        field = fields.get(name)
        if field is None:
            problems.append(Problem(name, "identifier names a column that is not there. Name one of `columns`"))
        elif not field.required or not isinstance(field.type, str) or field.type in ("float", "double"):
            rule = "an identifier column is required and neither nested nor a floating-point number"
            problems.append(Problem(name, f"{rule}; this is {describe(field)}. Leave it out of `identifier`"))
    return frozenset(fields[name].id for name in wanted.identifier if name in fields)


def _sources(
    schema: Struct, wanted: Iterable[tuple[str, str]], problems: list[Problem], key: str
) -> list[tuple[int, str]]:
    """(column id, transform) for each (column, transform); unknown columns become problems."""
    wanted = list(wanted)
    if not wanted:
        return []
    ids = {path: field.id for path, field in walk(schema)}
    for column, _ in wanted:
        if column not in ids:
            problems.append(Problem(column, f"{key} names a column that is not there. Name one of `columns`"))
    return [(ids[column], transform) for column, transform in wanted if column in ids]


def _new_fields(wanted: WantedTable, schema: Struct, problems: list[Problem]) -> Iterable[PartitionField]:
    taken: set[str] = set()
    sources = _sources(schema, [(t.column, t.transform) for t in wanted.partition_by], problems, "partition_by")
    for position, (term, (source, transform)) in enumerate(zip(wanted.partition_by, sources, strict=False)):
        name = layout.partition_name(term, taken | _taken(schema, term))
        taken.add(name)
        yield PartitionField(source, layout.FIRST_PARTITION_ID + position, name, transform)


def _taken(schema: Struct, term: layout.Term) -> set[str]:
    """Column names that a partition field may not have; an identity field has its own column's."""
    return {field.name for field in schema.fields} - ({term.column} if term.transform == "identity" else set())


def _sort_fields(wanted: WantedTable, schema: Struct, problems: list[Problem]) -> tuple[SortField, ...]:
    terms = [(sort.term.column, sort.term.transform) for sort in wanted.sort_by]
    sources = _sources(schema, terms, problems, "sort_by")
    return tuple(
        SortField(source, transform, sort.direction, sort.null_order)
        for (source, transform), sort in zip(sources, wanted.sort_by, strict=False)
    )


def _paths(*schemas: Struct) -> dict[int, str]:
    return {field.id: path for schema in schemas for path, field in walk(schema)}


def _names(schema: Struct, ids: Iterable[int]) -> list[str]:
    paths = _paths(schema)
    return sorted(paths.get(number, f"#{number}") for number in ids)


def partition_terms(facts: TableFacts) -> list[layout.Term]:
    """How the table is partitioned now, by name."""
    return _terms(facts, facts.schema)


def _terms(facts: TableFacts, schema: Struct) -> list[layout.Term]:
    paths = _paths(schema, facts.schema)
    return [
        layout.Term(f.transform, paths.get(f.source_id, f"#{f.source_id}"))
        for f in facts.spec.fields
        if f.transform != "void"
    ]


def sort_terms(facts: TableFacts) -> list[layout.SortTerm]:
    """How the table's files are sorted now, by name."""
    return _sorting(facts, facts.schema)


def _sorting(facts: TableFacts, schema: Struct) -> list[layout.SortTerm]:
    paths = _paths(schema, facts.schema)
    return [
        layout.SortTerm(layout.Term(f.transform, paths.get(f.source_id, f"#{f.source_id}")), f.direction, f.null_order)
        for f in facts.order.fields
    ]


def _listed(terms: Iterable[object]) -> str:
    return f"[{', '.join(str(term) for term in terms)}]"


def is_deletable(properties: Mapping[str, str]) -> bool:
    """Whether the object carries the mark of a file that called it deletable."""
    return properties.get(DELETABLE) == "true"
