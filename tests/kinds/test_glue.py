"""Real Spark and real Trino on the Glue Data Catalog, with moto's server in place of AWS.

Their catalogs are configured by the same functions as in AWS; only addresses and keys are the double's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakehouse import packages
from lakehouse.access.names import names
from lakehouse.aws.endpoints import AwsAddress, for_spark, for_trino
from lakehouse.kinds.engines import spark_cluster
from lakehouse.kinds.engines.trino import trino
from lakehouse.kinds.engines.trino_node import TrinoNode
from lakehouse.kinds.engines.trino_rules import RELEASES
from lakehouse.runtimes.probe import ready
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services import jvm
from lakehouse.spec import Lakehouse, load
from lakehouse.spec.engines import Trino
from lakehouse.spec.values import Size
from lakehouse.text.properties import properties
from tests import moto
from tests.ports import free
from tests.synth.synthesised import AWS, stacks
from tests.unit.lakehouse.services.place import as_text

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

STACK = "clusters"
SESSION = Path(__file__).with_name("glue_session.py")


@dataclass(frozen=True)
class Account:
    """A stack of the example in moto's account, with the tables that the bootstrap made."""

    url: str
    lakehouse: Lakehouse
    state: State

    @property
    def address(self) -> AwsAddress:
        return AwsAddress(self.url, *moto.KEYS)

    @property
    def place(self) -> ProcessPlace:
        return ProcessPlace(self.state, {})


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("glue")
    shutil.copy(AWS, folder / "lakehouse.yaml")
    stack, lakehouse = stacks(AWS)[STACK], load(AWS)
    state = State(folder / "state")
    state.prepare()
    with moto.running() as url:
        moto.deploy(url, stack)
        command = [
            sys.executable,
            "-m",
            "bootstrap",
            "--file",
            str(folder / "lakehouse.yaml"),
            "--stack",
            STACK,
            "apply",
        ]
        subprocess.run(command, env=moto.environment(url, moto.region_of(stack)), check=True, capture_output=True)
        yield Account(url, lakehouse, state)


@pytest.fixture(scope="module")
def seen(account: Account) -> dict[str, Any]:
    """The results of the reference system's sessions, on a Spark that runs in one process."""
    cluster = spark_cluster.cluster(account.lakehouse)
    packages.set_up([each for each in cluster.packages if "connect" not in each], [cluster.java], progress=False)
    place, own = account.place, names(account.lakehouse, STACK, moto.ACCOUNT)
    config = account.state.config("spark")
    config.mkdir(parents=True)
    settings = {
        **for_spark(account.lakehouse, own, account.address),
        "spark.master": "local[2]",
        "spark.driver.extraClassPath": spark_cluster.classpath(place, cluster),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(config / "warehouse"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": "2",
    }
    (config / "spark.conf").write_text(as_text(properties(settings)))
    command = [
        *spark_cluster.java(place, cluster, 700, jvm.QUICK),
        *("org.apache.spark.deploy.SparkSubmit", "--properties-file", str(config / "spark.conf"), str(SESSION)),
    ]
    home = place.package(cluster.packages[0])
    [py4j] = Path(home, "python", "lib").glob("py4j-*.zip")
    environment = {
        **moto.environment(account.url, own.region),
        **dict(spark_cluster.environment(place, cluster, "spark")),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": f"{home}/python:{py4j}",
        "TZ": "UTC",
    }
    done = subprocess.run(command, env=environment, cwd=config, capture_output=True, text=True, check=False)
    reported = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
    assert reported, done.stdout[-3000:] + done.stderr[-5000:]
    found: dict[str, Any] = json.loads(reported[0].removeprefix("SEEN "))
    return found


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("appended", 6),
        ("overwritten", 3),
        ("salaries", [25_000, 31_000, 42_000]),
        ("by snapshot", 6),
        ("by timestamp", 3),
        ("partitions", ["Analyst", "Engineer"]),
        ("databases", ["default", "people", "scratch"]),
        ("tables", ["by_sql", "employees_glue", "employees_partitioned"]),
        ("provider", ["iceberg"]),
        ("departments", [["1", "Research"]]),
    ],
)
def test_the_sessions_of_the_reference_system(seen: dict[str, Any], what: str, expected: object) -> None:
    assert seen[what] == expected


