"""`lakehouse doctor` on a running lakehouse: faults are made, and exactly these are named, each with its fix.

Faults that do not hide each other are made at once, by a fixture, and a test looks at what was found of each.
Everything is left as it was.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trino
from trino.exceptions import TrinoQueryError

from bootstrap.doctor import run
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse.runtimes.process.supervisor import Supervisor
from tests.integration.deployment import BIN, Deployment, kept, until
from tests.integration.findings import Findings, behind, doctor, errors, stopped

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", autouse=True)
def as_it_was(deployed: Deployment) -> Iterator[None]:
    """Nothing is wrong after the last test."""
    yield
    assert errors(doctor(deployed, code=0)) == set()
    assert deployed.planned() == set()


def test_a_lakehouse_that_is_well(deployed: Deployment) -> None:
    shown = deployed.lakehouse("doctor")
    words = {line[:22].strip(): line[22:].split()[0] for line in shown.splitlines() if len(line) > 22}
    services = {f"service {each.name}" for each in deployed.local.services}
    assert services | {"store", "clock", "keys", "buckets", "catalog lake", "trino: lake", "tables"} <= words.keys()
    assert "ERROR" not in words.values()
    assert "No error in stack local" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("service", ["nessie", "spark-master"])
def test_a_stopped_service(deployed: Deployment, service: str) -> None:
    with stopped(deployed, service):
        found = doctor(deployed, code=1)
    assert errors(found) == {f"service {service}"}
    assert found[f"service {service}"]["fix"] == "`lakehouse deploy`"
    follows = {"nessie": "catalog lake", "spark-master": "service spark-worker-1"}[service]
    assert follows in behind(found, f"service {service}")


def test_a_store_that_is_down_is_the_one_cause(deployed: Deployment) -> None:
    with stopped(deployed, "s3proxy"):
        found = doctor(deployed, code=1)
    assert errors(found) == {"service s3proxy"}
    assert {"store", "clock", "keys", "buckets", "catalog lake", "tables"} <= behind(found, "service s3proxy")


def test_a_port_that_a_stranger_took(deployed: Deployment) -> None:
    number = deployed.port("nessie")
    with stopped(deployed, "nessie"), socket.create_server(("127.0.0.1", number)):
        found = doctor(deployed, code=1)
    assert errors(found) == {"ports"}
    assert f"port {number} (nessie) is taken by" in found["ports"]["found"]
    assert f"`kill {os.getpid()}`" in found["ports"]["fix"]
    assert {"service nessie", "catalog lake", "trino: lake", "tables"} <= behind(found, "ports")


def once_known(deployed: Deployment, service: str, logged: str, cause: str) -> Findings:
    """The findings once the service's log has the reason, and doctor the cause."""
    log = deployed.local.state.log(service)
    until(lambda: re.search(logged, log.read_text(errors="replace")) is not None, 300)
    found: Findings = {}

    def known() -> bool:
        nonlocal found
        found = doctor(deployed, code=1)
        return cause in found[f"service {service}"]["cause"]

    until(known, 300)
    return found


def test_an_engine_that_does_not_get_ready_says_why_in_its_log(deployed: Deployment) -> None:
    supervisor, config = Supervisor(deployed.local.state), deployed.local.state.config("trino") / "config.properties"
    with stopped(deployed, "trino"), kept(config) as right:
        config.write_text(f"{right}no.such.property=1\n")
        supervisor.add(next(each for each in deployed.local.services if each.name == "trino"))
        found = once_known(deployed, "trino", "was not used|Configuration errors:", "does not know a property")
        supervisor.remove("trino")
    assert errors(found) == {"service trino"}
    assert "no.such.property" in found["service trino"]["cause"]
    assert "lakehouse.yaml" in found["service trino"]["fix"]


