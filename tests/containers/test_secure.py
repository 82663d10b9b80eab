"""A secure stack in containers: that certificates, tokens and the cluster's secret reach the services there.

Its Trino asks for passwords. tests/kinds/test_secure.py and tests/kinds/access/test_trino_password.py have what does
not depend on the runtime.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lakehouse.runtimes.certificates import is_given
from lakehouse.runtimes.credentials import known
from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, exposed, refused_checks, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import Deployment, kept, until
from tests.integration.findings import doctor, errors
from tests.integration.trino_users import denied, login, run, soon, status
from tests.tls import authority, served, server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORDERS, RAW = "lake.silver.orders", "lake.bronze.orders"
TABLES = {"tables": {"orders": {"columns": {"id": "long", "region": "string"}}}}


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    local = {"runtime": "docker", "secure": True, "store": "seaweedfs", "catalogs": {"lake": "rest"}}
    changes = {
        ("name",): f"it-secure-{os.getpid()}",
        ("stacks",): {"local": local},
        ("engines",): {
            "spark": {"version": "4.1", "workers": 1, "cores": 2, "connect": {"token": True}},
            "trino": {"memory": "1g", "authentication": "password"},
        },
        ("catalogs", "lake", "namespaces"): {"bronze": TABLES, "silver": TABLES},
        **DOCKER,
    }
    made = Deployment.make(tmp_path_factory.mktemp("secure") / "a lakehouse", changes)
    made.fetch()
    yield from up(made, engine)


def test_docker_finds_every_container_healthy(stack: Deployment, engine: DockerEngine) -> None:
    assert refused_checks(stack, engine) == []


def test_engines_share_a_table_and_nothing_is_left_to_do(stack: Deployment) -> None:
    stack.lakehouse("sql", "--engine", "spark", "-e", f"INSERT INTO {ORDERS} VALUES (1, 'EU'), (2, 'US')")
    assert "2" in stack.lakehouse("sql", "--engine", "trino", "-e", f"SELECT count(*) FROM {ORDERS}")
    stack.lakehouse("plan", code=0)
    assert stack.planned() == set()
    assert not errors(doctor(stack, code=0))


@pytest.mark.matrix  # in CI: as processes, and in containers without `secure`
def test_every_client_reads_what_another_wrote(stack: Deployment) -> None:
    stack.lakehouse("verify")


def test_published_ports_have_tls_and_ask_for_a_token(stack: Deployment, engine: DockerEngine) -> None:
    assert_declared(stack, engine)
    assert exposed(stack, engine) == []
    address, token = f"127.0.0.1:{stack.port('rest')}/v1/config", stack.local.state.secret("rest-token")
    with requests.Session() as session:
        session.trust_env, session.verify = False, stack.local.place.trust
        assert session.get(f"http://{address}", timeout=30).status_code == 400
        assert session.get(f"https://{address}", timeout=30).status_code == 401
        right = session.get(f"https://{address}", timeout=30, headers={"Authorization": f"Bearer {token}"})
        assert right.status_code == 200


def test_users_log_in_and_may_do_what_their_roles_grant(stack: Deployment) -> None:
    password, _ = login(stack, "bi")
    assert status(stack, auth=("bi", password)) == 200
    assert status(stack, auth=("bi", "wrong")) == status(stack) == 401
    assert run(stack, "bi", f"SELECT count(*) FROM {ORDERS}") == [[2]]
    assert denied(stack, "bi", f"DELETE FROM {ORDERS}")
    assert denied(stack, "bi", f"SELECT * FROM {RAW}")
    assert "all answered as the file says" in stack.lakehouse("access", "test")


def test_a_changed_grant_and_a_new_password_restart_nothing(stack: Deployment, engine: DockerEngine) -> None:
    before = _pids(stack, engine)
    former = stack.change("access", "roles", "analyst", "grants", to={"lake": ["read"]})
    stack.lakehouse("apply")
    assert soon(lambda: not denied(stack, "bi", f"SELECT * FROM {RAW}"))
    stack.file.write_text(former)
    stack.lakehouse("apply")
    assert soon(lambda: denied(stack, "bi", f"SELECT * FROM {RAW}"))
    password, _ = login(stack, "bi")
    stack.lakehouse("access", "rotate", "bi")
    assert soon(lambda: status(stack, auth=("bi", password)) == 401)
    assert run(stack, "bi", "SELECT 1") == [[1]]
    assert _pids(stack, engine) == before
    assert stack.planned() == set()
    assert exposed(stack, engine) == []


def test_a_renewed_certificate_reaches_a_container_that_runs(stack: Deployment, engine: DockerEngine) -> None:
    port, trust = stack.port("rest"), stack.local.place.trust
    former, before = served(port, trust), _pids(stack, engine)
    said = stack.lakehouse("secret", "renew", "--all")
    assert {line.split()[0] for line in said.splitlines() if "goes on" in line} == {"proxy", "trino"}
    until(lambda: served(port, trust) != former)
    assert _pids(stack, engine) == before
    assert stack.planned() == set()


@pytest.mark.matrix
def test_a_certificate_of_the_users_is_served_by_every_container_and_renewed(
    stack: Deployment, engine: DockerEngine
) -> None:
    """And the stack's own after it again."""
    folder, ports = stack.folder, ("seaweedfs", "rest", "trino", "spark-connect")
    every = [each.certificate for each in known(stack.local.everything).values() if each.certificate is not None]
    names = dict.fromkeys(name for each in every if is_given(each) for name in each.names)
    said = ",".join(f"{'IP' if name[0].isdigit() else 'DNS'}:{name}" for name in names)
    authority(folder, "root")
    server(folder, "root", "DNS:localhost,IP:127.0.0.1")
    with kept(stack.file):
        stack.change(
            *("stacks", "local", "secure"), to={"certificate": "server.pem", "key": "key.pem", "authority": "root.pem"}
        )
        missing = " ".join(stack.deploy(code=None).split())
        assert "seaweedfs" in missing, "containers reach each other by their names"
        assert "Have one issued with these names" in missing
        server(folder, "root", said)
        stack.deploy()
        assert {_served(stack, port) for port in ports} == {_theirs(folder)}
        for engine_name in ("trino", "spark"):
            stack.lakehouse("sql", "--engine", engine_name, "-e", f"SELECT count(*) FROM {ORDERS}")
        assert refused_checks(stack, engine) == []
        assert stack.planned() == set()
        assert not errors(doctor(stack, code=0))
        shown = json.loads(stack.lakehouse("access", "--json"))["certificates"]["local"]
        assert {each["whose"] for each in shown if each["port"] in ports} == {f"yours, {folder / 'server.pem'}"}
        server(folder, "root", said)
        before = _pids(stack, engine)
        assert "seaweedfs-certificate" in stack.lakehouse("secret", "renew", code=1), "it needs a restart"
        for port in ("rest", "trino"):
            until(lambda port=port: _served(stack, port) == _theirs(folder))  # type: ignore[misc]
        assert _pids(stack, engine) == before
    stack.deploy()
    _served(stack, "trino")  # the stack's own authority has signed it
    stack.lakehouse("sql", "-e", f"SELECT count(*) FROM {ORDERS}")
    assert stack.planned() == set()


def _served(stack: Deployment, port: str) -> bytes:
    return served(stack.port(port), stack.local.place.trust)


def _theirs(folder: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / "server.pem").read_text())


def _pids(stack: Deployment, engine: DockerEngine) -> dict[str, int]:
    return {name: each.pid for name, each in engine.seen(stack.local.state).items()}
