"""lakehouses/000-polaris.yaml as its users work with it, and on bad days. docs/replays.md has the session.

The server is the double, or the one that POLARIS_HOME names. The tests follow one another: each leaves the lakehouse up
and whole for the next one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse import packages
from lakehouse.packages import jvm
from lakehouse.runtimes.processes import is_open
from lakehouse.spec import load
from lakehouse.spec import ports as ports_of
from tests.integration.deployment import PROJECT, Changes, Deployment, exposed, kept, kill, until, up
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

FILE = "lakehouses/000-polaris.yaml"
ROOT = {"name": "root", "value": "s3" + "cr3t"}  # what users of the guide have now
STORE = {"name": "polaris_root", "value": "_".join(("polaris", "pass"))}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The file as processes, with a server, SeaweedFS for RustFS, the guide's credentials, and Trino, its next step."""
    if jvm.find(17) is None and not os.environ.get("CI"):
        pytest.skip("Spark 3.5 needs Java 17, which no package has")
    folder = tmp_path_factory.mktemp("000")
    quick = {"kind": "polaris", "home": str(home(folder)), "warehouse": "quickstart_catalog"}
    changes: Changes = {
        ("stacks", "local"): {
            "runtime": "process",
            "store": "seaweedfs",
            "catalogs": {"quick": quick, "analytics": {"kind": "polaris"}},
            "credentials": "platform.yaml",
        },
        ("engines", "trino"): {"version": "476", "memory": "1g"},
    }
    made = Deployment.make(folder / "a lakehouse", changes, source=FILE)
    chosen = made.folder / "platform.yaml"
    chosen.write_text(json.dumps({"store": STORE, "polaris-root": ROOT}))
    chosen.chmod(0o600)
    with up(made):
        yield made


def spark(deployment: Deployment, statement: str) -> list[dict[str, Any]]:
    said = deployment.lakehouse("sql", "--engine", "spark", "--format", "json", "-e", statement)
    return [json.loads(line) for line in said.splitlines()]


ROW = {"id": 1, "name": "Vijay"}
SESSION = """
SHOW CATALOGS;
SHOW NAMESPACES IN quick;
CREATE NAMESPACE quick.sales;
CREATE TABLE quick.sales.orders (
  id INT,
  name STRING
);
INSERT INTO quick.sales.orders VALUES (1, 'Vijay');
SHOW NAMESPACES IN quick;
SELECT * FROM quick.sales.orders;
SELECT * FROM quick.sales.orders.snapshots;
"""


def test_the_file_has_the_ports_of_the_guide() -> None:
    wanted = {"polaris": 8181, "rustfs": 9000, "spark-master": 7077, "spark-master-ui": 8080}
    assert wanted.items() <= ports_of(load(PROJECT / FILE), "local").items()


