"""What grants mean to Polaris. tests/behaviour/test_polaris_principals.py tries them."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.operations.catalog_proof import calls
from lakehouse.access import polaris
from lakehouse.access.grants import Grant, grants
from lakehouse.access.polaris import PolarisGrant, polaris_grants
from lakehouse.spec import Lakehouse, Verb
from tests.polaris.content import _asked, _give
from tests.polaris.privileges import PRIVILEGES, covers
from tests.unit.bootstrap.reconciler.simulation import lakehouse

T = {"columns": {"a": "long"}}
VIEW = {"sql": {"spark": "SELECT 1 AS a"}, "columns": {"a": "int"}}
SPACES: dict[str, Any] = {"n": {"tables": {"t": T}, "views": {"v": VIEW}}, "n.m": {"tables": {"t": T}}}
READ_INSIDE = {
    *("NAMESPACE_LIST", "NAMESPACE_READ_PROPERTIES", "TABLE_LIST", "TABLE_READ_DATA", "TABLE_READ_PROPERTIES"),
    *("VIEW_LIST", "VIEW_READ_PROPERTIES"),
}
WRITE = {"TABLE_WRITE_DATA", "TABLE_WRITE_PROPERTIES"}
MANAGE_INSIDE = {
    *("NAMESPACE_CREATE", "NAMESPACE_DROP", "NAMESPACE_WRITE_PROPERTIES", "TABLE_CREATE", "TABLE_DROP"),
    *("VIEW_CREATE", "VIEW_DROP", "VIEW_WRITE_PROPERTIES"),
}


def granting(grants: dict[str, Any]) -> Lakehouse:
    access = {"roles": {"r": {"grants": grants}}, "principals": {"p": {"roles": ["r"]}, "nobody": {"roles": []}}}
    return Lakehouse.model_validate({**lakehouse(SPACES).model_dump(exclude_none=True), "access": access})


@pytest.mark.parametrize(
    ("target", "verb", "kind", "on", "privileges"),
    [
        ("lake", "read", "catalog", "", READ_INSIDE),
        ("lake.n", "read", "namespace", "n", READ_INSIDE),
        ("lake.n.m", "write", "namespace", "n.m", READ_INSIDE | WRITE),
        ("lake", "manage", "catalog", "", READ_INSIDE | WRITE | MANAGE_INSIDE),
        ("lake.n.t", "read", "table", "n.t", {"TABLE_READ_DATA", "TABLE_READ_PROPERTIES"}),
        ("lake.n.v", "read", "view", "n.v", {"VIEW_READ_PROPERTIES"}),
        ("lake.n.v", "manage", "view", "n.v", {"VIEW_READ_PROPERTIES", "VIEW_DROP", "VIEW_WRITE_PROPERTIES"}),
        ("lake.n.m.t", "manage", "table", "n.m.t", {"TABLE_READ_DATA", "TABLE_READ_PROPERTIES", "TABLE_DROP"} | WRITE),
    ],
)
def test_a_verb_means_these_privileges(target: str, verb: str, kind: str, on: str, privileges: set[str]) -> None:
    found = polaris_grants(granting({target: [verb]}), "p")
    assert set(found) == {"lake"}
    assert {(each.type, each.on) for each in found["lake"]} == {(kind, on)}
    assert {each.privilege for each in found["lake"]} == privileges
    assert privileges <= PRIVILEGES[kind], "the server knows them"
    for each in found["lake"]:
        assert PolarisGrant.read(each.sent()) == each


def test_a_table_with_a_filter_or_mask_cannot_be_loaded() -> None:
    """Who loads a table gets keys for its files from the server."""
    assert polaris_grants(granting({"lake.n.t": {"verbs": ["read"], "rows": "a = 1"}}), "p") == {}
    masked = polaris_grants(granting({"lake": {"verbs": ["read"], "columns": {"tag:pii": "mask"}}}), "p")
    assert {each.on for each in masked["lake"]} == {"n.t", "n.v", "n.m.t"}, "no table that comes later"


def test_who_has_no_role_has_no_grant() -> None:
    assert polaris_grants(granting({"lake": ["manage"]}), "nobody") == {}


def test_a_grant_of_a_view_by_others_is_read_as_it_is() -> None:
    sent = {"type": "view", "privilege": "VIEW_LIST", "namespace": ["n"], "viewName": "v"}
    assert PolarisGrant.read(sent).on == "n.v"
    assert PolarisGrant.read(sent).sent() == sent


NARROWED = {"verbs": ["read"], "rows": "a = 1"}
GRANTS: dict[str, dict[str, Any]] = {
    "reader": {"lake.n": ["read"]},
    "of_one": {"lake.n.t": ["read"]},
    "writer": {"lake.n.m": ["write"]},
    "of_rows": {"lake.n.t": ["write"]},
    "owner": {"lake.n.m": ["manage"]},
    "all": {"lake": ["read"]},
    "narrow": {"lake.n.t": NARROWED, "lake.n.m": ["read"]},
    "nobody": {},
}


def file() -> Lakehouse:
    access = {
        "roles": {name: {"grants": grants} for name, grants in GRANTS.items()},
        "principals": {name: {"roles": [name]} for name in GRANTS},
        "enforce": "best-effort",
    }
    stacks = {"local": {"runtime": "process", "store": "seaweedfs", "catalogs": {"lake": {"kind": "polaris"}}}}
    found = lakehouse(SPACES).model_dump(exclude_none=True)
    return Lakehouse.model_validate({**found, "access": access, "stacks": stacks})


#: What PyIceberg asks of Polaris for each call, with keys for files.
ASKS: dict[str, tuple[str, list[str], bool]] = {
    "list": ("GET", ["namespaces", "n", "tables"], False),
    "load": ("GET", ["namespaces", "n", "tables", "t"], True),
    "read": ("GET", ["namespaces", "n", "tables", "t"], True),
    "write": ("POST", ["namespaces", "n", "tables", "t"], True),
    "create": ("POST", ["namespaces", "n", "tables"], True),
    "drop": ("DELETE", ["namespaces", "n", "tables", "t"], False),
}


def wrong(wanted: Lakehouse) -> set[tuple[str, str, str]]:
    """The calls of `access test` that Polaris, as its double decides, answers other than the file says."""
    found: set[tuple[str, str, str]] = set()
    for call in calls(wanted, "local"):
        method, parts, delegated = ASKS[call.operation]
        space = call.namespace.split(".")
        have = {
            grant.privilege
            for grant in polaris_grants(wanted, call.principal).get("lake", ())
            if covers(grant.sent(), space, call.name)
        }
        allowed = all(have & _give(each) for each in _asked(method, parts, {}, delegated))
        if allowed != (call.allowed and not call.filters and not call.masks):
            found.add((call.principal, call.operation, call.place))
    return found


def test_every_call_by_pyiceberg_is_answered_as_the_file_says() -> None:
    assert wrong(file()) == set()


def _more(of: dict[Verb, tuple[str, ...]], verb: Verb, *privileges: str) -> dict[Verb, tuple[str, ...]]:
    return {**of, verb: (*of[verb], *privileges)}


def _less(of: dict[Verb, tuple[str, ...]], verb: Verb, *privileges: str) -> dict[Verb, tuple[str, ...]]:
    return {**of, verb: tuple(each for each in of[verb] if each not in privileges)}


def _wider(place: polaris.PolarisPlace, verb: Verb) -> frozenset[PolarisGrant]:
    namespace, name, _ = place
    return GRANTS_ON((namespace, "", "namespace") if name else ((), "", "catalog"), verb)


def _outside(place: polaris.PolarisPlace, verb: Verb) -> frozenset[PolarisGrant]:
    return GRANTS_ON((place[0][:1], "", "namespace"), verb) if len(place[0]) > 1 else GRANTS_ON(place, verb)


GRANTS_ON = polaris.grants_on
TABLE, INSIDE = polaris._TABLE, polaris._INSIDE
MUTANTS: dict[str, tuple[str, Any]] = {
    "readers write rows": ("_TABLE", _more(TABLE, "read", "TABLE_WRITE_DATA")),
    "readers drop": ("_TABLE", _more(TABLE, "read", "TABLE_DROP")),
    "writers drop": ("_TABLE", _more(TABLE, "write", "TABLE_DROP")),
    "readers create": ("_INSIDE", _more(INSIDE, "read", "TABLE_CREATE", "TABLE_WRITE_DATA")),
    "writers create": ("_INSIDE", _more(INSIDE, "write", "TABLE_CREATE")),
    "readers manage metadata": ("_INSIDE", _more(INSIDE, "read", "CATALOG_MANAGE_METADATA")),
    "readers manage content": ("_TABLE", _more(TABLE, "read", "CATALOG_MANAGE_CONTENT")),
    "writers manage content": ("_TABLE", _more(TABLE, "write", "CATALOG_MANAGE_CONTENT")),
    "readers read no data": ("_TABLE", _less(TABLE, "read", "TABLE_READ_DATA")),
    "writers write no data": ("_TABLE", _less(TABLE, "write", "TABLE_WRITE_DATA")),
    "managers drop nothing": ("_TABLE", _less(TABLE, "manage", "TABLE_DROP")),
    "managers create nothing": ("_INSIDE", _less(INSIDE, "manage", "TABLE_CREATE")),
    "a grant is on what is around it": ("grants_on", _wider),
    "a nested namespace is its parent": ("grants_on", _outside),
    "a verb is the next one": ("grants_on", lambda at, verb: GRANTS_ON(at, "manage" if verb == "write" else "write")),
    "a verb is the one before": ("grants_on", lambda at, verb: GRANTS_ON(at, "read")),
    "nothing is granted": ("grants_on", lambda at, verb: frozenset()),
    "filters and masks are none": ("plain", grants),
    "everybody has everything": ("plain", lambda of, who: [Grant(who, "manage", "lake", "r")]),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_compiler_that_allows_too_much_or_too_little_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the calls that `access test` makes with PyIceberg."""
    monkeypatch.setattr(polaris, *MUTANTS[mutant])
    assert wrong(file())
