"""What tests of monitored lakehouses share: who takes alerts, and what the metrics' keeper answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.hook import listening
from tests.integration.deployment import Deployment


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
