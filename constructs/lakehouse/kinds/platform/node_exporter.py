"""Prometheus' node exporter: metrics of this machine. https://github.com/prometheus/node_exporter"""

from __future__ import annotations

from lakehouse.kinds.platform import MonitorKind, Watched
from lakehouse.services.service import NUMBERS, Numbers, Place, Port, Probe, Service
from lakehouse.spec.kinds import Listener

NAME, PACKAGE = "node-exporter", "node-exporter-1.12.1"
_COLLECTED = ("cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev")


def service(place: Place, watched: Watched) -> Service:
    """The exporter, with what the rules and pages need."""
    port = place.port(NAME)
    return Service(
        name=NAME,
        image="",
        packages=(PACKAGE,),
        command=(
            place.package(PACKAGE),
            f"--web.listen-address={place.bind()}:{port}",
            "--collector.disable-defaults",
            *(f"--collector.{each}" for each in _COLLECTED),
            "--log.level=warn",
        ),
        ports=(Port(NAME, port, gives=NUMBERS, numbers=(Numbers("/metrics"),)),),
        probe=Probe("http", port, "/"),
        memory_mb=48,
    )


NODE_EXPORTER = MonitorKind(
    word=NAME,
    label="node exporter",
    listeners=(Listener(NAME, 9100, 9100),),
    service=service,
)
