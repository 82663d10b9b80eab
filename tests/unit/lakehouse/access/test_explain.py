"""What `lakehouse access` says of filters, masks and views; tests/synth/aws has the plain grants."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.access.explain import explain
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import lakehouse

PII = {"columns": {"id": "long", "email": {"type": "string", "tags": ["pii"]}}}
VIEW = {"sql": {"spark": "SELECT 1 AS a"}, "columns": {"a": "int"}}
SPACES: dict[str, Any] = {"n": {"tables": {"t": PII, "u": {"columns": {"id": "long"}}}, "views": {"v": VIEW}}}


def granting(*grants: dict[str, Any]) -> Lakehouse:
    roles = {f"r{nth}": {"grants": each} for nth, each in enumerate(grants)}
    access = {"roles": roles, "principals": {"p": {"roles": list(roles)}}}
    return Lakehouse.model_validate({**lakehouse(SPACES).model_dump(exclude_none=True), "access": access})


@pytest.mark.parametrize(
    ("target", "granted", "may"),
    [
        ("lake.n.t", {"verbs": ["read"], "rows": "id = 1"}, "query it; only rows where (id = 1)"),
        (
            "lake.n.t",
            {"verbs": ["read"], "rows": "id = 1", "columns": {"id": "id % 2", "tag:pii": "mask"}},
            "query it; only rows where (id = 1); masked: id as id % 2, email",
        ),
        (
            "lake.n",
            {"verbs": ["read"], "columns": {"tag:pii": "mask"}},
            "query the tables and views there that the file has now; masked: t.email",
        ),
        ("lake.n.t", ["read"], "query it"),
        ("lake.n.v", ["read"], "query it, if it may query what the view reads"),
        ("lake.n.v", ["manage"], "create, replace and drop it; query it, if it may query what the view reads"),
    ],
)
def test_a_row_says_what_is_left_out(target: str, granted: Any, may: str) -> None:
    assert [(row.on, row.may) for row in explain(granting({target: granted}))] == [(target, may)]


def test_filters_of_two_roles_are_one_row() -> None:
    of = [{"lake.n.t": {"verbs": ["read"], "rows": f"id = {nth}"}} for nth in (1, 2)]
    (row,) = explain(granting(*of))
    assert row.may == "query it; only rows where (id = 1) or (id = 2)"
    assert row.because == "role r0 and role r1 grants read"
