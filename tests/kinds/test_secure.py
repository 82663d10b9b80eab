"""A secure stack as processes: a REST catalog and Spark Connect behind the proxy, Spark's pages, and Trino.

The tests share one lakehouse: each leaves it up and whole for the next one.
"""

from __future__ import annotations

import os
import re
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from bootstrap.remote.errors import Refused
from bootstrap.remote.s3 import client, typed
from bootstrap.session.connect import store
from lakehouse.kinds.platform.postgres import Database
from lakehouse.runtimes import certificates
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import TRUSTED
from tests.attacks.attacked import assert_known, assert_known_further
from tests.integration.deployment import BIN, ODD, Deployment, exposed, kept, kill, until, up
from tests.integration.findings import doctor, errors
from tests.psql import jdbc, psql
from tests.tls import authority, served, server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ORDERS = "lake.bronze.orders"
PORTS = ("seaweedfs", "rest", "postgres", "trino")  # the first one serves a renewed certificate after a restart
PYICEBERG = """
import pyarrow
from pyiceberg.catalog import load_catalog
table = load_catalog("lake").load_table("bronze.orders")
table.append(pyarrow.table({"id": [41], "region": ["EU"]}))
print(sorted(table.scan().to_arrow()["id"].to_pylist()))
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.make(
        tmp_path_factory.mktemp("secure") / ODD,
        {
            ("stacks",): {
                "local": {"runtime": "process", "secure": True, "store": "seaweedfs", "catalogs": {"lake": "rest"}}
            },
            ("engines",): {
                "spark": {"version": "4.1", "workers": 1, "cores": 2, "connect": {"token": True}},
                "trino": {"memory": "1g", "authentication": "password"},
            },
            ("catalogs", "lake", "namespaces"): {
                "bronze": {"tables": {"orders": {"columns": {"id": "long", "region": "string"}}}}
            },
            ("access",): {},
        },
    )
    with up(made):
        yield made


def asked(stack: Deployment, port: str, path: str, scheme: str = "https", **settings: object) -> requests.Response:
    """The answer of a port. The variables of a test machine would replace the certificate."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, stack.local.place.trust
        address = f"{scheme}://127.0.0.1:{stack.port(port)}{path}"
        return session.get(address, timeout=30, allow_redirects=False, **settings)  # type: ignore[arg-type]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def secret(stack: Deployment, name: str) -> str:
    return stack.local.state.secret(name)


def test_each_port_gives_what_is_known_and_shown(stack: Deployment) -> None:
    found = assert_known(stack, secure=True)
    assert {each.port.name for each in found} == set(stack.local.ports)


def test_the_ports_that_spark_chooses_give_nothing(stack: Deployment) -> None:
    stack.lakehouse("sql", "-e", "SELECT 1", "--engine", "spark")  # an executor is there
    assert_known_further(stack, secure=True)


def test_the_catalog_answers_only_who_has_its_token(stack: Deployment) -> None:
    config = "/v1/config"
    assert asked(stack, "rest", config, headers=bearer(secret(stack, "rest-token"))).status_code == 200
    for wrong in ({}, bearer("wrong"), bearer(secret(stack, "rest-token") + "x"), {"Authorization": "Bearer"}):
        refused = asked(stack, "rest", config, headers=wrong)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    for port, status in ((stack.port("rest"), 200), (stack.port("rest") + 1, 403)):
        page = {**bearer(secret(stack, "rest-token")), "Origin": f"https://127.0.0.1:{port}"}
        assert asked(stack, "rest", config, headers=page).status_code == status, "of its own site, and of another"
    assert asked(stack, "rest", config, "http").status_code == 400, "it has only TLS"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://localhost:{stack.port('rest')}{config}", timeout=10)  # whoever does not trust the stack


def test_its_database_is_reached_only_with_tls(stack: Deployment, tmp_path: Path) -> None:
    of, trust = Database.of("rest"), Path(stack.local.place.trust)
    password = secret(stack, of.password.secret)
    asked = "SELECT count(*) || ' ' || min(version) FROM pg_stat_ssl WHERE ssl"  # of one's own user only
    shown = jdbc(of.jdbc(stack.local.place), of.user, password, asked, trust=trust, folder=tmp_path)
    assert re.fullmatch(r"([2-9]|\d\d) TLSv1.3", shown), f"the catalog's connection too: {shown}"
    assert "no encryption" in psql(stack.port("postgres"), of.name, of.user, password, "SELECT 1")