def test_a_service_without_memory(deployed: Deployment) -> None:
    supervisor = Supervisor(deployed.local.state)
    with stopped(deployed, "nessie"):
        service = next(each for each in deployed.local.services if each.name == "nessie")
        program, *options = (word for word in service.command if not word.startswith(("-Xms", "-Xmx")))
        supervisor.add(replace(service, command=(program, "-Xmx16m", *options)))
        found = once_known(
            deployed, "nessie", "OutOfMemoryError|Too small maximum heap|larger Java heap", "memory is too small"
        )
        supervisor.remove("nessie")
    assert errors(found) == {"service nessie"}
    assert "Its log: " in found["service nessie"]["cause"]
    assert "more `memory`" in found["service nessie"]["fix"]


@contextmanager
def other_in_trino(deployed: Deployment, other: Mapping[str, str]) -> Iterator[None]:
    """Trino's catalog ``lake`` with ``other`` properties, as somebody replaces it by hand."""

    def replaced(properties: Mapping[str, str]) -> None:
        words = ", ".join(f"\"{name}\" = '{each}'" for name, each in properties.items() if name != "connector.name")
        deployed.trino("DROP CATALOG lake")
        deployed.trino(f"CREATE CATALOG lake USING iceberg WITH ({words})")

    with kept(deployed.local.state.config("trino") / "catalog" / "lake.properties") as text:
        right = dict(line.split("=", 1) for line in text.splitlines())
        replaced({**right, **other})
        try:
            yield
        finally:
            replaced(right)


def test_an_engine_with_another_address_of_the_catalog(deployed: Deployment) -> None:
    with other_in_trino(deployed, {"iceberg.nessie-catalog.uri": "http://no-such-host.invalid:19120/api/v2"}):
        found = doctor(deployed, code=1)
    assert errors(found) == {"trino: lake"}
    assert "trino cannot use lake" in found["trino: lake"]["found"]
    assert "`lakehouse restart trino`" in found["trino: lake"]["fix"]


def test_an_engine_with_another_address_of_the_store(deployed: Deployment) -> None:
    """Its catalog answers, so only reading fails."""
    deployed.trino("CREATE TABLE lake.bronze.aaa AS SELECT 1 AS a")
    try:
        wrong = {"s3.endpoint": "http://no-such-host.invalid:9000", "s3.max-error-retries": "1"}  # by itself 20
        with other_in_trino(deployed, wrong):
            found = doctor(deployed, code=1)
    finally:
        deployed.trino("DROP TABLE lake.bronze.aaa")
    assert errors(found) == {"trino reads"}
    assert "trino cannot read lake." in found["trino reads"]["found"]
    assert f"it should use {deployed.local.endpoints.store.internal}" in found["trino reads"]["cause"]


@pytest.fixture(scope="module")
def warned(deployed: Deployment) -> Findings:
    """What was found of many faults, none of which is an error."""
    many = "WITH (partitioning = ARRAY['a']) AS SELECT a FROM UNNEST(sequence(1, 100)) AS n (a)"
    small = {"query_max_memory_per_node": "1kB"}
    address = ("127.0.0.1", deployed.port("trino"), "test")
    groups = (
        "SELECT a, b, count(*) FROM UNNEST(sequence(1, 9000)) AS n (a), UNNEST(sequence(1, 9)) AS m (b) GROUP BY a, b"
    )
    with (
        trino.dbapi.connect(*address, session_properties=small) as connection,  # type: ignore[no-untyped-call]
        pytest.raises(TrinoQueryError, match="memory limit"),
    ):
        connection.cursor().execute(groups).fetchall()
    root = deployed.local.state.root
    variables = {
        "AWS_ENDPOINT_URL": "https://s3.example.com", "AWS_SECRET_ACCESS_KEY": "do-not-show-me",
        "http_proxy": "http://127.0.0.1:1", "no_proxy": "localhost,127.0.0.1",
    }  # fmt: skip
    with kept(deployed.file):
        deployed.trino(f"CREATE TABLE lake.silver.many_files {many}")
        try:
            root.chmod(0o755)
            deployed.change("engines", "trino", "memory", to="900m")
            deployed.change("catalogs", "lake", "namespaces", "gold", to={})
            return doctor(deployed, code=0, **variables)
        finally:
            root.chmod(0o700)
            deployed.trino("DROP TABLE lake.silver.many_files")


