"""Random edits of a table's entry in lakehouse.yaml: every kind of change that docs/contents.md names."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from random import Random
from typing import Any

from lakehouse.iceberg import types

Entry = dict[str, Any]
#: A column's key for what the file says of single fields in its type: ``{"b": {"doc": "a field"}}``.
FIELDS = "fields"

_NAMES = ["id", "name", "ts", "day", "price", "amount", "venue", "tags", "note", "x", "y", "z", "a_b", "key",
          "value", "element", "file_path", "Total", "order_id", "x_bucket_4", "x_2", "ts_day",
          "name_trunc_3", "y_null", "order-id", "größe", "2024_total", "with space"]  # fmt: skip
_TYPES = ["boolean", "int", "long", "float", "double", "decimal(9, 2)", "date", "timestamp", "timestamptz", "string",
          "uuid", "binary", "fixed[4]"]  # fmt: skip
_STRUCTS = ["struct<a: int, b: string>", "struct<a: required int, c: struct<d: float>>", "struct<a: int>"]
_NESTED = [*_STRUCTS, *_STRUCTS, "list<int>",
           "list<required long>", "list<struct<a: int>>", "map<string, int>", "map<int, required string>",
           "map<string, struct<a: float, b: int>>"]  # fmt: skip
_WIDER = {"int": "long", "float": "double", "decimal(9, 2)": "decimal(12, 2)", "decimal(12, 2)": "decimal(20, 2)"}
_TIMES = ("date", "timestamp", "timestamptz")
_UNHASHED = ("boolean", "float", "double")
_PROPERTIES = {
    "write.format.default": ["parquet", "avro", "orc"],
    "write.parquet.compression-codec": ["zstd", "gzip", "snappy"],
    "write.metadata.metrics.default": ["full", "counts", "none", "truncate(8)"],
    "write.distribution-mode": ["none", "hash", "range"],
    "write.target-file-size-bytes": ["134217728", "1048576"],
    "write.metadata.previous-versions-max": ["5", "50"],
    "owner.team": ["x", "y"],
}


class Edits:
    """Edits of one chain. Each returns a new entry, which the file or the plan may refuse."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def first(self) -> Entry:
        """An entry with at least a time, a number and a nested column; half of the tables have format version 1."""
        names = self.random.sample(_NAMES, self.random.randint(4, 6))
        columns = {name: self.column() for name in names}
        for name, kinds in zip(names, (_TIMES, ("int", "long", "string"), _NESTED), strict=False):
            columns[name]["type"] = self.random.choice(kinds)
        entry: Entry = {"columns": columns, "format_version": self.random.choice([1, 2])}
        return self.sort(self.partition(entry)) if self.random.random() < 0.6 else entry

    def column(self) -> Entry:
        kind = self.random.choice(_NESTED if self.random.random() < 0.25 else _TYPES)
        return {"type": kind, "required": self.random.random() < 0.35, "deletable": self.random.random() < 0.5}

    def edited(self, entry: Entry) -> Entry:
        """One to three edits at once."""
        entry = copy.deepcopy(entry)
        for column in entry["columns"].values():
            for key in ("renamed_from", FIELDS):
                column.pop(key, None)
        for _ in range(self.random.choice([1, 1, 2, 3])):
            entry = self.random.choice(self.kinds)(entry)
        return entry

    @property
    def kinds(self) -> list[Callable[[Entry], Entry]]:
        return [
            self.add, self.add, self.rename, self.reorder, self.widen, self.loosen, self.drop, self.nested, self.nested,
            self.nested, self.rename_field, self.rename_field, self.describe_field,
            self.partition, self.partition, self.partition, self.partition, self.sort, self.properties,
            self.identifier, self.identifier, self.upgrade, self.describe, self.describe_column,
        ]  # fmt: skip

    def pick(self, entry: Entry) -> str:
        names: list[str] = list(entry["columns"])
        return self.random.choice(names)

    def add(self, entry: Entry) -> Entry:
        name = self.random.choice(_NAMES)
        items = [item for item in entry["columns"].items() if item[0] != name]
        items.insert(self.random.randint(0, len(items)), (name, {**self.column(), "required": False}))
        return {**entry, "columns": dict(items)} if name not in entry["columns"] else entry

    def rename(self, entry: Entry) -> Entry:
        former, name = self.pick(entry), self.random.choice(_NAMES)
        if name in entry["columns"]:
            return entry
        columns = {
            name if each == former else each: {**of, "renamed_from": former} if each == former else of
            for each, of in entry["columns"].items()
        }
        return self.without(former, {**entry, "columns": columns}, name)

    def without(self, column: str, entry: Entry, instead: str | None = None) -> Entry:
        """The entry without the column in its layout, or with the column's new name there."""
        changed = dict(entry)
        for key in ("partition_by", "sort_by", "identifier"):
            terms = entry.get(key, [])
            known = [term for term in terms if column not in term.replace("(", " ").replace(")", " ").split()]
            if instead is not None:
                known = [term if term in known else term.replace(column, instead) for term in terms]
            changed[key] = known
        return changed

    def reorder(self, entry: Entry) -> Entry:
        items = list(entry["columns"].items())
        self.random.shuffle(items)
        return {**entry, "columns": dict(items)}

    def widen(self, entry: Entry) -> Entry:
        for name, column in entry["columns"].items():
            if column["type"] in _WIDER:
                return self.with_column(entry, name, type=_WIDER[column["type"]])
        return entry

    def with_column(self, entry: Entry, name: str, **change: Any) -> Entry:
        return {**entry, "columns": {**entry["columns"], name: {**entry["columns"][name], **change}}}

    def loosen(self, entry: Entry) -> Entry:
        required = [name for name, of in entry["columns"].items() if of["required"]]
        if not required:
            return entry
        name = self.random.choice(required)
        entry = {**entry, "identifier": [each for each in entry.get("identifier", []) if each != name]}
        return self.with_column(entry, name, required=False)

    def drop(self, entry: Entry) -> Entry:
        name = self.pick(entry)
        columns = {each: of for each, of in entry["columns"].items() if each != name}
        return self.without(name, {**entry, "columns": columns}) if columns else entry

    def nested(self, entry: Entry) -> Entry:
        """One more field, a wider field, or an optional field in a nested column."""
        changes = []
        for name, column in entry["columns"].items():
            kind = column["type"]
            number = self.random.randint(1, 99)
            new = f"f{number + 100 if f'f{number}:' in kind else number}"
            found = [kind.replace("struct<", f"struct<{new}: string, ", 1)]
            found += [kind.replace("a: int", "a: long"), kind.replace("a: float", "a: double")] * 2
            found += [kind.replace("required ", "", 1)] * 3
            changes += [(name, changed) for changed in found if changed != kind]
        if not changes:
            return self.add(entry)
        name, changed = self.random.choice(changes)
        return self.with_column(entry, name, type=changed)

    def rename_field(self, entry: Entry) -> Entry:
        """Another name for a field of a struct, also of one in a list, a map or a struct."""
        return self.with_field(entry, lambda former, name: {"renamed_from": former}, rename=True)

    def describe_field(self, entry: Entry) -> Entry:
        doc = self.random.choice(["a field", "größer"])
        return self.with_field(entry, lambda former, name: {"doc": doc}, rename=False)

    def with_field(self, entry: Entry, what: Callable[[str, str], dict[str, str]], *, rename: bool) -> Entry:
        """The entry with one more word on a field. Fields by which the table may be partitioned keep their names."""
        found = [
            (name, match[1])
            for name, of in entry["columns"].items()
            for match in re.finditer(r"\b([b-z]\d*): ", of["type"])
            if FIELDS not in of
        ]
        if not found:
            return self.nested(entry)
        name, field = self.random.choice(found)
        kind, now = entry["columns"][name]["type"], field
        if rename:
            now = f"g{self.random.randint(100, 999)}"
            kind = re.sub(rf"\b{field}: ", f"{now}: ", kind, count=1)
        return self.with_column(entry, name, type=kind, **{FIELDS: {now: what(field, now)}})

    def partition(self, entry: Entry) -> Entry:
        """One to three terms, with each transform equally often; sometimes none."""
        families: dict[str, list[str]] = {}
        for name, of in entry["columns"].items():
            for term in _terms(name, of["type"]):
                families.setdefault(term.partition("(")[0] if "(" in term else "." * term.count("."), []).append(term)
        count = min(len(families), self.random.choice([0, 1, 1, 2, 3]))
        chosen = self.random.sample(sorted(families), count)
        return {**entry, "partition_by": [self.random.choice(families[family]) for family in chosen]}

    def sort(self, entry: Entry) -> Entry:
        terms = [t for name, of in entry["columns"].items() for t in _terms(name, of["type"]) if "void" not in t]
        chosen = self.random.sample(terms, min(len(terms), self.random.choice([0, 1, 2])))
        return {**entry, "sort_by": [term + self.random.choice(["", " desc", " nulls last"]) for term in chosen]}

    def properties(self, entry: Entry) -> Entry:
        key = self.random.choice(list(_PROPERTIES))
        return {**entry, "properties": {**entry.get("properties", {}), key: self.random.choice(_PROPERTIES[key])}}

    def identifier(self, entry: Entry) -> Entry:
        fit = [n for n, of in entry["columns"].items() if of["required"] and "<" not in of["type"]]
        return {**entry, "identifier": self.random.sample(fit, self.random.randint(0, min(2, len(fit))))}

    def upgrade(self, entry: Entry) -> Entry:
        return {**entry, "format_version": 2}

    def describe(self, entry: Entry) -> Entry:
        return {**entry, "doc": self.random.choice(["a table", "another table"])}

    def describe_column(self, entry: Entry) -> Entry:
        return self.with_column(entry, self.pick(entry), doc=self.random.choice(["a column", "größer"]))


