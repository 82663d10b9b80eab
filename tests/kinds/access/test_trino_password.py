"""A Trino that asks for passwords, as processes: who logs in, who may do what, and what changes without a restart.

The tests share one lakehouse: each leaves it up and whole for the next one.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path

import pytest
import requests
from trino.exceptions import HttpError, TrinoUserError

from lakehouse.kinds.engines.trino_password import RULES, USERS
from lakehouse.runtimes import certificates
from lakehouse.runtimes.certificates import wanted
from lakehouse.spec import load
from tests.integration.deployment import BIN, Deployment, exposed, kept, kill
from tests.integration.findings import doctor, errors
from tests.integration.listening import further
from tests.integration.trino_users import connected, denied, login, run, soon, status, unfinished_query
from tests.kinds.access.contents import customers, orders

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORDERS, CUSTOMERS = orders("nessie"), customers("nessie")


def pid(stack: Deployment) -> int:
    return stack.local.runtime.processes()["trino"].pid


def served(stack: Deployment) -> str:
    """The certificate that Trino shows to clients now."""
    return ssl.get_server_certificate(("127.0.0.1", stack.port("trino")))


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
    assert denied(stack, "bi", "SELECT * FROM nessie.bronze.raw")
    assert denied(stack, "bi", "CREATE TABLE nessie.silver.mine (a integer)")
    assert denied(stack, "bi", f"DROP TABLE {ORDERS}")
    assert denied(stack, "bi", "CREATE SCHEMA nessie.mine")
    assert denied(stack, "bi", "CREATE CATALOG mine USING memory")
    assert run(stack, "bi", "SHOW SCHEMAS FROM nessie") == [["silver"]]
    assert run(stack, "etl", "INSERT INTO nessie.bronze.raw VALUES (1, 'EU', '')") == [[1]]
    assert denied(stack, "etl", f"SELECT * FROM {ORDERS}")


def test_rows_are_filtered_and_values_masked(stack: Deployment) -> None:
    everything = f"SELECT id, region, email FROM {CUSTOMERS}"
    assert run(stack, "shop", everything) == [[1, "EU", None]]
    assert run(stack, "shop", f"SELECT count(*) FROM {CUSTOMERS} WHERE email LIKE 'a%' OR region = 'US'") == [[0]]
    assert denied(stack, "shop", 'SELECT * FROM nessie.silver."customers$files"')
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
    former = stack.change("access", "roles", "reader", "grants", to={ORDERS: ["read"], "nessie.bronze": ["read"]})
    assert stack.planned() == {"bootstrap"}
    assert "bi may read" in stack.lakehouse("plan", code=2)
    stack.lakehouse("apply")
    assert soon(lambda: not denied(stack, "bi", "SELECT * FROM nessie.bronze.raw"))
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert soon(lambda: denied(stack, "bi", "SELECT * FROM nessie.bronze.raw"))
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
    assert denied(stack, "bi", "SELECT * FROM nessie.bronze.raw")


def test_who_did_what_is_known(stack: Deployment) -> None:
    assert run(stack, "bi", f"SELECT count(*) FROM {ORDERS} WHERE region <> 'a secret'") == [[2]]
    assert denied(stack, "bi", "SELECT * FROM nessie.bronze.raw")
    assert run(stack, "etl", "INSERT INTO nessie.bronze.raw VALUES (1, 'EU', '')") == [[1]]
    found = json.loads(stack.lakehouse("access", "log", "--since", "1d", "--limit", "5000", "--json"))
    assert (found["unread"], found["without_record"]) == ({}, ["SeaweedFS", "Iceberg REST", "S3 Tables"])
    events = [(each["layer"], each["who"], each["what"], each["on"], each["result"]) for each in found["events"]]
    assert ("trino", "bi", f"SELECT count(*) FROM {ORDERS} WHERE region <> '…'", ORDERS, "ok") in events
    assert ("trino", "bi", "SELECT * FROM nessie.bronze.raw", "nessie.bronze.raw", "denied") in events
    system = next(each[1] for each in events if each[:1] == ("nessie nessie",) and "append" in each[2])
    assert system not in ("", "lakehouse", "etl"), "the author of Trino's commits is the user that runs it"
    made = {name for each in events if each[:2] == ("nessie nessie", "lakehouse") for name in each[3].split(", ")}
    assert made >= {"nessie.bronze", "nessie.silver", ORDERS, CUSTOMERS}, "the bootstrap says who it is"
    shown = stack.lakehouse("access", "log", "--principal", "etl")
    assert "INSERT INTO nessie.bronze.raw" in shown
    assert "SELECT * FROM nessie.bronze.raw" not in shown
    assert "No record of who did what: SeaweedFS" in shown


def test_a_filter_that_only_a_deploy_can_close_is_refused(stack: Deployment) -> None:
    """As if no deploy had switched off the statistics, which show values of all rows."""
    folder = stack.local.state.config("trino")
    rules = (folder / RULES).read_text()
    former = stack.change("access", "roles", "narrow", "grants", CUSTOMERS, "rows", to="region = 'US'")
    with kept(folder / "catalog" / "nessie.properties") as text:
        started = [line for line in text.splitlines(keepends=True) if "table-statistics-enabled" not in line]
        (folder / "catalog" / "nessie.properties").write_text("".join(started))
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
    assert "-certificate ends on" in stack.lakehouse("status"), "the first that ends"
    assert "trino-certificate" in json.loads(stack.lakehouse("status", "--json"))["endings"]


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
    assert denied(stack, "bi", "SELECT * FROM nessie.bronze.raw")


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
    at = ("catalogs", "nessie", "namespaces", "silver", "tables", "customers", "columns")
    others = {"id": "long", "region": "string"}

    def named(name: str, former: str) -> dict[str, object]:
        return {**others, name: {"type": "string", "tags": ["pii"], "renamed_from": former}}

    former = stack.change(*at, to=named("mail", "email"))
    stack.change("access", "roles", "narrow", "grants", CUSTOMERS, "columns", to={"mail": "mask"})
    stack.lakehouse("apply")
    assert run(stack, "shop", f"SELECT * FROM {CUSTOMERS}") == [[1, "EU", None]], "without waiting"
    stack.file.write_text(former)
    stack.change(*at, to=named("email", "mail"))
    stack.lakehouse("apply")
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert run(stack, "shop", f"SELECT * FROM {CUSTOMERS}") == [[1, "EU", None]]


def test_access_ends_at_once_and_the_user_goes_with_both_keys(stack: Deployment) -> None:
    password, _ = login(stack, "etl")
    others = {name: {"roles": list(each.roles)} for name, each in load(stack.file).access.principals.items()}
    del others["etl"]
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
