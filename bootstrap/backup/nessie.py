"""Restores a Nessie catalog: its branches and tags, with equivalent commits, or nothing of it.

The commits are made on a branch of our own first. Then the other references are pointed at them, and last the
catalog's own branch. Content keeps its identity from commit to commit, so that branches can be merged as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.backup.manifest import BranchesCopy, CatalogCopy, CommitCopy
from bootstrap.backup.pin import TABLE, WORK, dotted, location
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.reconciler.tables.present import replaceable
from lakehouse.errors import UsageError

_MOST = 500  # new contents in a commit


@dataclass(frozen=True)
class NessieState:
    """The contents at a commit by their names, and the ids that they have here, by those that they had."""

    contents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)


def check(name: str, catalog: NessieCatalog, copy: CatalogCopy, files: MetadataFiles) -> None:
    """Raises UsageError if a branch or tag has rows that are not the backup's."""
    assert copy.branches is not None
    backed = {location(each) for of in copy.branches.commits for each in of.entries if each["type"] == TABLE}
    known = dict.fromkeys(backed, True)
    for reference in catalog.references.list():
        if reference.name == WORK:
            continue
        for entry in catalog.entries(f"{reference.name}@{reference.points_to}"):
            if entry["type"] != TABLE:
                continue
            at = location(entry)
            if at not in known:
                known[at] = replaceable(files.read(at))
            if not known[at]:
                on = "" if reference.name == catalog.connection.branch else f" on {reference.kind} {reference.name}"
                raise UsageError(
                    f"{name}.{dotted(entry)}{on} has rows here, which a restore would replace. No table was changed. "
                    "Name the tables to restore, with `--table`."
                )


def restore(catalog: NessieCatalog, branches: BranchesCopy) -> None:
    """Give the catalog these branches and tags, with what each of them has."""
    references = catalog.references
    made: list[str] = []
    states: list[NessieState] = []
    for commit in branches.commits:
        before = NessieState() if commit.parent is None else states[commit.parent]
        hash_ = references.beginning if commit.parent is None else made[commit.parent]
        references.point(WORK, "branch", hash_)
        given: dict[str, str] = {}
        for operations in steps(before, commit):
            hash_, added = catalog.commits.send_to(WORK, hash_, operations, "restore a backup")
            given |= {_name(elements): id_ for elements, id_ in added.items()}
        made.append(hash_)
        states.append(after(before, commit, given))
    main = catalog.connection.branch
    for each in sorted(branches.references, key=lambda each: each.name == main):
        references.point(each.name, each.kind, references.beginning if each.commit is None else made[each.commit])
        if each.name != main:
            references.mark(each.name, each.deletable)
    if branches.commits:
        references.delete(WORK, "branch")


def steps(before: NessieState, commit: CommitCopy) -> list[list[dict[str, Any]]]:
    """The operations, a list for each commit, that make the contents of the commit of those before it. Pure.

    What is moved to another name is in one commit, in which it keeps its id. A name that gets other content is
    dropped in a commit before that, because Nessie takes only one operation for a name; there even content that was
    moved to it gets a new id.
    """
    wanted = {_name(entry["name"]["elements"]): entry["content"] for entry in commit.entries}
    here = {name: _id(before, content) for name, content in wanted.items()}
    first, new = [], []
    for name, content in before.contents.items():
        if here.get(name) != content["id"]:
            first.append({"type": "DELETE", "key": _key(name)})
    for name in sorted(wanted, key=lambda each: (each.count("."), each)):
        content = {key: value for key, value in wanted[name].items() if key != "id"}
        put = {"type": "PUT", "key": _key(name), "content": content}
        there = before.contents.get(name)
        if here[name] is None or (there is not None and there["id"] != here[name]):
            new.append(put)
        elif there is None or {**there, "id": ""} != {**content, "id": ""}:
            first.append({**put, "content": {**content, "id": here[name]}})
    return [each for each in (first, *(new[at : at + _MOST] for at in range(0, len(new), _MOST))) if each]


def after(before: NessieState, commit: CommitCopy, given: Mapping[str, str]) -> NessieState:
    """The state after those steps; ``given`` are the ids of new contents by their names. Pure."""
    contents, ids = {}, {}
    for entry in commit.entries:
        name, content = _name(entry["name"]["elements"]), entry["content"]
        here = given.get(name) or _id(before, content)
        contents[name] = {**content, "id": here}
        if content.get("id") and here:
            ids[str(content["id"])] = here
    return NessieState(contents, ids)


def _id(before: NessieState, content: Mapping[str, Any]) -> str | None:
    """The id here of what was there before; None: it is new."""
    return before.ids.get(str(content.get("id")))


_DOT = "\x1d"  # for a dot in a part of a name, as Nessie itself writes it


def _name(elements: Iterable[str]) -> str:
    """A name as a key: no two names have the same, also if an engine made a table `a.b`."""
    return ".".join(each.replace(".", _DOT) for each in elements)


def _key(name: str) -> dict[str, Any]:
    return {"elements": [each.replace(_DOT, ".") for each in name.split(".")]}
