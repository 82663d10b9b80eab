"""The claims of live tables and of the file's tables: where a new table may go, and who shares a folder. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from bootstrap.iceberg.metadata import CatalogFacts, Facts, Home, TableFacts
from bootstrap.iceberg.view import ViewFacts
from lakehouse.spec.access import covered
from lakehouse.spec.claims import PATHS, Claim, Register, clash, staged
from lakehouse.spec.locations import reserved
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.roles import Narrowed


@dataclass(frozen=True)
class _Named:
    """A table or view of the file, its live state, its default folder, and the folders that the file names."""

    owner: str
    catalog: str
    have: TableFacts | ViewFacts | None
    default: str
    location: str | None
    paths: Mapping[str, str]

    def claims(self) -> Iterator[Claim]:
        """The folders that the table has yet to get."""
        if self.have is None:
            yield Claim(self.location or self.default, self.owner, self.catalog)
        for key, said in self.paths.items():
            if self.have is None or self.have.properties.get(key) != said:
                yield Claim(said, self.owner, self.catalog, what=key)


def live(catalogs: Mapping[str, CatalogFacts]) -> Register:
    """The folders of all tables that were read, and of those on other branches and tags.

    Of a table that was listed and could not be read, the folder that its metadata file's address shows.
    """
    found: list[Claim] = []
    for catalog, facts in catalogs.items():
        for name, table in facts.tables.items():
            found += of_table(f"{catalog}.{name}", catalog, table)
        for name, view in facts.views.items():
            found += of_view(f"{catalog}.{name}", catalog, view)
        found += [Claim(folder, f"{catalog}.{owner}", catalog) for owner, folder in facts.elsewhere.items()]
        found += [Claim(folder_of(at), f"{catalog}.{name}", catalog) for name, at in facts.unread.items()]
    return Register(found)


def sharing(catalogs: Mapping[str, CatalogFacts]) -> Iterator[tuple[Claim, Claim]]:
    """(outer, inner) for each table or view that keeps files in the folder of another one; both were read.

    Most lakehouses have none, and sorting the addresses as text shows that in milliseconds: if two overlap, the
    next one after the outer begins with it.
    """
    tables = [table for facts in catalogs.values() for table in facts.tables.values()]
    said = [table.location for table in tables]
    said += [table.properties[key] for table in tables for key in PATHS if key in table.properties]
    views = (view for facts in catalogs.values() for view in facts.views.values())
    said += [claim.location for view in views for claim in of_view("", "", view)]
    folders = sorted(f"{each.partition('://')[2].rstrip('/')}/" for each in said)
    if any(inner.startswith(outer) for outer, inner in pairwise(folders)):
        yield from live(catalogs).clashes()


def of_table(owner: str, catalog: str, table: TableFacts) -> Iterator[Claim]:
    """The folders that a live table writes to."""
    yield Claim(table.location, owner, catalog)
    for key in PATHS:
        if said := table.properties.get(key):
            yield Claim(said, owner, catalog, what=key)


def of_view(owner: str, catalog: str, view: ViewFacts) -> Iterator[Claim]:
    """The folders that a live view has metadata files in."""
    yield Claim(view.location, owner, catalog)
    if said := view.properties.get("write.metadata.path"):
        yield Claim(said, owner, catalog, what="write.metadata.path")


def folder_of(metadata_location: str) -> str:
    """The folder of the table that a metadata file belongs to, as far as its address says."""
    return metadata_location.rpartition("/")[0].removesuffix("/metadata")


def unsettled(lakehouse: Lakehouse, facts: Facts) -> bool:
    """Whether the file asks for a folder that no table has yet, or for a new rule of a bucket.

    Only then must all live tables be known.
    """
    rules = (
        there is not None
        and (_new(spec.expire_days, there.expire_days) or _new(spec.access, there.access or "private"))
        for name, spec in lakehouse.buckets.items()
        for there in [facts.buckets.get(name)]
    )
    return any(rules) or any(True for table in _named(lakehouse, facts.catalogs) for _ in table.claims())


def _new(want: object, have: object) -> bool:
    return want not in (have, None, "private")


def danger(bucket: str, key: str, want: object, known: Register, guarded: bool) -> str:
    """Why a bucket does not get this setting: live tables are in it. Temporary tables of an ingest may be."""
    if want is None or key not in ("expire_days", "access") or want == "private" or (key == "access" and not guarded):
        return ""
    held = next((claim for claim in known.within(f"s3://{bucket}") if not _passing(claim)), None)
    if held is None:
        return ""
    what = "would delete its files" if key == "expire_days" else "would let everybody read its files"
    fix = f"Remove it, or move {held.owner} to another bucket"
    return f"`{key}: {want}` {what}: the {held.what} of {held.owner} is {held.location}. {fix}"


def _passing(claim: Claim) -> bool:
    return clash(claim, staged())


def shared(catalog: str, name: str, table: TableFacts, known: Register, same: Collection[str] = ()) -> str:
    """Who else keeps files in the folders of a table; empty if nobody does.

    The same table on another branch or tag does not count as another table; ``same`` are its former names there.
    """
    owner = f"{catalog}.{name}"
    for claim in of_table(owner, catalog, table):
        for other in known.clashing(claim):
            if other.owner not in same and not other.owner.startswith(f"{owner} on "):
                return f"{claim.location} {_how(claim.location, other)}"
    return ""


def held(claim: Claim | None) -> str:
    """Which table is still in a bucket that is to be deleted; empty if none is."""
    return f"it holds the {claim.what} of {claim.owner}, {claim.location}" if claim else ""


def homes(
    lakehouse: Lakehouse, catalogs: Mapping[str, CatalogFacts], known: Register, held: Callable[[str], bool]
) -> dict[str, Home]:
    """The folder of each table that has yet to be created, by its full name; and the tables whose paths are refused.

    ``known`` are the live tables. ``held`` says whether a folder holds files, including those of a table that is no
    longer in the catalog: a new table does not share it.
    """
    asked = [(table, claims) for table in _named(lakehouse, catalogs) if (claims := list(table.claims()))]
    register = Register([*known, *reserved(lakehouse), *(claim for _, claims in asked for claim in claims)])
    by_folder = granted(lakehouse)
    found: dict[str, Home] = {}
    for table, claims in asked:
        said = [claim for claim in claims if claim.what != "location" or table.location is not None]
        taken = next(((claim, other) for claim in said if (other := register.clash(claim))), None)
        if taken:
            found[table.owner] = Home(taken[0].location, refused=refusal(*taken))
        elif table.have is None and table.location is not None and held(table.location):
            rule = f"{table.location} holds files already, and a new table does not share its folder"
            found[table.owner] = Home(table.location, refused=f"{rule}. Choose another location, or remove them")
        elif table.have is None:
            home = _home(table, register, held)
            if home.reason and not catalogs[table.catalog].limits.locations:
                rule = f"{home.reason}, and {catalogs[table.catalog].limits.kind} has no other folder for it"
                home = replace(home, refused=f"{rule}. Choose another name, or drop what is there with `--purge`")
            if home.reason and table.owner in by_folder:
                rule = f"{home.reason}, and `access` grants the table by its folder"
                home = replace(home, refused=f"{rule}. Write `location: {home.location}`, so that the grants follow")
            found[table.owner] = home
    return found


def granted(lakehouse: Lakehouse) -> frozenset[str]:
    """What `access` names: tables by their full names among catalogs and namespaces.

    A grant with masks names every table that the file has in its target.
    """
    named: set[str] = set()
    for role in lakehouse.access.roles.values():
        for target, entry in role.grants.items():
            named.add(target)
            if isinstance(entry, Narrowed):
                named.update(".".join(each) for each in covered(lakehouse, target))
    return frozenset(named)


def _home(table: _Named, register: Register, held: Callable[[str], bool]) -> Home:
    """The declared folder, otherwise the default one, otherwise the first free one with a number after its name.

    Refused if another table's folder contains the default one: a number does not help there.
    """
    if table.location is not None:
        return Home(table.location)
    default = Claim(table.default, table.owner, table.catalog)
    for around in register.around(table.default):
        if clash(default, around):
            return Home(table.default, refused=f"{refusal(default, around)} by `location`")
    reason, number, location = "", 1, table.default
    while True:
        other = register.clash(Claim(location, table.owner, table.catalog))
        if other is None and not held(location):
            return Home(location, reason)
        reason = reason or (f"{location} {_how(location, other)}" if other else f"{location} holds files already")
        number, location = number + 1, f"{table.default}-{number + 1}"


def refusal(claim: Claim, other: Claim) -> str:
    """Both owners, both folders, the rule and the fix."""
    what = "" if claim.what == "location" else f"{claim.what} "
    rule = f"{what}{claim.location} {_how(claim.location, other)}, and tables do not share a folder"
    return f"{rule}: each would treat the other's files as its own. Choose another folder"


def _how(location: str, other: Claim) -> str:
    ours = Claim(location, "").parts
    if ours == other.parts:
        return f"is the {other.what} of {other.owner}"
    inside = len(ours) > len(other.parts)
    return f"{'is in' if inside else 'holds'} the {other.what} of {other.owner}, {other.location}"


def _named(lakehouse: Lakehouse, catalogs: Mapping[str, CatalogFacts]) -> Iterator[_Named]:
    """The tables and views of the file that do not exist yet, or that have their own paths."""
    for name, catalog in lakehouse.catalogs.items():
        facts = catalogs.get(name) or CatalogFacts({}, {})
        for namespace, content in catalog.namespaces.items():
            at = "/".join([catalog.location, *namespace.split(".")])
            for short, table in content.tables.items():
                have = facts.tables.get(f"{namespace}.{short}")
                if have is None or not table.properties.keys().isdisjoint(PATHS):
                    paths = {key: table.properties[key] for key in PATHS if key in table.properties}
                    owner = f"{name}.{namespace}.{short}"
                    yield _Named(owner, name, have, f"{at}/{short}", table.location, paths)
            for short in content.views:
                if f"{namespace}.{short}" not in facts.views:
                    yield _Named(f"{name}.{namespace}.{short}", name, None, f"{at}/{short}", None, {})
