"""The Trino compiler: what `access` of lakehouse.yaml means as rules of Trino's file-based access control.

https://trino.io/docs/476/security/file-system-access-control.html. Of each list the first rule that matches decides,
and none that matches is a refusal. Names are regular expressions there, matched as a whole.

Three of its gaps are closed here, and were read in the classes of Trino 476:

- It never checks ``ALTER TABLE ... EXECUTE``, by which a reader could roll a table back or expire its snapshots. But
  Trino refuses that for a table with a row filter, so every rule without the right to write has one: ``true``.
- A view that names an owner runs with that owner's rights, and who may write to a catalog may write any name there. It
  needs GRANT_SELECT of the owner, so nobody has it: views run with the rights of who queries them.
- Metadata tables (``"t$files"``), hidden columns and statistics of columns show values that a filter or mask hides.

Old snapshots show columns under the names that they had then, and a mask is for one name. So the former names that the
file has are masked too. Others cannot be: a rule lists the columns that it is for, and has no word for all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lakehouse.access.grants import VERBS, Grant, grants, known_to
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.access import split
from lakehouse.spec.roles import MASK

_ROWS: dict[Verb, tuple[str, ...]] = {
    "read": ("SELECT",),
    "write": ("SELECT", "INSERT", "DELETE", "UPDATE"),
    "manage": ("SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP"),
}
_NO_PROCEDURE = {"filter": "true"}
METADATA = r"(\$[a-z_]+)?"  # a table's own name, and those of its metadata tables
_HIDDEN = ("$path", "$partition", "$file_modified_time")  # columns of the Iceberg connector
_SYSTEM = "jdbc|metadata"  # schemas of the catalog `system` that show only what its reader may see


def trino_rules(lakehouse: Lakehouse, owner: str) -> dict[str, Any]:
    """The rules file, as JSON. ``owner`` is the user of the toolkit, who may do everything.

    Each principal is a user of its name; the file's rules see to it that none has the owner's.
    """
    given: dict[str, list[Grant]] = {}
    for grant in known_to(lakehouse, "trino"):
        given.setdefault(grant.principal, []).append(grant)
    everybody = _any(given)
    users = {"user": _any([owner, *given])}
    mine = {"user": _literal(owner)}
    return {
        "catalogs": [
            {**mine, "allow": "owner"},
            *(rule for name, own in given.items() for rule in _catalogs(lakehouse, name, own)),
            *([{"user": everybody, "catalog": "system", "allow": "read-only"}] if given else []),
            {"allow": "none"},  # also instead of the rule that lets everybody use `system`
        ],
        "schemas": [
            {**mine, "owner": True},
            *(rule for name, own in given.items() for rule in _schemas(lakehouse, name, own)),
            {"owner": False},
        ],
        "tables": [
            {**mine, "privileges": list(_ROWS["manage"])},
            *(rule for name, own in given.items() for rule in _tables(lakehouse, name, own, owner)),
            *(
                [{"user": everybody, "catalog": "system", "schema": _SYSTEM, "privileges": ["SELECT"], **_NO_PROCEDURE}]
                if given
                else []
            ),
            {"privileges": [], **_NO_PROCEDURE},
        ],
        # Those of system.builtin are everybody's. table_changes of a catalog shows rows without filters.
        "functions": [{**mine, "privileges": ["EXECUTE", "OWNERSHIP"]}],
        "procedures": [{**mine, "privileges": ["EXECUTE"]}],
        # Everybody sees and ends their own queries; system.runtime would show tasks of all.
        "queries": [
            {**mine, "allow": ["execute", "kill", "view"]},
            *([{"user": everybody, "allow": ["execute"]}] if given else []),
        ],
        "impersonation": [{"original_user": _literal(owner), "new_user": ".*", "allow": True}],
        "authorization": [{"original_user": _literal(owner), "new_user": ".*", "new_role": ".*", "allow": True}],
        "system_information": [{**mine, "allow": ["read", "write"]}],
        "system_session_properties": [{**users, "allow": True}],
        "catalog_session_properties": [{**mine, "allow": True}],
    }


def catalog_settings(lakehouse: Lakehouse, catalog: str) -> dict[str, str]:
    """Properties that a catalog of the file, and each of its branches, needs in Trino for its filters.

    ``SHOW STATS`` tells the lowest and highest value of a column over all rows, so there are no statistics.
    """
    filtered = any(grant.rows and split(lakehouse, grant.target)[0] == catalog for grant in grants(lakehouse))
    return {"iceberg.table-statistics-enabled": "false"} if filtered else {}


def catalog_of(catalog: str, branch: str) -> str:
    """The name of the Trino catalog for a branch of a catalog, because a query in Trino cannot name branches."""
    return f"{catalog}_{re.sub('[^a-z0-9]', '_', branch.lower())}"


def _catalogs(lakehouse: Lakehouse, principal: str, own: list[Grant]) -> Iterator[dict[str, Any]]:
    for catalog in dict.fromkeys(split(lakehouse, grant.target)[0] for grant in own):
        changes = any(grant.verb != "read" and split(lakehouse, grant.target)[0] == catalog for grant in own)
        allow = "all" if changes else "read-only"
        yield {"user": _literal(principal), "catalog": _with_branches(lakehouse, catalog), "allow": allow}


def _schemas(lakehouse: Lakehouse, principal: str, own: list[Grant]) -> Iterator[dict[str, Any]]:
    for grant in own:
        catalog, *path = split(lakehouse, grant.target)
        if grant.verb == "manage" and len(path) < 2:
            yield {
                "user": _literal(principal),
                "catalog": _with_branches(lakehouse, catalog),
                "schema": _inside(path[0]) if path else ".*",
                "owner": True,
            }


def _tables(lakehouse: Lakehouse, principal: str, own: list[Grant], owner: str) -> Iterator[dict[str, Any]]:
    """A principal's rules. Tables of a namespace with the same rule share it: a masked catalog has a grant for each."""
    shared: dict[str, tuple[dict[str, str], str, list[str], dict[str, Any]]] = {}
    for target, suffix, rule in _in_order(own, owner):
        _, *path = split(lakehouse, target)
        where = _where(lakehouse, principal, target)
        _, _, names, _ = shared.setdefault(json.dumps([where, suffix, len(path), rule]), (where, suffix, [], rule))
        names += map(_literal, path[1:])
    for where, suffix, names, rule in shared.values():
        several = f"({'|'.join(names)})" if len(names) > 1 else "".join(names)
        yield {**where, **({"table": f"{several}{suffix}"} if names else {}), **rule}


