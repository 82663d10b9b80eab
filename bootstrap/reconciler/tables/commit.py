"""The one commit that creates a table, or that changes it to what the file wants. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bootstrap.iceberg import rules
from bootstrap.iceberg.evolve import Evolution, FormatProblem, evolve, fresh, introduced
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.iceberg.schema import type_to_json, walk
from bootstrap.reconciler import properties
from bootstrap.reconciler.marks import DELETABLE_COLUMNS
from bootstrap.reconciler.properties import removable
from bootstrap.reconciler.tables import relayout
from bootstrap.reconciler.tables.draft import Draft, Json, TableChange
from bootstrap.reconciler.tables.wanted import WantedTable
from lakehouse.iceberg.types import Struct, fields
from lakehouse.spec.kinds import Limits
from lakehouse.text.written import quoted, written


def refusals(wanted: WantedTable, limits: Limits) -> Iterable[FormatProblem]:
    """What the file wants and this kind of catalog does not support."""
    if wanted.format_version > limits.format_version:
        rule = f"{limits.kind} knows format versions up to {limits.format_version}, not {wanted.format_version}"
        yield FormatProblem("", f"{rule}. Write `format_version: {limits.format_version}`")
    if not limits.nested_partitions:
        for term in wanted.partition_by:
            if "." in term.column:
                rule = f"{limits.kind} does not partition by a field of a struct ({term})"
                yield FormatProblem(term.column, f"{rule}. Add a column for it, and take that")


def creation(wanted: WantedTable) -> TableChange:
    """The one commit that creates a table.

    createTable is not used: servers (Nessie 0.99) ignore the location in that request, but respect set-location.
    """
    schema, last_id = fresh(wanted.schema)
    draft = Draft(wanted, schema)
    draft.require("create")
    draft.update("upgrade-format-version", **{"format-version": wanted.format_version})
    identifier = _identifier(draft)
    draft.updates += _schema_updates(schema, identifier, last_id, 0)
    relayout.create(draft)
    draft.update("set-location", location=wanted.location)
    if wanted.properties:
        draft.update("set-properties", updates=properties.created(wanted.properties))
    if wanted.format_version != 2:
        draft.tell("+", f"format_version {wanted.format_version}")
    if wanted.fixed_location:
        draft.tell("+", f"location {wanted.location}")
    for field in schema.fields:
        draft.details += introduced(field.name, field)
    if wanted.identifier:
        draft.tell("+", f"identifier {written(wanted.identifier)}")
    if wanted.partition_by:
        draft.tell("+", f"partition_by {relayout.listed(wanted.partition_by)}")
    if wanted.sort_by:
        draft.tell("+", f"sort_by {relayout.sorting(wanted.sort_by)}")
    for key, value in wanted.properties.items():
        draft.tell("+", f"property {key} = {value}")
    _obey(draft, None, identifier)
    return draft.finished()


def unchanged(wanted: WantedTable, facts: TableFacts, *, exclusive: bool) -> bool:
    """A quick check of the metadata as it is written: True means that :func:`evolution` would find nothing to do.

    Most of thousands of tables need no change, and this check is ten times faster than the full comparison. It may
    return False for a table that needs no change: it does not handle nested types and rare forms.
    """
    data = facts.metadata
    if data["format-version"] != wanted.format_version or wanted.fixed_location:
        return False
    schema = next(each for each in data["schemas"] if each["schema-id"] == data["current-schema-id"])
    fields, columns = schema["fields"], wanted.schema.fields
    if rules.may_be_broken(data, fields):
        return False
    if len(fields) != len(columns) or any(
        have["name"] != want.name
        or have["type"] != want.type
        or have["required"] != want.required
        or (have.get("doc") != want.doc and (exclusive or want.doc is not None))
        or (want.initial_default, want.write_default) != (None, None)
        or "write-default" in have
        for have, want in zip(fields, columns, strict=True)
    ):
        return False
    there = data["properties"]
    if not there.items() >= wanted.properties.items():
        return False
    if any(key not in wanted.properties and removable(key, exclusive) for key in there):
        return False
    if any(properties.dropped(wanted.properties, there)):
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
    """The one commit that changes the table to what the file wants."""
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
    draft = Draft(wanted, step.schema, details=list(step.details), problems=list(step.problems))
    draft.require("table-uuid", uuid=facts.uuid)
    if wanted.format_version > facts.format_version:
        draft.update("upgrade-format-version", **{"format-version": wanted.format_version})
        draft.tell("~", f"format_version {facts.format_version} -> {wanted.format_version}")
    elif wanted.format_version < facts.format_version:
        rule = f"the table has format version {facts.format_version}, and a version never goes back"
        draft.refuse("", f"{rule}. Write `format_version: {facts.format_version}`")
    if wanted.fixed_location and wanted.location.rstrip("/") != facts.location.rstrip("/"):
        rule = f"the table is at {facts.location}, and a table does not move with its data"
        draft.refuse("", f"{rule}. Write `location: {facts.location}`")
    identifier = _change_schema(draft, facts, step)
    relayout.repartition(draft, facts)
    relayout.resort(draft, facts)
    _change_properties(draft, facts, _marked(wanted, facts, step.kept), exclusive)
    _obey(draft, facts, identifier)
    return draft.finished(step.kept)


def _obey(draft: Draft, facts: TableFacts | None, identifier: frozenset[int]) -> None:
    """Refuse a commit after which Iceberg's Java library cannot load the table, or still cannot load it."""
    before = set(rules.broken(rules.state(facts))) if facts else set()
    known = {problem.column for problem in draft.problems}
    after = rules.after(facts, draft.schema, identifier, draft.updates)
    for problem in (*rules.broken(after), *(rules.taken_over(rules.state(facts), after) if facts else ())):
        already = "the table is in this state already: " if problem in before else ""
        if problem.column not in known:
            draft.refuse(problem.column, already + problem.message)