def test_a_session_in_spark_sql(deployment: Deployment, tmp_path: Path) -> None:
    """The guide's command line with other addresses, and with the jars of the lakehouse for its ``--packages``."""
    jars = ("iceberg-spark-runtime-3.5", "iceberg-aws-bundle-1.12.0")
    server, files = (f"http://localhost:{deployment.port(name)}" for name in ("polaris", "seaweedfs"))
    catalog = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".warehouse": "quickstart_catalog",
        ".uri": f"{server}/api/catalog",
        ".credential": f"{ROOT['name']}:{ROOT['value']}",
        ".scope": "PRINCIPAL_ROLE:ALL",
        ".s3.endpoint": files,
        ".s3.path-style-access": "true",
        ".s3.access-key-id": STORE["name"],
        ".s3.secret-access-key": STORE["value"],
        ".client.region": "us-west-2",
    }
    command = [
        str(packages.location("spark-3.5") / "bin/spark-sql"),
        *("--master", f"spark://localhost:{deployment.port('spark-master')}"),
        *("--jars", ",".join(str(packages.location(each)) for each in jars)),
        *("--conf", "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"),
        *(word for key, value in catalog.items() for word in ("--conf", f"spark.sql.catalog.quick{key}={value}")),
        *("-e", SESSION),
    ]
    shell = {**os.environ, "JAVA_HOME": str(packages.java(17).parent.parent), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=shell, text=True, capture_output=True, timeout=400, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    *catalogs, namespace, row, snapshot = done.stdout.splitlines()
    assert (catalogs, namespace, row) == (["spark_catalog"], "sales", "1\tVijay")
    at = snapshot.split("\t")[1]
    assert spark(deployment, f"SELECT * FROM quick.sales.orders VERSION AS OF {at};") == [ROW]


class Curl:
    """Runs commands of the guide in a shell that has its TOKEN."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        (folder / ".curlrc").write_text('silent\nwrite-out = "\\n%{http_code}"\n')
        self._shell = {**os.environ, "CURL_HOME": str(folder)}

    def __call__(self, command: str) -> tuple[int, Any]:
        """The status and the body. Only the port is another."""
        written = command.replace("localhost:8181", f"localhost:{self._port}")
        shell = self._shell
        done = subprocess.run(
            ["bash", "-c", written], env=shell, text=True, capture_output=True, timeout=60, check=True
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body) if body else None

    def log_in(self) -> None:
        secret = ROOT["value"]
        status, told = self(TOKEN.replace("client_secret=", f"client_secret={secret}"))
        assert status == 200
        self._shell["TOKEN"] = told["access_token"]


@pytest.fixture(scope="module")
def curl(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Curl:
    return Curl(deployment.port("polaris"), tmp_path_factory.mktemp("curl"))


TOKEN = r"""
curl -X POST http://localhost:8181/api/catalog/v1/oauth/tokens \
  -d 'grant_type=client_credentials' \
  -d 'client_id=root' \
  -d 'client_secret=' \
  -d 'scope=PRINCIPAL_ROLE:ALL'
"""
CATALOGS = r"""
curl -X GET \
  http://localhost:8181/api/management/v1/catalogs \
  -H "Authorization: Bearer $TOKEN" \
  -H "Polaris-Realm: POLARIS"
"""
CREATE_CATALOG = r"""
curl -X POST http://localhost:8181/api/management/v1/catalogs \
  -H "Authorization: Bearer $TOKEN" \
  -H "Polaris-Realm: POLARIS" \
  -H "Content-Type: application/json" \
  -d '{
        "catalog": {
          "name": "analytics_catalog",
          "type": "INTERNAL",
          "properties": {
            "default-base-location": "s3://bucket123/analytics"
          },
          "storageConfigInfo": {
            "storageType": "S3",
            "allowedLocations": ["s3://bucket123/analytics"],
            "endpoint": "http://rustfs:9000",
            "endpointInternal": "http://rustfs:9000",
            "pathStyleAccess": true
          }
        }
      }'
"""
DELETE_CATALOG = r"""
curl -X DELETE \
  http://localhost:8181/api/management/v1/catalogs/analytics_catalog \
  -H "Authorization: Bearer $TOKEN" \
  -H "Polaris-Realm: POLARIS"
"""


def test_catalogs_by_the_servers_own_interface(deployment: Deployment, curl: Curl) -> None:
    curl.log_in()
    status, told = curl(CATALOGS)
    assert (status, sorted(each["name"] for each in told["catalogs"])) == (200, ["analytics", "quickstart_catalog"])
    status, told = curl(CREATE_CATALOG)
    assert (status, told["name"], told["entityVersion"]) == (201, "analytics_catalog", 1)
    assert curl(CREATE_CATALOG)[0] == 409
    status, told = curl(CREATE_CATALOG.replace('"analytics_catalog"', '"other_catalog"'))
    assert status == 400
    assert "overlaps with an existing catalog" in told["error"]["message"]
    assert "catalog analytics_catalog exists, but is not in the file" in deployment.lakehouse("drift", code=2)
    assert "that the file does not name stay" in deployment.lakehouse("plan")
    assert curl(DELETE_CATALOG) == (204, None)
    assert "analytics_catalog" not in deployment.lakehouse("drift", code=None)


CREATE_NAMESPACE = r"""
curl -X POST \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
        "namespace": ["finance"],
        "properties": {}
      }'
"""
NAMESPACES = r"""
curl -X GET \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces \
  -H "Authorization: Bearer $TOKEN"
"""
DELETE_NAMESPACE = r"""
curl -X DELETE \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces/finance \
  -H "Authorization: Bearer $TOKEN"
"""
CREATE_TABLE = r"""
curl -X POST \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces/finance/tables \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
        "name": "transactions",
        "schema": {
          "type": "struct",
          "schema-id": 0,
          "fields": [
            { "id": 1, "name": "id", "required": true, "type": "long" },
            { "id": 2, "name": "amount", "required": false, "type": "double" }
          ]
        }
      }'
"""
TABLES = r"""
curl -X GET \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces/finance/tables \
  -H "Authorization: Bearer $TOKEN"
"""
TABLE = r"""
curl -X GET \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces/finance/tables/transactions \
  -H "Authorization: Bearer $TOKEN"
"""
DELETE_TABLE = r"""
curl -X DELETE \
  http://localhost:8181/api/catalog/v1/quickstart_catalog/namespaces/finance/tables/transactions \
  -H "Authorization: Bearer $TOKEN"
