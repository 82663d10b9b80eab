"""Prometheus' Alertmanager: groups alerts, and sends them to the addresses that the file names.

https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

import json

from lakehouse.kinds.platform import MonitorKind, Watched
from lakehouse.services.service import File, Numbers, Place, Port, Probe, Service
from lakehouse.spec.kinds import Listener
from lakehouse.spec.monitoring import Monitoring

NAME, PACKAGE = "alertmanager", "alertmanager-0.31.1"
_CONFIG = "alertmanager.yaml"
_REPEAT = "4h"  # until an alert that is still on is sent again


def service(place: Place, watched: Watched) -> Service:
    """The server. The addresses are in files of their own, because they are secrets."""
    port, config, data = place.port(NAME), place.config(NAME), place.data(NAME)
    return Service(
        name=NAME,
        image="",
        packages=(PACKAGE,),
        command=(
            place.package(PACKAGE),
            f"--config.file={config}/{_CONFIG}",
            f"--storage.path={data}",
            f"--web.listen-address={place.bind()}:{port}",
            f"--web.external-url={place.external(NAME).url('http')}",
            "--cluster.listen-address=",  # it is one server
            "--log.level=warn",
        ),
        files=(
            File(_CONFIG, json.dumps(_routes(config, watched.monitoring), indent=1)),
            *(File(_address(key), place.beside(file)) for key, file in watched.monitoring.receivers.items()),
        ),
        data=(data,),
        ports=(Port(NAME, port, label="Alerts", path="/", gives=_GIVES, numbers=(Numbers("/metrics"),)),),
        probe=Probe("http", port, "/-/ready", expect="OK"),
        memory_mb=96,
    )


def _routes(config: str, monitoring: Monitoring) -> dict[str, object]:
    """Everything goes to each address of the file. Without one, alerts are only shown."""
    every = monitoring.interval_seconds
    receiver: dict[str, object] = {"name": "lakehouse"}
    for key, (word, setting) in _SENDERS.items():
        if key in monitoring.receivers:
            receiver[word] = [{setting: f"{config}/{_address(key)}", "send_resolved": True}]
    return {
        "route": {
            "receiver": "lakehouse",
            "group_by": ["alertname"],
            "group_wait": f"{every}s",  # alerts of the same cause come together
            "group_interval": f"{4 * every}s",
            "repeat_interval": _REPEAT,
        },
        "receivers": [receiver],
    }


_SENDERS = {"webhook": ("webhook_configs", "url_file"), "slack": ("slack_configs", "api_url_file")}
_GIVES = "alerts, and silences of them"


def _address(key: str) -> str:
    return f"{key}.url"


ALERTMANAGER = MonitorKind(
    word=NAME,
    label="Alertmanager",
    listeners=(Listener(NAME, 9093, 9093, "alerts that are on, and silences"),),
    service=service,
)
