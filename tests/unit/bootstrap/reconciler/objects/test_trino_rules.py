"""The rules of Trino: what differs, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects import OBJECTS, trino_rules
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from tests.unit.bootstrap.reconciler.objects.test_user import NOBODY

KINDS = OBJECTS.only("trino-rules")
ORDERS = {"user": "bi", "catalog": "lake", "schema": "silver", "table": "orders", "privileges": ["SELECT"]}
OWNER = {"user": "lakehouse", "privileges": ["SELECT", "OWNERSHIP"]}


def planned(monkeypatch: pytest.MonkeyPatch, have: Any, want: Any) -> Plan:
    monkeypatch.setattr(trino_rules, "trino_rules", lambda lakehouse, owner: want)
    facts = Facts({}, {}, own={"trino-rules": {"access": have}})
    return plan(diff(NOBODY, facts, kinds=KINDS, allow_destroy=False), allow_destroy=False, kinds=KINDS)


@pytest.mark.parametrize(
    ("have", "want", "shown"),
    [
        ({"tables": [OWNER]}, {"tables": [OWNER]}, []),
        (
            None,
            {"tables": [OWNER], "catalogs": [{"user": "lakehouse", "allow": "all"}]},
            [
                "+ trino-rules access",
                "    + lakehouse may read, own *.*.*",
                '    + catalogs: lakehouse: {"allow": "all"}',
            ],
        ),
        (
            {"tables": [OWNER]},
            {"tables": [ORDERS, OWNER]},
            ["~ trino-rules access", "    + bi may read lake.silver.orders"],
        ),
        (
            {"tables": [{**ORDERS, "privileges": ["SELECT", "INSERT"]}, OWNER]},
            {"tables": [{**ORDERS, "filter": "a > 0"}, OWNER]},
            [
                "~ trino-rules access",
                '    + bi may read lake.silver.orders, filter "a > 0"',
                "    - bi may read, insert into lake.silver.orders",
            ],
        ),
        (
            {"tables": [OWNER, {**ORDERS, "privileges": []}]},
            {"tables": [{**ORDERS, "privileges": []}, OWNER]},
            ["~ trino-rules access", "    ~ the order of the rules, of which the first that fits counts"],
        ),
        (
            {"tables": [OWNER]},
            {"tables": [{**ORDERS, "table": r"a\-b(\$[a-z_]+)?", "filter": "true"}, OWNER]},
            ["~ trino-rules access", "    + bi may read lake.silver.a-b"],
        ),
        ({"tables": "broken"}, {"tables": [OWNER]}, None),
    ],
)
def test_what_differs_is_said(monkeypatch: pytest.MonkeyPatch, have: Any, want: Any, shown: list[str] | None) -> None:
    made = planned(monkeypatch, have, want)
    lines = [line for line in render(made) if line.strip() and not line.startswith(("Plan:", "No changes"))]
    assert lines == shown if shown is not None else len(made.steps) == 1
    assert from_json(json.loads(json.dumps(made.to_json()))).steps == made.steps


def test_where_no_trino_asks_for_passwords_there_are_no_rules() -> None:
    assert not plan(
        diff(NOBODY, Facts({}, {}), kinds=KINDS, allow_destroy=False), allow_destroy=False, kinds=KINDS
    ).steps
