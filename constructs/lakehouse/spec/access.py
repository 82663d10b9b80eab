"""Rules for `access`: its targets exist, and a filter or mask holds for all that its principals are granted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lakehouse.spec import enforced
from lakehouse.spec.existing import check_existing
from lakehouse.spec.locations import claims
from lakehouse.spec.model import Catalog, Lakehouse, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.roles import MASK, TAG, Narrowed, Verb, verbs_of
from lakehouse.spec.sql import columns_in
from lakehouse.text.words import listed, suggest


@dataclass(frozen=True)
class TableGrant:
    """A grant as it bears on one table: what it leaves out. Without ``rows`` and ``masks`` it leaves out nothing."""

    role: str
    target: str
    verbs: tuple[str, ...]
    rows: str = ""
    masks: tuple[tuple[str, str], ...] = ()  # column, and the word mask or an expression

    @property
    def at(self) -> KeyPath:
        """Its place in the file."""
        return ("access", "roles", self.role, "grants", self.target)


def split(lakehouse: Lakehouse, target: str) -> tuple[str, ...]:
    """``(catalog,)``, ``(catalog, namespace)``, or those and a table or view; a namespace may hold dots."""
    catalog, _, rest = target.partition(".")
    if not rest:
        return (catalog,)
    if rest in lakehouse.catalogs[catalog].namespaces:
        return (catalog, rest)
    namespace, _, table = rest.rpartition(".")
    return (catalog, namespace, table)


def within(content: Catalog, namespace: str) -> list[str]:
    """The namespace and those nested in it."""
    return [each for each in content.namespaces if f"{each}.".startswith(f"{namespace}.")]


def masks(table: Table, columns: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The masks of a grant by the table's columns: one that is named itself, or else one of its tags."""
    found = []
    for name, column in table.columns.items():
        tagged = next((columns[f"{TAG}{tag}"] for tag in column.tags if f"{TAG}{tag}" in columns), None)
        if (mask := columns.get(name, tagged)) is not None:
            found.append((name, mask))
    return tuple(found)


def covered(lakehouse: Lakehouse, target: str) -> Iterator[tuple[str, str, str]]:
    """The file's tables that a target covers: catalog, namespace, table."""
    catalog, *path = split(lakehouse, target)
    content = lakehouse.catalogs[catalog]
    if len(path) == 2:
        if path[1] in content.namespaces[path[0]].tables:
            yield catalog, path[0], path[1]
        return
    for namespace in within(content, path[0]) if path else content.namespaces:
        for table in content.namespaces[namespace].tables:
            yield catalog, namespace, table


def check_access(lakehouse: Lakehouse, *, everything: bool = True) -> Iterator[Problem]:
    """Problems of roles and principals: unknown names, and filters and masks that do not hold.

    Without ``everything``, those that hold in the file need not hold on its stacks.
    """
    wrong = set()
    for problem in _roles(lakehouse):
        wrong.add(problem.at[:5])
        yield problem
    roles = lakehouse.access.roles
    for principal, member in lakehouse.access.principals.items():
        for nth, role in enumerate(member.roles):
            if role not in roles:
                message = f'"{role}" is not one of access.roles.{suggest(role, roles)}'
                yield Problem(("access", "principals", principal, "roles", nth), message, (("access", "roles", role),))
    yield from check_existing(lakehouse)
    if not wrong:  # only grants that make sense can be compared
        yield from dict.fromkeys(_around(lakehouse))
        if everything:
            yield from enforced.refusals(lakehouse)


def _roles(lakehouse: Lakehouse) -> Iterator[Problem]:
    for role, content in lakehouse.access.roles.items():
        for target, granted in content.grants.items():
            at: KeyPath = ("access", "roles", role, "grants", target)
            if problem := _target(at, target, lakehouse):
                yield problem
                continue
            if not granted:
                yield Problem(at, "it is empty: name read, write or manage, as in [read]")
            path = split(lakehouse, target)
            view = len(path) == 3 and path[2] in lakehouse.catalogs[path[0]].namespaces[path[1]].views
            if view and "write" in verbs_of(granted):
                yield Problem(at, '"write" is for rows, and a view has no rows of its own. Write read or manage')
            if isinstance(granted, Narrowed):
                yield from _narrowed(at, granted, lakehouse, view=view)


