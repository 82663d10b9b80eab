"""Rules of Nessie for generated files: a double of Nessie's authorizer decides each call as the file says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import CodeType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from lakehouse.access.engines import EngineOperation, engine_calls
from lakehouse.access.nessie import group, nessie_rules
from lakehouse.spec import Lakehouse
from lakehouse.text.placeholders import filled
from tests.unit.lakehouse.access.test_trino import lakehouse, lakehouses, one

TABLE, VIEW = "ICEBERG_TABLE", "ICEBERG_VIEW"
#: The checks that Nessie makes for an operation, as seen on 0.99: on the reference, and on the content.
CHECKS: dict[EngineOperation, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "list": (("VIEW_REFERENCE", "READ_ENTRIES"), ("READ_CONTENT_KEY",)),
    "load": (("VIEW_REFERENCE",), ("READ_ENTITY_VALUE",)),
    "write": (("VIEW_REFERENCE", "COMMIT_CHANGE_AGAINST_REFERENCE"), ("UPDATE_ENTITY",)),
    "create": (("VIEW_REFERENCE", "COMMIT_CHANGE_AGAINST_REFERENCE"), ("READ_ENTITY_VALUE", "CREATE_ENTITY")),
    "drop": (("VIEW_REFERENCE", "COMMIT_CHANGE_AGAINST_REFERENCE"), ("DELETE_ENTITY",)),
}
NOBODYS = (
    *("CREATE_REFERENCE", "ASSIGN_REFERENCE_TO_HASH", "DELETE_REFERENCE", "LIST_COMMIT_LOG"),
    *("READ_REPOSITORY_CONFIG", "UPDATE_REPOSITORY_CONFIG"),
)
EVERY = (*NOBODYS, *{op for checks in CHECKS.values() for each in checks for op in each})


def secret(name: str) -> str:
    return f"<{name}>"


def rules_of(lakehouse: Lakehouse, catalog: str = "lake") -> dict[str, str]:
    return {name: filled(rule, secret) for name, rule in nessie_rules(lakehouse, catalog, "lakehouse").items()}


def allows(rules: Mapping[str, str], role: str, op: str, path: str = "", kind: str = "", **more: Any) -> bool:
    """Whether a rule is true: the part of CEL that the rules use is Python, but for the operators' words."""
    roles = more.get("roles", [secret(group(role).secret)])
    known = {"role": role, "roles": roles, "op": op, "path": Path(path), "contentType": kind}
    return any(eval(_compiled(rule), {"__builtins__": {}}, known) for rule in rules.values())


class Path(str):
    """A string with CEL's name for ``startswith``."""

    def startsWith(self, start: str) -> bool:  # noqa: N802
        return self.startswith(start)


@cache
def _compiled(rule: str) -> CodeType:
    return compile(rule.replace("&&", " and ").replace("||", " or "), "rule", "eval")


def decides(rules: Mapping[str, str], role: str, operation: EngineOperation, path: str, kind: str = TABLE) -> bool:
    of_reference, of_content = CHECKS[operation]
    return all(allows(rules, role, op) for op in of_reference) and all(
        allows(rules, role, op, path, kind) for op in of_content
    )


def wrong(file: Lakehouse, change: Callable[[str], str] = str) -> list[str]:
    """Calls that the rules decide otherwise than the file says, with each rule of a principal changed."""
    found = []
    for catalog, content in file.catalogs.items():
        rules = {name: rule if name == "owner" else change(rule) for name, rule in rules_of(file, catalog).items()}
        for call in (each for each in engine_calls(file) if each.catalog == catalog and each.operation in CHECKS):
            view = call.name in content.namespaces[call.namespace].views
            if view and call.operation == "write":
                continue  # it has no rows
            path, kind = f"{call.namespace}.{call.name or 'other'}", VIEW if view else TABLE
            right = call.allowed and not call.filters and not call.masks
            if decides(rules, call.principal, call.operation, path, kind) != right:
                found.append(f"{call.principal} {call.operation} {call.place}")
        for principal in file.access.principals:
            roles: list[str]
            for roles in ([], ["other"], [secret(group("somebody").secret)]):
                if any(allows(rules, principal, op, "n.t", TABLE, roles=roles) for op in EVERY):
                    found.append(f"{principal} with {roles}")
            if any(allows(rules, principal, op, "n.t", TABLE) for op in NOBODYS):
                found.append(f"{principal} changes references")
            for name in ("n.t", "n.t2"):
                if decides(rules, principal, "write", name, VIEW) and not decides(rules, principal, "drop", name):
                    found.append(f"{principal} changes a view or a namespace, as if it had rows")
        for roles in ([], *([secret(group(each).secret)] for each in ("p", "q", "stranger"))):
            if any(allows(rules, "stranger", op, "n.t", TABLE, roles=roles) for op in EVERY):
                found.append("a stranger is let in")
        if not all(allows(rules, "anybody", op, "n.t", TABLE, roles=["lakehouse"]) for op in EVERY):
            found.append("the owner is refused")
    return found


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(lakehouses())
def test_each_principal_has_exactly_what_the_file_grants(file: Lakehouse) -> None:
    assert wrong(file) == []


