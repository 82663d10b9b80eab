"""A secure stack with `runtime: hosts`: certificates and secrets reach the machines, and nothing else listens there.

One deployment on two machines: the store, the catalog, Trino's coordinator and Spark's master on one, a worker of both
on the other. tests/kinds/test_secure.py has what does not depend on the runtime.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from bootstrap.engines.trino_files import TrinoFiles
from lakehouse.packages.environment import ANSIBLE
from lakehouse.spec.ports import is_plain
from tests.attacks.attacked import assert_known
from tests.containers.machines import LEFT, NETWORK, A, B, docker, inside, reaches
from tests.containers.on_hosts import hosts, made, pids
from tests.integration.deployment import PROJECT, Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(2400)]

ORDERS = "lake.silver.orders"
SILVER = {"silver": {"tables": {"orders": {"columns": {"id": "long", "region": "string"}}}}}
SSH = 22


@pytest.fixture(scope="module")
def stack(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("secure") / "a lakehouse"
    spark = {"version": "4.1", "workers": 1, "cores": 2, "memory": "512m", "driver_memory": "512m"}
    engines = {
        "spark": {**spark, "connect": {"token": True}},
        "trino": {"memory": "768m", "workers": 1, "authentication": "password"},
    }
    options = {"secure": True}
    with up(made(folder, machines, engines, options, {("catalogs", "lake", "namespaces"): SILVER})) as deployment:
        yield deployment


def on(stack: Deployment, host: str) -> set[str]:
    """The services of a machine."""
    return {each.name for each in stack.local.services if hosts(stack).place.on(each.name) == host}


def asked(stack: Deployment, port: str, path: str, *, trust: str | bool | None = None, **settings: Any) -> int:
    """The status of an answer of a port, to a client that trusts the stack."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, stack.local.place.trust if trust is None else trust
        address = f"https://{stack.local.place.external(port)}{path}"
        return session.get(address, timeout=30, allow_redirects=False, **settings).status_code


def served(stack: Deployment, port: str) -> bytes:
    """The certificate, in DER, that clients of a machine get: it has the machine's address and is the stack's."""
    at = stack.local.place.external(port)
    trusting = ssl.create_default_context(cafile=stack.local.place.trust)
    plain = socket.create_connection((at.host, at.port), timeout=10)
    with plain, trusting.wrap_socket(plain, server_hostname=at.host) as encrypted:
        return encrypted.getpeercert(binary_form=True) or b""


def answers_plainly(stack: Deployment, port: str) -> bool:
    """Whether a port does anything for who speaks HTTP without TLS."""
    try:
        return requests.get(f"http://{stack.local.place.external(port)}/", timeout=10).status_code < 400
    except requests.ConnectionError:
        return False


def query(stack: Deployment, user: str, password: str, sql: str) -> int:
    """Trino's first answer to a user."""
    url = f"https://{stack.local.place.external('trino')}/v1/statement"
    with requests.Session() as session:
        session.trust_env = False
        trust = stack.local.place.trust
        return session.post(url, data=sql, auth=(user, password), verify=trust, timeout=60).status_code


def listening(host: str) -> set[tuple[str, int]]:
    """Address and port of each listening socket of a machine."""
    found = re.findall(r"^LISTEN +\d+ +\d+ +(\S+):(\d+)", inside(host, "ss -ltn"), re.MULTILINE)
    return {(address.strip("[]").removeprefix("::ffff:"), int(port)) for address, port in found}


def test_rows_by_spark_are_read_by_trino(stack: Deployment) -> None:
    assert on(stack, "b") == {"trino-worker-1", "spark-worker-1", "proxy-b"}
    stack.lakehouse("sql", "--engine", "spark", "-e", f"INSERT INTO {ORDERS} VALUES (1, 'EU'), (2, 'US')")
    counted = stack.lakehouse("sql", "--format", "csv", "-e", f"SELECT count(*), min(region) FROM {ORDERS}")
    assert re.search(r'"?2"?,"?EU"?', counted), counted
    stack.lakehouse("verify")
    shown = stack.lakehouse("endpoints")
    assert f"sc://{A}:{stack.port('spark-connect')}/;use_ssl=true" in shown
    assert f"https://{A}:{stack.port('trino')}" in shown


def test_a_second_deploy_and_the_playbook_alone_change_nothing(stack: Deployment) -> None:
    assert stack.planned() == set()
    before = pids(stack)
    assert "0 added, 0 changed, 0 destroyed" in stack.deploy()
    assert pids(stack) == before
    command: list[str | Path] = [ANSIBLE.program, "--check", "-i"]
    command += [stack.local.state.root / "hosts" / "inventory", "site.yml"]
    done = subprocess.run(
        command, cwd=PROJECT / "ansible", capture_output=True, text=True, check=False, timeout=600
    )  # fmt: skip
    recap = re.findall(r"^(\w+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", done.stdout, re.MULTILINE)
    assert [(name, *rest) for name, _, *rest in recap] == [("a", "0", "0", "0"), ("b", "0", "0", "0")], done.stdout
    assert all(int(ok) > 10 for _, ok, *_ in recap), done.stdout


def test_a_client_without_certificate_or_password_is_refused(stack: Deployment) -> None:
    for port in ("trino", "nessie", "s3proxy", "spark-master-ui"):
        assert asked(stack, port, "/") < 500
        with pytest.raises(requests.exceptions.SSLError):  # who does not trust the stack
            asked(stack, port, "/", trust=True)
        assert not answers_plainly(stack, port)
    secret = stack.local.state.secret
    assert query(stack, "lakehouse", secret("trino-password"), "SELECT 1") == 200
    assert query(stack, "lakehouse", "wrong", "SELECT 1") == 401
    trees = "/api/v2/trees"
    assert asked(stack, "nessie", trees) == 401
    assert asked(stack, "nessie", trees, headers={"Authorization": f"Bearer {secret('nessie-lakehouse.jwt')}"}) == 200
    assert asked(stack, "s3proxy", "/warehouse") == 403
    for page in ("spark-master-ui", "spark-worker-1-ui", "spark-connect-ui"):
        assert asked(stack, page, "/json/" if page != "spark-connect-ui" else "/jobs/") == 401
        assert asked(stack, page, "/jobs/" if page == "spark-connect-ui" else "/json/", auth=_page(stack)) == 200


