"""Trino 476 decides by the rules of `access` as the double in tests/trino does, and as docs/access.md says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.access.trino import catalog_of, catalog_settings, trino_rules
from lakehouse.spec import Lakehouse
from tests.trino.rules import TrinoAccess
from tests.trino.server import RealTrino, running

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(600)]

OWNER = "lakehouse-owner"
COLUMNS = {
    "id": {"type": "long", "required": True},
    "Email": {"type": "string", "required": True, "tags": ["pii"], "renamed_from": "mail"},
    "region": "string",
    "address": {"type": {"struct": {"a": "int"}}, "tags": ["pii"]},
}
NARROW = {
    "verbs": ["read"],
    "rows": "region in (select name from lake.n.hidden)",  # the owner reads that table, the principal does not
    "columns": {"tag:pii": "mask", "region": "upper(region) || ' for ' || current_user"},
}
TABLES = {name: {"columns": {"id": "long"}} for name in ("open", "other")}


def file() -> Lakehouse:
    catalog = {
        "location": "s3://warehouse/lake",
        "namespaces": {"n": {"tables": {"t": {"columns": COLUMNS}, **TABLES}}, "own": {}},
        "branches": {"dev": {}},
    }
    roles = {
        "r": {"grants": {"lake.n.t": NARROW, "lake.n.open": ["read"], "lake.own": ["manage"]}},
        "w": {"grants": {"lake.n.open": ["write"]}},
    }
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": catalog},
            "access": {"roles": roles, "principals": {"p": {"roles": ["r"]}, "w": {"roles": ["w"]}, "none": {}}},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
        }
    )


RULES = trino_rules(file(), OWNER)
DOUBLE = TrinoAccess(RULES)


@pytest.fixture(scope="module")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTrino]:
    folder: Path = tmp_path_factory.mktemp("trino")
    settings = catalog_settings(file(), "lake")
    with running(folder, RULES, dict.fromkeys(("lake", catalog_of("lake", "dev")), settings)) as server:
        for statement in (
            "CREATE SCHEMA lake.n",
            "CREATE SCHEMA lake.own",
            "CREATE TABLE lake.n.t (id bigint NOT NULL, mail varchar NOT NULL, region varchar, address row(a int))"
            " WITH (partitioning = ARRAY['region'])",
            "INSERT INTO lake.n.t VALUES (1, 'a', 'eu', row(1)), (2, 'b', 'us', row(2)), (900, 'c', 'us', row(3))",
            "ALTER TABLE lake.n.t RENAME COLUMN mail TO email",
            "CREATE TABLE lake.n.hidden AS SELECT 'eu' AS name",
            "CREATE TABLE lake.n.open AS SELECT * FROM (VALUES 1, 2) v(id)",
            "CREATE TABLE lake.n.other AS SELECT 1 AS id",
            "CREATE VIEW lake.own.invoker SECURITY INVOKER AS SELECT * FROM lake.n.t",
            "CREATE VIEW lake.own.definer SECURITY DEFINER AS SELECT * FROM lake.n.t",
        ):
            assert server.ask(OWNER, statement) is not None
        yield server


SEEN = [[1, None, "EU for p", None]]
Decision = Callable[[TrinoAccess, str], bool]


def _reads(schema: str, table: str, *columns: str, catalog: str = "lake") -> Decision:
    return lambda rules, user: rules.select(user, catalog, schema, table, columns) is not None


def _has(privilege: str, table: str, schema: str = "n") -> Decision:
    return lambda rules, user: rules.has(user, privilege, "lake", schema, table)


#: Statements, and what the double decides about them.
STATEMENTS: dict[str, Decision] = {
    "SELECT * FROM lake.n.t": _reads("n", "t"),
    "SELECT * FROM lake_dev.n.t": _reads("n", "t", catalog="lake_dev"),
    'SELECT "$path" FROM lake.n.t': _reads("n", "t", "$path"),
    'SELECT "$partition" FROM lake.n.t': _reads("n", "t", "$partition"),
    'SELECT * FROM lake.n."t$files"': _reads("n", "t$files"),
    'SELECT * FROM lake.n."t$partitions"': _reads("n", "t$partitions"),
    'SELECT * FROM lake.n."open$files"': _reads("n", "open$files"),
    "SELECT * FROM lake.n.open": _reads("n", "open"),
    "SELECT * FROM lake.n.other": _reads("n", "other"),
    "SELECT * FROM lake.n.hidden": _reads("n", "hidden"),
    "SELECT * FROM tpch.tiny.nation": _reads("tiny", "nation", catalog="tpch"),
    "SELECT * FROM system.runtime.queries": _reads("runtime", "queries", catalog="system"),
    "SELECT * FROM system.metadata.catalogs": _reads("metadata", "catalogs", catalog="system"),
    "DESCRIBE lake.n.t": lambda rules, user: rules.any_of(user, "lake", "n", "t"),
    "DESCRIBE lake.n.other": lambda rules, user: rules.any_of(user, "lake", "n", "other"),
    "INSERT INTO lake.n.open VALUES 3": _has("INSERT", "open"),
    "UPDATE lake.n.open SET id = 4 WHERE id = 3": _has("UPDATE", "open"),
    "DELETE FROM lake.n.open WHERE id = 4": _has("DELETE", "open"),
    "EXPLAIN (TYPE VALIDATE) INSERT INTO lake.n.t VALUES (4, 'd', 'eu', row(4))": _has("INSERT", "t"),
    "COMMENT ON TABLE lake.n.open IS 'x'": _has("OWNERSHIP", "open"),
    "EXPLAIN (TYPE VALIDATE) CREATE TABLE lake.n.made AS SELECT 1 AS a": _has("OWNERSHIP", "made"),
    "EXPLAIN (TYPE VALIDATE) CREATE TABLE lake.own.made AS SELECT 1 AS a": _has("OWNERSHIP", "made", "own"),
    "CREATE SCHEMA lake.new": lambda rules, user: rules.owns(user, "lake", "new"),
    "ALTER TABLE lake.n.t EXECUTE optimize": lambda rules, user: rules.execute(user, "lake", "n", "t"),
    "ALTER TABLE lake.n.open EXECUTE optimize": lambda rules, user: rules.execute(user, "lake", "n", "open"),
    "ALTER TABLE lake.n.other EXECUTE optimize": lambda rules, user: rules.execute(user, "lake", "n", "other"),
    "CREATE CATALOG more USING memory": lambda rules, user: rules.manages_catalogs(user, "more"),
    "DROP CATALOG more": lambda rules, user: rules.manages_catalogs(user, "more"),
    "SELECT 1": lambda rules, user: rules.queries(user),
    "SET SESSION lake.projection_pushdown_enabled = false": lambda rules, user: rules.sets(user, "lake", "x"),
    "ALTER TABLE lake.n.open SET AUTHORIZATION p": lambda rules, user: (
        rules.authorizes(user, "p") and rules.has(user, "OWNERSHIP", "lake", "n", "open")
    ),
}
#: The owner is last: what it makes is not there for the others.
USERS = ("stranger", "none", "w", "p", OWNER)
UNSUPPORTED = ("SET AUTHORIZATION",)  # by the catalog of the test; who may not is told so first


@pytest.mark.parametrize("user", USERS)
def test_the_double_decides_as_trino_does(trino: RealTrino, user: str) -> None:
    different = []
    for statement, decision in STATEMENTS.items():
        expected = decision(DOUBLE, user) and DOUBLE.queries(user)
        if expected and any(each in statement for each in UNSUPPORTED):
            continue
        if (trino.ask(user, statement) is not None) != expected:
            different.append((statement, expected))
    assert different == []


def test_a_filter_and_masks_hold_in_queries_views_and_copies(trino: RealTrino) -> None:
    assert trino.ask("p", "SELECT * FROM lake.n.t") == SEEN
    assert trino.ask("p", "SELECT count(*) FROM lake.n.t WHERE id > 1") == [[0]]
    assert trino.ask("p", "SELECT * FROM lake_dev.n.t") == SEEN
    assert trino.ask("p", "SELECT * FROM lake.own.invoker") == SEEN
    assert trino.ask("p", "CREATE TABLE lake.own.copy AS SELECT * FROM lake.n.t") == [[1]]
    assert trino.ask("p", "SELECT * FROM lake.own.copy") == SEEN


def test_a_mask_holds_for_the_former_name_that_an_old_snapshot_shows(trino: RealTrino) -> None:
    inserted = "WHERE operation = 'append' ORDER BY committed_at DESC LIMIT 1"
    found = trino.ask(OWNER, f'SELECT snapshot_id FROM lake.n."t$snapshots" {inserted}')
    assert found is not None
    old = f"FROM lake.n.t FOR VERSION AS OF {found[0][0]}"
    assert trino.ask(OWNER, f"SELECT mail {old} WHERE id = 1") == [["a"]]
    assert trino.ask("p", f"SELECT mail {old}") == [[None]]
    assert trino.ask("p", f"SELECT * {old}") == SEEN
    assert trino.ask("p", "DROP TABLE lake.own.copy") == []
    assert len(trino.ask(OWNER, "SELECT * FROM lake.n.t") or ()) == 3


def test_a_view_never_runs_with_anothers_rights(trino: RealTrino) -> None:
    assert trino.ask("p", "SELECT * FROM lake.own.definer") is None
    assert trino.ask(OWNER, "SELECT count(*) FROM lake.own.definer") == [[3]]


def test_statistics_tell_no_bounds_of_hidden_rows(trino: RealTrino) -> None:
    shown: list[list[Any]] = trino.ask("p", "SHOW STATS FOR lake.n.t") or []
    assert shown
    assert {value for row in shown for value in row[5:]} == {None}, "low_value and high_value"


def test_names_that_are_not_granted_are_not_listed(trino: RealTrino) -> None:
    assert trino.ask("p", "SHOW CATALOGS") == [["lake"], ["lake_dev"], ["system"]]
    assert trino.ask("p", "SHOW TABLES FROM lake.n") == [["open"], ["t"]]
    assert trino.ask("w", "SHOW SCHEMAS FROM lake") == [["n"]]
    listed = "SELECT table_name FROM lake.information_schema.tables WHERE table_schema = 'n' ORDER BY 1"
    assert trino.ask("w", listed) == [["open"]]


def test_functions_and_procedures_of_a_catalog_are_the_owners(trino: RealTrino) -> None:
    changes = (
        "SELECT * FROM TABLE(lake.system.table_changes(schema_name => 'n', table_name => 't', "
        "start_snapshot_id => 1, end_snapshot_id => 2))"
    )
    assert trino.ask("p", changes) is None
    assert trino.ask("w", "CALL lake.system.rollback_to_snapshot('n', 'open', 1)") is None
