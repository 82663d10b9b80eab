"""The rules of Trino: what differs, in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.engines.trino_files import TrinoFiles
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects import OBJECTS, trino_rules
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from bootstrap.reconciler.reconcile import reconcile
from lakehouse.runtimes.state import State, write_private
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.objects.test_user import NOBODY
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse, world

COLUMNS: Any = {"id": "long", "email": "string"}
NARROWED = {"verbs": ["read"], "rows": "id > 0"}
KINDS = OBJECTS.only("trino-rules")
ORDERS = {"user": "bi", "catalog": "lake", "schema": "silver", "table": "orders", "privileges": ["SELECT"]}
OWNER = {"user": "lakehouse", "privileges": ["SELECT", "OWNERSHIP"]}


def one_table(grant: Any, columns: Any = COLUMNS) -> Lakehouse:
    """A lakehouse with one table, a branch, and that grant on the table."""
    roles = {"reader": {"grants": {"lake.silver.customers": grant} if grant else {}}}
    access = {"roles": roles, "principals": {"bi": {"roles": ["reader"]}}}
    return lakehouse(
        {"silver": {"tables": {"customers": {"columns": columns}}}},
        references={"branches": {"audit": {}}},
        access=access,
    )


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


def test_a_first_filter_waits_for_the_deploy_that_hides_statistics(tmp_path: Path) -> None:
    trino = State(tmp_path).config("trino")
    write_private(trino / "config.properties", "http-server.authentication.type=PASSWORD\n")
    for name in ("lake", "lake_audit"):
        write_private(trino / f"catalog/{name}.properties", "connector.name=iceberg\n")
    here = world(None, trino=lambda: TrinoFiles(State(tmp_path), pause=lambda seconds: None))
    filtered = one_table(NARROWED)
    [failed] = reconcile(filtered, here, kinds=KINDS).failed
    assert failed.message.startswith("deploy first: Trino's catalog lake was started without iceberg.table-statistics")
    assert not (trino / "access" / "rules.json").exists()
    without = "connector.name=iceberg\niceberg.table-statistics-enabled=false\n"
    write_private(trino / "catalog/lake.properties", without)
    [failed] = reconcile(filtered, here, kinds=KINDS).failed
    assert "Trino's catalog lake_audit was started" in failed.message
    write_private(trino / "catalog/lake_audit.properties", without)
    assert reconcile(filtered, here, kinds=KINDS).exit_code == 0


def test_a_column_gets_its_new_name_after_the_rules_that_mask_it() -> None:
    there = Simulation()
    there.apply(one_table({}))
    columns = {"id": "long", "mail": {"type": "string", "renamed_from": "email"}, "more": "int"}
    found = there.diff(one_table({}, columns))
    assert len(found.changes) == 1
    rules = Change("update", "trino-rules", "", "access", (), trino_rules.TrinoRulesSettings({}))
    steps = {each.address: each.needs for each in plan(replace(found, changes=(*found.changes, rules))).steps}
    assert steps == {"table lake.silver.customers": ("trino-rules access",), "trino-rules access": ()}
    more = there.diff(one_table({}, {**COLUMNS, "more": "int"}))
    assert [each.needs for each in plan(replace(more, changes=(*more.changes, rules))).steps] == [(), ()]
