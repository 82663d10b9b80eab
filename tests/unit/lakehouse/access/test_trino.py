"""Trino's rules allow exactly what the file grants: for generated lakehouses, and with each rule weakened in turn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lakehouse.access.engines import engine_calls
from lakehouse.access.grants import VERBS
from lakehouse.access.trino import catalog_of, catalog_settings, trino_rules
from lakehouse.spec import Lakehouse
from lakehouse.spec.access import check_access
from tests.trino.rules import TrinoAccess

OWNER = "lakehouse-owner"
STRANGER = "stranger"
T = {
    "columns": {"id": "long", "Email": {"type": "string", "tags": ["pii"], "renamed_from": "Mail"}, "region": "string"}
}
VIEW = {"sql": {"spark": "SELECT 1 AS a"}, "columns": {"a": "int"}}
SPACES: dict[str, Any] = {
    "n": {"tables": {"t": T, "t2": {"columns": {"id": "long"}}}, "views": {"v": VIEW}},
    "n.m": {"tables": {"t": T}},
    "nm": {"tables": {"t": T}},
}
TARGETS = ["lake", "lake.n", "lake.n.m", "lake.nm", "lake.n.t", "lake.n.t2", "lake.n.v", "lake.n.m.t", "lake.nm.t"]
TABLES = [("n", "t"), ("n", "t2"), ("n.m", "t"), ("nm", "t")]


def lakehouse(roles: dict[str, Any], principals: dict[str, Any]) -> Lakehouse:
    catalogs = {"lake": {"location": "s3://warehouse/lake", "namespaces": SPACES, "branches": {"dev/x": {}}}}
    catalogs["lakes"] = {"location": "s3://warehouse/lakes", "namespaces": {"n": {"tables": {"t": T}}}}
    return Lakehouse.model_validate(
        {
            "name": "unit",
            "buckets": {"warehouse": {}},
            "catalogs": catalogs,
            "access": {"roles": roles, "principals": principals, "enforce": "best-effort"},
            "engines": {"trino": {"catalogs": {"tpch": {"connector.name": "tpch"}}}},
            "stacks": {
                "local": {"runtime": "process", "store": "s3proxy", "catalogs": dict.fromkeys(catalogs, "rest")}
            },
        }
    )


def one(**grants: Any) -> Lakehouse:
    """A lakehouse whose principal p has these grants, and q none."""
    return lakehouse({"r": {"grants": grants}}, {"p": {"roles": ["r"]}, "q": {"roles": []}})


@st.composite
def lakehouses(draw: st.DrawFn) -> Lakehouse:
    verbs = st.lists(st.sampled_from(VERBS), min_size=1, unique=True)
    filters = st.sampled_from(["region = 'EU'", "id > 1"])
    columns = st.dictionaries(
        st.sampled_from(["Email", "region"]), st.sampled_from(["mask", "upper(region)"]), min_size=1
    )

    def granted(target: str) -> Any:
        if target in ("lake.n.t", "lake.n.m.t", "lake.nm.t") and draw(st.booleans()):
            narrow = draw(st.sampled_from([("rows",), ("columns",), ("rows", "columns")]))
            return {"verbs": ["read"], **{key: draw(filters if key == "rows" else columns) for key in narrow}}
        if target in ("lake", "lake.n", "lake.nm", "lakes.n") and draw(st.booleans()):
            return {"verbs": ["read"], "columns": {"tag:pii": "mask"}}
        return [verb for verb in draw(verbs) if verb != "write" or target != "lake.n.v"] or ["read"]

    targets = st.lists(st.sampled_from([*TARGETS, "lakes.n"]), max_size=3, unique=True)
    roles = {name: {"grants": {each: granted(each) for each in draw(targets)}} for name in ("r", "s")}
    member = st.lists(st.sampled_from(["r", "s"]), unique=True)
    file = lakehouse(roles, {"p": {"roles": draw(member)}, "q": {"roles": draw(member)}})
    assume(not list(check_access(file)))
    return file


def wrong(file: Lakehouse, rules: dict[str, Any]) -> list[str]:
    """What the rules decide other than the file says."""
    return [*_of_principals(file, TrinoAccess(rules)), *_of_all(file, TrinoAccess(rules))]


def _of_principals(file: Lakehouse, trino: TrinoAccess) -> Iterator[str]:
    for query in engine_calls(file):
        shown = [query.catalog, *(catalog_of(query.catalog, each) for each in file.catalogs[query.catalog].branches)]
        for catalog in shown:
            where = (query.principal, catalog, query.namespace, query.name or "unheard_of")
            if _decides(trino, query.operation, where) != query.allowed:
                yield f"{query}: not {query.allowed}"
            if query.operation == "read" and query.allowed:
                seen = trino.select(*where)
                if seen is None:
                    continue  # reported above
                joined = query.filters[0] if len(query.filters) == 1 else " OR ".join(f"({e})" for e in query.filters)
                hidden = (*((each, "mask") for each in query.former), *query.masks)
                masks = tuple((n.lower(), "NULL" if m == "mask" else m) for n, m in hidden)
                if (seen.filter.removeprefix("true"), seen.masks) != (joined, masks):
                    yield f"{query}: {seen}"
                told = [trino.select(*where, columns=[each]) for each in ("$path", "$partition")]
                if (query.filters or query.masks) and any(told):
                    yield f"{query}: hidden columns"


def _decides(trino: TrinoAccess, operation: str, where: tuple[str, str, str, str]) -> bool | None:
    """Whether the operation is allowed; None: a part of it is."""
    user, catalog, schema, table = where
    match operation:
        case "list" | "load":
            return trino.any_of(*where)
        case "read":
            return trino.select(*where) is not None
        case "read-all":
            seen = trino.select(*where)
            return seen is not None and seen.filter in ("", "true") and not seen.masks
        case "history":
            tables = [f"{table}${name}" for name in ("files", "partitions", "refs")]
            return _same({trino.select(user, catalog, schema, each) is not None for each in tables})
        case "write":
            return _same({trino.has(user, privilege, *where[1:]) for privilege in ("INSERT", "DELETE", "UPDATE")})
        case "execute":
            return trino.execute(*where)
        case "create" | "drop":
            return trino.has(user, "OWNERSHIP", *where[1:])
    raise AssertionError(operation)


def _same(found: set[bool]) -> bool | None:
    return found.pop() if len(found) == 1 else None


def _of_all(file: Lakehouse, trino: TrinoAccess) -> Iterator[str]:
    """What is no principal's, whatever the file grants."""
    users = [*file.access.principals, STRANGER]
    granted = {each.principal for each in engine_calls(file) if each.allowed}
    for user in users:
        others = {
            "creates a catalog": trino.manages_catalogs(user, "mine"),
            "drops a catalog": trino.manages_catalogs(user, "lake"),
            "reads a further catalog": trino.select(user, "tpch", "tiny", "nation"),
            "reads tasks of all": trino.select(user, "system", "runtime", "tasks"),
            "calls a function of a catalog": trino.calls(user, "functions", "lake", "system", "table_changes"),
            "calls a procedure": trino.calls(user, "procedures", "lake", "system", "register_table"),
            "ends others' queries": trino.calls(user, "procedures", "system", "runtime", "kill_query"),
            "sees others' queries": any(trino.sees_query(user, each) for each in (*users, OWNER) if each != user),
            "is somebody else": any(trino.impersonates(user, each) for each in (*users, OWNER)),
            "gives tables away": any(trino.authorizes(user, each) for each in (*users, OWNER)),
            "reads threads": trino.informed(user),
            "sets properties of a catalog": trino.sets(user, "lake", "expire_snapshots_min_retention"),
            "shares a table by a view": any(trino.through_view(user, "lake", *each) for each in TABLES),
        }
        yield from (f"{user} {what}" for what, may in others.items() if may)
        if trino.queries(user) != (user in granted):
            yield f"{user} sends queries"
        for catalog in ("lake", "lake_dev_x", "system"):
            if user not in granted and trino.select(user, catalog, "information_schema", "tables"):
                yield f"{user} lists {catalog}"
        if user not in granted and any(trino.execute(user, "lake", *each) for each in TABLES):
            yield f"{user} executes"
        for namespace in ("n", "n.m", "nm", "n.new", "new"):
            managed = any(
                each.allowed and each.operation == "create" and not each.name and each.principal == user
                for each in engine_calls(file)
                if each.catalog == "lake"
                and (each.namespace == namespace or f"{namespace}.".startswith(f"{each.namespace}."))
            )
            if trino.owns(user, "lake", namespace) and not managed and not _manages(file, user):
                yield f"{user} owns {namespace}"
    yield from _of_owner(trino)


