"""Kafka Connect's REST API: connectors, and the state of each of their tasks.

https://kafka.apache.org/43/kafka-connect/user-guide/#rest-api
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bootstrap.remote.errors import Conflict, Missing
from bootstrap.remote.http import Http
from lakehouse.kinds.pipelines.connectors import DELETABLE, PIPELINE

FAILED = "FAILED"
_REBALANCES = 60  # seconds for which Connect may refuse changes while it spreads its work


@dataclass(frozen=True)
class TaskState:
    """What a task does. A connector may be RUNNING although its task has FAILED, so only tasks say it."""

    id: int
    state: str
    trace: str = ""

    @property
    def why(self) -> str:
        """The first cause of its failure, in a line."""
        lines = [line.strip() for line in self.trace.splitlines()]
        causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
        return (causes or lines or [""])[-1 if causes else 0]


@dataclass(frozen=True)
class Connector:
    """A connector as Connect has it."""

    name: str
    config: Mapping[str, str]
    state: str = ""
    tasks: tuple[TaskState, ...] = field(default=())

    @property
    def pipeline(self) -> str:
        """The pipeline that it is a part of; empty if somebody else made it."""
        return self.config.get(PIPELINE, "")

    @property
    def deletable(self) -> bool:
        return self.config.get(DELETABLE) == "true"

    @property
    def failures(self) -> tuple[TaskState, ...]:
        return tuple(each for each in self.tasks if each.state == FAILED)


class ConnectWorker:
    """Kafka Connect at an address."""

    def __init__(self, endpoint: str, patience: float = 30.0, pause: Callable[[float], None] = time.sleep) -> None:
        self._http, self._pause = Http("Kafka Connect", endpoint, patience=patience), pause

    def connectors(self) -> dict[str, Connector]:
        """Every connector by its name."""
        found = self._http.request("GET", "/connectors?expand=info&expand=status")
        return {name: _connector(name, each) for name, each in found.items()}

    def put(self, name: str, config: Mapping[str, str]) -> None:
        """Make the connector, or give it that configuration."""
        self._changed("PUT", f"/connectors/{quote(name)}/config", dict(config))

    def restart(self, name: str) -> None:
        """Start what has failed of the connector again."""
        self._changed("POST", f"/connectors/{quote(name)}/restart?includeTasks=true&onlyFailed=true")

    def stop(self, name: str) -> None:
        """End its tasks; what they have read to is kept."""
        self._changed("PUT", f"/connectors/{quote(name)}/stop")

    def resume(self, name: str) -> None:
        self._changed("PUT", f"/connectors/{quote(name)}/resume")

    def remove(self, name: str) -> None:
        """Remove the connector, with what it has read to."""
        try:
            self.stop(name)
            self._changed("DELETE", f"/connectors/{quote(name)}/offsets")
            self._changed("DELETE", f"/connectors/{quote(name)}")
        except Missing:
            return

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """How far the connector is, as Connect says it."""
        found: list[dict[str, Any]] = self._http.get(f"/connectors/{quote(name)}/offsets")["offsets"]
        return found

    def _changed(self, method: str, path: str, body: Any = None) -> None:
        """Ask for a change. While Connect spreads its work, it refuses changes: then ask again."""
        for _ in range(_REBALANCES):
            try:
                self._http.request(method, path, body)
            except Conflict:
                self._pause(1.0)
            else:
                return
        self._http.request(method, path, body)


def _connector(name: str, found: Mapping[str, Any]) -> Connector:
    status = found.get("status", {})
    tasks = tuple(TaskState(each["id"], each["state"], each.get("trace", "")) for each in status.get("tasks", ()))
    config = {key: str(value) for key, value in found.get("info", {}).get("config", {}).items() if key != "name"}
    return Connector(name, config, status.get("connector", {}).get("state", ""), tasks)
