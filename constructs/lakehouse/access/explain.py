"""`lakehouse access`: who may do what, and why."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.access.grants import VERBS, Grant, grants, is_view
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.access import split
from lakehouse.spec.roles import MASK

_MEANS: dict[tuple[Verb, int], str] = {
    ("read", 1): "query every table; list its namespaces and tables",
    ("read", 2): "query every table; list them",
    ("read", 3): "query it",
    ("write", 1): "query and change the rows of every table",
    ("write", 2): "query and change the rows of every table",
    ("write", 3): "query it and change its rows",
    ("manage", 1): "create, alter and drop namespaces and tables; change and query rows",
    ("manage", 2): "create, alter and drop it and its tables; change and query rows",
    ("manage", 3): "create, alter and drop it; change and query its rows",
}
_OF_VIEW: dict[Verb, str] = {
    "read": "query it, if it may query what the view reads",
    "write": "query it, if it may query what the view reads",  # no valid file has it
    "manage": "create, replace and drop it; query it, if it may query what the view reads",
}
_SHOWN = 8  # masked tables of one grant


@dataclass(frozen=True)
class Row:
    """Who may do what, on what, and why."""

    principal: str
    may: str
    on: str
    because: str


def explain(lakehouse: Lakehouse) -> list[Row]:
    """Who may do what and why, one row per principal and target; a principal without grants gets a row that says so."""
    rows = []
    for principal in lakehouse.access.principals:
        own = grants(lakehouse, principal)
        if not own:
            rows.append(Row(principal, "nothing", "", "none of its roles grants anything"))
        for target in dict.fromkeys(grant.within or grant.target for grant in own):
            here = [grant for grant in own if (grant.within or grant.target) == target]
            highest = max((grant.verb for grant in here), key=VERBS.index)
            roles = dict.fromkeys(grant.role for grant in here if grant.verb == highest)
            because = " and ".join(f"role {role}" for role in roles) + f" grants {highest}"
            rows.append(Row(principal, _may(lakehouse, target, highest, here), target, because))
    return rows


def _may(lakehouse: Lakehouse, target: str, verb: Verb, given: list[Grant]) -> str:
    level = len(split(lakehouse, target))
    if is_view(lakehouse, target):
        return _OF_VIEW[verb]
    if not any(grant.narrows or grant.within for grant in given):
        return _MEANS[verb, level]
    parts = [_MEANS[verb, level] if level == 3 else "query the tables and views there that the file has now"]
    if rows := dict.fromkeys(grant.rows for grant in given if grant.rows):
        parts.append("only rows where " + " or ".join(f"({each})" for each in rows))
    if masked := list(dict.fromkeys(_masked(grant, target) for grant in given if grant.masks)):
        rest = f" and {len(masked) - _SHOWN} more tables" if len(masked) > _SHOWN else ""
        parts.append("masked: " + ", ".join(masked[:_SHOWN]) + rest)
    return "; ".join(parts)


def _masked(grant: Grant, target: str) -> str:
    table = grant.target.removeprefix(f"{target}.")
    columns = [name if mask == MASK else f"{name} as {mask}" for name, mask in grant.masks]
    return ", ".join(columns if grant.target == target else (f"{table}.{each}" for each in columns))