def _manages(file: Lakehouse, user: str) -> bool:
    roles = file.access.principals[user].roles if user in file.access.principals else []
    return any("manage" in file.access.roles[role].grants.get("lake", ()) for role in roles)


def _of_owner(trino: TrinoAccess) -> Iterator[str]:
    may = {
        "reads": trino.select(OWNER, "lake", "n", "t") is not None
        and trino.select(OWNER, "system", "runtime", "tasks"),
        "owns": trino.has(OWNER, "OWNERSHIP", "lake", "n", "new") and trino.owns(OWNER, "lake", "new"),
        "makes catalogs": trino.manages_catalogs(OWNER, "mine"),
        "maintains": trino.execute(OWNER, "lake", "n", "t"),
        "calls": trino.calls(OWNER, "procedures", "lake", "system", "register_table"),
        "sees queries": trino.sees_query(OWNER, "p"),
        "is a principal": trino.impersonates(OWNER, "p"),
        "is informed": trino.informed(OWNER),
        "lends no rights by views": not trino.through_view(OWNER, "lake", "n", "t"),
        "reads everything": trino.select(OWNER, "lake", "n", "t", columns=["$path"]),
    }
    yield from (f"the owner {what}: no" for what, is_so in may.items() if not is_so)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(lakehouses())