def connect(stack: Deployment, port: str, token: str, end: str) -> str:
    """What a client of Spark Connect in a process of its own prints."""
    code = (
        "from pyspark.sql import SparkSession\n"
        f"spark = SparkSession.builder.remote('sc://localhost:{stack.port(port)}{end}').create()\n"
        "print('counted', spark.range(7).count())\n"
    )
    variables = {
        "PATH": "/usr/bin:/bin",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": stack.local.place.trust,
        "no_proxy": "localhost",
    }
    if token:
        variables["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = token
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def test_connect_runs_only_what_comes_with_its_token(stack: Deployment) -> None:
    right = secret(stack, "spark-connect-token")
    assert "counted 7" in connect(stack, "spark-connect", right, "/;use_ssl=true")
    assert "UNAUTHENTICATED" in connect(stack, "spark-connect", "wrong", "/;use_ssl=true")
    plain = connect(stack, "spark-connect-plain", "wrong", "")
    assert "UNAUTHENTICATED" in plain or "PERMISSION_DENIED" in plain, "behind the proxy, it asks too"


@pytest.mark.parametrize("name", ["spark-master-ui", "spark-worker-1-ui", "spark-connect-ui"])
def test_pages_ask_for_the_password(stack: Deployment, name: str) -> None:
    path = "/environment/" if name == "spark-connect-ui" else "/json/"
    assert asked(stack, name, path).status_code == 401
    assert asked(stack, name, path, auth=("lakehouse", "wrong")).status_code == 401
    shown = asked(stack, name, path, auth=("lakehouse", secret(stack, "pages-password")))
    assert shown.status_code == 200
    assert not [
        each for each in ("rest-token", "spark-cluster", "store-secret-key") if secret(stack, each) in shown.text
    ]
    assert asked(stack, f"{name}-plain", path, "http").status_code == 403


def test_our_own_commands_have_what_they_need(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "/etc/ssl/certs/ca-certificates.crt")
    stack.lakehouse("sql", "--engine", "spark", "-e", f"INSERT INTO {ORDERS} VALUES (1, 'EU'), (2, 'US')")
    assert "2" in stack.lakehouse("sql", "--engine", "trino", "-e", f"SELECT count(*) FROM {ORDERS}")
    stack.lakehouse("verify")
    stack.lakehouse("plan", code=0)
    assert stack.planned() == set()
    assert not errors(doctor(stack, code=0))
    shown = stack.lakehouse("endpoints")
    assert f"sc://localhost:{stack.port('spark-connect')}/;use_ssl=true" in shown
    for tool in ("env", "spark", "pyiceberg", "trino"):
        text = stack.lakehouse("endpoints", "--for", tool)
        assert not [each for each in ("rest-token", "spark-connect-token") if secret(stack, each) in text]


def test_programs_of_users_trust_it_by_the_variables_that_are_printed(stack: Deployment, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PYICEBERG)
    run = f"exec {sys.executable} '{tmp_path}/program.py'"
    printed = stack.lakehouse("endpoints", "--for", "env")
    without = "\n".join(line for line in printed.splitlines() if "authority/bundle.pem" not in line)
    bare = {key: value for key, value in os.environ.items() if not key.endswith(("_BUNDLE", "CERT_FILE"))}

    def program(variables: str) -> subprocess.CompletedProcess[str]:
        shell = ["/bin/sh", "-c", f"{variables}\n{run}"]
        return subprocess.run(shell, env=bare, capture_output=True, text=True, check=False, timeout=120)

    done = program(f'cd {shlex.quote(str(stack.folder))}; eval "$({BIN}/lakehouse endpoints --for env)"')
    assert done.returncode == 0, done.stderr
    assert "41" in done.stdout
    refused = program(without)  # before anything was sent
    assert refused.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_a_store_with_another_authority_gets_nothing(stack: Deployment, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    certificates.make(other, TRUSTED)
    real = store(stack.local)
    wrong = replace(real, trust=str(other.kept(TRUSTED.kept)))
    assert client(real, attempts=1).list_buckets()["Buckets"]
    with pytest.raises(Refused, match="cannot be trusted"), typed(str(wrong.endpoint)):
        client(wrong, attempts=1).list_buckets()


def test_rotated_certificates_are_served_and_restart_only_what_cannot_take_them(stack: Deployment) -> None:
    ports = {"seaweedfs": "seaweedfs", "proxy": "rest"}
    before, old = _pids(stack), {name: _served(stack, port) for name, port in ports.items()}
    for name in ports:
        stack.lakehouse("secret", "rotate", f"{name}-certificate")
    assert stack.planned() == {"preflight", "seaweedfs", "bootstrap"}  # the preflight hands out the proxy's
    stack.deploy()
    assert {name for name, pid in _pids(stack).items() if before[name] != pid} == {"seaweedfs"}
    for name, port in ports.items():
        until(lambda name=name, port=port: _served(stack, port) != old[name])  # type: ignore[misc]


def test_certificates_are_renewed_without_a_deploy_and_nothing_restarts(stack: Deployment) -> None:
    before, old = _pids(stack), {port: _served(stack, port) for port in PORTS}
    said = stack.lakehouse("secret", "renew", "--all")
    assert {line.split()[0] for line in said.splitlines() if "goes on" in line} == {"proxy", "postgres", "trino"}
    assert stack.planned() == set()
    for port in PORTS[1:]:
        until(lambda port=port: _served(stack, port) != old[port])  # type: ignore[misc]
    assert _served(stack, "seaweedfs") == old["seaweedfs"]
    assert _pids(stack) == before
    stack.lakehouse("sql", "--engine", "trino", "-e", f"SELECT count(*) FROM {ORDERS}")


def _pids(stack: Deployment) -> dict[str, int]:
    return {name: each.pid for name, each in stack.local.runtime.processes().items()}


def _served(stack: Deployment, port: str) -> bytes:
    return served(stack.port(port), stack.local.place.trust, postgres=port == "postgres")


def test_no_secret_is_where_others_may_read_it(stack: Deployment) -> None:
    # Spark's workers give executors the cluster's secret in their environment, which only their user can read.
    assert exposed(stack, inherited={"spark-cluster"}) == []


def test_a_killed_proxy_comes_back(stack: Deployment) -> None:
    kill(stack, "proxy")
    until(lambda: _answers(stack))


def _answers(stack: Deployment) -> bool:
    try:
        return asked(stack, "rest", "/v1/config", headers=bearer(secret(stack, "rest-token"))).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.matrix
def test_a_certificate_of_the_users_is_served_and_renewed(stack: Deployment) -> None:
    """And the stack's own after it again. The ports for SeaweedFS's own parts keep another authority."""
    folder, names = stack.folder, "DNS:localhost,IP:127.0.0.1"
    authority(folder, "root")
    server(folder, "root", names)
    with kept(stack.file):
        files = {"certificate": "server.pem", "key": "key.pem", "authority": "root.pem"}
        stack.change("stacks", "local", "secure", to=files)
        stack.deploy()
        assert {_served(stack, port) for port in PORTS} == {_theirs(folder)}
        with pytest.raises(ssl.SSLError):
            _served(stack, "seaweedfs-master")
        for engine in ("trino", "spark"):
            stack.lakehouse("sql", "--engine", engine, "-e", f"SELECT count(*) FROM {ORDERS}")
        assert stack.planned() == set()
        server(folder, "root", names)
        before = _pids(stack)
        assert "seaweedfs-certificate" in stack.lakehouse("secret", "renew", code=1), "it needs a restart"
        for port in PORTS[1:]:
            until(lambda port=port: _served(stack, port) == _theirs(folder))  # type: ignore[misc]
        assert _pids(stack) == before
    (folder / "server.pem").unlink()
    stack.deploy()
    _served(stack, "trino")  # the stack's own authority has signed it
    assert stack.planned() == set()
    stack.lakehouse("sql", "-e", f"SELECT count(*) FROM {ORDERS}")


def _theirs(folder: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((folder / "server.pem").read_text())
