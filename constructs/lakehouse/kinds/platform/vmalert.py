"""vmalert: evaluates the rules, and gives alerts to Alertmanager.

Its rules are written as Prometheus' are: https://docs.victoriametrics.com/victoriametrics/vmalert/
"""

from __future__ import annotations

import json

from lakehouse.kinds.platform import MonitorKind, Watched, alertmanager, rules, victoria_metrics
from lakehouse.services.service import File, Numbers, Place, Port, Probe, Service
from lakehouse.spec.kinds import Listener

NAME, PACKAGE = victoria_metrics.ALERTS, "vmalert-1.151.0"
_RULES, _OWN = "rules.yaml", "own.yaml"  # ours, and those of the file that `rules` names


def service(place: Place, watched: Watched) -> Service:
    """The service with the rules for the ``watched`` ones."""
    port = place.port(NAME)
    metrics, alerts = (
        f"http://{place.host(name)}:{place.port(name)}" for name in (victoria_metrics.NAME, alertmanager.NAME)
    )
    own = watched.monitoring.rules
    files = (
        File(_RULES, json.dumps(rules.every(watched), indent=1)),
        *([File(_OWN, place.beside(own, public=True))] if own is not None else []),
    )
    return Service(
        name=NAME,
        image="",
        packages=(PACKAGE,),
        command=(
            place.package(PACKAGE),
            f"-httpListenAddr={place.bind()}:{port}",
            *(f"-rule={place.config(NAME)}/{each.path}" for each in files),
            f"-datasource.url={metrics}",
            f"-notifier.url={alerts}",
            # What its rules record, and what it needs after a restart.
            f"-remoteWrite.url={metrics}",
            f"-remoteRead.url={metrics}",
            f"-external.url={place.external(NAME).url('http')}",  # what alerts name as their source
            f"-evaluationInterval={watched.monitoring.interval_seconds}s",
            # It asks about now: by itself about 30 s ago, for readings that come late.
            "-rule.evalDelay=0s",
            "-loggerLevel=WARN",
        ),
        files=files,
        ports=(Port(NAME, port, label="Rules and alerts", path="/", gives=_GIVES, numbers=(Numbers("/metrics"),)),),
        probe=Probe("http", port, "/health", expect="OK"),
        memory_mb=96,
        # All others, so that a deploy that starts them is no alert.
        needs=tuple(each.name for each in watched.services if not each.is_job),
        stop_signal="INT",
        trial=() if own is None else (place.package(PACKAGE), "-dryRun", f"-rule={_OWN}", "-loggerLevel=ERROR"),
    )


_GIVES = "rules and alerts"
VMALERT = MonitorKind(
    word=NAME,
    label="vmalert",
    listeners=(Listener(NAME, 8880, 8880, "rules, and which alerts are on"),),
    service=service,
)