def test_each_principal_has_exactly_what_the_file_grants(file: Lakehouse) -> None:
    assert wrong(file, trino_rules(file, OWNER)) == []


NARROW = {"verbs": ["read"], "rows": "region = 'EU'", "columns": {"Email": "mask", "region": "upper(region)"}}


def test_the_rules_of_a_filter_and_masks() -> None:
    rules = trino_rules(one(**{"lake.n.t": NARROW, "lake.nm": ["write"]}), OWNER)
    own = [rule for rule in rules["tables"] if rule.get("user") == "p" and rule.get("catalog") != "system"]
    assert own == [
        {
            "user": "p",
            "catalog": "lake|lake_dev_x",
            "schema": "n",
            "table": "t",
            "privileges": ["SELECT"],
            "filter": "region = 'EU'",
            "filter_environment": {"user": OWNER},
            "columns": [
                {"name": "$path", "allow": False},
                {"name": "$partition", "allow": False},
                {"name": "$file_modified_time", "allow": False},
                {"name": "mail", "mask": "NULL"},
                {"name": "email", "mask": "NULL"},
                {"name": "region", "mask": "upper(region)", "mask_environment": {"user": OWNER}},
            ],
        },
        {
            "user": "p",
            "catalog": "lake|lake_dev_x",
            "schema": r"nm(\..*)?",
            "privileges": ["SELECT", "INSERT", "DELETE", "UPDATE"],
        },
    ]
    assert rules["catalogs"] == [
        {"user": r"lakehouse\-owner", "allow": "owner"},
        {"user": "p", "catalog": "lake|lake_dev_x", "allow": "all"},
        {"user": "p", "catalog": "system", "allow": "read-only"},
        {"allow": "none"},
    ]


def test_filters_of_two_roles_are_joined() -> None:
    roles = {nth: {"grants": {"lake.n.t": {"verbs": ["read"], "rows": f"id = {nth}"}}} for nth in ("a1", "b2")}
    rules = trino_rules(lakehouse(roles, {"p": {"roles": ["a1", "b2"]}}), OWNER)
    assert [rule["filter"] for rule in rules["tables"] if rule.get("table") == "t"] == ["(id = a1) OR (id = b2)"]


def test_without_grants_only_the_owner_is_let_in() -> None:
    file = lakehouse({}, {"p": {"roles": []}})
    assert wrong(file, trino_rules(file, OWNER)) == []


def test_a_former_name_that_differs_only_in_case_has_the_mask_of_the_new_one() -> None:
    """Trino refuses rules that name a column twice."""
    file = one(**{"lake.n.t": {"verbs": ["read"], "columns": {"Email": "lower(Email)"}}})
    table = file.catalogs["lake"].namespaces["n"].tables["t"]
    table.columns["Email"] = table.columns["Email"].model_copy(update={"renamed_from": "email"})
    (rule,) = [each for each in trino_rules(file, OWNER)["tables"] if each.get("table") == "t"]
    assert [each["mask"] for each in rule["columns"] if each["name"] == "email"] == ["lower(Email)"]


def test_a_catalog_with_a_filter_has_no_statistics_which_show_bounds_of_all_rows() -> None:
    file = one(**{"lake.n.t": NARROW, "lakes.n.t": {"verbs": ["read"], "columns": {"id": "mask"}}})
    assert catalog_settings(file, "lake") == {"iceberg.table-statistics-enabled": "false"}
    assert catalog_settings(file, "lakes") == {}


def test_tables_of_a_namespace_with_the_same_rule_share_it() -> None:
    rules = trino_rules(one(lake={"verbs": ["read"], "columns": {"tag:pii": "mask"}}), OWNER)
    own = [(rule["schema"], rule["table"]) for rule in rules["tables"] if rule.get("catalog", "")[:4] == "lake"]
    assert own == [("n", "t"), (r"n\.m", "t"), ("nm", "t"), ("n", r"(t2|v)(\$[a-z_]+)?")]


# Mutations: each makes the rules weaker in one place.


def _mine(rules: dict[str, Any], **like: Any) -> dict[str, Any]:
    return next(rule for rule in rules["tables"] if all(rule.get(key) == value for key, value in like.items()))


def _without(rule: dict[str, Any], key: str) -> None:
    del rule[key]


