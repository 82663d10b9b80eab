"""The toolkit's own metrics: whether each service answers, the health of tables, the end of certificates.

The module :mod:`lakehouse.runtimes.process.numbers` serves them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

from lakehouse.kinds.platform import MonitorKind, Watched, postgres
from lakehouse.services.service import NUMBERS, File, Numbers, Place, Port, Probe, Service
from lakehouse.spec.kinds import Listener

NAME, WATCHED = "lakehouse-metrics", "watched.json"
PIPELINES_SECONDS = 60  # between two looks at all pipelines


def service(place: Place, watched: Watched) -> Service:
    """The service with the probes of the ``watched`` ones."""
    port, config = place.port(NAME), place.config(NAME)
    toolkit = place.toolkit()
    content = {
        "address": place.bind(),
        "port": port,
        "looks": {
            "tables": 60 * watched.monitoring.tables_minutes,
            **({"pipelines": PIPELINES_SECONDS} if watched.has_pipelines else {}),
        },
        # One that hangs must not keep the others' answers from being read.
        "seconds": min(5.0, watched.monitoring.interval_seconds / 2),
        **({"scheduled": True} if watched.scheduled else {}),
        **({"databases": list(_databases(place, watched))} if watched.databases else {}),
        "services": [
            {
                "name": each.name,
                "role": watched.role(each.name),
                "host": place.host(each.name),
                "probe": asdict(_from(place, each)),
            }
            for each in watched.services
            if not each.is_job and each.probe.kind != "exec"
        ],
    }
    return Service(
        name=NAME,
        image="",
        packages=(),
        command=(toolkit.python, "-P", "-m", "lakehouse.runtimes.process.numbers", f"{config}/{WATCHED}"),
        environment=toolkit.environment,
        files=(File(WATCHED, json.dumps(content, indent=1)),),
        data=(place.data(NAME),),
        ports=(Port(NAME, port, gives=NUMBERS, numbers=(Numbers("/metrics"),)),),
        probe=Probe("http", port, "/health", expect="OK"),
        # All others, so that a deploy that starts them is no outage.
        needs=tuple(each.name for each in watched.services if not each.is_job),
        memory_mb=256,  # with the program that looks at the tables now and then
    )


def _from(place: Place, service: Service) -> Probe:
    """The probe of a service, at the number that its port has there."""
    named = {each.number: each.name for each in service.ports}
    return replace(service.probe, port=place.port(named[service.probe.port]))


def _databases(place: Place, watched: Watched) -> Iterator[dict[str, str | int]]:
    """How each catalog's database is asked: with the password of its own user, of which this is only the name."""
    for server, entry in watched.databases.items():
        each = postgres.Database.of(server, entry)
        yield {
            "host": place.host(postgres.WORD),
            "port": place.port(postgres.WORD),
            "name": each.name,
            "user": each.user,
            "secret": each.password.secret,
        }


LAKEHOUSE_METRICS = MonitorKind(
    word=NAME,
    label="the lakehouse's own metrics",
    listeners=(Listener(NAME, 9109, 9109),),
    service=service,
)
