"""Partition spec and sort order of a table: for a new table, and the change of an existing table. Pure.

https://iceberg.apache.org/spec/#partition-evolution
"""

from __future__ import annotations

from collections.abc import Iterable

from bootstrap.iceberg import layout, rules
from bootstrap.iceberg.layout import PartitionField, PartitionSpec, SortField, SortOrder
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.iceberg.schema import walk
from bootstrap.reconciler.tables.draft import Draft
from lakehouse.iceberg.transforms import SortTerm, Term
from lakehouse.iceberg.types import Struct


def create(draft: Draft) -> None:
    """The layout of a new table."""
    wanted = draft.wanted
    taken: set[str] = set()
    parts: list[PartitionField] = []
    sources = draft.sources([(t.column, t.transform) for t in wanted.partition_by], "partition_by")
    for position, (term, (source, transform)) in enumerate(zip(wanted.partition_by, sources, strict=False)):
        name = layout.partition_name(term, taken | rules.column_names(draft.schema, source, transform))
        taken.add(name)
        parts.append(PartitionField(source, layout.FIRST_PARTITION_ID + position, name, transform))
    draft.update("add-spec", spec=layout.spec_to_json(PartitionSpec(0, tuple(parts))))
    draft.update("set-default-spec", **{"spec-id": -1})
    fields = _sort_fields(draft)
    order = SortOrder(1 if fields else 0, fields)
    draft.update("add-sort-order", **{"sort-order": layout.order_to_json(order)})
    draft.update("set-default-sort-order", **{"sort-order-id": -1})


def repartition(draft: Draft, facts: TableFacts) -> None:
    """Add a new partition spec if the table's is not the wanted one. Existing files stay as they are."""
    wanted = draft.wanted
    goal = draft.sources([(term.column, term.transform) for term in wanted.partition_by], "partition_by")
    if len(goal) < len(wanted.partition_by):
        return  # the draft refuses the table
    fields = [(f.source_id, f.transform) for f in facts.spec.fields]
    now = [field for field in fields if field[1] != "void" or field in goal]
    # A spec of format version 1 only grows, so its order cannot be chosen.
    version = max(facts.format_version, wanted.format_version)
    # If format version 1 left only void fields, Trino takes the table as partitioned and cannot change it.
    empty = version > 1 and not goal and bool(fields)
    # If an engine adds a field again that version 1 made void, Iceberg gives it the same id and name as the void
    # field, and then cannot read the table. Version 2 needs no void fields.
    empty = empty or (facts.format_version == 1 < version and len(now) < len(fields))
    # Engines cannot write with a spec that has a void field without a column.
    present = {field.id for _, field in walk(draft.schema)}
    empty = empty or (version > 1 and any(source not in present for source, _ in fields))
    if (now == goal and not empty) or (version == 1 and sorted(now) == sorted(goal)):
        return
    evolved = _evolved_fields(draft, facts, goal, version)
    if now != goal or not goal:  # else only void fields go, together with format version 1
        before = "[void]" if empty and not now else listed(_terms(facts, draft.schema))
        draft.tell("~", f"partition_by {before} -> {listed(wanted.partition_by)}")
    draft.require("default-spec-id", **{"default-spec-id": facts.spec.id})
    draft.require("last-assigned-partition-id", **{"last-assigned-partition-id": facts.last_partition_id})
    same = [spec.id for spec in facts.specs if spec.fields == evolved]
    if same:
        draft.update("set-default-spec", **{"spec-id": same[-1]})
        return
    spec = PartitionSpec(max(spec.id for spec in facts.specs) + 1, evolved)
    draft.update("add-spec", spec=layout.spec_to_json(spec))
    draft.update("set-default-spec", **{"spec-id": -1})