def _target(at: KeyPath, target: str, lakehouse: Lakehouse) -> Problem | None:
    """A grant's target is ``catalog``, ``catalog.namespace``, or a table or view of that."""
    name, _, rest = target.partition(".")
    catalog = lakehouse.catalogs.get(name)
    if catalog is None:
        message = f'"{name}" is not one of `catalogs`.{suggest(name, lakehouse.catalogs)}'
        return Problem(at, message, (("catalogs", name),))
    namespace, _, table = rest.rpartition(".")
    inner = catalog.namespaces.get(namespace)
    if not rest or rest in catalog.namespaces or (inner and (table in inner.tables or table in inner.views)):
        return None
    known = [f"{name}.{space}" for space in catalog.namespaces]
    known += [
        f"{name}.{space}.{each}"
        for space, content in catalog.namespaces.items()
        for each in (*content.tables, *content.views)
    ]
    spaces: KeyPath = ("catalogs", name, "namespaces")
    own: KeyPath = (*spaces, namespace)
    about = ((*spaces, rest), own, (*own, "tables", table), (*own, "views", table))
    return Problem(at, f'"{target}" is no namespace, table or view of the file.{suggest(target, known)}', about)


def _narrowed(at: KeyPath, granted: Narrowed, lakehouse: Lakehouse, *, view: bool) -> Iterator[Problem]:
    if view:
        rule = "a view is read with the rights of who queries it, so a filter or mask belongs to the tables it reads"
        yield Problem(at, f"{rule}. Grant the view as [read], and narrow the grants of those tables")
        return
    if set(granted.verbs) != {"read"}:
        rule = "who may change a table's rows reads all of them, so a filter or mask goes only with read"
        yield Problem((*at, "verbs"), f"{rule}. Write `verbs: [read]`, or remove `rows` and `columns`")
    path = split(lakehouse, str(at[-1]))
    whole = len(path) < 3
    if whole and granted.rows:
        rule = "a filter names columns of one table, and this is not a table"
        yield Problem((*at, "rows"), f"{rule}. Grant each table by itself, as in {at[-1]}.TABLE")
    tables = [lakehouse.catalogs[c].namespaces[n].tables[t] for c, n, t in covered(lakehouse, str(at[-1]))]
    tags = {tag for table in tables for column in table.columns.values() for tag in column.tags}
    if granted.rows and not whole:
        yield from _unknown((*at, "rows"), granted.rows, tables[0])
    for name, mask in granted.columns.items():
        where = (*at, "columns", name)
        if name.startswith(TAG):
            if (tag := name.removeprefix(TAG)) not in tags:
                yield Problem(where, f'no column here has the tag "{tag}".{suggest(tag, tags)}')
            elif mask != MASK:
                rule = f"columns of a tag have different names and types, and {mask} fits one of them"
                yield Problem(where, f"{rule}. Write `{name}: {MASK}`, or name the column")
        elif whole:
            yield Problem(where, f'"{name}" is not a tag, and this is not a table. Write {TAG}NAME, or grant the table')
        elif name not in tables[0].columns:
            yield Problem(where, f'"{name}" is not a column of the table.{suggest(name, tables[0].columns)}')
        elif mask != MASK:
            yield from _unknown(where, mask, tables[0], MASK)


def _unknown(at: KeyPath, expression: str, table: Table, *others: str) -> Iterator[Problem]:
    """Names in an expression that no column has, as far as that can be seen without reading all of SQL."""
    names = {name.lower() for name in table.columns}
    for name in columns_in(expression):
        if name.lower() not in names:
            known = [*others, *table.columns]
            fix = suggest(name, known) or f" Write {listed(known)}, or an expression."
            yield Problem(at, f'"{name}" is not a column of the table.{fix}')


