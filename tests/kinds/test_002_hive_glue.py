"""lakehouses/002-hive-glue.yaml as its users work with it, and on bad days. docs/replays.md has the session.

Glue is moto's server, a double, which checks the keys of each request. The file has in addition a catalog on a second
metastore, Trino, two buckets, and a principal, which is a user in MinIO. The tests follow one another: each leaves the
lakehouse up and whole for the next one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse import packages
from tests import moto
from tests.attacks.attacked import assert_known
from tests.integration.deployment import ROW, Deployment, a_row, exposed, kept, kill, read, until, up
from tests.integration.findings import behind, doctor, errors, stopped
from tests.integration.listening import further

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

FILE, REGION = "lakehouses/002-hive-glue.yaml", "eu-west-1"  # another region than the store's
SESSION = Path(__file__).with_name("session_002.py")
USER, POLICY = "lakehouse", "glue"
LAKE = {"location": "s3://spark-data/lake", "namespaces": {"silver": {"tables": {"t": {"columns": {"a": "int"}}}}}}
BUCKETS = {
    "spark-data": {"versioning": True, "noncurrent_days": 7},
    "staging": {"expire_days": 7},
    "open-data": {"access": "public-read"},
}
ACCESS = {"roles": {"analyst": {"grants": {"lake.silver": ["read"]}}}, "principals": {"bi": {"roles": ["analyst"]}}}
SPARK = {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m"}


def policy(**statements: str) -> str:
    """A policy with a statement for each effect and action."""
    made = [{"Effect": effect, "Action": action, "Resource": "*"} for effect, action in statements.items()]
    return json.dumps({"Version": "2012-10-17", "Statement": made})


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of Glue's double and the keys of the only user that it accepts."""
    with moto.running() as url:
        iam = moto.client("iam", url, REGION)
        iam.create_user(UserName=USER)
        made = iam.create_access_key(UserName=USER)["AccessKey"]
        iam.put_user_policy(UserName=USER, PolicyName=POLICY, PolicyDocument=policy(Allow="*"))
        requests.post(f"{url}/moto-api/reset-auth", data="0", timeout=5)  # from now on each request is checked
        yield url, {"name": made["AccessKeyId"], "value": made["SecretAccessKey"]}


@pytest.fixture(scope="module")
def on_hive(tmp_path_factory: pytest.TempPathFactory, account: tuple[str, dict[str, str]]) -> Iterator[Deployment]:
    url, keys = account
    entry = {"kind": "glue", "region": REGION, "endpoint": url}
    deployment = Deployment.make(
        tmp_path_factory.mktemp("hive") / "a lakehouse",
        {
            ("catalogs", "lake"): LAKE,
            ("stacks", "local", "catalogs", "lake"): "hive",
            ("stacks", "local", "catalogs", "glue_catalog"): entry,
            ("stacks", "local", "credentials"): "credentials.yaml",
            ("engines", "trino"): {"memory": "800m"},
            ("buckets",): BUCKETS,
            ("access",): ACCESS,
            **{("engines", "spark", key): value for key, value in SPARK.items()},
        },
        source=FILE,
    )
    credentials = deployment.folder / "credentials.yaml"
    credentials.write_text(json.dumps({"glue": keys}))
    credentials.chmod(0o600)
    with up(deployment):
        yield deployment


def spark(on_hive: Deployment, sql: str, code: int = 0) -> str:
    return on_hive.lakehouse("sql", "--engine", "spark", "-e", sql, code=code)


def test_every_engine_reads_what_every_engine_wrote(on_hive: Deployment) -> None:
    assert "checks passed" in on_hive.lakehouse("verify")
    assert on_hive.planned() == set()
    assert errors(doctor(on_hive, code=0)) == set()


def test_nothing_listens_beside_what_the_file_says(on_hive: Deployment) -> None:
    assert not {each for each in further(on_hive) if not each.service.startswith(("spark", "trino"))}
    assert_known(on_hive)


def test_no_process_and_no_log_shows_a_password(on_hive: Deployment) -> None:
    assert exposed(on_hive) == []