def _terms(name: str, kind: str) -> list[str]:
    """Every partition term that a column of this type may have."""
    if " " in name:
        return []
    if "<" in kind:
        return [f"{name}.a"] if kind.startswith("struct<") and "a: " in kind else []
    terms = [name, f"void({name})"]
    if kind not in _UNHASHED:
        terms += [f"bucket(4, {name})", f"bucket(8, {name})"]
    if kind in ("int", "long", "string") or kind.startswith("decimal"):
        terms += [f"truncate(3, {name})"]
    if kind in _TIMES:
        terms += [f"{unit}({name})" for unit in ("year", "month", "day", "hour")[: 3 if kind == "date" else 4]]
    return terms


def in_file(entry: Entry) -> Entry:
    """The entry as the file has it: with the mapping form of the types of which it says more than their text."""
    columns = {name: {key: of[key] for key in of if key != FIELDS} for name, of in entry["columns"].items()}
    for name, of in entry["columns"].items():
        for field, more in of.get(FIELDS, {}).items():
            columns[name]["type"] = _mapped(types.parse(of["type"]), field, more)
    return {**entry, "columns": columns}


def _mapped(kind: types.Type, field: str, more: dict[str, str]) -> Any:
    match kind:
        case types.Struct(inner):
            return {
                "struct": {
                    each.name: {
                        "type": _mapped(each.type, field, more),
                        "required": each.required,
                        **(more if each.name == field else {}),
                    }
                    for each in inner
                }
            }
        case types.List():
            return {"list": {"type": _mapped(kind.element, field, more), "required": kind.element_required}}
        case types.Map():
            value = {"type": _mapped(kind.value, field, more), "required": kind.value_required}
            return {"map": {"key": str(kind.key), "value": value}}
    return kind