"""


def test_namespaces_and_tables_by_the_servers_own_interface(deployment: Deployment, curl: Curl) -> None:
    curl.log_in()
    assert curl(CREATE_NAMESPACE)[0] == 200
    assert ["finance"] in curl(NAMESPACES)[1]["namespaces"]
    assert curl(DELETE_NAMESPACE) == (204, None)
    assert curl(CREATE_TABLE)[0] == 404  # the guide deletes the namespace before it creates the table
    assert curl(CREATE_NAMESPACE)[0] == 200
    status, made = curl(CREATE_TABLE)
    assert (status, made["metadata"]["location"]) == (200, "s3://bucket123/lake/quick/finance/transactions")
    assert curl(TABLES)[1]["identifiers"] == [{"namespace": ["finance"], "name": "transactions"}]
    status, told = curl(TABLE)
    assert (status, told["metadata"]["table-uuid"]) == (200, made["metadata"]["table-uuid"])
    assert spark(deployment, "SELECT count(*) AS n FROM quick.finance.transactions") == [{"n": 0}]
    assert curl(DELETE_NAMESPACE)[0] == 409
    assert curl(DELETE_TABLE) == (204, None)
    assert curl(DELETE_NAMESPACE) == (204, None)


def test_every_client_reads_what_another_wrote_and_nothing_is_left_to_do(deployment: Deployment) -> None:
    assert "checks passed" in deployment.lakehouse("verify")
    assert "No changes." in deployment.lakehouse("plan")
    assert deployment.planned() == set()


def test_a_column_that_spark_added_is_drift(deployment: Deployment) -> None:
    spark(deployment, "ALTER TABLE analytics.reports.daily ADD COLUMN surprise double")
    assert "column analytics.reports.daily.surprise" in deployment.lakehouse("drift", code=2)
    spark(deployment, "ALTER TABLE analytics.reports.daily DROP COLUMN surprise")


def test_a_killed_server_comes_back_with_all_that_it_had_and_engines_keep_their_tokens(deployment: Deployment) -> None:
    for service in ("polaris", "postgres"):
        kill(deployment, service)
    until(lambda: is_open(deployment.port("polaris")))
    until(lambda: "No changes." in deployment.lakehouse("plan", code=None))
    assert deployment.trino("SELECT id, name FROM quick.sales.orders") == [list(ROW.values())]


def test_other_credentials_and_a_home_that_is_gone_are_named_with_their_fix(deployment: Deployment) -> None:
    with kept(deployment.local.state.kept("polaris-root-secret")):
        deployment.local.state.kept("polaris-root-secret").write_text("another")
        assert "no token for root (HTTP 401, unauthorized_client)" in deployment.lakehouse("doctor", code=1)
    with kept(deployment.folder / "platform.yaml") as chosen:
        (deployment.folder / "platform.yaml").write_text(chosen.replace(ROOT["value"], "another"))
        said = deployment.lakehouse("validate")
        assert "warning: " in said
        assert "polaris-root in " in said
        assert "its server keeps the one of its first start" in said
    with kept(deployment.file):
        deployment.change("stacks", "local", "catalogs", "quick", "home", to="nowhere")
        assert '"nowhere" does not exist. Unpack a Polaris distribution' in deployment.lakehouse("validate", code=2)


def test_no_secret_is_in_an_argument_a_variable_or_a_log(deployment: Deployment) -> None:
    names = ("polaris-root-secret", "polaris-tokens", "postgres-polaris", "store-secret-key")
    assert exposed(deployment, names) == []


def test_catalogs_whose_locations_overlap_are_refused(deployment: Deployment) -> None:
    with kept(deployment.file):
        deployment.change("catalogs", "analytics", "location", to="s3://bucket123/lake/quick/analytics")
        assert "locations must not overlap" in deployment.lakehouse("validate", code=2)


def test_the_guides_clean_up_and_the_bucket_that_is_missing_then(deployment: Deployment) -> None:
    """`aws s3 rm --recursive` and `aws s3 rb`, as calls of the API. It destroys the tables: the last test."""
    s3 = client(store(deployment.local))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket123"):
        for each in page.get("Contents", []):
            s3.delete_object(Bucket="bucket123", Key=each["Key"])
    s3.delete_bucket(Bucket="bucket123")
    said = deployment.lakehouse("doctor", code=1)
    assert re.search(r"buckets +ERROR +missing: bucket123", said)
    assert "`lakehouse apply` (it creates a removed bucket again, empty)" in said
