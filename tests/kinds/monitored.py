"""What tests of monitored lakehouses share: who takes alerts, and what the metrics' keeper answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.hook import listening
from tests.integration.deployment import Deployment, a_row, until
from tests.unit.lakehouse.kinds.platform.monitored import expressions, names

MONITORING = {"interval_seconds": 2, "tables_minutes": 1, "down_seconds": 4, "webhook": "hook.url"}
MONITORS = {"node-exporter", "lakehouse-metrics", "alertmanager", "vmalert"}  # and what keeps the metrics
SPARK = {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m"}
OF_SPARK = {"spark-master", "spark-worker-1", "spark-connect", "spark-connect-2"}  # what is read of it


class Hook:
    """What Alertmanager has sent."""

    def __init__(self, address: str, received: list[dict[str, Any]]) -> None:
        self.address, self._received = address, received

    def forget(self) -> None:
        self._received.clear()

    def has(self, status: str, name: str, **labels: str) -> bool:
        """Whether an alert of that name with these labels came as `firing` or `resolved`."""
        alerts = [alert for each in self._received if each["status"] == status for alert in each["alerts"]]
        return any({"alertname": name, **labels}.items() <= each["labels"].items() for each in alerts)

    def write(self, path: Path) -> None:
        """The file that `webhook` names."""
        path.write_text(f"{self.address}\n")
        path.chmod(0o600)


@contextmanager
def hook() -> Iterator[Hook]:
    with listening() as (address, received):
        yield Hook(address, received)


def asked(deployment: Deployment, query: str) -> list[dict[str, Any]]:
    """The answer of what keeps the metrics."""
    url = f"http://127.0.0.1:{deployment.port('victoria-metrics')}/api/v1/query"
    answer = requests.get(url, params={"query": query}, timeout=20)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def empty_panels(deployment: Deployment) -> list[str]:
    """The questions of the dashboard that nothing answers."""
    folder = deployment.local.state.config("victoria-metrics")
    rows = json.loads((folder / "dashboards/lakehouse.json").read_text())["rows"]
    every = [(row["title"], panel) for row in rows for panel in row["panels"]]
    assert len(every) > 10
    return [
        f"{title}: {panel['title']}: {question}"
        for title, panel in every
        for question in panel["expr"]
        if not asked(deployment, question)
    ]


def until_read(deployment: Deployment, jobs: set[str], services: set[str]) -> None:
    """Wait until metrics of all ``jobs`` were read, and all ``services`` have answered; others are as they are."""
    until(lambda: jobs <= {each["metric"]["job"] for each in asked(deployment, "up == 1")}, 120)
    until(
        lambda: services <= {each["metric"]["service"] for each in asked(deployment, "lakehouse_service_up == 1")}, 120
    )
    until(lambda: not asked(deployment, "up == 0"), 120)  # on a busy machine one may be late


def until_every_metric_is_there(deployment: Deployment, but: frozenset[str] = frozenset()) -> None:
    """Wait until each metric that the rules and the dashboard name has a value, except those in ``but``."""
    with a_row(deployment):
        until(lambda: bool(asked(deployment, "lakehouse_table_health")), 240)
    url = f"http://127.0.0.1:{deployment.port('victoria-metrics')}/api/v1/label/__name__/values"
    named = names(expressions({each.name: each for each in deployment.local.services}))
    assert but < named
    wanted = named - but

    def missing() -> set[str]:
        return wanted - set(requests.get(url, timeout=20).json()["data"])

    until(lambda: not missing(), 120, why=lambda: str(missing()))


def until_no_panel_is_empty(deployment: Deployment, engine: str = "spark") -> None:
    """Wait until each question of the dashboard has an answer, with a table and a query of that engine."""
    with a_row(deployment):
        deployment.lakehouse("sql", "--engine", engine, "-e", "SELECT count(*) FROM lake.silver.bad_days")
        until(lambda: not empty_panels(deployment), 240, why=lambda: "\n".join(empty_panels(deployment)))


def until_nothing_is_down(deployment: Deployment) -> None:
    until(lambda: not asked(deployment, 'ALERTS{alertname="ServiceDown",alertstate="firing"}'), 180)
