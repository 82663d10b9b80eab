"""Partition spec and sort order of a table: those of a new one, and what brings one to what the file wants. Pure.

https://iceberg.apache.org/spec/#partition-evolution
"""

from __future__ import annotations

from collections.abc import Iterable

from bootstrap.iceberg import layout, rules
from bootstrap.iceberg.layout import PartitionField, PartitionSpec, SortField, SortOrder
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.iceberg.schema import walk
from bootstrap.reconciler.draft import Draft
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
    """A new partition spec where the table's is not the wanted one; what is written stays as it is."""
    wanted = draft.wanted
    goal = draft.sources([(term.column, term.transform) for term in wanted.partition_by], "partition_by")
    if len(goal) < len(wanted.partition_by):
        return  # it is refused
    fields = [(f.source_id, f.transform) for f in facts.spec.fields]
    now = [field for field in fields if field[1] != "void" or field in goal]
    # A version 1 spec only ever grows, so the order in it cannot be chosen.
    version = max(facts.format_version, wanted.format_version)
    # Trino takes a table for partitioned whose format version 1 left nothing but void fields, and cannot change it.
    empty = version > 1 and not goal and bool(fields)
    # Beside a void field of version 1 Iceberg gives the same id and name once more to the field that it was, if an
    # engine adds that again, and cannot read the table then. Version 2 needs no void fields.
    empty = empty or (facts.format_version == 1 < version and len(now) < len(fields))
    # Engines cannot write by a spec with a void field whose column is gone.
    present = {field.id for _, field in walk(draft.schema)}
    empty = empty or (version > 1 and any(source not in present for source, _ in fields))
    if (now == goal and not empty) or (version == 1 and sorted(now) == sorted(goal)):
        return
    evolved = _evolved_fields(draft, facts, goal, version)
    if now != goal or not goal:  # else only void fields go, along with format version 1
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
    """A new sort order where the table's is not the wanted one."""
    fields = _sort_fields(draft)
    if fields == facts.order.fields:
        return
    draft.tell("~", f"sort_by {listed(_sorting(facts, draft.schema))} -> {listed(draft.wanted.sort_by)}")
    draft.require("default-sort-order-id", **{"default-sort-order-id": facts.order.id})
    same = [order.id for order in facts.orders if order.fields == fields]
    if same:
        draft.update("set-default-sort-order", **{"sort-order-id": same[-1]})
        return
    number = max([0, *(order.id for order in facts.orders)]) + 1 if fields else 0
    draft.update("add-sort-order", **{"sort-order": layout.order_to_json(SortOrder(number, fields))})
    draft.update("set-default-sort-order", **{"sort-order-id": -1 if number else 0})


def partition_terms(facts: TableFacts) -> list[Term]:
    """How the table is partitioned now, by name."""
    return _terms(facts, facts.schema)


def sort_terms(facts: TableFacts) -> list[SortTerm]:
    """How the table's files are sorted now, by name."""
    return _sorting(facts, facts.schema)


def paths(*schemas: Struct) -> dict[int, str]:
    """Dotted paths by column id; of several schemas the last one's names count."""
    return {field.id: path for schema in schemas for path, field in walk(schema)}


def listed(terms: Iterable[object]) -> str:
    """Terms as a plan shows them."""
    return f"[{', '.join(str(term) for term in terms)}]"


def _evolved_fields(
    draft: Draft, facts: TableFacts, goal: list[tuple[int, str]], version: int
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
        # A name that another field had, of any spec, stays that field's: readers put all specs' fields into one struct.
        taken |= {name for name, *other in ever if version == 1 or other != [source, transform]}
        taken |= rules.column_names(draft.schema, source, transform)
        # Time travel binds every spec to the schema of its snapshot, so the names of that one's columns count as well.
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