def test_history_is_kept(seen: dict[str, Any]) -> None:
    assert seen["snapshots"] == seen["history"] >= 4


@pytest.fixture(scope="module")
def connection(account: Account, seen: dict[str, Any]) -> Iterator[Any]:
    """A Trino whose only catalogs are those of the stack, after Spark has written."""
    import trino as client

    engine = account.lakehouse.engines.trino
    assert engine is not None
    line = RELEASES[engine.version]
    own = names(account.lakehouse, STACK, moto.ACCOUNT)
    [port] = free(1)
    place = ProcessPlace(account.state, {"trino": port})
    packages.set_up([f"trino-{engine.version}"], [25], progress=False)
    node = TrinoNode(place, "trino", Trino(memory=Size("900m")), java=25, environment="lakehouse")
    own_catalogs = for_trino(account.lakehouse, own, account.address)
    service = trino(node, s3_switch=line.s3_switch, catalogs=(), further=own_catalogs)
    config = account.state.config(service.name)
    for file in service.files:
        path = config / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(file.text))
    for folder in service.data:
        Path(folder).mkdir(parents=True, exist_ok=True)
    log = account.state.root / "trino.log"
    with log.open("w") as output:
        environment = {**moto.environment(account.url, own.region), **dict(service.environment)}
        process = subprocess.Popen(service.command, env=environment, cwd=config, stdout=output, stderr=output)
        try:
            while not ready(service.probe):
                assert process.poll() is None, log.read_text()[-3000:]
            with client.dbapi.connect(host="127.0.0.1", port=port, user="test") as opened:  # type: ignore[no-untyped-call]
                yield opened
        finally:
            process.terminate()
            process.wait()


def rows(connection: Any, sql: str) -> list[list[Any]]:
    cursor = connection.cursor()
    cursor.execute(sql)
    return [list(row) for row in cursor.fetchall()]


@pytest.mark.matrix
def test_trino_reads_what_spark_wrote(connection: Any) -> None:
    table = "glue_catalog.default.employees_glue"
    assert rows(connection, f"SELECT name, salary FROM {table} ORDER BY name")[0] == ["Alice", 25_000]
    assert rows(connection, "SELECT * FROM glue_catalog.people.departments") == [[1, "Research"]]
    [[snapshots]] = rows(connection, 'SELECT count(*) FROM glue_catalog.default."employees_glue$snapshots"')
    assert snapshots >= 4


@pytest.mark.matrix
def test_trino_writes_what_pyiceberg_reads(connection: Any, account: Account) -> None:
    from pyiceberg.catalog.glue import GlueCatalog

    rows(connection, "INSERT INTO glue_catalog.people.departments VALUES (2, 'Sales')")
    rows(connection, "CREATE TABLE glue_catalog.scratch.by_trino AS SELECT 1 number UNION ALL SELECT 2")
    own = names(account.lakehouse, STACK, moto.ACCOUNT)
    keys = {
        "access-key-id": moto.KEYS[0],
        "secret-access-key": moto.KEYS[1],
        "region": own.region,
        "endpoint": account.url,
    }
    catalog = GlueCatalog("glue", **{f"{part}.{key}": value for part in ("glue", "s3") for key, value in keys.items()})
    found = catalog.load_table("people.departments").scan().to_arrow().to_pylist()
    assert sorted(row["title"] for row in found) == ["Research", "Sales"]
    assert catalog.load_table("scratch.by_trino").scan().to_arrow().num_rows == 2