def test_the_buckets_of_minio_are_as_the_file_says(on_hive: Deployment) -> None:
    s3 = client(store(on_hive.local))
    assert s3.get_bucket_versioning(Bucket="spark-data")["Status"] == "Enabled"
    for bucket, days in (("spark-data", {"NoncurrentDays": 7}), ("staging", {"Days": 7})):
        (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert days in (rule.get("NoncurrentVersionExpiration"), rule.get("Expiration"))
    assert "LakehousePublicRead" in s3.get_bucket_policy(Bucket="open-data")["Policy"]


def test_the_probe_of_minio_agrees_with_the_matrix(on_hive: Deployment) -> None:
    assert "STS AssumeRole" in on_hive.lakehouse("store", "probe")


def test_principals_become_users_of_minio(on_hive: Deployment) -> None:
    assert "Every user matches the file." in on_hive.lakehouse("store", "users"), "the deploy made them"
    with kept(on_hive.file):
        on_hive.change("access", "principals", to={})
        assert "~ user employees-bi" in on_hive.lakehouse("store", "users", code=2)
        assert "1 users changed." in on_hive.lakehouse("store", "users", "--apply")
    assert "1 users changed." in on_hive.lakehouse("store", "users", "--apply")
    assert "Every user matches the file." in on_hive.lakehouse("store", "users")


def test_the_addresses_of_minio_are_listed(on_hive: Deployment) -> None:
    shown = on_hive.lakehouse("endpoints")
    for name in ("minio", "minio-console"):
        assert f"http://127.0.0.1:{on_hive.port(name)}" in shown


def test_rows_outlive_a_restart_of_minio(on_hive: Deployment) -> None:
    on_hive.trino("CREATE TABLE lake.silver.kept AS SELECT 7 AS a")
    on_hive.lakehouse("restart", "minio")
    assert on_hive.trino("SELECT a FROM lake.silver.kept") == [[7]]
    assert Path(on_hive.local.state.data("minio")).is_dir()
    on_hive.trino("DROP TABLE lake.silver.kept")


def test_a_column_that_spark_added_is_drift(on_hive: Deployment) -> None:
    tables = ("lake.silver.t", "glue_catalog.default.employees_glue")
    spark(on_hive, "; ".join(f"ALTER TABLE {table} ADD COLUMN surprise bigint" for table in tables))
    found = on_hive.lakehouse("drift", code=2)
    assert all(f"column {table}.surprise" in found for table in tables)
    spark(on_hive, "; ".join(f"ALTER TABLE {table} DROP COLUMN surprise" for table in tables))
    on_hive.lakehouse("drift", code=0)


def test_spark_reads_a_view_of_the_file_and_what_it_does_to_it_is_drift(on_hive: Deployment) -> None:
    loud = {"sql": {"spark": "SELECT upper(word) AS word FROM bad_days"}, "columns": {"word": "string"}}
    count = {"sql": {"spark": "SELECT count(*) AS n FROM loud"}, "columns": {"n": {"type": "long", "doc": "rows"}}}
    key = {"deletable": True}
    views = {"loud": {**loud, **key}, "counted": {**count, **key}}
    with a_row(on_hive), kept(on_hive.file):
        on_hive.change("catalogs", "lake", "namespaces", "silver", "views", to=views)
        on_hive.lakehouse("apply")
        assert "HERE BEFORE" in spark(on_hive, "SELECT word FROM lake.silver.loud, lake.silver.counted")
        spark(on_hive, "CREATE OR REPLACE VIEW lake.silver.counted AS SELECT 7L AS n")
        assert "+ sql spark: SELECT 7L AS n" in on_hive.lakehouse("drift", code=2)
        on_hive.lakehouse("apply")
        assert "view" not in on_hive.lakehouse("drift", code=2)  # the table of a_row is not in the file
        assert "7" not in spark(on_hive, "SELECT n FROM lake.silver.counted")
    on_hive.lakehouse("apply", "--allow-destroy")
    assert spark(on_hive, "SHOW VIEWS IN lake.silver").count("loud") == 0


def test_spark_finds_its_own_catalog_without_a_prefix(on_hive: Deployment) -> None:
    use = "USE spark_catalog.default; CREATE TABLE made USING iceberg AS SELECT 2 AS b; SELECT name"
    spark(on_hive, f"{use} FROM employees_iceberg")
    assert on_hive.trino("SELECT b FROM spark_catalog.default.made") == [[2]]
    spark(on_hive, "DROP TABLE spark_catalog.default.made")


def beeline(on_hive: Deployment, sql: str) -> str:
    """What Hive's own client prints for statements that it sends to the address of the guide."""
    java, jars = packages.java(21), packages.location("spark-4.0")
    address = f"jdbc:hive2://localhost:{on_hive.port('spark-thrift')}"
    command = ("-cp", f"{jars}/jars/*", "org.apache.hive.beeline.BeeLine", "-u", address, "-e", sql)
    return on_hive.run(str(java), *command)


def test_beeline_writes_and_reads(on_hive: Deployment) -> None:
    sql = "CREATE TABLE lake.silver.by_jdbc AS SELECT 41 + 1 AS answer; SELECT answer FROM lake.silver.by_jdbc"
    shown = beeline(on_hive, f"{sql}; SHOW TABLES IN glue_catalog.default")
    assert "| 42 " in shown
    assert "employees_glue" in shown
    assert on_hive.trino("SELECT answer FROM lake.silver.by_jdbc") == [[42]]
    on_hive.trino("DROP TABLE lake.silver.by_jdbc")


def test_killed_servers_come_back_with_all_they_had(on_hive: Deployment) -> None:
    with a_row(on_hive):
        for name in ("hive", "postgres", "hive-lake"):
            kill(on_hive, name)
        until(lambda: "No error" in on_hive.lakehouse("doctor", code=None))
        assert read(on_hive) == ROW
        on_hive.trino("INSERT INTO lake.silver.bad_days VALUES 'after'")
        assert "No changes." in on_hive.lakehouse("plan")


# test_rest.py stops PostgreSQL too.
@pytest.mark.parametrize("service", ["hive", pytest.param("postgres", marks=pytest.mark.matrix)])
def test_doctor_names_what_is_stopped(on_hive: Deployment, service: str) -> None:
    with stopped(on_hive, service):
        found = doctor(on_hive, code=1)
    assert errors(found) == {f"service {service}"}
    assert found[f"service {service}"]["fix"] == "`lakehouse deploy`"
    assert "trino: spark_catalog" in behind(found, f"service {service}")


@contextmanager
def small_disk(stack: Deployment) -> Iterator[None]:
    """PostgreSQL's folder is on a separate small disk."""
    folder, beside = stack.local.state.data("postgres"), stack.folder / "beside"
    with stopped(stack, "postgres"):
        shutil.move(folder, beside)
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            folder.rmdir()
            shutil.move(beside, folder)
            pytest.skip("this user may not mount a disk")
        shutil.copytree(beside, folder, dirs_exist_ok=True)
    try:
        yield
    finally:
        with stopped(stack, "postgres"):
            subprocess.run(["umount", str(folder)], check=True)
            folder.rmdir()
            shutil.move(beside, folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_small_disk_of_postgresql(on_hive: Deployment) -> None:
    with small_disk(on_hive):
        found = doctor(on_hive, code=1)
    assert errors(found) == {"disk"}
    assert f"{on_hive.local.state.data('postgres')} has " in found["disk"]["found"]
    assert errors(doctor(on_hive, code=0)) == set()


def test_doctor_names_the_store_that_is_stopped(on_hive: Deployment) -> None:
    with stopped(on_hive, "minio"):
        found = doctor(on_hive, code=1)
    assert errors(found) == {"service minio"}
    assert found["service minio"]["fix"] == "`lakehouse deploy`"
    assert {"store", "keys", "buckets"} <= behind(found, "service minio")


def test_doctor_names_a_table_that_somebody_dropped(on_hive: Deployment) -> None:
    on_hive.trino("DROP TABLE lake.silver.t")
    found = doctor(on_hive, code=0)
    on_hive.lakehouse("apply")
    assert found["contents"]["severity"] == "warning"
    assert "1 to create" in found["contents"]["found"]
    assert "`lakehouse apply`" in found["contents"]["fix"]
    assert on_hive.trino("SELECT * FROM lake.silver.t") == []


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


def test_doctor_names_what_keeps_it_from_glue(on_hive: Deployment, account: tuple[str, dict[str, str]]) -> None:
    url, keys = account
    iam = boto3.Session(keys["name"], keys["value"], region_name=REGION).client("iam", endpoint_url=url)
    iam.put_user_policy(UserName=USER, PolicyName=POLICY, PolicyDocument=policy(Allow="*", Deny="glue:GetDatabases"))
    try:
        found = doctor(on_hive, code=1)
    finally:
        iam.put_user_policy(UserName=USER, PolicyName=POLICY, PolicyDocument=policy(Allow="*"))
    assert errors(found) == {"catalog glue_catalog"}
    assert "glue:GetDatabases" in found["catalog glue_catalog"]["found"]
    assert "trino: glue_catalog" in behind(found, "catalog glue_catalog")

    before = on_hive.change("stacks", "local", "catalogs", "glue_catalog", "endpoint", to="http://127.0.0.1:1")
    try:
        found = doctor(on_hive, code=1)
    finally:
        on_hive.file.write_text(before)
    assert "http://127.0.0.1:1 does not answer" in found["catalog glue_catalog"]["found"]
    assert "correct `endpoint` or `region`" in found["catalog glue_catalog"]["fix"]


#: The SQL of the guide that runs as it is written there, and a part of what each prints.
AS_WRITTEN = {
    "SHOW CATALOGS": "glue_catalog",
    "SHOW TABLES IN spark_catalog.default": "employees_partitioned",
    "SHOW TABLES IN glue_catalog.default": "employees_glue",
    "SELECT * FROM spark_catalog.default.employees_iceberg.snapshots": "append",
    "SELECT * FROM spark_catalog.default.employees_iceberg.history": "is_current_ancestor",
    "DESCRIBE EXTENDED spark_catalog.default.employees_iceberg": "s3://spark-data/iceberg-warehouse/default",
    "SHOW DATABASES IN glue_catalog": "default",
    "DESCRIBE EXTENDED glue_catalog.default.employees_glue": "s3://spark-data/glue-warehouse/default",
}
CREATED = """CREATE TABLE spark_catalog.default.employees_iceberg (
    name STRING,
    age INT,
    role STRING,
    hire_date DATE
) USING iceberg"""
INTO = "INSERT INTO spark_catalog.default.employees_iceberg VALUES ('Alice', 25, 'Engineer', "
AS_OF = "SELECT * FROM spark_catalog.default.employees_iceberg TIMESTAMP AS OF "


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (CREATED, "already exists"),
        (f"{INTO}'2024-01-01')", "CANNOT_SAFELY_CAST"),
        (f"{AS_OF}'2024-01-01 10:00:00'", "Cannot find a snapshot older than 2024-01-01"),
    ],
)
def test_sql_of_the_guide_that_does_not_run(on_hive: Deployment, sql: str, said: str) -> None:
    assert said in spark(on_hive, sql, code=1)


