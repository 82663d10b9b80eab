"""A Trino that asks for passwords, as processes: who logs in, who may do what, and what changes without a restart.

The tests share one lakehouse: each leaves it up and whole for the next one.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from trino.exceptions import HttpError, TrinoUserError

from lakehouse.kinds.engines.trino_password import RULES, USERS
from lakehouse.runtimes import certificates
from lakehouse.runtimes.certificates import wanted
from tests.attacks.attacked import assert_known
from tests.integration.deployment import BIN, Deployment, exposed, kept, kill, up
from tests.integration.findings import doctor, errors
from tests.integration.listening import further
from tests.integration.trino_users import READ_AGAIN, connected, denied, login, run, soon, status, unfinished_query

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORDERS, CUSTOMERS = "lake.silver.orders", "lake.silver.customers"
NARROWED = {"verbs": ["read"], "rows": "region = 'EU'", "columns": {"email": "mask"}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    table = {"columns": {"id": "long", "region": "string", "email": "string"}}
    made = Deployment.make(
        tmp_path_factory.mktemp("password") / "a lakehouse",
        {
            ("engines",): {"trino": {"memory": "1g", "authentication": "password"}},
            ("catalogs", "lake", "namespaces"): {
                "bronze": {"tables": {"raw": table}},
                "silver": {"tables": {"orders": table, "customers": table}},
            },
            ("catalogs", "lake", "maintenance"): {"compact": {"min_files": 2}},
            ("access",): {
                "roles": {
                    "reader": {"grants": {ORDERS: ["read"]}},
                    "writer": {"grants": {"lake.bronze": ["write"]}},
                    "narrow": {"grants": {CUSTOMERS: NARROWED}},
                },
                "principals": {
                    "bi": {"roles": ["reader"]},
                    "etl": {"roles": ["writer"]},
                    "shop": {"roles": ["narrow"]},
                },
                # Nessie asks nobody for a name, so whoever may write there could give the table another one.
                "enforce": "best-effort",
            },
        },
    )
    with up(made):
        rows = "(1, 'EU', 'a@example.org'), (2, 'US', 'b@example.org')"
        made.lakehouse("sql", "-e", f"INSERT INTO {ORDERS} VALUES {rows}; INSERT INTO {CUSTOMERS} VALUES {rows}")
        yield made


def pid(stack: Deployment) -> int:
    return stack.local.runtime.processes()["trino"].pid


def served(stack: Deployment) -> str:
    """The certificate that Trino shows to clients now."""
    return ssl.get_server_certificate(("127.0.0.1", stack.port("trino")))


def test_each_port_gives_what_is_known_and_shown(stack: Deployment) -> None:
    assert_known(stack)


def test_only_a_right_password_is_let_in(stack: Deployment) -> None:
    password, _ = login(stack, "bi")
    assert status(stack, auth=("bi", password)) == 200
    assert status(stack, auth=("bi", "wrong")) == 401
    assert status(stack, auth=("nobody", password)) == 401
    assert status(stack, auth=("lakehouse", password)) == 401
    assert status(stack) == 401
    assert status(stack, headers={"X-Trino-User": "lakehouse"}) == 401


def test_nobody_acts_as_another(stack: Deployment) -> None:
    password, ca = login(stack, "bi")
    refused = pytest.raises(TrinoUserError, match="User bi cannot impersonate user lakehouse")
    with refused, connected(stack, "bi", password, ca, acting="lakehouse") as cursor:
        cursor.execute("SELECT 1")


def test_nothing_answers_without_tls_and_on_other_ports(stack: Deployment) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{stack.port('trino')}/v1/info", timeout=10)
    assert not [each for each in further(stack) if each.service == "trino"]


def test_a_principal_may_do_what_its_roles_grant_and_nothing_else(stack: Deployment) -> None:
    assert run(stack, "bi", f"SELECT count(*) FROM {ORDERS}") == [[2]]
    assert denied(stack, "bi", f"INSERT INTO {ORDERS} VALUES (3, 'EU', '')")
    assert denied(stack, "bi", f"DELETE FROM {ORDERS}")
    assert denied(stack, "bi", "SELECT * FROM lake.bronze.raw")
    assert denied(stack, "bi", "CREATE TABLE lake.silver.mine (a integer)")
    assert denied(stack, "bi", f"DROP TABLE {ORDERS}")
    assert denied(stack, "bi", "CREATE SCHEMA lake.mine")
    assert denied(stack, "bi", "CREATE CATALOG mine USING memory")
    assert run(stack, "bi", "SHOW SCHEMAS FROM lake") == [["silver"]]
    assert run(stack, "etl", "INSERT INTO lake.bronze.raw VALUES (1, 'EU', '')") == [[1]]
    assert denied(stack, "etl", f"SELECT * FROM {ORDERS}")


def test_rows_are_filtered_and_values_masked(stack: Deployment) -> None:
    everything = f"SELECT id, region, email FROM {CUSTOMERS}"
    assert run(stack, "shop", everything) == [[1, "EU", None]]
    assert run(stack, "shop", f"SELECT count(*) FROM {CUSTOMERS} WHERE email LIKE 'a%' OR region = 'US'") == [[0]]
    assert denied(stack, "shop", 'SELECT * FROM lake.silver."customers$files"')
    assert denied(stack, "shop", f'SELECT "$path" FROM {CUSTOMERS}')
    assert denied(stack, "shop", f"DELETE FROM {CUSTOMERS}")
    with pytest.raises(TrinoUserError):
        run(stack, "shop", f"ALTER TABLE {CUSTOMERS} EXECUTE optimize")
    with pytest.raises(TrinoUserError):
        run(stack, "bi", f"ALTER TABLE {ORDERS} EXECUTE optimize")
    before = pid(stack)
    former = stack.change("access", "roles", "narrow", "grants", CUSTOMERS, "rows", to="region = 'US'")
    stack.lakehouse("apply")
    assert soon(lambda: run(stack, "shop", everything) == [[2, "US", None]])
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert soon(lambda: run(stack, "shop", everything) == [[1, "EU", None]])
    assert pid(stack) == before


def test_our_own_commands_log_in_by_themselves(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    assert "2" in stack.lakehouse("sql", "-e", f"SELECT count(*) FROM {ORDERS}")
    stack.lakehouse("verify")
    stack.lakehouse("maintain", ORDERS)
    assert not errors(doctor(stack, code=0))
    shell = subprocess.run(
        [BIN / "lakehouse", "shell", "trino"], cwd=stack.folder, input=f"SELECT count(*) FROM {ORDERS};\n", text=True,
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert '"2"' in shell.stdout
    shown = stack.lakehouse("endpoints")
    assert f"https://127.0.0.1:{stack.port('trino')}/ui/" in shown
    for tool in ("trino", "dbt", "sqlmesh", "env"):
        text = stack.lakehouse("endpoints", "--for", tool)
        assert stack.local.state.secret("trino-password") not in text


@pytest.mark.matrix
def test_data_is_generated_by_the_owner(stack: Deployment) -> None:
    stack.lakehouse("generate", "--dataset", "tpch", "--scale", "0.001")


def test_no_secret_is_where_others_may_read_it(stack: Deployment) -> None:
    login(stack, "bi")
    assert exposed(stack) == []
    state = stack.local.state.root
    for path in (state / "access" / "bi.ini", state / "secrets" / "trino-user-bi", state / "services/trino" / USERS):
        assert path.stat().st_mode & 0o077 == 0


def test_a_changed_grant_is_in_force_without_a_restart(stack: Deployment) -> None:
    before = pid(stack)
    former = stack.change("access", "roles", "reader", "grants", to={ORDERS: ["read"], "lake.bronze": ["read"]})
    assert stack.planned() == {"bootstrap"}
    assert "bi may read" in stack.lakehouse("plan", code=2)
    stack.lakehouse("apply")
    assert soon(lambda: not denied(stack, "bi", "SELECT * FROM lake.bronze.raw"))
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert soon(lambda: denied(stack, "bi", "SELECT * FROM lake.bronze.raw"))
    assert pid(stack) == before


def test_what_others_change_is_shown_and_repaired(stack: Deployment) -> None:
    folder = stack.local.state.config("trino")
    everything = '{"catalogs": [{"allow": "all"}]}'
    for path, text in ((RULES, everything), (USERS, "intruder:x\n"), (USERS, None)):
        if text is None:
            (folder / path).unlink()
        else:
            (folder / path).write_text(text)
        assert "trino-" in stack.lakehouse("plan", code=2)
        stack.lakehouse("apply")
        stack.lakehouse("plan", code=0)
    assert soon(lambda: run(stack, "bi", f"SELECT count(*) FROM {ORDERS}") == [[2]])
    assert denied(stack, "bi", "SELECT * FROM lake.bronze.raw")


def test_what_the_file_says_is_tried(stack: Deployment) -> None:
    assert "calls at trino, all answered as the file says" in stack.lakehouse("access", "test")
    rules, of_one = stack.local.state.config("trino") / RULES, ("access", "test", "--principal", "bi")
    text = rules.read_text()
    rules.write_text('{"catalogs": [{"allow": "all"}]}')
    try:
        time.sleep(READ_AGAIN)
        assert "were not answered as the file says" in stack.lakehouse(*of_one, code=1)
    finally:
        stack.lakehouse("apply")
    assert rules.read_text() == text
    time.sleep(READ_AGAIN)
    stack.lakehouse(*of_one)
    assert run(stack, "bi", "SHOW TABLES FROM lake.silver") == [["orders"]], "nothing of it stays"


def test_who_did_what_is_known(stack: Deployment) -> None:
    assert run(stack, "bi", f"SELECT count(*) FROM {ORDERS} WHERE region <> 'a secret'") == [[2]]
    assert denied(stack, "bi", "SELECT * FROM lake.bronze.raw")
    assert run(stack, "etl", "INSERT INTO lake.bronze.raw VALUES (1, 'EU', '')") == [[1]]
    found = json.loads(stack.lakehouse("access", "log", "--since", "1d", "--limit", "5000", "--json"))
    assert (found["unread"], found["without_record"]) == ({}, ["S3Proxy"])
    events = [(each["layer"], each["who"], each["what"], each["on"], each["result"]) for each in found["events"]]
    assert ("trino", "bi", f"SELECT count(*) FROM {ORDERS} WHERE region <> '…'", ORDERS, "ok") in events
    assert ("trino", "bi", "SELECT * FROM lake.bronze.raw", "lake.bronze.raw", "denied") in events
    system = next(each[1] for each in events if each[:1] == ("nessie lake",) and "append" in each[2])
    assert system not in ("", "lakehouse", "etl"), "the author of Trino's commits is the user that runs it"
    made = {name for each in events if each[:2] == ("nessie lake", "lakehouse") for name in each[3].split(", ")}
    assert made >= {"lake.bronze", "lake.silver", ORDERS, CUSTOMERS}, "the bootstrap says who it is"
    shown = stack.lakehouse("access", "log", "--principal", "etl")
    assert "INSERT INTO lake.bronze.raw" in shown
    assert "SELECT * FROM lake.bronze.raw" not in shown
    assert "No record of who did what: S3Proxy." in shown


def test_a_filter_that_only_a_deploy_can_close_is_refused(stack: Deployment) -> None:
    """As if no deploy had switched off the statistics, which show values of all rows."""
    folder = stack.local.state.config("trino")
    rules = (folder / RULES).read_text()
    former = stack.change("access", "roles", "narrow", "grants", CUSTOMERS, "rows", to="region = 'US'")
    with kept(folder / "catalog" / "lake.properties") as text:
        started = [line for line in text.splitlines(keepends=True) if "table-statistics-enabled" not in line]
        (folder / "catalog" / "lake.properties").write_text("".join(started))
        assert "deploy first: " in stack.lakehouse("apply", code=1)
    assert (folder / RULES).read_text() == rules
    stack.file.write_text(former)
    stack.lakehouse("plan", code=0)


def test_a_certificate_that_is_replaced_under_a_running_trino_is_served(stack: Deployment) -> None:
    before, serial = pid(stack), served(stack)
    state = stack.local.state
    made = wanted(stack.local.services)["trino"]
    certificates.make(state, made)
    parts = [(state.root / "certificates" / "trino" / f"{part}.pem").read_text() for part in ("key", "certificate")]
    (state.config("trino") / "server.pem").write_text("\n".join(parts))
    assert soon(lambda: served(stack) != serial, 120)
    assert run(stack, "bi", "SELECT 1") == [[1]], "it is of the authority that clients trust"
    assert pid(stack) == before
    assert stack.planned() == set()
    assert "trino-certificate ends on" in stack.lakehouse("status")


def test_a_rotation_loses_no_running_query(stack: Deployment) -> None:
    password, ca = login(stack, "bi")
    with unfinished_query(stack, "bi", ORDERS, 2):
        stack.lakehouse("access", "rotate", "bi")
        assert soon(lambda: status(stack, auth=("bi", password)) == 401)
    with pytest.raises(HttpError, match="401"), connected(stack, "bi", password, ca) as cursor:
        cursor.execute("SELECT 1")
    assert run(stack, "bi", "SELECT 1") == [[1]]


@pytest.mark.matrix  # a deploy that restarts Trino shows it too: the test after it
def test_after_a_kill_the_users_are_there(stack: Deployment) -> None:
    kill(stack, "trino")
    assert soon(lambda: stack.local.runtime.healthy().get("trino"), 120)
    assert run(stack, "bi", f"SELECT count(*) FROM {ORDERS}") == [[2]]
    assert denied(stack, "bi", "SELECT * FROM lake.bronze.raw")


def test_the_owners_password_is_replaced_if_it_was_lost_and_principals_keep_theirs(stack: Deployment) -> None:
    former = stack.local.state.secret("trino-password")
    (stack.local.state.root / "secrets" / "trino-password").unlink()
    assert "lakehouse secret rotate trino-password" in stack.lakehouse("sql", "-e", "SELECT 1", code=1)
    assert "trino started with other secrets" in doctor(stack, code=1)["secrets"]["found"]
    stack.lakehouse("secret", "rotate", "trino-password")
    assert "trino" in stack.planned()
    stack.deploy()
    assert status(stack, auth=("lakehouse", former)) == 401
    assert "2" in stack.lakehouse("sql", "-e", f"SELECT count(*) FROM {ORDERS}")
    assert run(stack, "bi", "SELECT 1") == [[1]]
    assert not errors(doctor(stack, code=0))
    assert stack.planned() == set()


def test_a_column_stays_masked_while_it_gets_another_name(stack: Deployment) -> None:
    at = ("catalogs", "lake", "namespaces", "silver", "tables", "customers", "columns")
    former = stack.change(
        *at, to={"id": "long", "region": "string", "mail": {"type": "string", "renamed_from": "email"}}
    )
    stack.change("access", "roles", "narrow", "grants", CUSTOMERS, "columns", to={"mail": "mask"})
    stack.lakehouse("apply")
    assert run(stack, "shop", f"SELECT * FROM {CUSTOMERS}") == [[1, "EU", None]], "without waiting"
    stack.file.write_text(former)
    stack.change(*at, to={"id": "long", "region": "string", "email": {"type": "string", "renamed_from": "mail"}})
    stack.lakehouse("apply")
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert run(stack, "shop", f"SELECT * FROM {CUSTOMERS}") == [[1, "EU", None]]


def test_access_ends_at_once_and_the_user_goes_with_both_keys(stack: Deployment) -> None:
    password, _ = login(stack, "etl")
    others = {"bi": {"roles": ["reader"]}, "shop": {"roles": ["narrow"]}}
    former = stack.change("access", "principals", to=others)
    stack.lakehouse("apply")
    assert soon(lambda: status(stack, auth=("etl", password)) == 401)
    assert Path(stack.local.state.root / "secrets" / "trino-user-etl").exists()
    stack.file.write_text(former)
    stack.change("access", "principals", "etl", "deletable", to=True)
    stack.lakehouse("apply")
    assert soon(lambda: status(stack, auth=("etl", password)) == 200), "it gets access again with its password"
    stack.change("access", "principals", to=others)
    stack.lakehouse("apply", "--allow-destroy")
    assert not Path(stack.local.state.root / "secrets" / "trino-user-etl").exists()
    stack.file.write_text(former)
    stack.lakehouse("apply")
    stack.lakehouse("plan")
