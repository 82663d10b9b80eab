"""The contents of a catalog at one moment: from here on, writers no longer matter.

A metadata file and all that it names never change. So once its address is known, the table can be copied as it was,
however long that takes. Nessie's references are pinned by the hashes of their commits, which are of one moment too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bootstrap.backup import commits
from bootstrap.backup.manifest import BranchesCopy, CatalogCopy, CommitCopy, ReferenceCopy
from bootstrap.backup.plan import excluded
from bootstrap.catalogs import connect
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.references import LiveReference
from bootstrap.iceberg.view import compact_view
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Refused

#: The branch on which a restore makes its commits. One that was killed leaves it.
WORK = "lakehouse-restore"
TABLE, VIEW, NAMESPACE = "ICEBERG_TABLE", "ICEBERG_VIEW", "NAMESPACE"


def pin(name: str, connections: Connections, without: Collection[str]) -> CatalogCopy:
    """What the catalog has now, except for the names in ``without``.

    Raises Refused if there is something in it that a backup cannot have.
    """
    catalog = connect(name, connections)
    kind = connections.catalogs[name].kind
    if isinstance(catalog, NessieCatalog):
        return _nessie(name, kind, catalog, without)
    facts = catalog.facts(None, lambda count, of: None)

    def wanted(each: str) -> bool:
        return not excluded(f"{name}.{each}", without)

    spaces = facts.namespaces.keys()
    if split := [e for e in (*facts.tables, *facts.views) if e.rpartition(".")[0] not in spaces and wanted(e)]:
        raise Refused(
            f"{name}.{split[0]}: its name, or that of its namespace, has a dot, and a catalog of kind {kind} would not "
            f"take it back by that name. Rename it in an engine, or leave it out: `--except {name}.{split[0]}`"
        )
    unplaced = [each for each, table in facts.tables.items() if not table.metadata_location]
    _known(name, [each for each in (*facts.others, *facts.other_views, *unplaced) if wanted(each)])
    return CatalogCopy(
        kind,
        {each: dict(properties) for each, properties in facts.namespaces.items() if wanted(each)},
        {each: table.metadata_location for each, table in facts.tables.items() if wanted(each)},
        {each: dict(view.metadata) for each, view in facts.views.items() if wanted(each)},
    )


def _known(catalog: str, others: Collection[str]) -> None:
    if others:
        names = ", ".join(f"{catalog}.{each}" for each in sorted(others)[:5])
        raise Refused(
            f"{names}: not an Iceberg table or view that can be read, so no backup can have it. Repair or drop it, or "
            f"leave it out: `--except {catalog}.{min(others)}`"
        )


def _nessie(name: str, kind: str, catalog: NessieCatalog, without: Collection[str]) -> CatalogCopy:
    references = [each for each in catalog.references.list() if each.name != WORK]
    main = next(each for each in references if each.name == catalog.connection.branch)
    logs = {each.name: list(_log(catalog, each, alone=len(references) == 1)) for each in references}
    before = commits.needed(logs)
    numbers = {commit: number for number, commit in enumerate(before)}
    copies = []
    for commit, parent in before.items():
        reference = next(each for each, log in logs.items() if commit in log)
        entries = [each for each in catalog.entries(f"{reference}@{commit}") if _stays(name, each, without)]
        copies.append(CommitCopy(None if parent is None else numbers[parent], tuple(map(_slim, entries))))
    heads = [
        ReferenceCopy(each.name, each.kind, numbers[logs[each.name][0]] if logs[each.name] else None, each.deletable)
        for each in references
    ]
    for each in heads:
        held = () if each.commit is None else copies[each.commit].entries
        _known(name, [dotted(entry) for entry in held if entry["type"] not in (TABLE, VIEW, NAMESPACE)])
    own = next(each.commit for each in heads if each.name == main.name)
    there = () if own is None else copies[own].entries
    views = {dotted(each): catalog.commits.files.read(location(each)) for each in there if each["type"] == VIEW}
    return CatalogCopy(
        kind,
        {dotted(each): each["content"].get("properties") or {} for each in there if each["type"] == NAMESPACE},
        {dotted(each): location(each) for each in there if each["type"] == TABLE},
        {view: compact_view(metadata) for view, metadata in views.items()},
        BranchesCopy(tuple(copies), tuple(heads)),
    )


def _log(catalog: NessieCatalog, reference: LiveReference, *, alone: bool) -> Iterator[str]:
    """The hashes of a reference's commits, the newest first; ``alone``: only that one, as nothing else needs more."""
    token: str | None = None
    while True:
        page = catalog.references.history(reference, token, 1 if alone else None)
        yield from page.hashes
        if alone or page.token is None:
            return
        token = page.token


def _stays(catalog: str, entry: Mapping[str, Any], without: Collection[str]) -> bool:
    return not excluded(f"{catalog}.{dotted(entry)}", without)


def _slim(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": {"elements": entry["name"]["elements"]}, "type": entry["type"], "content": entry["content"]}


def dotted(entry: Mapping[str, Any]) -> str:
    """The name of a Nessie entry."""
    return ".".join(entry["name"]["elements"])


def location(entry: Mapping[str, Any]) -> str:
    """The address of the metadata file of a Nessie entry."""
    return str(entry["content"]["metadataLocation"])


def locations(copy: CatalogCopy) -> dict[str, str]:
    """Who names each metadata file of tables (and, on branches and tags, of views): the addresses with a name each."""
    found = {at: name for name, at in copy.tables.items()}
    branches = copy.branches
    for reference in branches.references if branches is not None else ():
        for entry in branches.commits[reference.commit].entries if branches and reference.commit is not None else ():
            if entry["type"] in (TABLE, VIEW):
                found.setdefault(location(entry), f"{dotted(entry)} on {reference.kind} {reference.name}")
    return found
