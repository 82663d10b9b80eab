"""lakehouses/001-nessie-minio.yaml as its users work with it: start, look, query, maintain, stop, reset."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
import requests

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.locate import locate
from lakehouse.spec import load
from tests.containers.conftest import remains, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import PROJECT, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FILE = "lakehouses/001-nessie-minio.yaml"
NAMES = {"minio", "nessie", "spark-master", "spark-worker-1", "spark-connect", "trino"}
TABLE = "iceberg.bronze.minute_aggs"


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The file as it is, except for ports, the containers' names (others may use them here) and a smaller driver."""
    deployment = Deployment.make(
        tmp_path_factory.mktemp("001") / "lakehouse",
        {
            ("name",): f"it-001-{os.getpid()}",
            ("stacks", "local", "container_prefix"): PREFIX,
            ("engines", "spark", "driver_memory"): "1g",
        },
        source=FILE,
    )
    (deployment.folder / "massive.credentials").write_text(
        "[default]\naws_access_key_id = me\naws_secret_access_key = secret\n"
    )
    yield from up(deployment, engine)


PREFIX = f"it{os.getpid()}-"


def trino(sql: str) -> str:
    """A statement in Trino's own shell, in its container."""
    done = subprocess.run(
        ["docker", "exec", "-i", f"{PREFIX}trino", "trino"],
        input=f"{sql};\n", capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip
    assert "failed:" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout


def spark(deployment: Deployment, sql: str) -> list[dict[str, object]]:
    printed = deployment.lakehouse("sql", "--engine", "spark", "--format", "json", "-e", sql)
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def test_what_listens_is_declared_and_published_on_the_loopback_address(
    stack: Deployment, engine: DockerEngine
) -> None:
    assert_declared(stack, engine)


def test_without_a_prefix_containers_are_called_as_their_services() -> None:
    path = PROJECT / FILE
    local = locate(load(path), "local", path)
    assert isinstance(local.runtime, Containers)
    assert {each.name for each in local.runtime.containers} == NAMES
    wanted = {"minio": 9000, "minio-console": 9001, "nessie": 19120, "spark-connect": 15002}
    wanted |= {"spark-master-ui": 8080, "trino": 8085}
    assert wanted.items() <= local.ports.items()


def test_the_commands_of_the_page(stack: Deployment) -> None:
    """The fixture runs `deploy`; another test runs `docker exec -it trino trino`."""
    blocks = re.findall(
        r"^```console\n(.*?)^```$", (PROJECT / "docs" / "containers.md").read_text(), re.DOTALL | re.MULTILINE
    )
    [block] = (each for each in blocks if FILE in each)
    assert [line.removeprefix("$ ") for line in block.splitlines()] == [
        f"export LAKEHOUSE_FILE={FILE}",
        "make images providers deploy",
        "source .venv/bin/activate",
        "docker exec -it trino trino",
        "lakehouse verify",
    ]
    stack.run("env", f"LAKEHOUSE_FILE={FILE}", "make", "-C", str(PROJECT), "images", "providers")
    assert "All 13 checks passed" in stack.lakehouse("verify")


def test_every_container_is_healthy(stack: Deployment) -> None:
    assert sick(stack) == []
    assert set(runtime(stack).processes()) == NAMES


@pytest.mark.parametrize(
    ("port", "path", "word"),
    [
        ("minio-console", "/", "MinIO"),
        ("spark-master-ui", "/", "Spark Master"),
        ("trino", "/ui/login.html", "Trino"),
        ("nessie", "/api/v2/config", "defaultBranch"),
    ],
)
def test_user_interfaces_answer(stack: Deployment, port: str, path: str, word: str) -> None:
    answer = requests.get(f"http://127.0.0.1:{stack.port(port)}{path}", timeout=30)
    assert answer.ok
    assert word in answer.text


def test_bars_from_bronze_to_silver(stack: Deployment) -> None:
    stack.lakehouse("generate", "--rows", "10000", "--replace")
    (count,) = spark(stack, "SELECT count(*) AS bars FROM iceberg.silver.minute_aggs")
    assert int(str(count["bars"])) > 9000


def test_a_session_in_trinos_shell(stack: Deployment) -> None:
    out = trino(f"SELECT COUNT(*) FROM {TABLE} WHERE date = '2026-01-14'")
    assert int(re.sub(r"\D", "", out)) == 5000
    out = trino("USE iceberg.bronze; SELECT ticker, AVG(close) FROM minute_aggs GROUP BY ticker LIMIT 10")
    assert len(re.findall(r'^"[A-Z]+","[\d.E]+"$', out, re.M)) == 10


def test_a_pyspark_client_connects(stack: Deployment) -> None:
    from bootstrap.session.clients import spark_session

    session = spark_session(f"sc://localhost:{stack.port('spark-connect')}")
    try:
        frame = session.table(TABLE)
        assert frame.filter("date = '2026-01-14'").count() == 5000
    finally:
        session.stop()


def test_history_compaction_and_expiry(stack: Deployment) -> None:
    stack.trino(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} LIMIT 3")
    assert len(stack.trino('SELECT * FROM iceberg.bronze."minute_aggs$history"')) >= 2
    snapshots = len(stack.trino('SELECT * FROM iceberg.bronze."minute_aggs$snapshots"'))
    assert snapshots >= 2
    until = "older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1"
    printed = spark(
        stack,
        "CALL iceberg.system.rewrite_data_files('bronze.minute_aggs');"
        "CALL iceberg.system.expire_snapshots('bronze.minute_aggs', TIMESTAMP '2026-01-01');"
        f"SELECT count(*) AS young FROM {TABLE}.snapshots;"
        f"CALL iceberg.system.expire_snapshots(table => 'bronze.minute_aggs', {until});"
        f"SELECT count(*) AS bars FROM {TABLE}",
    )
    of = {name: value for row in printed for name, value in row.items()}
    assert "rewritten_data_files_count" in of
    assert int(str(of["young"])) >= snapshots, "none is as old as that date"
    assert "deleted_data_files_count" in of
    assert of["bars"] == 10003
    assert len(stack.trino('SELECT * FROM iceberg.bronze."minute_aggs$snapshots"')) == 1


def test_the_layout_in_the_store(stack: Deployment) -> None:
    found = client(store(stack.local)).get_paginator("list_objects_v2").paginate(Bucket="warehouse")
    keys = [each["Key"] for page in found for each in page.get("Contents", ())]
    for layer in ("bronze", "silver"):
        table = f"iceberg/{layer}/minute_aggs"
        assert [key for key in keys if key.startswith(f"{table}/metadata/")]
        assert [key for key in keys if re.match(rf"{table}/data/date=2026-01-1\d/[^/]+\.parquet$", key)]


def test_a_source_with_an_endpoint_and_credentials_of_its_own(stack: Deployment) -> None:
    """The stack's own store stands in for a foreign one; only the file's entry of the source leads to it."""
    own = store(stack.local)
    s3 = client(own)
    s3.create_bucket(Bucket="flatfiles")
    s3.put_object(Bucket="flatfiles", Key="2026/day.csv", Body=b"id,word\n1,a\n2,b\n")
    before = stack.change("sources", "flatfiles", "endpoint", to=own.endpoint)
    keys = f"[default]\naws_access_key_id = {own.access_key}\naws_secret_access_key = {own.secret_key}\n"
    (stack.folder / "massive.credentials").write_text(keys)
    spark(stack, "CREATE TABLE iceberg.bronze.flat (id bigint, word string) USING iceberg")
    ingest = ("ingest", "s3://flatfiles/2026", "--into", "iceberg.bronze.flat")
    assert "2 rows from 1 files appended." in stack.lakehouse(*ingest)
    assert "0 rows from 0 files appended; 1 loaded before." in stack.lakehouse(*ingest)
    assert [row["id"] for row in spark(stack, "SELECT id FROM iceberg.bronze.flat ORDER BY id")] == [1, 2]
    stack.file.write_text(before)


def test_stop_and_start_keep_the_data(stack: Deployment) -> None:
    stack.destroy()
    assert runtime(stack).processes() == {}
    stack.deploy()
    assert sick(stack) == []
    assert stack.trino(f"SELECT COUNT(*) FROM {TABLE}") == [[10003]]


def test_a_full_reset_leaves_nothing(stack: Deployment, engine: DockerEngine) -> None:
    """The fixture tests a deploy from nothing."""
    stack.destroy()
    stack.lakehouse("destroy", "--data", "--yes")
    assert remains(stack, engine) == []
    assert not stack.local.state.root.exists()
