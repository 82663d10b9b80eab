"""Compare what the file wants with what is there. Pure: facts in, a :class:`Diff` out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from bootstrap.iceberg import claims
from bootstrap.iceberg.evolve import Detail, FormatProblem
from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, Home, TableFacts
from bootstrap.reconciler import former, properties, tables, wanted
from bootstrap.reconciler.changes import Change, Diff, Note
from bootstrap.reconciler.draft import TableChange
from bootstrap.reconciler.wanted import WantedCatalog, WantedNamespace, WantedTable
from lakehouse.spec.model import Bucket, Lakehouse

#: ``("catalogs", "lake", ...)`` -> ``lakehouse.yaml:12``, or nothing where that is not known.
Where = Callable[[tuple[str, ...]], str]

_MOST_SHARED = 20

#: Namespace properties that catalogs fill in by themselves.
_CATALOGS_OWN = frozenset({"location", "owner"})


def nowhere(at: tuple[str, ...]) -> str:
    """For files whose lines are not known."""
    return ""


def diff(lakehouse: Lakehouse, facts: Facts, *, allow_destroy: bool = False, where: Where = nowhere) -> Diff:
    """All that keeps ``facts`` from being what ``lakehouse`` says.

    Destroying takes two keys: ``allow_destroy`` here, and the object called deletable by the file. What the file does
    not name is left alone, but for objects that an earlier file called deletable and for exclusive catalogs.
    """
    found = _Diffing(allow_destroy, where, facts, claims.granted(lakehouse))
    guarded = bool(lakehouse.access.roles or lakehouse.access.principals)
    for bucket, spec in lakehouse.buckets.items():
        found.bucket(bucket, spec, facts.buckets.get(bucket), lakehouse.name, guarded)
    for name, contents in lakehouse.catalogs.items():
        if name in facts.catalogs:
            found.catalog(name, wanted.catalog(name, contents), facts.catalogs[name])
    for bucket in sorted(facts.buckets.keys() - lakehouse.buckets.keys()):
        body = claims.held(next(facts.claims.within(f"s3://{bucket}"), None))
        found.destroy("bucket", "", bucket, _may_go(facts.buckets[bucket], lakehouse.name), body=body)
    found.shared_folders()
    return Diff(tuple(found.changes), tuple(found.refused), tuple(found.kept), tuple(found.unnamed), tuple(found.lost))


class _Diffing:
    """Collects what is found, object by object."""

    def __init__(self, allow_destroy: bool, where: Where, facts: Facts, granted: frozenset[str]) -> None:
        self.allow_destroy, self.where, self.facts, self.granted = allow_destroy, where, facts, granted
        self.changes: list[Change] = []
        self.refused: list[Note] = []
        self.kept: list[Note] = []
        self.unnamed: list[str] = []
        self.lost: list[Note] = []

    def bucket(self, name: str, spec: Bucket, facts: BucketFacts | None, owner: str, guarded: bool) -> None:
        at = ("buckets", name)
        settings = {
            "versioning": spec.versioning,
            "expire_days": spec.expire_days,
            "noncurrent_days": spec.noncurrent_days,
            "access": spec.access,
            "deletable": owner if spec.deletable else None,
        }
        if facts is None:
            told = {key: value for key, value in settings.items() if value and value != "private"}
            details = tuple(Detail("+", f"{key} = {value}") for key, value in told.items())
            self.changes.append(Change("create", "bucket", "", name, details, settings))
            return
        body: dict[str, bool | int | str | None] = {}
        lines: list[Detail] = []
        for key, have, can in (
            ("versioning", facts.versioning or False, facts.versioning is not None),
            ("expire_days", facts.expire_days, facts.lifecycle),
            ("noncurrent_days", facts.noncurrent_days, facts.lifecycle),
            ("access", facts.access or "private", facts.access is not None),
            # A mark of another lakehouse's file is not ours to take away.
            ("deletable", facts.deletable if facts.deletable == owner else None, True),
        ):
            want = settings[key]
            if want == have:
                continue
            if key == "deletable" and want and not facts.owned:
                message = (
                    "`deletable: true` is not carried out: this lakehouse only uses the bucket, and did not make it"
                )
                self.kept.append(Note(f"bucket {name}", message, self.where((*at, key))))
                continue
            if not can:
                message = f"`{key}: {want}` is not carried out: the store has no such thing"
                self.kept.append(Note(f"bucket {name}", message, self.where((*at, key))))
                continue
            if why := claims.danger(name, key, want, self.facts.claims, guarded):
                self.refused.append(Note(f"bucket {name}", why, self.where((*at, key))))
                continue
            body[key] = want
            lines.append(Detail("~", f"{key}: {have} -> {want}"))
        if body:
            self.changes.append(Change("update", "bucket", "", name, tuple(lines), body))

    def catalog(self, name: str, want: WantedCatalog, facts: CatalogFacts) -> None:
        for namespace in want.namespaces.values():
            self.namespace(name, namespace, facts.namespaces.get(namespace.name), want.exclusive)
        for table in want.tables.values():
            if problems := tuple(tables.refusals(table, facts.limits)):
                self.refuse(name, table, problems)
            elif table.name in facts.others:
                message = "something else than an Iceberg table has this name. Choose another name"
                self.refused.append(Note(f"table {name}.{table.name}", message, self.where(table.at)))
            else:
                have, refused = facts.tables.get(table.name), len(self.refused)
                home = self.facts.homes.get(f"{name}.{table.name}")
                if home is not None and home.refused:
                    self.refuse(name, table, [FormatProblem("", home.refused)])
                elif have is None:
                    self.create(name, table, home)
                else:
                    self.evolve(name, table, have, want.exclusive)
                if len(self.refused) == refused:  # a table of which something is refused is not touched at all
                    self.seed(name, table, have)
        self.references(name, want, facts)
        self.unnamed_objects(name, want, facts)

    def namespace(self, catalog: str, want: WantedNamespace, have: Mapping[str, str] | None, exclusive: bool) -> None:
        if have is None:
            details = tuple(Detail("+", f"property {key} = {value}") for key, value in want.properties.items())
            body = {"properties": properties.created(want.properties)}
            self.changes.append(Change("create", "namespace", catalog, want.name, details, body))
            return
        there = {key: value for key, value in have.items() if key in want.properties or key not in _CATALOGS_OWN}
        if want.implied:
            return  # a file that does not name it says nothing of its properties
        change = properties.changed(want.properties, there, lambda key: tables.removable(key, exclusive))
        if change.updates or change.removals:
            sent: dict[str, Any] = {"updates": change.updates, "removals": change.removals}
            self.changes.append(Change("update", "namespace", catalog, want.name, change.details, sent))
        self.unnamed_properties(f"{catalog}.{want.name}", want.properties, there, change.removals)

    def left_over(self, name: str, want: WantedTable, have: TableFacts) -> None:
        """What the file says no more and nobody takes away: properties of others, and docs of columns."""
        self.unnamed_properties(
            name, want.properties, have.properties, [*properties.dropped(want.properties, have.properties)]
        )
        silent = {field.name for field in want.schema.fields if field.doc is None}
        self.unnamed += [f"doc of column {name}.{each}" for each in have.documented if each in silent]

    def unnamed_properties(
        self, name: str, want: Mapping[str, str], there: Mapping[str, str], going: Collection[str]
    ) -> None:
        self.unnamed += [f"property {name}.{key}" for key in tables.unnamed(want, there) if key not in going]

    def create(self, catalog: str, want: WantedTable, home: Home | None) -> None:
        change = tables.creation(want if home is None else replace(want, location=home.location))
        if home is not None and home.reason:
            line = Detail("+", f"location {home.location}: {home.reason}")
            change = replace(change, details=(line, *change.details))
        self.commit("create", catalog, want, change)
        if lost := self.facts.lost.get(f"{catalog}.{want.name}"):
            self.lost.append(Note(f"table {catalog}.{want.name}", lost, self.where(want.at)))

    def evolve(self, catalog: str, want: WantedTable, have: TableFacts, exclusive: bool) -> None:
        apart = not want.fixed_location and have.location.rstrip("/") != want.location
        if apart and f"{catalog}.{want.name}" in self.granted:
            rule = "its files are not in its default folder, by which `access` grants the table"
            message = f"{rule}. Write `location: {have.location.rstrip('/')}`, so that the grants follow"
            self.kept.append(Note(f"table {catalog}.{want.name}", message, self.where(want.at)))
        if not exclusive:  # there they are no one's but the file's, and go
            self.left_over(f"{catalog}.{want.name}", want, have)
        if tables.unchanged(want, have, exclusive=exclusive):
            return
        change = tables.evolution(want, have, exclusive=exclusive, allow_destroy=self.allow_destroy)
        self.commit("update", catalog, want, change)
        for path, message in former.lost(f"{catalog}.{want.name}", want, have):
            at = (*want.at, "columns", path.split(".")[0])
            self.lost.append(Note(f"column {catalog}.{want.name}.{path}", message, self.where(at)))
        for column in change.kept:
            self.unnamed.append(f"column {catalog}.{want.name}.{column}")
            marked = column.split(".")[0] in have.properties.get(wanted.DELETABLE_COLUMNS, "").split(",")
            if exclusive or marked:
                keys = "the file does not name it, and it stays: dropping it takes --allow-destroy"
                second = "" if marked or want.deletable else " and `deletable: true` on the table"
                self.kept.append(Note(f"column {catalog}.{want.name}.{column}", keys + second, self.where(want.at)))

    def commit(self, op: str, catalog: str, want: WantedTable, change: TableChange) -> None:
        if change.problems:
            self.refuse(catalog, want, change.problems)
        elif change.updates:
            body = {"requirements": list(change.requirements), "updates": list(change.updates)}
            kind = "create" if op == "create" else "update"
            self.changes.append(Change(kind, "table", catalog, want.name, change.details, body))  # type: ignore[arg-type]

    def seed(self, catalog: str, want: WantedTable, have: TableFacts | None) -> None:
        """The rows that a table begins with are loaded once; a file that changed later is not loaded again."""
        if want.seed is None:
            return
        address, where = f"seed {catalog}.{want.name}", self.where((*want.at, "seed"))
        digest, loaded = self.facts.seeds.get(want.seed), have.properties.get(wanted.SEED) if have else None
        if digest is None:
            message = f"there is no file {want.seed}. Put it beside the lakehouse's file, or correct the name"
            self.refused.append(Note(address, message, where))
        elif loaded is None:
            body = {"file": want.seed, "digest": digest}
            self.changes.append(
                Change("create", "seed", catalog, want.name, (Detail("+", f"rows of {want.seed}"),), body)
            )
        elif loaded != digest:
            message = f"{want.seed} has changed since it was loaded, and a seed is loaded once"
            advice = f"`lakehouse seed {catalog}.{want.name}` replaces the rows that it brought, in one commit"
            self.kept.append(Note(address, f"{message}. {advice}", where))

    def references(self, catalog: str, want: WantedCatalog, facts: CatalogFacts) -> None:
        """Branches and tags: made where they are not; where they have moved to since is their own affair."""
        for reference in want.references.values():
            address = f"{reference.kind} {catalog}.{reference.name}"
            have = facts.references.get(reference.name)
            known = {"main", *facts.references, *want.references}
            message = ""
            if not facts.limits.references:
                message = f"{facts.limits.kind} has no branches and tags of a whole catalog. Take the entry out"
            elif have is not None and have.kind != reference.kind:
                message = f"a {have.kind} has this name. Choose another name"
            elif have is None and reference.source not in known:
                message = f'it begins at "{reference.source}", which is not there. Name another branch or tag'
            if message:
                self.refused.append(Note(address, message, self.where(reference.at)))
            elif have is None:
                details = [Detail("+", f"from {reference.source}")]
                details += [Detail("+", "deletable = true")] if reference.deletable else []
                body = {"from": reference.source, "deletable": reference.deletable}
                change = Change("create", reference.kind, catalog, reference.name, tuple(details), body)
                self.changes.append(change)
            elif have.deletable != reference.deletable:
                lines = (Detail("~", f"deletable: {have.deletable} -> {reference.deletable}"),)
                body = {"deletable": reference.deletable}
                self.changes.append(Change("update", reference.kind, catalog, reference.name, lines, body))
        for name in sorted(facts.references.keys() - want.references.keys()):
            have = facts.references[name]
            self.destroy(have.kind, catalog, name, have.deletable, want, body={"hash": have.points_to})

    def refuse(self, catalog: str, want: WantedTable, problems: Iterable[FormatProblem]) -> None:
        for problem in problems:
            at = (*want.at, "columns", problem.column.split(".")[0]) if problem.column else want.at
            column = f".{problem.column}" if problem.column else ""
            address = f"{'column' if column else 'table'} {catalog}.{want.name}{column}"
            self.refused.append(Note(address, problem.message, self.where(at)))

    def shared_folders(self) -> None:
        """Live tables that share a folder, as far as tables were read; of thousands of pairs the first few tell all."""
        for outer, inner in islice(claims.sharing(self.facts.catalogs), _MOST_SHARED):
            message = (
                f"the {inner.what} of {inner.owner} is or lies in the {outer.what} of {outer.owner}, {outer.location}. "
                "Each takes the other's files for its own: "
                f"before any clean-up, copy {inner.owner} elsewhere and drop it"
            )
            self.kept.append(Note(f"folder {inner.location}", message))

    def unnamed_objects(self, catalog: str, want: WantedCatalog, facts: CatalogFacts) -> None:
        """What is there and not in the file: destroyed where both keys are turned, else left alone and told."""
        going: set[str] = set()
        for name in sorted(facts.tables.keys() | facts.others):
            if name not in want.tables:
                have = facts.tables.get(name)
                marked = have is not None and tables.is_deletable(have.properties)
                # What was only seen (a view) is not destroyed: nothing is known of it.
                body = (
                    None
                    if have is None
                    else {"uuid": have.uuid, **claims.shared(catalog, name, have, self.facts.claims)}
                )
                if self.destroy("table", catalog, name, marked, want, body=body):
                    going.add(name)
        for name in sorted(facts.namespaces, key=lambda name: -name.count(".")):
            if name in want.namespaces:
                continue
            inner = [other for other in _contents(facts) if other.startswith(f"{name}.") and other not in going]
            if inner:
                self.unnamed.append(f"namespace {catalog}.{name}")
            elif self.destroy("namespace", catalog, name, tables.is_deletable(facts.namespaces[name]), want, body={}):
                going.add(name)

    def destroy(
        self,
        kind: str,
        catalog: str,
        name: str,
        marked: bool,
        want: WantedCatalog | None = None,
        *,
        body: Mapping[str, str] | None,
    ) -> bool:
        """Plan the destruction if both keys are turned; say what is missing where the object is ours to judge.

        ``body`` tells the object apart; None: it cannot be destroyed.
        """
        change = Change("destroy", kind, catalog, name, (), body or {})  # type: ignore[arg-type]
        exclusive = want is not None and want.exclusive
        allowed = marked
        if want is not None and exclusive and kind in ("table", "namespace"):
            enclosing = want.namespaces.get(_parent(name))
            allowed = marked or (enclosing is not None and enclosing.deletable)
        if allowed and self.allow_destroy and body is not None:
            self.changes.append(change)
            return True
        self.unnamed.append(change.address)
        if exclusive or marked:
            second = "" if allowed else " and `deletable: true` on it, applied before its entry is taken out"
            message = f"the file does not name it, and it stays: dropping it takes --allow-destroy{second}"
            self.kept.append(Note(change.address, message))
        return False


def _may_go(bucket: BucketFacts, lakehouse: str) -> bool:
    """Whether the bucket was called deletable by this lakehouse's file, and was made by it."""
    return bucket.owned and bucket.deletable == lakehouse


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def _contents(facts: CatalogFacts) -> Iterator[str]:
    yield from facts.tables
    yield from facts.others
    yield from facts.namespaces