def _change_schema(draft: Draft, facts: TableFacts, step: Evolution) -> frozenset[int]:
    """Add the new schema. Returns the identifier columns that the table has afterwards."""
    identifier = _identifier(draft)
    if step.schema == facts.schema and identifier == facts.identifier:
        return identifier
    if identifier != facts.identifier:
        names = relayout.paths(facts.schema)
        former = sorted(names.get(number, f"#{number}") for number in facts.identifier)
        draft.tell("~", f"identifier {written(former)} -> {written(draft.wanted.identifier)}")
    present = {field.id for _, field in walk(step.schema)}
    for spec in facts.specs:
        for part in spec.fields:
            gone = next((path for path, f in walk(facts.schema) if f.id == part.source_id), None)
            if gone and part.source_id not in present and part.transform != "void":
                rule = f"the table is or was partitioned by {quoted(part.name)}, and engines cannot read files of"
                draft.refuse(gone, f"{rule} a partition whose column is gone. Keep the column")
    draft.require("current-schema-id", **{"current-schema-id": facts.schema_id})
    draft.require("last-assigned-field-id", **{"last-assigned-field-id": facts.last_column_id})
    same = [number for number, known in facts.schemas.items() if known == (step.schema, identifier)]
    if same:
        draft.update("set-current-schema", **{"schema-id": same[-1]})
    else:
        draft.updates += _schema_updates(step.schema, identifier, step.last_column_id, max(facts.schemas) + 1)
    return identifier


def _marked(wanted: WantedTable, facts: TableFacts, kept: Iterable[str]) -> dict[str, str]:
    """The wanted properties. A column that an earlier file called deletable keeps that mark while it exists."""
    former = facts.properties.get(DELETABLE_COLUMNS, "").split(",")
    staying = {path.split(".")[0] for path in kept}
    columns = wanted.properties.get(DELETABLE_COLUMNS, "").split(",")
    marks = sorted({*filter(None, columns), *(name for name in former if name in staying)})
    return {**wanted.properties, **({DELETABLE_COLUMNS: ",".join(marks)} if marks else {})}


def _change_properties(draft: Draft, facts: TableFacts, wanted: Mapping[str, str], exclusive: bool) -> None:
    change = properties.changed(wanted, facts.properties, lambda key: removable(key, exclusive))
    draft.details += change.details
    if change.updates:
        draft.update("set-properties", updates=change.updates)
    if change.removals:
        draft.update("remove-properties", removals=change.removals)


def left_over(name: str, wanted: WantedTable, facts: TableFacts) -> list[str]:
    """What the file does not name and nothing removes: properties that others set, and docs of columns."""
    going = [*properties.dropped(wanted.properties, facts.properties)]
    documented = facts.documented
    silent = {path for path, field in fields(wanted.schema) if field.doc is None} if documented else ()
    docs = [f"doc of column {name}.{each}" for each in documented if each in silent]
    return properties.unnamed(name, wanted.properties, facts.properties, going) + docs


def _schema_updates(schema: Struct, identifier: frozenset[int], last_id: int, number: int) -> list[Json]:
    data = {"schema-id": number, "identifier-field-ids": sorted(identifier), **type_to_json(schema)}
    return [
        {"action": "add-schema", "schema": data, "last-column-id": last_id},
        {"action": "set-current-schema", "schema-id": -1},
    ]


def _identifier(draft: Draft) -> frozenset[int]:
    fields = dict(walk(draft.schema))
    names = draft.wanted.identifier
    for name in names:
        if name not in fields:
            draft.refuse(name, "identifier names a column that does not exist. Name one of `columns`")
    return frozenset(fields[name].id for name in names if name in fields)
