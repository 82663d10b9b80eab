"""A lakehouse on Polaris, deployed and used: the double, or the real server that POLARIS_HOME names."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.runtimes import processes
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.processes import is_open
from tests.integration.deployment import Deployment, a_row, kept, read, until
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The default lakehouse; the server has another name for its catalog, and its folder's path has a space."""
    folder = tmp_path_factory.mktemp("polaris")
    entry = {"kind": "polaris", "home": str(home(folder)), "warehouse": "quickstart"}
    made = Deployment.make(
        folder / "a lake", {("stacks", "local", "catalogs"): {"lake": entry}, ("engines", "spark", "workers"): 1}
    )
    state = made.local.state
    try:
        made.deploy()
        yield made
    finally:
        made.cdktf("destroy", "local", "--auto-approve", code=None)
        left = list(processes.belonging(state))
        processes.end(left)
        assert not left, "destroy leaves no process"


def test_every_client_reads_what_another_wrote_and_nothing_is_left_to_do(deployment: Deployment) -> None:
    deployment.lakehouse("verify")
    assert "No changes." in deployment.lakehouse("plan")
    assert deployment.planned() == set()


def test_a_column_that_spark_added_is_drift(deployment: Deployment) -> None:
    spark = ("sql", "--engine", "spark", "-e")
    deployment.lakehouse(*spark, "ALTER TABLE lake.silver.minute_aggs ADD COLUMN spread double")
    assert "column lake.silver.minute_aggs.spread" in deployment.lakehouse("drift", code=None)
    deployment.lakehouse(*spark, "ALTER TABLE lake.silver.minute_aggs DROP COLUMN spread")


def test_a_killed_server_comes_back_with_all_that_it_had_and_engines_keep_their_tokens(deployment: Deployment) -> None:
    supervisor = Supervisor(deployment.local.state)
    with a_row(deployment):
        for service in ("polaris", "postgres"):
            killed = supervisor.processes()[service].pid
            os.kill(killed, signal.SIGKILL)
            until(lambda name=service, old=killed: supervisor.processes()[name].pid not in (0, old))  # type: ignore[misc]
        until(lambda: is_open(deployment.port("polaris")))
        until(lambda: "No changes." in deployment.lakehouse("plan", code=None))
        assert read(deployment) == [["here before"]]


def test_doctor_names_a_server_that_is_down_and_one_whose_home_is_gone(deployment: Deployment) -> None:
    supervisor = Supervisor(deployment.local.state)
    supervisor.halt("polaris")
    said = deployment.lakehouse("doctor", code=None)
    assert re.search(r"service polaris +ERROR", said)
    supervisor.restart("polaris")
    until(lambda: "No changes." in deployment.lakehouse("plan", code=None))
    with kept(deployment.local.state.kept("polaris-root-secret")):
        deployment.local.state.kept("polaris-root-secret").write_text("another")
        assert "no token for root (HTTP 401, unauthorized_client)" in deployment.lakehouse("doctor", code=None)
    with kept(deployment.file):
        deployment.change("stacks", "local", "catalogs", "lake", "home", to="nowhere")
        assert '"nowhere" does not exist. Unpack a Polaris distribution' in deployment.lakehouse("doctor", code=None)
        assert '"nowhere" does not exist. Unpack a Polaris distribution' in deployment.lakehouse("validate", code=2)


def test_no_secret_is_in_an_argument_a_variable_or_a_log(deployment: Deployment) -> None:
    state = deployment.local.state
    kept_secrets = [state.secret(name) for name in ("polaris-root-secret", "polaris-tokens", "postgres-polaris")]
    logs = "".join(path.read_text(errors="replace") for path in (state.root / "logs").glob("*.log"))
    seen = "".join(json.dumps([each.cmdline(), each.environ()]) for each in processes.belonging(state))
    terraform = "".join(path.read_text() for path in Path(deployment.folder).rglob("*.tf.json"))
    assert not [each for each in kept_secrets if each in logs + seen + terraform]
