"""Iceberg's REST server on PostgreSQL as processes: its settings, rotated secrets, new names, and doctor's findings.

The tests share one lakehouse: each leaves it up and whole for the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.integration.deployment import ROW, Deployment, a_row, kept, read, until, up
from tests.integration.findings import behind, doctor, errors, stopped
from tests.psql import psql

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(600)]

DATABASE, USER = "tables", "writer"  # set by one of the tests; before, both have the server's name


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("rest") / "a lakehouse",
        {
            ("engines",): {"trino": {"memory": "1g", "properties": {"query.max-run-time": "7h"}}},
            ("stacks", "local"): {
                "runtime": "process",
                "store": {"kind": "s3proxy", "properties": {"s3proxy.maximum-timeskew": 1800}},
                "catalogs": {"lake": {"kind": "rest", "properties": {"clients": 8}}},
            },
        },
    )
    with up(made), a_row(made):
        yield made


def sql(stack: Deployment, statement: str, *, user: str = "rest", database: str = "rest", password: str = "") -> str:
    secret = password or stack.local.state.secret("postgres-rest")
    return psql(stack.port("postgres"), database, user, secret, statement)


def test_properties_are_in_effect(stack: Deployment) -> None:
    [[value]] = [row[1:2] for row in stack.trino("SHOW SESSION LIKE 'query_max_run_time'")]
    assert value == "7.00h"
    configured = stack.local.state.config("s3proxy") / "s3proxy.conf"
    assert "s3proxy.maximum-timeskew=1800\n" in configured.read_text()
    url = f"http://127.0.0.1:{stack.port('rest')}/v1/namespaces"
    with ThreadPoolExecutor(24) as pool:
        assert {each.status_code for each in pool.map(lambda _: requests.get(url, timeout=30), range(400))} == {200}
    connections = int(sql(stack, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'rest'")) - 1
    assert 2 < connections <= 8, "two are what the server has by itself"


def test_rotated_secrets_of_the_database_and_of_the_store(stack: Deployment) -> None:
    names = ("postgres-rest", "store-secret-key")
    former = [stack.local.state.secret(name) for name in names]
    stack.lakehouse("secret", "rotate", "postgres-rest")
    planned = stack.planned()
    assert {"postgres", "rest"} <= planned
    assert not {"s3proxy", "trino"} & planned
    stack.lakehouse("secret", "rotate", "store")
    assert {"s3proxy", "rest", "trino"} <= stack.planned()
    stack.deploy()
    assert not set(former) & {stack.local.state.secret(name) for name in names}
    assert "password authentication failed" in sql(stack, "SELECT 1", password=former[0])
    assert sql(stack, "SELECT 1") == "1"
    assert read(stack) == ROW
    stack.trino("INSERT INTO lake.silver.bad_days VALUES 'more'")
    stack.trino("DELETE FROM lake.silver.bad_days WHERE word = 'more'")
    assert errors(doctor(stack, code=0)) == set()


def test_a_new_name_of_the_database_shows_in_diff_and_keeps_the_tables(stack: Deployment) -> None:
    stack.change("stacks", "local", "catalogs", "lake", "database", to=DATABASE)
    stack.change("stacks", "local", "catalogs", "lake", "user", to=USER)
    assert {"postgres", "rest"} <= stack.planned()
    stack.deploy()
    assert stack.planned() == set()
    assert read(stack) == ROW
    assert sql(stack, "SELECT count(*) > 0 FROM iceberg_tables", user=USER, database=DATABASE) == "t"


def test_trino_reads_a_view_of_the_file(stack: Deployment) -> None:
    select = {"trino": "SELECT upper(word) AS word, DATE '2026-01-14' AS day FROM bad_days", "spark": "SELECT 'x', 'y'"}
    view = {"sql": select, "columns": {"word": "string", "day": {"type": "date", "doc": "of the row"}}, "doc": "loud"}
    query = "SELECT word, CAST(day AS varchar) FROM lake.silver.shouted"
    with kept(stack.file):
        stack.change("catalogs", "lake", "namespaces", "silver", "views", to={"shouted": {**view, "deletable": True}})
        stack.lakehouse("apply")
        assert stack.trino(query) == [["HERE BEFORE", "2026-01-14"]]
    stack.lakehouse("apply", "--allow-destroy")
    assert "shouted" not in str(stack.trino("SHOW TABLES FROM lake.silver"))


# what doctor names


@pytest.fixture
def well(stack: Deployment) -> Iterator[None]:
    """Nothing is wrong afterwards."""
    yield
    assert errors(doctor(stack, code=0)) == set()


@pytest.mark.parametrize("service", ["postgres", "rest"])
def test_a_server_that_is_down(stack: Deployment, well: None, service: str) -> None:
    with stopped(stack, service):
        found = doctor(stack, code=1)
    assert errors(found) == {f"service {service}"}
    assert found[f"service {service}"]["fix"] == "`lakehouse deploy`"
    follows = {"catalog lake", "database of lake", "trino: lake", "tables"}
    assert follows | ({"service rest"} if service == "postgres" else set()) <= behind(found, f"service {service}")


def test_a_password_that_was_replaced_in_the_state_folder(stack: Deployment, well: None) -> None:
    secret = stack.local.state.root / "secrets" / "postgres-rest"
    with kept(secret):
        secret.write_text("0" * 40)
        replaced = doctor(stack, code=1)
        secret.unlink()
        removed = doctor(stack, code=1)
        assert not secret.exists()
    assert errors(replaced) == errors(removed) == {"secrets"}
    assert replaced["secrets"]["found"].startswith("postgres, rest started with other secrets than those in ")
    assert removed["secrets"]["found"].startswith("postgres-rest missing in ")
    for found in (replaced, removed):
        assert "`lakehouse destroy`, then `lakehouse deploy`" in found["secrets"]["fix"]
        assert "database of lake" in behind(found, "secrets")


def test_a_password_that_was_changed_in_postgresql(stack: Deployment, well: None) -> None:
    changed = sql(stack, f"ALTER ROLE {USER} PASSWORD '{'x' * 12}'", user=USER, database=DATABASE)
    assert changed == "ALTER ROLE"
    stack.lakehouse("restart", "rest", code=None)
    until(lambda: "service rest" in errors(doctor(stack, code=1)))
    found = doctor(stack, code=1)
    assert errors(found) == {"service rest"}
    assert "PostgreSQL refuses its password" in found["service rest"]["cause"]
    assert found["service rest"]["fix"].startswith("`lakehouse restart postgres`")
    stack.lakehouse("restart", "postgres")
    stack.lakehouse("restart", "rest")
    assert read(stack) == ROW


def test_a_database_that_was_dropped(stack: Deployment) -> None:
    """The last one: the catalog's tables are gone afterwards."""
    dropped = sql(stack, f"DROP DATABASE {DATABASE} WITH (FORCE)", user=USER, database="postgres")
    assert dropped == "DROP DATABASE"
    found = doctor(stack, code=1)
    assert errors(found) == {"database of lake"}
    assert "somebody dropped its database" in found["database of lake"]["cause"]
    assert 'database "tables" does not exist' in found["database of lake"]["cause"]
    assert "`lakehouse restart postgres`" in found["database of lake"]["fix"]
    assert {"trino: lake", "tables", "contents"} <= behind(found, "database of lake")
    stack.lakehouse("restart", "postgres")
    stack.lakehouse("restart", "rest")
    stack.lakehouse("apply")
    assert errors(doctor(stack, code=0)) == set()
    stack.trino("CREATE TABLE lake.silver.bad_days (word varchar)")  # as the fixture expects it