def _around(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Filters and masks that another grant of the same principal makes void."""
    for principal, member in lakehouse.access.principals.items():
        grants = [
            (role, target, granted)
            for role in dict.fromkeys(member.roles)
            if role in lakehouse.access.roles
            for target, granted in lakehouse.access.roles[role].grants.items()
        ]
        if not any(isinstance(granted, Narrowed) for *_, granted in grants):
            continue
        tables: dict[tuple[str, str, str], list[TableGrant]] = {}
        for role, target, granted in grants:
            for table in covered(lakehouse, target):
                tables.setdefault(table, []).append(_reading(lakehouse, role, target, granted, table))
        said: set[frozenset[KeyPath]] = set()  # a pair of grants is reported once, not for each table
        for table, readings in tables.items():
            for narrow in (each for each in readings if each.rows or each.masks):
                for other in readings:
                    pair = frozenset((narrow.at, other.at))
                    if other != narrow and pair not in said and (why := _void(narrow, other, principal, table)):
                        said.add(pair)
                        yield Problem(narrow.at, why, beside=other.at)
        yield from _folders(lakehouse, principal, grants, tables)


def _reading(
    lakehouse: Lakehouse, role: str, target: str, granted: list[Verb] | Narrowed, table: tuple[str, str, str]
) -> TableGrant:
    catalog, namespace, name = table
    if isinstance(granted, Narrowed):
        definition = lakehouse.catalogs[catalog].namespaces[namespace].tables[name]
        return TableGrant(role, target, tuple(granted.verbs), granted.rows, masks(definition, granted.columns))
    return TableGrant(role, target, tuple(granted))


def _void(narrow: TableGrant, other: TableGrant, principal: str, table: tuple[str, str, str]) -> str:
    """Why the other grant shows what the first leaves out; empty if it does not. Filters of two grants are joined."""
    who = f"principal {principal} also has role {other.role}'s grant on {other.target}, which"
    what = ".".join(table)
    joined = "give both a filter: they are joined by OR" if other.target == what else "grant its other tables by name"
    if set(other.verbs) - {"read"}:
        return f"{who} lets it change {what}, and so read all of it. Take one of the roles or grants away."
    if bool(narrow.rows) != bool(other.rows):
        return f"{who} gives every row of {what}. Take one of them away, or {joined}."
    mine, others = dict(narrow.masks), dict(other.masks)
    if different := sorted(name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name)):
        return f"{who} does not mask {listed(different)} of {what} in the same way. Write the same masks in both."
    return ""


def _folders(
    lakehouse: Lakehouse,
    principal: str,
    grants: list[tuple[str, str, list[Verb] | Narrowed]],
    tables: Mapping[tuple[str, str, str], list[TableGrant]],
) -> Iterator[Problem]:
    """Narrowed tables whose files are in the folder of a namespace that the principal may read as a whole."""
    whole: list[tuple[str, KeyPath]] = []
    for role, target, granted in grants:
        catalog, *path = split(lakehouse, target)
        if len(path) < 2 and not isinstance(granted, Narrowed):
            content = lakehouse.catalogs[catalog]
            for namespace in within(content, path[0]) if path else content.namespaces:
                folder = f"{content.location}/{namespace.replace('.', '/')}/"
                whole.append((folder, ("access", "roles", role, "grants", target)))
    if not whole:
        return
    narrowed: dict[KeyPath, tuple[TableGrant, set[KeyPath]]] = {  # and the grants that are compared with it already
        ("catalogs", catalog, "namespaces", namespace, "tables", table): (each, {other.at for other in readings})
        for (catalog, namespace, table), readings in tables.items()
        for each in readings
        if each.rows or each.masks
    }
    for claim in claims(lakehouse):
        narrow, compared = narrowed.get(claim.at[:6], (None, set()))
        for folder, other in whole if narrow else ():
            if narrow and other not in compared and f"{claim.location}/".startswith(folder):
                rule = f"principal {principal} may read all files in {folder}, and those of {claim.owner} are there"
                yield Problem(narrow.at, f"{rule}. Move the table, or take one grant away.", beside=other)
