"""What each principal must be allowed and denied in an engine; test_trino.py compares Trino's rules with it."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.access.engines import NEEDED, EngineCall, engine_calls
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import lakehouse

PII = {"columns": {"id": "long", "email": {"type": "string", "tags": ["pii"], "renamed_from": "mail"}}}
VIEW = {"sql": {"spark": "SELECT 1 AS a"}, "columns": {"a": "int"}}
SPACES: dict[str, Any] = {"n": {"tables": {"t": PII, "u": {"columns": {"id": "long"}}}, "views": {"v": VIEW}}, "m": {}}


def calls(*grants: dict[str, Any]) -> list[EngineCall]:
    roles = {f"r{nth}": {"grants": each} for nth, each in enumerate(grants)}
    access = {"roles": roles, "principals": {"p": {"roles": list(roles)}}}
    return list(
        engine_calls(Lakehouse.model_validate({**lakehouse(SPACES).model_dump(exclude_none=True), "access": access}))
    )


def allowed(*grants: dict[str, Any]) -> dict[str, set[str]]:
    """Operations by what they are on."""
    found: dict[str, set[str]] = {}
    for each in calls(*grants):
        if each.allowed:
            found.setdefault(".".join(filter(None, (each.namespace, each.name))), set()).add(each.operation)
    return found


READ = {"list", "load", "read", "read-all"}


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ({"lake.n.u": ["read"]}, {"n.u": READ | {"history"}}),
        ({"lake.n.u": ["write"]}, {"n.u": READ | {"history", "write", "execute"}}),
        ({"lake.m": ["manage"]}, {"m": set(NEEDED)}),
        ({"lake.n.v": ["manage"]}, {"n.v": set(NEEDED) - {"history", "execute"}}),
        ({"lake.n.t": {"verbs": ["read"], "rows": "id = 1"}}, {"n.t": {"list", "load", "read"}}),
        (
            {"lake.n": {"verbs": ["read"], "columns": {"tag:pii": "mask"}}},
            {"n.t": {"list", "load", "read"}, "n.u": READ | {"history"}, "n.v": READ},
        ),
        ({}, {}),
    ],
)
def test_a_grant_allows_what_its_verb_does_and_less_with_a_filter(grants: Any, expected: Any) -> None:
    assert allowed(grants) == expected


def test_a_filtered_read_says_which_rows_and_values_are_seen() -> None:
    mask = {"tag:pii": "mask"}
    one, two = ({"lake.n.t": {"verbs": ["read"], "rows": f"id = {nth}", "columns": mask}} for nth in (1, 2))
    (read,) = [each for each in calls(one, two) if (each.name, each.operation) == ("t", "read")]
    assert read.filters == ("id = 1", "id = 2")
    assert read.masks == (("email", "mask"),)
    assert read.former == ("mail",)
    assert all(not each.filters and not each.masks for each in calls(one, two) if not each.allowed)


def test_every_call_is_listed_also_those_that_are_denied() -> None:
    found = calls({})
    assert not any(each.allowed for each in found)
    on = {(each.namespace, each.name) for each in found}
    assert on == {("n", ""), ("n", "t"), ("n", "u"), ("n", "v"), ("m", "")}
