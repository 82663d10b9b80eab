"""Existing objects as entries of lakehouse.yaml: a section for ``import``, the whole file for ``export``.

Pure. Entries that the file's rules refuse are left out and reported with the reason, so that the file stays valid.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, TableFacts
from bootstrap.iceberg.schema import walk
from bootstrap.reconciler import relayout, tables
from bootstrap.reconciler.properties import recorded
from bootstrap.reconciler.wanted import COMMENT, DELETABLE_COLUMNS
from lakehouse.spec.checks import check
from lakehouse.spec.model import Catalog, Lakehouse
from lakehouse.spec.problems import KeyPath, dotted

#: Namespace properties that catalogs set by themselves.
_NAMESPACE_OWN = ("location", "owner")
#: Table properties that engines, catalogs and loads set for themselves. Nobody chose them, so they are not in a file.
_BOOKKEEPING = ("lakehouse.", "ingest.", "created-at", "owner", "history.", "schema.name-mapping", "trino")


def imported(lakehouse: Lakehouse, facts: Facts) -> tuple[dict[str, Any], list[str]]:
    """``catalogs:`` for existing objects that the file does not name; empty if there are none.

    The second value lists what a file cannot hold, each with the reason.
    """
    left: list[str] = []
    found = {name: _new(spec, facts.catalogs[name], name, left) for name, spec in lakehouse.catalogs.items()}
    section: dict[str, Any] = {"catalogs": {name: content for name, content in found.items() if content}}
    _check(lakehouse.model_dump(mode="json", exclude_unset=True), section, left)
    catalogs = {name: content for name, content in section["catalogs"].items() if any(content.values())}
    return ({"catalogs": catalogs} if catalogs else {}), left


def _new(spec: Catalog, facts: CatalogFacts, name: str, left: list[str]) -> dict[str, Any]:
    content = _catalog(spec, facts, name, left, everything=False)
    return {key: value for key, value in content.items() if value}


def exported(lakehouse: Lakehouse, facts: Facts) -> tuple[dict[str, Any], list[str]]:
    """The whole file: its own settings, and the existing contents. The second value is as in :func:`imported`."""
    left: list[str] = []
    data = lakehouse.model_dump(mode="json", exclude_unset=True)
    buckets = data["buckets"]
    for name, there in facts.buckets.items():
        buckets[name] = _bucket(buckets.get(name) or {}, there, lakehouse.name)
    found: dict[str, Any] = {}
    for name, spec in lakehouse.catalogs.items():
        found[name] = _catalog(spec, facts.catalogs[name], name, left, everything=True)
        said = data["catalogs"][name]
        _keep(found[name]["namespaces"], said.get("namespaces") or {})
        data["catalogs"][name] = {key: value for key, value in said.items() if key not in found[name]}
    overlay = {"catalogs": found, "access": data.pop("access", {})}  # a grant on a missing object is left out too
    _check(data, overlay, left)
    for content in found.values():
        for key in ("branches", "tags"):
            if not content[key]:
                del content[key]
    joined: dict[str, Any] = _joined(data, overlay if overlay["access"] else {"catalogs": found})
    return {key: joined[key] for key in Lakehouse.model_fields if key in joined}, left


def _bucket(said: Mapping[str, Any], there: BucketFacts, owner: str) -> dict[str, Any]:
    """A bucket's entry. If the store cannot report a setting, the file's value stays."""
    entry = dict(said)
    told: dict[str, tuple[Any, Any, bool]] = {
        "versioning": (there.versioning, False, there.versioning is not None),
        "expire_days": (there.expire_days, None, there.lifecycle),
        "noncurrent_days": (there.noncurrent_days, None, there.lifecycle),
        "access": (there.access, "private", there.access is not None),
        "deletable": (there.deletable == owner, False, True),
    }
    for key, (value, default, known) in told.items():
        if not known:
            continue
        entry.pop(key, None)
        if value != default:
            entry[key] = value
    return entry


def _keep(found: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Add to ``found`` what only the file knows of existing objects: policies, and the seed file of a table."""
    for name in found.keys() & said.keys():
        tables_said = (said[name] or {}).get("tables") or {}
        pairs = [(found[name], said[name] or {})]
        pairs += [(entry, tables_said[t]) for t, entry in found[name].get("tables", {}).items() if t in tables_said]
        for entry, former in pairs:
            entry |= {key: former[key] for key in ("maintenance", "seed") if former.get(key) is not None}


def _catalog(spec: Catalog, facts: CatalogFacts, name: str, left: list[str], *, everything: bool) -> dict[str, Any]:
    """``namespaces``, ``branches`` and ``tags`` of a catalog."""
    content: dict[str, Any] = {"namespaces": _namespaces(spec, facts, everything)}
    for kind, key, known in (("branch", "branches", spec.branches), ("tag", "tags", spec.tags)):
        content[key] = {
            each: {"from": known[each].source if each in known else "main", **_key(there.deletable)}
            for each, there in sorted(facts.references.items())
            if there.kind == kind and (everything or each not in known)
        }
    return _valid(spec, content, name, left)


def _key(deletable: bool) -> dict[str, bool]:
    return {"deletable": True} if deletable else {}


