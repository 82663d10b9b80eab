"""What grants mean to Polaris. tests/behaviour/test_polaris_principals.py tries them."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.access.polaris import PolarisGrant, polaris_grants
from lakehouse.spec import Lakehouse
from tests.polaris.privileges import PRIVILEGES
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