def test_a_table_of_many_small_files(warned: Findings) -> None:
    found = warned["table files"]
    assert found["severity"] == "warning"
    assert "lake.silver.many_files has 100 files of 0.0 MiB on average" in found["found"]
    assert "`lakehouse maintain lake.silver.many_files`" in found["fix"]
    assert "compact: {}" in found["fix"]


def test_a_query_that_lacked_memory(warned: Findings) -> None:
    found = warned["trino memory"]
    assert found["severity"] == "warning"
    assert "failed for lack of memory: EXCEEDED_LOCAL_MEMORY_LIMIT" in found["found"]
    assert "`memory` for `trino`" in found["fix"]


def test_a_file_that_was_edited_and_not_deployed(warned: Findings) -> None:
    assert warned["definitions"]["severity"] == warned["contents"]["severity"] == "warning"
    assert "trino run as an earlier file defined them" in warned["definitions"]["found"]
    assert "`lakehouse diff`" in warned["definitions"]["fix"]
    assert "1 to create" in warned["contents"]["found"]


def test_variables_that_mislead_other_clients_are_named_without_their_values(warned: Findings) -> None:
    found = warned["aws variables"]
    assert found["severity"] == "warning"
    assert "AWS_ENDPOINT_URL names s3.example.com" in found["found"]
    assert "AWS_SECRET_ACCESS_KEY" in found["fix"]
    assert "do-not-show-me" not in json.dumps(warned)


def test_a_state_folder_that_is_open_to_others(warned: Findings) -> None:
    assert warned["state folder"]["severity"] == "warning"
    assert "`chmod 700" in warned["state folder"]["fix"]


def test_a_proxy_that_this_machine_is_excepted_from(warned: Findings) -> None:
    assert warned["proxy"]["severity"] == "ok"


def test_keys_that_were_replaced(deployed: Deployment) -> None:
    secrets = deployed.local.state.root / "secrets"
    with kept(secrets / "store-secret-key"):
        (secrets / "store-secret-key").write_text("0" * 40)
        found = doctor(deployed, code=1)
    assert errors(found) == {"keys"}
    assert "refuses" in found["keys"]["found"]
    assert "replaced after s3proxy, nessie" in found["keys"]["cause"]
    assert "`lakehouse destroy`, then `lakehouse deploy`" in found["keys"]["fix"]
    assert {"buckets", "tables", "contents"} <= behind(found, "keys")


def test_removed_keys_are_not_created_again(deployed: Deployment) -> None:
    key = deployed.local.state.root / "secrets" / "store-access-key"
    with kept(key):
        key.unlink()
        found = doctor(deployed, code=1)
        assert not key.exists()
    assert errors(found) == {"keys"}
    assert found["keys"]["found"].startswith("store-access-key missing in ")


def test_a_deleted_bucket_and_its_fix(deployed: Deployment) -> None:
    s3 = client(store(deployed.local))
    for each in s3.list_objects_v2(Bucket="staging").get("Contents", ()):  # at least the owner's mark
        s3.delete_object(Bucket="staging", Key=each["Key"])
    s3.delete_bucket(Bucket="staging")
    try:
        found = doctor(deployed, code=1)
    finally:
        deployed.lakehouse("apply")
    assert errors(found) == {"buckets"}
    assert found["buckets"]["found"] == "missing: staging"
    assert found["buckets"]["fix"].startswith("`lakehouse apply`")
    assert errors(doctor(deployed, code=0)) == set()


def test_locations_that_overlap_in_the_file(deployed: Deployment) -> None:
    with kept(deployed.file):
        deployed.change(
            *("catalogs", "lake", "namespaces", "silver", "tables", "minute_aggs", "location"),
            to="s3://warehouse/lake/bronze/minute_aggs/inside",
        )
        found = doctor(deployed, code=1)
    assert errors(found) == {"file"}
    assert "locations must not overlap" in found["file"]["found"]
    assert "`lakehouse validate`" in found["file"]["fix"]


