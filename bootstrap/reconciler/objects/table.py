"""Tables: one Iceberg commit creates a table, or changes it to what the file wants."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

from bootstrap.catalogs.base import CommitsMany
from bootstrap.iceberg import claims
from bootstrap.iceberg.evolve import Detail, FormatProblem
from bootstrap.iceberg.metadata import CatalogFacts, Facts, Home, TableFacts
from bootstrap.reconciler import renames
from bootstrap.reconciler.changes import Body, Change, Note, address
from bootstrap.reconciler.differences import CatalogPair, Differences
from bootstrap.reconciler.entries import Entries, said
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind
from bootstrap.reconciler.marks import DELETABLE_COLUMNS, is_deletable
from bootstrap.reconciler.objects import trino_rules
from bootstrap.reconciler.objects.catalog import closed
from bootstrap.reconciler.objects.namespace import opens, renamed_around
from bootstrap.reconciler.objects.view import readers
from bootstrap.reconciler.tables import former, wanted
from bootstrap.reconciler.tables.commit import creation, evolution, left_over, refusals, unchanged
from bootstrap.reconciler.tables.described import described
from bootstrap.reconciler.tables.draft import TableChange
from bootstrap.reconciler.tables.homes import settled
from bootstrap.reconciler.tables.recheck import Recheck
from bootstrap.reconciler.tables.wanted import WantedTable
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Conflict

TABLE = "table"
_MOST_SHARED = 20
_ONLY_SAID = ("maintenance", "seed")


@dataclass(frozen=True)
class TableCommit(Body):
    """A commit of the Iceberg REST catalog: its requirements and updates, as JSON; ``renames``: a column."""

    requirements: tuple[Mapping[str, Any], ...]
    updates: tuple[Mapping[str, Any], ...]
    renames: bool = False

    def sent(self, op: str) -> Mapping[str, Any]:
        """The commit in the form that the catalog takes."""
        updates = list(self.updates)
        if op == "create":
            # The id is made here: a plan that is carried out twice must not create two tables with the same id.
            updates.insert(0, {"action": "assign-uuid", "uuid": str(uuid.uuid4())})
        return {"requirements": list(self.requirements), "updates": updates}

    def lost(self, details: Sequence[Detail]) -> Iterable[str]:
        return (each.text for each in details if each.symbol == "-" and each.text.startswith("column "))


@dataclass(frozen=True)
class TableGone(Body):
    """A table to drop, identified by its UUID; ``shared`` says which other table keeps files in its folders."""

    uuid: str
    shared: str = ""


class Tables(ObjectKind):
    words = (TABLE,)
    bodies = {"create": TableCommit, "update": TableCommit, "destroy": TableGone}

    def settle(self, look: Inquiry, facts: Facts) -> Facts:
        """Read all tables if the file asks for a folder that no table has yet: another table may use the folder."""
        if look.everything or claims.unsettled(look.lakehouse, renames.after(look.lakehouse, facts)):
            return settled(look.lakehouse, look.world, facts)
        return facts

    def compare(self, found: Differences) -> None:
        granted = claims.granted(found.lakehouse)
        for catalog in found.catalogs:
            comparison = _Comparison(found, catalog.name, catalog.exclusive, catalog.facts, granted)
            for table in wanted.of_catalog(catalog.name, catalog.spec).values():
                comparison.table(table)

    def compare_unnamed(self, found: Differences) -> None:
        for catalog in found.catalogs:
            named = {f"{namespace}.{table}" for namespace, of in catalog.spec.namespaces.items() for table in of.tables}
            named |= renames.untouchable(catalog.spec, catalog.facts)
            for name in sorted((catalog.facts.tables.keys() | catalog.facts.others) - named):
                _unnamed(found, catalog, name)
        _shared_folders(found)

    def there(self, found: Differences) -> Iterable[str]:
        for catalog in found.catalogs:
            names = renames.unmoved((*catalog.facts.tables, *catalog.facts.others), catalog.facts)
            yield from (address(TABLE, catalog.name, each) for each in names)

    def describe(self, found: Entries) -> None:
        for catalog in found.catalogs:
            renaming = frozenset() if found.everything else renames.untouchable(catalog.spec, catalog.facts)
            for full, there in sorted(catalog.facts.tables.items()):
                if full in renaming:
                    continue
                namespace, _, name = full.rpartition(".")
                known = catalog.spec.namespaces[namespace].tables if namespace in catalog.spec.namespaces else {}
                if namespace in catalog.facts.namespaces and (found.everything or name not in known):
                    spec = known.get(name)
                    usual = f"{catalog.spec.location}/{full.replace('.', '/')}"
                    entry = {**described(there, usual, spec.properties if spec else ()), **said(spec, *_ONLY_SAID)}
                    found.add("catalogs", catalog.name, "namespaces", namespace, "tables", name, entry=entry)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op != "destroy":
            yield from (each.address for each in changes.of("bucket", "create"))
            yield address("catalog", "", change.catalog)  # it allows the table's location
            yield address("namespace", change.catalog, change.name.rpartition(".")[0])
            yield address("rename", change.catalog, change.name)
            yield from renamed_around(change)
            if (
                isinstance(change.body, TableCommit) and change.body.renames
            ):  # its masks are by name, and the rules have the former and the new one
                yield address(trino_rules.RULES, "", trino_rules.NAME)
        else:
            yield from readers(change, changes)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        catalog = work.catalog(change.catalog)
        match change.body:
            case TableGone(identity, shared):
                work.spare(shared)
                return catalog.drop_table(change.name, identity, purge=work.purge)
            case TableCommit() as commit:
                sent = commit.sent(change.op)
                work.kept(Recheck, change.catalog).before(change.name, sent)
                catalog.commit_table(change.name, sent)
        return ""

    def together(self, change: Change, work: ApplyWork) -> bool:
        return change.op != "destroy" and isinstance(work.catalog(change.catalog), CommitsMany)

    def carry_out_together(self, changes: Sequence[Change], work: ApplyWork) -> Mapping[str, Exception]:
        name = changes[0].catalog
        catalog, recheck = work.catalog(name), work.kept(Recheck, name)
        assert isinstance(catalog, CommitsMany)
        commits = {each.name: each.body.sent(each.op) for each in changes if isinstance(each.body, TableCommit)}
        errors: dict[str, Exception] = {}
        for table, commit in commits.items():
            try:
                recheck.before(table, commit)
            except Conflict as error:
                errors[table] = error
        if free := {table: commit for table, commit in commits.items() if table not in errors}:
            errors |= catalog.commit_tables(free)
        return {each.address: errors[each.name] for each in changes if each.name in errors}


def _renames_columns(have: TableFacts, updates: Iterable[Mapping[str, Any]]) -> bool:
    before = {field.id: field.name for field in have.schema.fields}
    fields = [field for each in updates if each["action"] == "add-schema" for field in each["schema"]["fields"]]
    return any(before.get(field["id"], field["name"]) != field["name"] for field in fields)


@dataclass(frozen=True)
class _Comparison:
    """Compares the file's tables of one catalog with the existing ones."""

    found: Differences
    catalog: str
    exclusive: bool
    facts: CatalogFacts
    granted: frozenset[str]  # what `access` names

    def table(self, want: WantedTable) -> None:
        name, have = f"{self.catalog}.{want.name}", self.facts.tables.get(want.name)
        home = self.found.facts.homes.get(name)
        if address(TABLE, self.catalog, want.name) in self.found.barred:
            return  # it does not get its new name
        if problems := tuple(refusals(want, self.facts.limits)):
            self.refuse(want, problems)
        elif want.name in self.facts.others:
            message = "something other than an Iceberg table has this name. Choose another name"
            self.found.refuse(f"table {name}", message, want.at)
        elif want.name in self.facts.views or want.name in self.facts.other_views:
            self.found.refuse(f"table {name}", "a view has this name. Choose another name", want.at)
        elif home is not None and home.refused:
            self.refuse(want, [FormatProblem("", home.refused)])
        elif have is None and (why := closed(self.found, self.catalog)):
            self.refuse(want, [FormatProblem("", why)])
        elif have is None:
            self.create(want, home)
        else:
            self.evolve(want, have)

    def create(self, want: WantedTable, home: Home | None) -> None:
        change = creation(want if home is None else replace(want, location=home.location))
        if home is not None and home.reason:
            line = Detail("+", f"location {home.location}: {home.reason}")
            change = replace(change, details=(line, *change.details))
        self.commit("create", want, change)
        if lost := self.found.facts.lost.get(f"{self.catalog}.{want.name}"):
            self.found.lost.append(Note(address(TABLE, self.catalog, want.name), lost, self.found.where(want.at)))

    def evolve(self, want: WantedTable, have: TableFacts) -> None:
        found, name = self.found, f"{self.catalog}.{want.name}"
        apart = not want.fixed_location and have.location.rstrip("/") != want.location
        if apart and name in self.granted:
            rule = "its files are not in its default folder, by which `access` grants the table"
            message = f"{rule}. Write `location: {have.location.rstrip('/')}`, so that the grants follow"
            found.keep(f"table {name}", message, want.at)
        if not self.exclusive:  # in an exclusive catalog only the file decides, and they are removed
            found.unnamed += left_over(name, want, have)
        if unchanged(want, have, exclusive=self.exclusive):
            return
        change = evolution(want, have, exclusive=self.exclusive, allow_destroy=found.allow_destroy)
        self.commit("update", want, change, renames=_renames_columns(have, change.updates))
        for path, message in former.lost(name, want, have):
            at = (*want.at, "columns", path.split(".")[0])
            found.lost.append(Note(f"column {name}.{path}", message, found.where(at), f"table {name}"))
        for column in change.kept:
            found.unnamed.append(f"column {name}.{column}")
            marked = column.split(".")[0] in have.properties.get(DELETABLE_COLUMNS, "").split(",")
            if self.exclusive or marked:
                keys = "the file does not name it, and it stays: dropping it takes --allow-destroy"
                second = "" if marked or want.deletable else " and `deletable: true` on the table"
                found.keep(f"column {name}.{column}", keys + second, want.at, f"table {name}")

    def commit(
        self, op: Literal["create", "update"], want: WantedTable, change: TableChange, *, renames: bool = False
    ) -> None:
        if change.problems:
            self.refuse(want, change.problems)
        elif change.updates:
            body = TableCommit(change.requirements, change.updates, renames)
            self.found.changes.append(Change(op, TABLE, self.catalog, want.name, change.details, body))

    def refuse(self, want: WantedTable, problems: Iterable[FormatProblem]) -> None:
        table = address(TABLE, self.catalog, want.name)
        for problem in problems:
            if problem.column:
                at = (*want.at, "columns", problem.column.split(".")[0])
                column = address("column", self.catalog, f"{want.name}.{problem.column}")
                self.found.refuse(column, problem.message, at, table)
            else:
                self.found.refuse(table, problem.message, want.at)


def _unnamed(found: Differences, catalog: CatalogPair, name: str) -> None:
    have, opened = catalog.facts.tables.get(name), opens(catalog, name)
    if have is None:  # it was only listed (a view): nothing is known about it, so it is not destroyed
        found.stay(address(TABLE, catalog.name, name), marked=False, ours=catalog.exclusive, opened=opened)
        return
    body = TableGone(have.uuid, claims.shared(catalog.name, name, have, found.facts.claims))
    change = Change("destroy", TABLE, catalog.name, name, (), body)
    found.destroy(change, marked=is_deletable(have.properties), ours=catalog.exclusive, opened=opened)


def _shared_folders(found: Differences) -> None:
    """Report live tables that share a folder, among those that were read. Of thousands of pairs a few are enough."""
    for outer, inner in islice(claims.sharing(found.facts.catalogs), _MOST_SHARED):
        message = (
            f"the {inner.what} of {inner.owner} is the same as, or inside, the {outer.what} of {outer.owner}, "
            f"{outer.location}. Each treats the other's files as its own: before any clean-up, copy {inner.owner} "
            "elsewhere and drop it"
        )
        found.kept.append(Note(f"folder {inner.location}", message))
