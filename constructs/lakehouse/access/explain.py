"""`lakehouse access`: who may do what, and why."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.access.grants import VERBS, grants, split
from lakehouse.spec import Lakehouse, Verb

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


@dataclass(frozen=True)
class Row:
    """Who may do what, on what, and why."""

    principal: str
    may: str
    on: str
    because: str


def explain(lakehouse: Lakehouse) -> list[Row]:
    """Who may do what and why, one row per principal and target; a principal without grants gets a row that says so."""
    known = grants(lakehouse)
    rows = []
    for principal in lakehouse.access.principals:
        own = [grant for grant in known if grant.principal == principal]
        if not own:
            rows.append(Row(principal, "nothing", "", "none of its roles grants anything"))
        for target in dict.fromkeys(grant.target for grant in own):
            here = [grant for grant in own if grant.target == target]
            highest = max((grant.verb for grant in here), key=VERBS.index)
            roles = dict.fromkeys(grant.role for grant in here if grant.verb == highest)
            level = len(split(lakehouse, target))
            because = " and ".join(f"role {role}" for role in roles) + f" grants {highest}"
            rows.append(Row(principal, _MEANS[highest, level], target, because))
    return rows
