"""The lakehouse on Hive Metastore, as processes: deployed, verified, by Spark's own catalog and JDBC, killed, gone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import psutil
import pytest

from lakehouse import packages
from lakehouse.runtimes import processes
from lakehouse.spec import load, ports
from tests.integration.deployment import ROW, Deployment, a_row, kept, read, until
from tests.integration.listening import further
from tests.integration.test_doctor import behind, doctor, errors, stopped
from tests.ports import free

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

SPARK = {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m", "thrift": True}
SESSION = {"location": "s3://warehouse/session", "namespaces": {"own": {"tables": {"t": {"columns": {"a": "int"}}}}}}


@pytest.fixture(scope="module")
def on_hive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment.make(tmp_path_factory.mktemp("hive") / "a lakehouse")
    changes = {
        ("catalogs", "spark_catalog"): SESSION,
        ("stacks", "local", "catalogs"): {"lake": "hive", "spark_catalog": "hive"},
        ("stacks", "local", "ports"): {},
        ("engines",): {"spark": SPARK, "trino": {"memory": "800m"}},
    }
    deployment.edit(deployment.file.read_text(), changes)
    names = list(ports(load(deployment.file), "local"))
    deployment.change("stacks", "local", "ports", to=dict(zip(names, free(len(names)), strict=True)))
    deployment.fetch()
    try:
        deployment.deploy()
        yield deployment
    finally:
        deployment.cdktf("destroy", "local", "--auto-approve", code=None)
        left = list(processes.belonging(deployment.local.state))
        processes.end(left)
        assert not left, "destroy leaves no process"


def test_every_engine_reads_what_every_engine_wrote(on_hive: Deployment) -> None:
    assert "checks passed" in on_hive.lakehouse("verify")
    assert on_hive.planned() == set()
    assert errors(doctor(on_hive, code=0)) == set()


def test_nothing_listens_beside_what_the_file_says(on_hive: Deployment) -> None:
    assert not {each for each in further(on_hive) if not each.service.startswith(("spark", "trino"))}


def test_no_process_and_no_log_shows_a_password(on_hive: Deployment) -> None:
    state = on_hive.local.state
    secrets = {path.read_text() for path in (state.root / "secrets").iterdir() if path.is_file()}
    texts = [path.read_text() for path in (state.root / "logs").iterdir()]
    texts += [path.read_text() for path in on_hive.folder.glob("terraform.*.tfstate*")]
    texts += [path.read_text() for path in (on_hive.folder / "cdktf.out").rglob("*.json")]
    texts += [" ".join([*each.cmdline(), *each.environ().values()]) for each in processes.belonging(state)]
    assert len(secrets) > 3
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_column_that_spark_added_is_drift(on_hive: Deployment) -> None:
    table = "lake.silver.minute_aggs"
    on_hive.lakehouse("sql", "--engine", "spark", "-e", f"ALTER TABLE {table} ADD COLUMN surprise bigint")
    assert f"column {table}.surprise" in on_hive.lakehouse("drift", code=2)
    on_hive.lakehouse("sql", "--engine", "spark", "-e", f"ALTER TABLE {table} DROP COLUMN surprise")
    on_hive.lakehouse("drift", code=0)


def test_spark_finds_its_own_catalog_without_a_prefix(on_hive: Deployment) -> None:
    statements = "USE spark_catalog.own; INSERT INTO t VALUES (1); CREATE TABLE made USING iceberg AS SELECT 2 AS b"
    on_hive.lakehouse("sql", "--engine", "spark", "-e", f"{statements}; SELECT a FROM t")
    assert on_hive.trino("SELECT b FROM spark_catalog.own.made") == [[2]]
    on_hive.lakehouse("sql", "--engine", "spark", "-e", "DROP TABLE spark_catalog.own.made")


def test_beeline_writes_and_reads(on_hive: Deployment) -> None:
    java, spark = packages.java(21), packages.location("spark-4.1")
    sql = "CREATE TABLE lake.silver.by_jdbc AS SELECT 41 + 1 AS answer; SELECT answer FROM lake.silver.by_jdbc"
    address = f"jdbc:hive2://localhost:{on_hive.port('spark-thrift')}"
    beeline = ("-cp", f"{spark}/jars/*", "org.apache.hive.beeline.BeeLine", "-u", address, "-n", "somebody", "-e", sql)
    assert "| 42 " in on_hive.run(str(java), *beeline)
    assert on_hive.trino("SELECT answer FROM lake.silver.by_jdbc") == [[42]]
    on_hive.trino("DROP TABLE lake.silver.by_jdbc")


def kill_and_wait(deployment: Deployment, name: str) -> None:
    """Kill a service with all its processes, and wait until it has another one."""
    before = deployment.local.runtime.processes()[name].pid
    for each in (psutil.Process(before), *psutil.Process(before).children(recursive=True)):
        each.kill()
    until(lambda: deployment.local.runtime.processes()[name].pid not in (0, before))


def test_killed_servers_come_back_with_all_they_had(on_hive: Deployment) -> None:
    with a_row(on_hive):
        for name in ("hive", "postgres", "hive-spark_catalog"):
            kill_and_wait(on_hive, name)
        until(lambda: "No error" in on_hive.lakehouse("doctor", code=None))
        assert read(on_hive) == ROW
        on_hive.trino("INSERT INTO lake.silver.bad_days VALUES 'after'")
        assert "No changes." in on_hive.lakehouse("plan")


@pytest.mark.parametrize("service", ["hive", "postgres"])
def test_doctor_names_what_is_stopped(on_hive: Deployment, service: str) -> None:
    with stopped(on_hive, service):
        found = doctor(on_hive, code=1)
    assert errors(found) == {f"service {service}"}
    assert found[f"service {service}"]["fix"] == "`cdktf deploy local`"
    assert "trino: lake" in behind(found, "service hive" if service == "hive" else f"service {service}")


def test_doctor_names_a_password_that_the_database_refuses(on_hive: Deployment) -> None:
    site = on_hive.local.state.config("hive") / "metastore-site.xml"
    secret = (on_hive.local.state.root / "secrets" / "postgres-hive").read_text().strip()
    with kept(site) as right:
        site.write_text(right.replace(secret, "0" * 40))
        os.kill(on_hive.local.runtime.processes()["hive"].pid, 9)
        until(lambda: "password authentication failed" in json.dumps(doctor(on_hive, code=1)["service hive"]))
        found = doctor(on_hive, code=1)
    assert errors(found) == {"secrets", "service hive"}, "its file has another password than the state folder"
    on_hive.lakehouse("restart", "hive")
    assert errors(doctor(on_hive, code=0)) == set()