def test_tables_that_overlap_in_the_catalog(deployed: Deployment) -> None:
    (outer,) = deployed.trino("SHOW CREATE TABLE lake.bronze.minute_aggs")[0]
    location = outer.partition("location = '")[2].partition("'")[0]
    bucket, _, folder = location.removeprefix("s3://").partition("/")
    deployed.trino(f"CREATE TABLE lake.silver.inside (word varchar) WITH (location = '{location}/inside')")
    try:
        found = doctor(deployed, code=1)
    finally:
        deployed.trino("DROP TABLE lake.silver.inside")
        s3 = client(store(deployed.local))
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/inside/").get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
    assert errors(found) == {"tables"}
    assert "lake.silver.inside is in the folder of lake.bronze.minute_aggs" in found["tables"]["found"]
    assert "clean-up" in found["tables"]["fix"]


def test_a_clock_that_is_an_hour_ahead(deployed: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):  # removes the redactor that doctor puts before them
        monkeypatch.setattr(sys, name, getattr(sys, name))
    _, results = run.run(deployed.file, "local", Surroundings({}, lambda: time.time() + 3600))
    found = {each.check: each.finding for each in results}
    assert [name for name, each in found.items() if each.severity == "error"] == ["clock"]
    assert "60 min ahead of the store's" in found["clock"].found
    assert "timedatectl" in found["clock"].fix
    assert found["keys"].found == "not checked until `clock` is fixed"


def test_host_names_that_do_not_resolve(deployed: Deployment) -> None:
    with kept(deployed.file):
        deployed.change(
            "engines", "trino", "catalogs",
            to={"other": {"connector.name": "iceberg", "iceberg.rest-catalog.uri": "http://no-such-host.invalid:8181"}},
        )  # fmt: skip
        found = doctor(deployed, code=1)
        deployed.change("engines", "trino", "catalogs", to={})
        deployed.change("sources", "abroad", "endpoint", to="http://nessie:19120")
        container = doctor(deployed, code=1)
    assert errors(found) == errors(container) == {"hosts"}
    assert "engines.trino.catalogs.other" in found["hosts"]["found"]
    assert "does not resolve on this machine" in found["hosts"]["cause"]
    assert "nessie is a container's name" in container["hosts"]["cause"]
    assert f"http://127.0.0.1:{deployed.port('nessie')}" in container["hosts"]["fix"]


def test_a_proxy_between_client_and_lakehouse(deployed: Deployment, free_port: int) -> None:
    proxy = {"http_proxy": f"http://127.0.0.1:{free_port}", "no_proxy": "", "NO_PROXY": ""}
    behind_it = ("env", *(f"{name}={value}" for name, value in proxy.items()))
    found = doctor(deployed, code=0, **proxy)
    assert found["proxy"]["severity"] == "warning"
    assert "no_proxy" in found["proxy"]["fix"]
    trino = f"import trino; trino.dbapi.connect('127.0.0.1', {deployed.port('trino')}).cursor().execute('SELECT 1')"
    deployed.run(*behind_it, sys.executable, "-c", trino, code=1)  # it does stand between
    for engine in ("trino", "spark"):
        deployed.run(*behind_it, str(BIN / "lakehouse"), "sql", "--engine", engine, "-e", "SELECT 1")


def test_a_terraform_that_is_not_there(deployed: Deployment) -> None:
    found = doctor(deployed, code=1, TERRAFORM_BINARY_NAME="no-such-terraform")
    assert errors(found) == {"terraform"}


def test_a_cache_that_was_emptied(deployed: Deployment, tmp_path: Path) -> None:
    found = doctor(deployed, code=1, XDG_CACHE_HOME=str(tmp_path))
    assert "packages" in errors(found)
    assert errors(found) <= {"packages", "java"}  # a Java of the system may fit
    assert found["packages"]["fix"] == "`make setup`"