def _namespaces(spec: Catalog, facts: CatalogFacts, everything: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in sorted(facts.namespaces):
        known = spec.namespaces.get(name)
        content: dict[str, Any] = {}
        there = facts.namespaces[name]
        own = {k: v for k, v in there.items() if k not in _NAMESPACE_OWN and not k.startswith("lakehouse.")}
        if own and (everything or known is None):
            content["properties"] = own
        if (everything or known is None) and tables.is_deletable(there):
            content["deletable"] = True
        for full, table in sorted(facts.tables.items()):
            namespace, _, short = full.rpartition(".")
            if namespace == name and (everything or known is None or short not in known.tables):
                named = known.tables[short].properties if known and short in known.tables else {}
                entry = describe(table, f"{spec.location}/{full.replace('.', '/')}", named)
                content.setdefault("tables", {})[short] = entry
        if content or known is None or everything:
            found[name] = content
    return found


def describe(table: TableFacts, usual_location: str, named: Collection[str] = ()) -> dict[str, Any]:
    """A table's entry, without values that equal the file's defaults. ``named`` are properties that the file has."""
    named = {*named, *recorded(table.properties)}  # a property that a file once set is kept: a plan would unset it
    marked = set(table.properties.get(DELETABLE_COLUMNS, "").split(","))
    paths = {field.id: path for path, field in walk(table.schema)}
    columns: dict[str, Any] = {}
    for field in table.schema.fields:
        column: dict[str, Any] = {"type": str(field.type)}
        if field.required:
            column["required"] = True
        if field.doc is not None:
            column["doc"] = field.doc
        if field.initial_default is not None:
            column["initial_default"] = field.initial_default
        if field.write_default is not None:
            column["write_default"] = field.write_default
        if field.name in marked:
            column["deletable"] = True
        columns[field.name] = column if len(column) > 1 else column["type"]
    entry: dict[str, Any] = {"columns": columns}
    if partition := relayout.partition_terms(table):
        entry["partition_by"] = [str(term) for term in partition]
    if sorting := relayout.sort_terms(table):
        entry["sort_by"] = [str(term) for term in sorting]
    if table.identifier:
        entry["identifier"] = sorted(paths[number] for number in table.identifier)
    if properties := {k: v for k, v in table.properties.items() if k != COMMENT and _wished(k, v, named)}:
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


def _wished(key: str, value: str, named: Collection[str]) -> bool:
    # Nessie turns garbage collection off in every table; if it is on, somebody chose that.
    return key in named or not (key.startswith(_BOOKKEEPING) or (key, value) == ("gc.enabled", "false"))


def _valid(spec: Catalog, found: dict[str, Any], catalog: str, left: list[str]) -> dict[str, Any]:
    """The entries without those that the model refuses, such as names that are not allowed."""
    namespaces: dict[str, Any] = {}
    for name, content in found["namespaces"].items():
        if why := _refusal(spec, "namespaces", {name: {**content, "tables": {}}}):
            left.append(f"{dotted(('catalogs', catalog, 'namespaces', name))}: {why}")
            continue
        fitting = {}
        for table, entry in content.get("tables", {}).items():
            if why := _refusal(spec, "namespaces", {name: {"tables": {table: entry}}}):
                left.append(f"{dotted(('catalogs', catalog, 'namespaces', name, 'tables', table))}: {why}")
            else:
                fitting[table] = entry
        namespaces[name] = {key: value for key, value in content.items() if key != "tables"}
        if fitting:
            namespaces[name]["tables"] = fitting
    good: dict[str, Any] = {"namespaces": namespaces}
    for key in ("branches", "tags"):
        good[key] = {}
        for name, entry in found[key].items():
            if why := _refusal(spec, key, {name: entry}):
                left.append(f"{dotted(('catalogs', catalog, key, name))}: {why}")
            else:
                good[key][name] = entry
    return good


def _refusal(spec: Catalog, key: str, entries: Mapping[str, Any]) -> str:
    try:
        Catalog.model_validate({"location": spec.location, key: entries})
    except ValidationError as error:
        return str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    return ""


def _check(data: Mapping[str, Any], found: dict[str, Any], left: list[str]) -> None:
    """Remove from ``found``, and report in ``left``, entries that break a rule between values of the file."""
    while True:
        problems = check(Lakehouse.model_validate(_joined(data, found)))
        wrong = {at: problem.message for problem in problems if (at := _entry(found, problem.at))}
        if not wrong:
            return
        for at, message in wrong.items():
            inner: Any = found
            for step in at[:-1]:
                inner = inner.get(step, {})
            if inner.pop(at[-1], None) is not None:
                left.append(f"{dotted(at)}: {message}")


def _entry(found: Mapping[str, Any], at: KeyPath) -> KeyPath:
    """The smallest part of ``found`` to leave out for a problem at ``at``; empty if the problem is not in ``found``."""
    for length, key in ((8, "properties"), (6, "tables"), (6, "properties"), (5, "grants"), (4, "namespaces"),
                        (4, "branches"), (4, "tags")):  # fmt: skip
        part = at[:length]
        if len(part) == length and part[-2] == key and _there(found, part):
            return part
    return ()


def _there(found: Any, at: KeyPath) -> bool:
    for step in at:
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return True


def _joined(data: Any, more: Mapping[str, Any]) -> Any:
    """``data`` with the entries of ``more`` added, level by level."""
    if not isinstance(data, dict):
        return more if data is None else data
    joined = dict(data)
    for key, value in more.items():
        joined[key] = _joined(joined[key], value) if key in joined and isinstance(value, dict) else value
    return joined
