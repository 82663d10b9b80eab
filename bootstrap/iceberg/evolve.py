"""Schema evolution: a table's new schema, from its present schema and the one that the file wants. Pure.

Rules: https://iceberg.apache.org/spec/#schema-evolution. A column stays the same column as long as it keeps its id.
Names are matched first, then ``renamed_from``. New fields get ids above the highest ever given, so that no old column
comes back by accident.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from bootstrap.iceberg.schema import number
from lakehouse.iceberg.types import NO_ID, Field, List, Map, Struct, Type, fields
from lakehouse.text.written import quoted

_DECIMAL = re.compile(r"decimal\((\d+), (\d+)\)")
_WIDER = {("int", "long"), ("float", "double")}


class Detail(NamedTuple):
    """One line of a change: ``+``, ``~`` or ``-``, and the text."""

    symbol: str
    text: str


class FormatProblem(NamedTuple):
    """Something the format forbids: the column (dotted path), and rule and fix in one sentence."""

    column: str
    message: str


class Evolution(NamedTuple):
    """The result. With ``problems`` the schema must not be used. ``kept``: columns that the file does not name."""

    schema: Struct
    last_column_id: int
    details: tuple[Detail, ...]
    problems: tuple[FormatProblem, ...]
    kept: tuple[str, ...]


def evolve(
    actual: Struct,
    wanted: Struct,
    last_column_id: int,
    *,
    renamed_from: Mapping[str, str] | None = None,
    droppable: Callable[[str], bool] | None = None,
    authoritative_docs: bool = False,
) -> Evolution:
    """Change ``actual`` to ``wanted``. Other columns stay, unless ``droppable`` returns True for their path.

    ``renamed_from`` has former names by the paths of columns and fields: ``{"place.town": "city"}``.
    """
    merge = _Merge(last_column_id, renamed_from or {}, droppable or _nothing, authoritative_docs)
    schema = merge.struct(actual, wanted, "")
    return Evolution(schema, merge.last_id, tuple(merge.details), tuple(merge.problems), tuple(merge.kept))


def _nothing(path: str) -> bool:
    return False


class _Merge:
    """One walk over both schemas, which records what it finds."""

    def __init__(
        self, last_id: int, renamed_from: Mapping[str, str], droppable: Callable[[str], bool], docs: bool
    ) -> None:
        self.last_id, self.renamed_from, self.droppable, self.docs = last_id, renamed_from, droppable, docs
        self.details: list[Detail] = []
        self.problems: list[FormatProblem] = []
        self.kept: list[str] = []

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def struct(self, actual: Struct, wanted: Struct, prefix: str) -> Struct:
        there = {field.name: field for field in actual.fields}
        target: list[Field] = []
        for want in wanted.fields:
            path = prefix + want.name
            have = there.pop(want.name, None)
            if have is None:
                have = self.renamed(want, there, wanted, prefix)
            target.append(self.field(have, want, path) if have else self.new(want, path, actual, there))
        target = self.with_unnamed(target, actual, list(there.values()), prefix)
        self.note_order(actual, target, prefix)
        return Struct(tuple(target))

    def renamed(self, want: Field, there: dict[str, Field], wanted: Struct, prefix: str) -> Field | None:
        """The field that ``want`` was until now, if it still exists under its former name."""
        former = self.renamed_from.get(prefix + want.name)
        if former is None or former not in there or any(field.name == former for field in wanted.fields):
            return None
        self.details.append(Detail("~", f"column {prefix}{former} -> {prefix}{want.name} (renamed)"))
        return there.pop(former)

    def new(self, want: Field, path: str, actual: Struct, there: Mapping[str, Field]) -> Field:
        twin = next((field.name for field in actual.fields if field.name.lower() == want.name.lower()), None)
        if twin is not None and twin in there:
            self.problems.append(
                FormatProblem(
                    path,
                    f"differs from the column {quoted(twin)} only in case, and engines do not distinguish them. "
                    f"Write {quoted(twin)}, or add `renamed_from: {twin}`",
                )
            )
        if want.required and want.initial_default is None:
            self.problems.append(
                FormatProblem(path, "a required column cannot be added: rows already written have no value for it. "
                        "Make it optional, or give it an `initial_default` (format version 3)")
            )  # fmt: skip
        self.details += introduced(path, want)
        identity = self.next_id()
        return want._replace(id=identity, type=number(want.type, self.next_id))

    def field(self, have: Field, want: Field, path: str) -> Field:
        required = have.required
        if want.required and not have.required:
            self.problems.append(
                FormatProblem(path, "an optional column cannot be made required: rows already written may lack it. "
                        "Leave `required` out")
            )  # fmt: skip
        elif have.required and not want.required:
            self.details.append(Detail("~", f"column {path}: required -> optional"))
            required = False
        doc = have.doc
        if want.doc != have.doc and (want.doc is not None or self.docs):
            self.details.append(Detail("~", f"column {path}: doc {quoted(have.doc)} -> {quoted(want.doc)}"))
            doc = want.doc
        kind = self.type(have.type, want.type, path)
        if want.initial_default is not None and want.initial_default != have.initial_default:
            self.problems.append(
                FormatProblem(
                    path,
                    f"its initial default is {quoted(have.initial_default)} and never changes: rows that were "
                    "written before the column have it. Leave `initial_default` as it was",
                )
            )
        write = have.write_default
        if want.write_default != write and (want.write_default is not None or (self.docs and "." not in path)):
            self.details.append(
                Detail("~", f"column {path}: write default {quoted(write)} -> {quoted(want.write_default)}")
            )
            write = want.write_default
        return have._replace(name=want.name, type=kind, required=required, doc=doc, write_default=write)

    def type(self, have: Type, want: Type, path: str) -> Type:
        if isinstance(have, str) and have == want:
            return have
        if isinstance(have, Struct) and isinstance(want, Struct):
            return self.struct(have, want, f"{path}.")
        if isinstance(have, List) and isinstance(want, List):
            return have._replace(
                element=self.type(have.element, want.element, f"{path}.element"),
                element_required=self.nullable(have.element_required, want.element_required, f"{path}.element"),
            )
        if isinstance(have, Map) and isinstance(want, Map):
            if str(have.key) != str(want.key):
                self.problems.append(
                    FormatProblem(f"{path}.key", f"a map's keys cannot change ({have.key!s} -> "
                            f"{want.key!s}): equal keys could become different ones. Add a new column")
                )  # fmt: skip
            return have._replace(
                value=self.type(have.value, want.value, f"{path}.value"),
                value_required=self.nullable(have.value_required, want.value_required, f"{path}.value"),
            )
        if isinstance(have, str) and isinstance(want, str) and widens(have, want):
            self.details.append(Detail("~", f"column {path}: {have} -> {want}"))
            return want
        self.problems.append(
            FormatProblem(path, f"{have!s} cannot become {want!s}: Iceberg widens int to long, float "
                    "to double and a decimal's precision, nothing else. Keep the type, or add a new column")
        )  # fmt: skip
        return have

    def nullable(self, have: bool, want: bool, path: str) -> bool:
        if want and not have:
            self.problems.append(FormatProblem(path, "optional values cannot be made required. Leave `required` out"))
        elif have and not want:
            self.details.append(Detail("~", f"column {path}: required -> optional"))
        return have and want

    def with_unnamed(self, target: list[Field], actual: Struct, unnamed: list[Field], prefix: str) -> list[Field]:
        """Drop the columns that may be dropped. Other unnamed columns stay after their former neighbours."""
        for field in unnamed:
            path = prefix + field.name
            if self.droppable(path):
                self.details.append(Detail("-", f"column {path} {describe(field)}"))
                continue
            self.kept.append(path)
            before = [f.id for f in actual.fields[: actual.fields.index(field)]]
            places = [index for index, f in enumerate(target) if f.id in before]
            # the neighbour itself if it still exists, otherwise the last of those before it
            neighbour = [index for index, f in enumerate(target) if before and f.id == before[-1]]
            target.insert((neighbour or places or [-1])[-1] + 1, field)
        return target

    def note_order(self, actual: Struct, target: list[Field], prefix: str) -> None:
        ids = {field.id for field in target}
        before = [field.id for field in actual.fields if field.id in ids]
        known = set(before)
        after = [field.id for field in target if field.id in known]
        if before != after:
            names = ", ".join(field.name for field in target)
            self.details.append(Detail("~", f"order of {prefix.rstrip('.') or 'columns'}: {names}"))


def widens(have: str, want: str) -> bool:
    """Whether Iceberg can read values of ``have`` as ``want``."""
    if (have, want) in _WIDER:
        return True
    old, new = _DECIMAL.fullmatch(have), _DECIMAL.fullmatch(want)
    return bool(old and new and old[2] == new[2] and int(new[1]) > int(old[1]))


def describe(field: Field) -> str:
    """A column's type, whether it is required, its defaults and its doc, as a plan shows them."""
    given = (("initial default", field.initial_default), ("write default", field.write_default), ("doc", field.doc))
    said = ", ".join(f"{name} {quoted(value)}" for name, value in given if value is not None)
    return str(field.type) + (" required" if field.required else "") + (f" ({said})" if said else "")


def introduced(path: str, field: Field) -> Iterator[Detail]:
    """The lines of a new column: the column itself, and the docs of the fields in it."""
    yield Detail("+", f"column {path} {describe(field)}")
    for inner, part in fields(field.type, f"{path}."):
        if part.doc is not None:
            yield Detail("+", f"column {inner}: doc {quoted(part.doc)}")


def fresh(wanted: Struct) -> tuple[Struct, int]:
    """The schema of a new table with its ids, and the highest of them."""
    last = NO_ID

    def next_id() -> int:
        nonlocal last
        last += 1
        return last

    numbered = number(wanted, next_id)
    assert isinstance(numbered, Struct)
    return numbered, last