def resort(draft: Draft, facts: TableFacts) -> None:
    """Add a new sort order if the table's is not the wanted one."""
    fields = _sort_fields(draft)
    if fields == facts.order.fields:
        return
    draft.tell("~", f"sort_by {sorting(_sorting(facts, draft.schema))} -> {sorting(draft.wanted.sort_by)}")
    draft.require("default-sort-order-id", **{"default-sort-order-id": facts.order.id})
    same = [order.id for order in facts.orders if order.fields == fields]
    if same:
        draft.update("set-default-sort-order", **{"sort-order-id": same[-1]})
        return
    number = max([0, *(order.id for order in facts.orders)]) + 1 if fields else 0
    draft.update("add-sort-order", **{"sort-order": layout.order_to_json(SortOrder(number, fields))})
    draft.update("set-default-sort-order", **{"sort-order-id": -1 if number else 0})


def partition_terms(facts: TableFacts) -> list[Term]:
    """The table's present partitioning, by column names."""
    return _terms(facts, facts.schema)


def sort_terms(facts: TableFacts) -> list[SortTerm]:
    """The table's present sort order, by column names."""
    return _sorting(facts, facts.schema)


def paths(*schemas: Struct) -> dict[int, str]:
    """Dotted paths by column id. If several schemas have an id, the last one's name counts."""
    return {field.id: path for schema in schemas for path, field in walk(schema)}


def listed(terms: Iterable[object]) -> str:
    """Terms as text for a plan."""
    return f"[{', '.join(str(term) for term in terms)}]"


def sorting(terms: Iterable[SortTerm]) -> str:
    """A sort order as text for a plan, with the null order of each term: engines have different defaults."""
    return listed(term.full for term in terms)


def _evolved_fields(
    draft: Draft, facts: TableFacts, goal: list[tuple[int, str]], version: int
) -> tuple[PartitionField, ...]:
    """The new spec's fields. A field of any earlier spec gets its id and name again, as the format requires."""
    known = {(f.source_id, f.transform): f for spec in facts.specs for f in spec.fields}
    last = facts.last_partition_id
    fields: list[PartitionField] = []
    if version == 1:
        fields = [
            f if (f.source_id, f.transform) in goal else f._replace(transform="void") for f in facts.spec.fields
        ]  # version 1 readers find partition values by position
    placed = {(f.source_id, f.transform) for f in fields}
    terms = dict(zip(goal, draft.wanted.partition_by, strict=True))
    ever = {(f.name, f.source_id, f.transform) for spec in facts.specs for f in spec.fields}
    for source, transform in goal:
        if (source, transform) in placed:
            continue
        term, former = terms[source, transform], known.get((source, transform))
        taken = {f.name for f in fields}
        if former is not None and former.name not in taken and version > 1:
            fields.append(former)
            continue
        # A name that another field of any spec had stays with that field: readers put all fields into one struct.
        taken |= {name for name, *other in ever if version == 1 or other != [source, transform]}
        taken |= rules.column_names(draft.schema, source, transform)
        # Time travel binds every spec to the schema of its snapshot, so the column names of that schema count too.
        for schema, _ in facts.schemas.values():
            taken |= rules.column_names(schema, source, transform)
        last += 1
        fields.append(PartitionField(source, last, layout.partition_name(term, taken), transform))
    return tuple(fields)


def _sort_fields(draft: Draft) -> tuple[SortField, ...]:
    wanted = draft.wanted.sort_by
    sources = draft.sources([(sort.term.column, sort.term.transform) for sort in wanted], "sort_by")
    return tuple(
        SortField(source, transform, sort.direction, sort.null_order)
        for (source, transform), sort in zip(sources, wanted, strict=False)
    )


def _terms(facts: TableFacts, schema: Struct) -> list[Term]:
    names = paths(schema, facts.schema)
    return [
        Term(f.transform, names.get(f.source_id, f"#{f.source_id}")) for f in facts.spec.fields if f.transform != "void"
    ]


def _sorting(facts: TableFacts, schema: Struct) -> list[SortTerm]:
    names = paths(schema, facts.schema)
    return [
        SortTerm(Term(f.transform, names.get(f.source_id, f"#{f.source_id}")), f.direction, f.null_order)
        for f in facts.order.fields
    ]