Weaken = Callable[[dict[str, Any]], Any]
WEAKER: dict[str, Weaken] = {
    "no filter": lambda rules: _without(_mine(rules, filter="region = 'EU'"), "filter"),
    "a filter that is always true": lambda rules: _mine(rules, filter="region = 'EU'").update(filter="true"),
    "no masks": lambda rules: _without(_mine(rules, filter="region = 'EU'"), "columns"),
    "one mask fewer": lambda rules: _mine(rules, filter="region = 'EU'")["columns"].pop(),
    "a mask under a name that Trino does not have": lambda rules: _mine(rules, filter="region = 'EU'")["columns"][
        4
    ].update(name="Email"),
    "no mask of a former name, which old snapshots have": lambda rules: _mine(rules, filter="region = 'EU'")[
        "columns"
    ].pop(3),
    "hidden columns": lambda rules: _mine(rules, filter="region = 'EU'")["columns"].pop(0),
    "metadata tables of a filtered table": lambda rules: _mine(rules, filter="region = 'EU'").update(table=r"t(\$.*)?"),
    "a filter only on the catalog, not on its branches": lambda rules: rules["tables"].insert(
        1, {**_mine(rules, table=r"t2(\$[a-z_]+)?"), "catalog": "lake_dev_x", "table": ".*"}
    ),
    "a wider table": lambda rules: _mine(rules, table=r"t2(\$[a-z_]+)?").update(table=".*"),
    "a wider end of a table's name": lambda rules: _mine(rules, table=r"t2(\$[a-z_]+)?").update(table="t2?"),
    "a wider schema": lambda rules: _mine(rules, schema=r"nm(\..*)?").update(schema=".*"),
    "a schema that only begins alike": lambda rules: _mine(rules, table=r"(t2|t)(\$[a-z_]+)?").update(schema="n.*"),
    "a dot that is any character": lambda rules: _mine(rules, schema=r"n\.m").update(schema="n.?m"),
    "a wider catalog": lambda rules: _mine(rules, table=r"t2(\$[a-z_]+)?").update(
        catalog="lake.*", schema=".*", table="t"
    ),
    "ownership": lambda rules: _mine(rules, schema=r"nm(\..*)?")["privileges"].append("OWNERSHIP"),
    "a writer of what is read": lambda rules: (
        _mine(rules, user="q", schema="n")["privileges"].append("INSERT"),
        rules["catalogs"].insert(1, {"allow": "all"}),
    ),
    "everybody": lambda rules: _without(_mine(rules, schema=r"nm(\..*)?"), "user"),
    "procedures on what is read": lambda rules: _without(_mine(rules, table=r"t2(\$[a-z_]+)?"), "filter"),
    "procedures on what is not granted": lambda rules: _without(rules["tables"][-1], "filter"),
    "the last rule": lambda rules: rules["tables"].pop(),
    "no rules for tables": lambda rules: _without(rules, "tables"),
    "no rules for catalogs": lambda rules: _without(rules, "catalogs"),
    "no last rule for catalogs": lambda rules: rules["catalogs"].pop(),
    "no rules for schemas": lambda rules: _without(rules, "schemas"),
    "the owner's views lend rights": lambda rules: rules["tables"][0]["privileges"].append("GRANT_SELECT"),
    "functions": lambda rules: rules["functions"].append({"privileges": ["EXECUTE"]}),
    "procedures": lambda rules: rules["procedures"].append({"privileges": ["EXECUTE"]}),
    "no rules for queries": lambda rules: _without(rules, "queries"),
    "queries of others": lambda rules: rules["queries"][1]["allow"].append("view"),
    "impersonation": lambda rules: _without(rules["impersonation"][0], "original_user"),
    "authorization": lambda rules: _without(rules["authorization"][0], "original_user"),
    "system information": lambda rules: _without(rules["system_information"][0], "user"),
    "session properties": lambda rules: _without(rules, "catalog_session_properties"),
    "all of the catalog system": lambda rules: _mine(rules, catalog="system").update(schema=".*"),
    "new catalogs": lambda rules: rules["catalogs"][1].update(allow="owner"),
}
MUTATED = lakehouse(
    {
        "narrow": {"grants": {"lake.n.t": NARROW, "lake.n.t2": ["read"], "lake.nm": ["write"]}},
        "other": {"grants": {"lake.n.m.t": ["read"], "lake.n.t2": ["read"]}},
        "named": {"grants": {"lake.n.t": ["read"]}},
    },
    {"p": {"roles": ["narrow"]}, "q": {"roles": ["other", "named"]}},
)


@pytest.mark.parametrize("mutation", WEAKER)
def test_a_weaker_rule_is_caught(mutation: str) -> None:
    rules = trino_rules(MUTATED, OWNER)
    assert wrong(MUTATED, rules) == []
    weaker = copy.deepcopy(rules)
    WEAKER[mutation](weaker)
    assert weaker != rules
    assert wrong(MUTATED, weaker) != []
