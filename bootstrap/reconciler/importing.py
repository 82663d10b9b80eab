"""The file's section for what is there already: tables and namespaces as lakehouse.yaml would say them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bootstrap.reconciler import relayout, tables
from bootstrap.reconciler.metadata import CatalogFacts, TableFacts
from bootstrap.reconciler.schema import render_type, walk
from bootstrap.reconciler.wanted import COMMENT
from lakehouse.errors import UsageError
from lakehouse.spec.model import Catalog

#: What a namespace's catalog fills in by itself.
_NAMESPACE_OWN = ("location", "owner")


def section(spec: Catalog, facts: CatalogFacts, *, everything: bool = False) -> tuple[dict[str, Any], list[str]]:
    """``namespaces:`` of a catalog for what the file does not name (``everything``: for all that is there).

    With it the names that a file cannot hold, each with the reason.
    """
    found: dict[str, Any] = {}
    left: list[str] = []
    for name in sorted(facts.namespaces):
        known = spec.namespaces.get(name)
        content: dict[str, Any] = {}
        own = {k: v for k, v in facts.namespaces[name].items() if k not in _NAMESPACE_OWN and tables.removable(k, True)}
        own = {k: v for k, v in own.items() if not k.startswith("lakehouse.")}
        if own and (everything or known is None):
            content["properties"] = own
        if known is None and tables.is_deletable(facts.namespaces[name]):
            content["deletable"] = True
        for full, table in sorted(facts.tables.items()):
            namespace, _, short = full.rpartition(".")
            if namespace == name and (everything or known is None or short not in known.tables):
                content.setdefault("tables", {})[short] = describe(table, f"{spec.location}/{full.replace('.', '/')}")
        if content or known is None or everything:
            found[name] = content
    return _valid(spec, found, left), left


def describe(table: TableFacts, usual_location: str) -> dict[str, Any]:
    """A table's entry; what the file's defaults say already is left out."""
    paths = {field.id: path for path, field in walk(table.schema)}
    columns: dict[str, Any] = {}
    for field in table.schema.fields:
        column: dict[str, Any] = {"type": render_type(field.type)}
        if field.required:
            column["required"] = True
        if field.doc is not None:
            column["doc"] = field.doc
        if field.initial_default is not None:
            column["initial_default"] = field.initial_default
        if field.write_default is not None:
            column["write_default"] = field.write_default
        columns[field.name] = column if len(column) > 1 else column["type"]
    entry: dict[str, Any] = {"columns": columns}
    if partition := relayout.partition_terms(table):
        entry["partition_by"] = [str(term) for term in partition]
    if sorting := relayout.sort_terms(table):
        entry["sort_by"] = [str(term) for term in sorting]
    if table.identifier:
        entry["identifier"] = sorted(paths[number] for number in table.identifier)
    if properties := {k: v for k, v in table.properties.items() if k != COMMENT and _wished(k)}:
        entry["properties"] = properties
    if table.format_version != 2:
        entry["format_version"] = table.format_version
    if table.location.rstrip("/") != usual_location:
        entry["location"] = table.location.rstrip("/")
    if COMMENT in table.properties:
        entry["doc"] = table.properties[COMMENT]
    if tables.is_deletable(table.properties):
        entry["deletable"] = True
    return entry


def _wished(key: str) -> bool:
    return tables.removable(key, exclusive=True) and not key.startswith("lakehouse.")


def _valid(spec: Catalog, found: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """Without the entries that the model does not take: names with capitals, types that cannot be created yet."""
    good: dict[str, Any] = {}
    for name, content in found.items():
        if why := _refusal(spec, {name: {**content, "tables": {}}}):
            left.append(f"namespace {name}: {why}")
            continue
        fitting = {}
        for table, entry in content.get("tables", {}).items():
            if why := _refusal(spec, {name: {"tables": {table: entry}}}):
                left.append(f"table {name}.{table}: {why}")
            else:
                fitting[table] = entry
        good[name] = {key: value for key, value in content.items() if key != "tables"}
        if fitting:
            good[name]["tables"] = fitting
    return good


def _refusal(spec: Catalog, namespaces: Mapping[str, Any]) -> str:
    try:
        Catalog.model_validate({"location": spec.location, "namespaces": namespaces})
    except ValidationError as error:
        return str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    return ""


def add_to(path: Path, sections: Mapping[str, Any]) -> int:
    """Add sections to the file, beside what stands there; its comments and order stay. Returns how many entries came.

    Raises UsageError where the file cannot be written.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    data = yaml.load(path.read_text())
    count = 0
    for catalog, content in sections["catalogs"].items():
        namespaces = _mapping(data["catalogs"][catalog], "namespaces")
        for name, entry in content["namespaces"].items():
            if namespaces.get(name) is None:
                namespaces[name] = entry
                count += 1 + len(entry.get("tables", {}))
                continue
            there = _mapping(namespaces[name], "tables")
            for table, described in entry.get("tables", {}).items():
                there[table] = described
                count += 1
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w") as file:
            yaml.dump(data, file)
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return count


def _mapping(parent: Any, key: str) -> Any:
    if parent.get(key) is None:
        parent[key] = {}
    return parent[key]