def _page(stack: Deployment) -> tuple[str, str]:
    return "lakehouse", stack.local.state.secret("pages-password")


def test_ports_without_tls_are_closed_to_other_machines(stack: Deployment) -> None:
    """They listen on the loopback address only. Spark's parts choose further ports, which ask for its secret."""
    for host, address in (("a", A), ("b", B)):
        own = [port for each in stack.local.services if each.name in on(stack, host) for port in each.ports]
        plain = {port.number for port in own if is_plain(port.name)}
        there = listening(host)
        assert plain
        assert {at for at, number in there if number in plain} == {"127.0.0.1"}
        other = "b" if host == "a" else "a"
        assert not any(reaches(other, address, number) for number in plain)
        closed = {port.number for port in own if port.encrypted}
        assert closed <= {number for at, number in there if at != "127.0.0.1"}
        low = int(inside(host, "cat /proc/sys/net/ipv4/ip_local_port_range").split()[0])
        beyond = {number for at, number in there if not at.startswith("127.")} - closed - {SSH}
        assert {number for number in beyond if number < low} == set()


@pytest.mark.parametrize("host", ["a", "b"])
def test_each_port_gives_what_is_known_and_shown(stack: Deployment, host: str) -> None:
    """Asked on the machine itself, which no firewall keeps from its ports."""
    process = docker("inspect", "--format", "{{.State.Pid}}", f"{NETWORK}-{host}").strip()
    where = ("nsenter", f"--net=/proc/{process}/ns/net")
    found = assert_known(stack, secure=True, names=on(stack, host), where=where)
    assert {each.port.name for each in found} == {
        port.name for each in stack.local.services if each.name in on(stack, host) for port in each.ports
    }


def test_a_principal_logs_in_to_trino_and_gets_what_it_was_granted(stack: Deployment) -> None:
    password = TrinoFiles(stack.local.state).password("bi")
    assert password is not None
    assert query(stack, "bi", password, "SELECT 1") == 200
    assert query(stack, "bi", "wrong", "SELECT 1") == 401
    users = inside("a", f"cat {hosts(stack).place.config('trino')}/access/users")
    assert users.startswith("bi:")


def test_keys_are_only_for_the_user_of_the_services(stack: Deployment) -> None:
    user = hosts(stack).place.layout.user
    for host in ("a", "b"):
        listed = inside(host, "find /etc/lakehouse -name '*.pem' -o -name '*.p12' | xargs stat -c '%a %U'").splitlines()
        assert set(listed) == {f"600 {user}"}
        words = inside(host, "ps -eo args; journalctl --no-pager")
        state = stack.local.state
        secrets = [path.read_text() for path in (state.root / "secrets").iterdir() if path.is_file()]
        assert [each for each in secrets if each in words] == []
        assert "PRIVATE KEY" not in words


def test_renewed_certificates_reach_the_machines_and_restart_only_what_cannot_take_them(stack: Deployment) -> None:
    taken = ("trino", "nessie", "spark-master-ui", "spark-worker-1-ui")
    before, old = pids(stack), {port: served(stack, port) for port in taken}
    said = stack.lakehouse("secret", "renew", "--all")
    assert {line.split()[0] for line in said.splitlines() if "goes on" in line} == {
        *("trino", "trino-worker-1", "nessie", "proxy-a", "proxy-b")
    }
    for port in taken:
        until(partial(_renewed, stack, port, old[port]), 150)
    assert pids(stack) == before
    assert stack.planned() == set()
    store = served(stack, "s3proxy")
    stack.lakehouse("secret", "rotate", "s3proxy-certificate")
    assert "s3proxy" in stack.planned()
    stack.deploy()
    assert served(stack, "s3proxy") != store
    assert {name for name, pid in pids(stack).items() if before[name] != pid} == {"s3proxy"}
    found = {each["check"]: each for each in json.loads(stack.lakehouse("doctor", "--json", code=None))["checks"]}
    assert {found[name]["severity"] for name in ("certificates", "certificates on hosts")} == {"ok"}
    assert stack.planned() == set()


def _renewed(stack: Deployment, port: str, old: bytes) -> bool:
    """Whether a port has another certificate. A server may cut off whoever connects while it reads the new one."""
    try:
        return served(stack, port) != old
    except (ssl.SSLEOFError, ConnectionError):
        return False


def test_a_worker_is_drained_by_who_has_the_password(stack: Deployment) -> None:
    before = pids(stack)
    output = stack.lakehouse("restart", "trino-worker-1")
    assert "was not drained" not in output
    assert {name for name, pid in pids(stack).items() if before[name] != pid} == {"trino-worker-1"}
    until(lambda: "1" in stack.lakehouse("sql", "--format", "csv", "-e", _ACTIVE), 120)
    stack.lakehouse("sql", "-e", f"SELECT count(*) FROM {ORDERS}")


_ACTIVE = "SELECT count(*) FROM system.runtime.nodes WHERE NOT coordinator AND state = 'active'"


def test_destroy_leaves_only_data(stack: Deployment) -> None:
    stack.destroy()
    assert [inside(host, LEFT) for host in ("a", "b")] == ["", ""]
    stack.lakehouse("destroy", "--data", "--yes")