def test_sql_of_the_guide_that_runs(on_hive: Deployment) -> None:
    table = "spark_catalog.default.employees_iceberg"
    changed = [
        CREATED.replace("employees_iceberg", "by_sql"),
        f"{INTO}DATE '2024-01-01')",
        f"{AS_OF}now()",
        f"ALTER TABLE {table} ADD COLUMNS (salary INT)",
    ]
    shown = spark(on_hive, ";\n".join([*changed, *AS_WRITTEN]))
    assert [part for part in AS_WRITTEN.values() if part not in shown] == []
    assert "Alice" in shown
    spark(on_hive, f"DROP TABLE spark_catalog.default.by_sql; ALTER TABLE {table} DROP COLUMN salary")


@pytest.fixture(scope="module")
def seen(on_hive: Deployment) -> dict[str, Any]:
    """The results of the guide's Python, run by the client of Spark 4.0."""
    home = packages.location("spark-4.0") / "python"
    path = ":".join(map(str, (home, *home.glob("lib/py4j-*.zip"))))
    address = f"sc://localhost:{on_hive.port('spark-connect')}"
    shown = on_hive.run("env", f"PYTHONPATH={path}", sys.executable, str(SESSION), address)
    found: dict[str, Any] = json.loads(shown.partition("SEEN ")[2].partition("\n")[0])
    return found


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("appended", 6),
        ("overwrite() as written", "missing 1 required positional argument: 'condition'"),
        ("overwritten", 3),
        ("salary as written", "TOO_MANY_DATA_COLUMNS"),
        ("salaries", [25_000, 31_000, 42_000]),
        ("as-of-timestamp as written", 'For input string: "2024-01-01 10:00:00"'),
        ("as-of-timestamp", 6),
        ("timestampAsOf", 6),
        ("snapshot-id", 6),
        ("versionAsOf", 6),
        ("year as written", "PARSE_SYNTAX_ERROR"),
        ("partitions", ["Analyst", "Engineer"]),
        ("ages", [25, 42, 99]),
        ("in glue", 6),
        ("GlueCatalog as written", "CatalogPlugin"),
        ("from Parquet", 3),
        ("from Delta", 3),
        ("described", ["iceberg", "s3://spark-data/iceberg-warehouse/default/employees_iceberg"]),
        ("databases", ["default"]),
        ("tables", ["employees_glue"]),
        ("described in glue", ["iceberg", "s3://spark-data/glue-warehouse/default/employees_glue"]),
    ],
)
def test_python_of_the_guide(seen: dict[str, Any], what: str, expected: object) -> None:
    found = seen[what]
    assert expected in found if isinstance(expected, str) else found == expected


def test_python_of_the_guide_leaves_what_every_client_reads(seen: dict[str, Any], on_hive: Deployment) -> None:
    assert min(seen["snapshots"], seen["history"]) >= 4
    for table in ("spark_catalog.default.employees_partitioned", "glue_catalog.default.employees_glue"):
        assert on_hive.trino(f"SELECT DISTINCT name FROM {table} WHERE role = 'Analyst'") == [["Bob"]]
    assert "No changes." in on_hive.lakehouse("plan")