def test_the_rules_of_a_table_and_of_a_namespace() -> None:
    file = lakehouse(
        {"r": {"grants": {"lake.n.m.t": ["read"], "lake.nm": ["manage"]}}, "w": {"grants": {"lake.n.t": ["write"]}}},
        {"p": {"roles": ["r"]}, "q": {"roles": ["w"]}, "nobody": {"roles": []}},
    )
    assert rules_of(file) == {
        "owner": '"lakehouse" in roles',
        "principal-p": 'role=="p" && "<nessie-principal-p>" in roles && ('
        '(op in ["VIEW_REFERENCE", "READ_ENTRIES", "COMMIT_CHANGE_AGAINST_REFERENCE"])'
        ' || (op in ["READ_CONTENT_KEY", "READ_ENTITY_VALUE"]'
        ' && (path in ["n", "n.m", "nm", "n.m.t"] || path.startsWith("nm.")))'
        ' || (op in ["UPDATE_ENTITY"] && (path in ["nm"] || path.startsWith("nm.")) && contentType=="ICEBERG_TABLE")'
        ' || (op in ["UPDATE_ENTITY", "CREATE_ENTITY", "DELETE_ENTITY"]'
        ' && (path in ["nm"] || path.startsWith("nm."))))',
        "principal-q": 'role=="q" && "<nessie-principal-q>" in roles && ('
        '(op in ["VIEW_REFERENCE", "READ_ENTRIES", "COMMIT_CHANGE_AGAINST_REFERENCE"])'
        ' || (op in ["READ_CONTENT_KEY", "READ_ENTITY_VALUE"] && (path in ["n", "n.t"]))'
        ' || (op in ["UPDATE_ENTITY"] && (path in ["n.t"]) && contentType=="ICEBERG_TABLE"))',
    }
    assert set(rules_of(file, "lakes")) == {"owner"}


def test_a_grant_on_the_catalog_names_no_path() -> None:
    rule = rules_of(one(lake=["read"]))["principal-p"]
    assert "path" not in rule
    assert wrong(one(lake=["read"])) == []


def test_a_principal_of_others_has_no_rule() -> None:
    """It has no token: nobody but the toolkit signs one."""
    file = lakehouse({"r": {"grants": {"lake": ["read"]}}}, {"p": {"roles": ["r"], "existing": {"polaris": "theirs"}}})
    assert set(rules_of(file)) == {"owner"}


GRANTED = lakehouse(
    {"r": {"grants": {"lake.n": ["read"], "lake.n.t2": ["write"]}}, "m": {"grants": {"lake.n.m": ["manage"]}}},
    {"p": {"roles": ["r"]}, "q": {"roles": ["m"]}},
)
MUTATIONS: dict[str, Callable[[str], str]] = {
    "anybody's name": lambda rule: re.sub(r'role=="."', "True", rule),
    "no group": lambda rule: re.sub(r'"<[^>]*>" in roles', "True", rule),
    "a prefix without its dot": lambda rule: rule.replace('startsWith("n.")', 'startsWith("n")'),
    "nested namespaces are left out": lambda rule: rule.replace('startsWith("n.")', 'startsWith("n.t")'),
    "other paths": lambda rule: rule.replace("path in", "path not in"),
    "readers update": lambda rule: rule.replace('"READ_ENTITY_VALUE"', '"READ_ENTITY_VALUE", "UPDATE_ENTITY"'),
    "readers drop": lambda rule: rule.replace('"READ_ENTITY_VALUE"', '"READ_ENTITY_VALUE", "DELETE_ENTITY"'),
    "writers create": lambda rule: rule.replace('["UPDATE_ENTITY"]', '["UPDATE_ENTITY", "CREATE_ENTITY"]'),
    "views and namespaces are written": lambda rule: rule.replace('contentType=="ICEBERG_TABLE"', "True"),
    "branches": lambda rule: rule.replace('"READ_ENTRIES"', '"READ_ENTRIES", "ASSIGN_REFERENCE_TO_HASH"'),
    "the log of all": lambda rule: rule.replace('"READ_ENTRIES"', '"READ_ENTRIES", "LIST_COMMIT_LOG"'),
    "no commits": lambda rule: rule.replace(', "COMMIT_CHANGE_AGAINST_REFERENCE"', ""),
    "no lists": lambda rule: rule.replace(', "READ_ENTRIES"', ""),
    "managers do not drop": lambda rule: rule.replace(', "DELETE_ENTITY"', ""),
    "only managers write": lambda rule: rule.replace('["UPDATE_ENTITY"]', '["NONE"]'),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_another_rule_is_caught(mutation: str) -> None:
    assert wrong(GRANTED) == []
    assert wrong(GRANTED, MUTATIONS[mutation])