def _in_order(own: list[Grant], owner: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A target, what its name in Trino ends with, and its rule. The first rule that matches decides.

    Filters are first, which no other grant covers; then the highest verbs.
    """
    narrowed: dict[str, list[Grant]] = {}
    highest: dict[str, Verb] = {}
    for grant in sorted(own, key=lambda grant: VERBS.index(grant.verb)):
        if grant.narrows:
            narrowed.setdefault(grant.target, []).append(grant)
        else:
            highest[grant.target] = grant.verb
    for target, here in narrowed.items():
        yield target, "", {"privileges": ["SELECT"], **_narrow(here, owner)}
    for target, verb in sorted(highest.items(), key=lambda item: -VERBS.index(item[1])):
        rest = _NO_PROCEDURE if verb == "read" else {}
        yield target, METADATA, {"privileges": list(_ROWS[verb]), **rest}


def _narrow(here: list[Grant], owner: str) -> dict[str, Any]:
    """Subqueries of filters and masks run as the owner, so that a principal need not read the tables in them."""
    filters = list(dict.fromkeys(grant.rows for grant in here if grant.rows))
    rule: dict[str, Any] = {**_NO_PROCEDURE}
    if filters:
        joined = filters[0] if len(filters) == 1 else " OR ".join(f"({each})" for each in filters)
        rule |= {"filter": joined, "filter_environment": {"user": owner}}
    # Trino has all names in lower case, and each only once: a former name may differ from the new one only in case.
    masks = {name.lower(): MASK for grant in here for name in grant.former}
    masks |= {name.lower(): mask for grant in here for name, mask in grant.masks}
    rule["columns"] = [
        *({"name": name, "allow": False} for name in _HIDDEN),
        *(_masked(name, mask, owner) for name, mask in masks.items()),
    ]
    return rule


def _masked(column: str, mask: str, owner: str) -> dict[str, Any]:
    own = {"mask": "NULL"} if mask == MASK else {"mask": mask, "mask_environment": {"user": owner}}
    return {"name": column, **own}


def _where(lakehouse: Lakehouse, principal: str, target: str) -> dict[str, str]:
    """The conditions of a rule, without the table's."""
    catalog, *path = split(lakehouse, target)
    found = {"user": _literal(principal), "catalog": _with_branches(lakehouse, catalog)}
    if len(path) == 2:
        return found | {"schema": _literal(path[0])}
    return found | ({"schema": _inside(path[0])} if path else {})


def _inside(namespace: str) -> str:
    """The namespace and those nested in it."""
    return rf"{_literal(namespace)}(\..*)?"


def _with_branches(lakehouse: Lakehouse, catalog: str) -> str:
    branches = lakehouse.catalogs[catalog].branches
    return _any([catalog, *(catalog_of(catalog, branch) for branch in branches)])


def _any(names: Iterable[str] | Mapping[str, Any]) -> str:
    return "|".join(_literal(name) for name in names)


def _literal(name: str) -> str:
    """A regular expression of Java that matches exactly this name."""
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"\\{found[0]}", name)
