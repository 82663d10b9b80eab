"""`cdktf deploy local`: the state afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psutil
import pytest
import requests

from lakehouse.runtimes import processes
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_every_service_is_healthy(deployed: Deployment) -> None:
    status = json.loads(deployed.lakehouse("status", "--json"))
    names = {each["name"] for each in status["services"]}
    assert names == {"s3proxy", "nessie", "spark-master", "spark-worker-1", "spark-worker-2", "spark-connect", "trino"}
    assert all(each["healthy"] for each in status["services"]), status


def test_a_second_deploy_has_nothing_to_do(deployed: Deployment) -> None:
    before = {process.pid for process in processes.belonging(deployed.local.state)}
    assert "Nothing to do" in deployed.lakehouse("deploy")
    assert {process.pid for process in processes.belonging(deployed.local.state)} == before
    assert "Nothing to do" in deployed.run("make", "diff")


@pytest.mark.parametrize(
    ("port", "path", "shows"),
    [
        ("spark-master-ui", "/", "Spark Master at spark://"),
        ("spark-worker-1-ui", "/", "Spark Worker at"),
        ("spark-connect-ui", "/connect/", "Spark Connect"),
        ("trino", "/ui/login.html", "Trino"),
        ("nessie", "/", "Nessie"),
        ("nessie", "/api/v2/config", "defaultBranch"),
    ],
)
def test_uis_are_reachable(deployed: Deployment, port: str, path: str, shows: str) -> None:
    answer = requests.get(f"http://127.0.0.1:{deployed.port(port)}{path}", timeout=30)
    assert answer.ok
    assert shows in answer.text


def test_nothing_listens_beyond_loopback(deployed: Deployment) -> None:
    listening = [
        (process.name(), connection.laddr.ip, connection.laddr.port)
        for process in processes.belonging(deployed.local.state)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 10
    assert [each for each in listening if each[1].removeprefix("::ffff:") not in ("127.0.0.1", "::1")] == []


def test_no_secret_is_where_it_must_not_be(deployed: Deployment) -> None:
    state = deployed.local.state
    secrets = [state.secret("store-access-key"), state.secret("store-secret-key")]
    places = {str(path): path.read_text() for path in deployed.folder.glob("terraform.*.tfstate*")}
    places |= {str(path): path.read_text() for path in (deployed.folder / "cdktf.out").rglob("*.json")}
    places |= {str(path): path.read_text(errors="replace") for path in (state.root / "logs").iterdir()}
    places |= {f"arguments of {each.pid}": " ".join(each.cmdline()) for each in processes.belonging(state)}
    places |= {f"environment of {each.pid}": str(each.environ()) for each in processes.belonging(state)}
    places["status"] = deployed.lakehouse("status", "--json") + deployed.lakehouse("endpoints")
    assert len(places) > 15
    assert [place for place, text in places.items() if any(secret in text for secret in secrets)] == []


def test_what_a_shell_holds_does_not_reach_the_services(deployed: Deployment) -> None:
    environments = [each.environ() for each in processes.belonging(deployed.local.state)]
    assert not any("stranger" in environment.values() for environment in environments)


def test_nothing_is_in_the_temporary_folder_of_all_users(deployed: Deployment) -> None:
    """A file of one user there would stop the next user's deploy."""
    deployed.lakehouse("sql", "--engine", "spark", "-e", "SELECT sum(id) FROM range(1000)")  # an executor is there
    state, shared = deployed.local.state, Path("/tmp")
    found = list(processes.belonging(state))
    services = [each for each in found if each.environ().get("LAKEHOUSE_SERVICE", "disk-watch") != "disk-watch"]
    assert len(services) >= 8
    for each in services:
        own = str(state.temporary(each.environ()["LAKEHOUSE_SERVICE"]))
        assert each.environ()["TMPDIR"] == own
        assert f"-Djava.io.tmpdir={own}" in each.environ()["JAVA_TOOL_OPTIONS"]
    # Trino's JVM attaches to itself by a socket .java_pidN, whose path no option changes. It stops nobody.
    left = [path for each in found for path in shared.glob(f"hsperfdata_*/{each.pid}")]
    left += [Path(file.path) for each in found for file in each.open_files()]
    assert [path for path in left if shared in path.parents and deployed.folder not in path.parents] == []
    assert list(state.temporary("nessie").iterdir()) != [], "what it writes is here"


def test_files_with_secrets_are_closed(deployed: Deployment) -> None:
    state = deployed.local.state
    secret = state.secret("store-secret-key")
    files = [path for path in (state.root / "services").rglob("*") if path.is_file()]
    holding = [path for path in files if secret in path.read_text()]
    assert len(holding) >= 4
    assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}
    assert state.root.stat().st_mode & 0o777 == 0o700


def test_the_bootstrap_made_the_tables(deployed: Deployment) -> None:
    for namespace in ("bronze", "silver"):
        assert deployed.trino(f"SELECT count(*) FROM lake.{namespace}.minute_aggs WHERE ticker = 'none'") == [[0]]
        shown = deployed.trino(f"SHOW CREATE TABLE lake.{namespace}.minute_aggs")[0][0]
        assert "partitioning = ARRAY['date']" in shown
        assert re.search(rf"location = 's3://warehouse/lake/{namespace}/minute_aggs", shown)


def test_static_and_dynamic_catalogs(deployed: Deployment) -> None:
    deployed.trino("CREATE CATALOG scratch USING memory")
    assert ["scratch"] in deployed.trino("SHOW CATALOGS")
    deployed.trino("DROP CATALOG scratch")
    assert {row[0] for row in deployed.trino("SHOW CATALOGS")} == {"lake", "system"}
