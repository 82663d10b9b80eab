"""A monitored lakehouse: every service is read, a killed one is told to a webhook, and so is its return."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.integration.deployment import Deployment, kept, until, up
from tests.kinds.monitored import (
    MONITORING,
    MONITORS,
    OF_SPARK,
    SPARK,
    Hook,
    hook,
    until_every_metric_is_there,
    until_no_panel_is_empty,
    until_nothing_is_down,
    until_read,
)

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]


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
    until_read(
        monitored,
        {"seaweedfs", "nessie", "trino", *OF_SPARK, *MONITORS},
        {*("seaweedfs", "nessie", "spark-master", "spark-worker-1", "spark-connect", "trino")},
    )
    assert "healthy" in monitored.lakehouse("status")
    assert "/vmui/" in monitored.lakehouse("endpoints")


def test_every_metric_of_the_rules_is_there(monitored: Deployment) -> None:
    until_every_metric_is_there(monitored)


def test_every_panel_shows_something(monitored: Deployment) -> None:
    until_no_panel_is_empty(monitored)


def test_a_killed_service_is_told_and_so_is_its_return(monitored: Deployment, alerts: Hook) -> None:
    until_nothing_is_down(monitored)
    alerts.forget()
    os.kill(monitored.local.runtime.processes()["trino"].pid, 9)
    until(lambda: alerts.has("firing", "ServiceDown", service="trino"), 120)
    until(lambda: alerts.has("resolved", "ServiceDown", service="trino"), 300)


def test_rules_with_a_fault_are_refused_before_anything_stops(monitored: Deployment) -> None:
    def pids() -> dict[str, int]:
        return {name: each.pid for name, each in monitored.local.runtime.processes().items()}

    before = pids()
    with kept(monitored.file):
        monitored.change("stacks", "local", "monitoring", to={**MONITORING, "rules": "alerts.yaml"})
        rule = "groups: [{name: mine, rules: [{alert: Quiet, expr: 'sum(rate(x[5m]) =='}]}]\n"
        (monitored.folder / "alerts.yaml").write_text(rule)
        said = monitored.lakehouse("deploy", "--yes", code=1)
    assert "vmalert does not take its files" in said
    assert 'invalid expression for rule "Quiet"' in said
    assert pids() == before
    assert monitored.planned() == {"preflight"}, "it has failed, and is to be done again"
    monitored.deploy()
    assert pids() == before


def test_monitoring_comes_and_goes_without_a_restart_of_other_services(monitored: Deployment) -> None:
    assert monitored.planned() == set()
    monitored.change("stacks", "local", "monitoring", to={**MONITORING, "down_seconds": 5})
    assert monitored.planned() - {"preflight", "bootstrap"} == {"vmalert"}
