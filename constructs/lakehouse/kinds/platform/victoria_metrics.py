"""VictoriaMetrics: reads the metrics of all services, keeps them, and shows them in a browser.

Its file of what to read is Prometheus': https://docs.victoriametrics.com/victoriametrics/single-server-victoriametrics/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.kinds.platform import MonitorKind, Watched, dashboards, grafana
from lakehouse.services.certificate import TRUSTED
from lakehouse.services.service import File, Numbers, Place, Port, Probe, Service
from lakehouse.spec.kinds import Listener

NAME, PACKAGE = "victoria-metrics", "victoria-metrics-1.151.0"
ALERTS = "vmalert"  # the service whose alerts its pages show
_READ, _AUTHORITY, _DASHBOARDS = "read.yaml", "authority.pem", "dashboards"


@dataclass(frozen=True)
class Read:
    """A port of a service whose metrics are read."""

    service: str
    port: Port


def service(place: Place, watched: Watched) -> Service:
    """The server. It reads its own metrics too."""
    config, data = place.config(NAME), place.data(NAME)
    port = Port(
        NAME,
        place.port(NAME),
        label="Metrics",
        path="/vmui/",
        gives="all metrics, and changes of them",
        numbers=(Numbers("/metrics"),),
    )
    itself = (Read(NAME, port), Read(ALERTS, Port(ALERTS, place.port(ALERTS), numbers=port.numbers)))
    others = (Read(each.name, port) for each in watched.services for port in each.ports)
    jobs = list(_jobs(place, config, (*others, *itself)))
    own = dashboards.lakehouse(watched)
    passwords = {_password(job["job_name"]): each.password for job, each in jobs if each.password}
    read = {
        "global": {"scrape_interval": f"{watched.monitoring.interval_seconds}s"},
        "scrape_configs": [job for job, _ in jobs],
    }
    return Service(
        name=NAME,
        image="",
        packages=(PACKAGE,),
        command=(
            place.package(PACKAGE),
            f"-httpListenAddr={place.bind()}:{port.number}",
            f"-storageDataPath={data}",
            f"-retentionPeriod={watched.monitoring.keep_days}d",
            f"-promscrape.config={config}/{_READ}",
            "-promscrape.config.strictParse=true",
            f"-vmalert.proxyURL=http://{place.host(ALERTS)}:{place.port(ALERTS)}",
            f"-vmui.customDashboardsPath={config}/{_DASHBOARDS}",
            "-memory.allowedBytes=96MB",
            # By itself it keeps what it has read in memory for 5 s, and answers only older questions.
            "-search.latencyOffset=1s",
            "-loggerLevel=WARN",
        ),
        files=(
            File(_READ, json.dumps(read, indent=1)),
            File(f"{_DASHBOARDS}/lakehouse.json", json.dumps(own, indent=1)),
            File("grafana.json", json.dumps(grafana.dashboard(own), indent=1)),  # for users, not for the server
            *(File(name, password) for name, password in passwords.items()),
            *([File(_AUTHORITY, TRUSTED)] if any("tls_config" in job for job, _ in jobs) else []),
        ),
        data=(data,),
        ports=(port,),
        probe=Probe("http", port.number, "/health", expect="OK"),
        memory_mb=256,
        stop_signal="INT",
    )


def _jobs(place: Place, config: str, ports: Sequence[Read]) -> Iterator[tuple[dict[str, Any], Numbers]]:
    """What is read: a job for each path, named after its service. JSON is YAML, and has one rule for escapes."""
    names: dict[str, int] = {}
    for each in ports:
        for numbers in each.port.numbers:
            nth = names[each.service] = names.get(each.service, 0) + 1
            job: dict[str, Any] = {
                "job_name": f"{each.service}-{nth}" if nth > 1 else each.service,
                "scheme": "https" if each.port.encrypted else "http",
                "metrics_path": numbers.path,
                "static_configs": [{"targets": [f"{place.host(each.service)}:{place.port(each.port.name)}"]}],
            }
            if each.port.encrypted:
                job["tls_config"] = {"ca_file": f"{config}/{_AUTHORITY}"}
            if numbers.parameters:
                job["params"] = {key: [value] for key, value in numbers.parameters}
            if numbers.user:
                job["basic_auth"] = {"username": numbers.user}
            if numbers.password is not None:
                job["basic_auth"]["password_file"] = f"{config}/{_password(job['job_name'])}"
            yield job, numbers


def _password(job: str) -> str:
    return f"{job}.password"


VICTORIA_METRICS = MonitorKind(
    word=NAME,
    label="VictoriaMetrics",
    listeners=(Listener(NAME, 8428, 8428, "metrics of all services and tables, and alerts"),),
    service=service,
)
