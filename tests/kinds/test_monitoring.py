"""A monitored lakehouse: every service is read, a killed one is told to a webhook, and so is its return."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import requests

from tests.integration.deployment import Deployment, a_row, until, up
from tests.kinds.monitored import Hook, asked, empty_panels, hook
from tests.unit.lakehouse.kinds.platform.monitored import expressions, names

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

MONITORING = {"interval_seconds": 2, "tables_minutes": 1, "down_seconds": 4, "webhook": "hook.url"}
SPARK = {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m"}


@pytest.fixture(scope="module")
def alerts() -> Iterator[Hook]:
    with hook() as found:
        yield found


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory, alerts: Hook) -> Iterator[Deployment]:
    deployment = Deployment.make(
        tmp_path_factory.mktemp("monitored") / "a lakehouse",
        {
            ("stacks", "local", "store"): "seaweedfs",
            ("stacks", "local", "monitoring"): MONITORING,
            ("engines", "spark"): SPARK,
            ("engines", "trino"): {"memory": "800m"},
        },
    )
    alerts.write(deployment.folder / "hook.url")
    with up(deployment):
        yield deployment


def test_every_service_is_read(monitored: Deployment) -> None:
    wanted = {
        *("seaweedfs", "nessie", "trino", "spark-master", "spark-worker-1", "spark-connect", "spark-connect-2"),
        *("node-exporter", "lakehouse-metrics", "alertmanager", "vmalert"),
    }
    until(lambda: wanted <= {each["metric"]["job"] for each in asked(monitored, "up == 1")}, 120)
    assert {each["metric"]["service"] for each in asked(monitored, "lakehouse_service_up == 1")} >= {
        *("seaweedfs", "nessie", "spark-master", "spark-worker-1", "spark-connect", "trino")
    }
    assert "healthy" in monitored.lakehouse("status")
    assert "/vmui/" in monitored.lakehouse("endpoints")


def test_every_metric_of_the_rules_is_there(monitored: Deployment) -> None:
    with a_row(monitored):
        until(lambda: bool(asked(monitored, "lakehouse_table_health")), 240)
    url = f"http://127.0.0.1:{monitored.port('victoria-metrics')}/api/v1/label/__name__/values"
    wanted = names(expressions({each.name: each for each in monitored.local.services}))
    until(lambda: not wanted - set(requests.get(url, timeout=20).json()["data"]), 120)


def test_every_panel_shows_something(monitored: Deployment) -> None:
    with a_row(monitored):
        monitored.lakehouse("sql", "--engine", "spark", "-e", "SELECT count(*) FROM lake.silver.bad_days")
        until(lambda: not empty_panels(monitored), 240, why=lambda: "\n".join(empty_panels(monitored)))


def test_a_killed_service_is_told_and_so_is_its_return(monitored: Deployment, alerts: Hook) -> None:
    until(lambda: not asked(monitored, 'ALERTS{alertname="ServiceDown",alertstate="firing"}'), 120)
    alerts.forget()
    os.kill(monitored.local.runtime.processes()["trino"].pid, 9)
    until(lambda: alerts.has("firing", "ServiceDown", service="trino"), 120)
    until(lambda: alerts.has("resolved", "ServiceDown", service="trino"), 300)


def test_monitoring_comes_and_goes_without_a_restart_of_other_services(monitored: Deployment) -> None:
    assert monitored.planned() == set()
    monitored.change("stacks", "local", "monitoring", to={**MONITORING, "down_seconds": 5})
    assert monitored.planned() - {"preflight", "bootstrap"} == {"vmalert"}
