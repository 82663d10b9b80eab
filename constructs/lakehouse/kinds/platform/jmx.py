"""Metrics of Java programs that keep them as JMX beans: an agent in their JVM gives them in Prometheus' format.

Only a stack with `monitoring` has it. https://prometheus.github.io/jmx_exporter/1.0.1/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lakehouse.services.service import NUMBERS, File, Numbers, Place, Port, Service
from lakehouse.spec.kinds import Listener

PACKAGE = "jmx-exporter-1.0.1"
_FILE = "metrics.json"
_MEMORY_MB = 64  # of the agent's classes, threads and answers


@dataclass(frozen=True)
class Bean:
    """A pattern of attributes of beans, and the metric that each becomes. ``$1`` is a group of the pattern."""

    pattern: str  # of DOMAIN<KEY=VALUE, KEY=VALUE><>ATTRIBUTE: VALUE
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    type: Literal["GAUGE", "COUNTER"] = "GAUGE"
    value: str = ""  # instead of the attribute's own, which is no number

    def rule(self) -> dict[str, Any]:
        """The entry in the agent's file."""
        labels = {"labels": dict(self.labels)} if self.labels else {}
        value = {"value": self.value} if self.value else {}
        return {"pattern": self.pattern, "name": self.name, "type": self.type, **labels, **value}


@dataclass(frozen=True)
class Agent:
    """The agent of a service: the beans that it asks for (``include``), and what it makes of them (``beans``)."""

    service: str
    number: int  # of its port on this machine, and in a container
    names: str  # what names its answers have, as part of a sentence
    include: tuple[str, ...]
    beans: tuple[Bean, ...]

    @property
    def listener(self) -> Listener:
        """The port of the kind that has it."""
        return Listener(f"{self.service}-metrics", self.number, self.number, monitored=True)

    def added(self, place: Place, service: Service) -> Service:
        """The service with the agent in its JVM, if it is the one that has it."""
        if service.name != self.service:
            return service
        assert service.java is not None
        name = self.listener.name
        number, file = place.port(name), f"{place.config(self.service)}/{_FILE}"
        option = f"-javaagent:{place.package(PACKAGE)}={place.bind()}:{number}:{file}"
        after = service.command.index(place.java(service.java)) + 1
        settings = {
            "lowercaseOutputName": True,
            "lowercaseOutputLabelNames": True,
            "includeObjectNames": self.include,
            "rules": [each.rule() for each in self.beans],
        }
        port = Port(name, number, gives=f"{NUMBERS}, with names of {self.names}", numbers=(Numbers("/metrics"),))
        return replace(
            service,
            packages=(*service.packages, PACKAGE),
            command=(*service.command[:after], option, *service.command[after:]),
            files=(*service.files, File(_FILE, json.dumps(settings, indent=1))),  # JSON is YAML
            ports=(*service.ports, port),
            memory_mb=service.memory_mb + _MEMORY_MB,
        )
