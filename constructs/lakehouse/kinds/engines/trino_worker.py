"""A worker of Trino. It gets its catalogs, with their keys, from the coordinator when a query needs them.

Where services are drained, it is before it starts again: the coordinator gives it nothing new, and what it runs ends.
https://trino.io/docs/476/admin/graceful-shutdown.html
"""

from __future__ import annotations

import json
from dataclasses import replace

from lakehouse.kinds.engines import trino_password
from lakehouse.kinds.engines.trino_node import COORDINATOR, TrinoNode
from lakehouse.kinds.engines.trino_rules import OWNER
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import Drain, File, Port, Service
from lakehouse.text.placeholders import Basic, Text
from lakehouse.text.properties import properties

NAME = "trino-worker-{}"
_OPEN = "its version, whether it is up, its memory and load, and its numbers, by any name as the user"
_DRAINED = f"its draining, {_OPEN}"
_SECURE = "its version, whether it is up, and its memory and load"
_NEEDS = (COORDINATOR,)
_CONTROL, _RULES = "access-control.properties", "rules.json"
#: It waits so long twice: until every coordinator knows that it takes nothing new, and until all results were fetched.
_GRACE = "10s"


def worker(coordinator: TrinoNode, number: int) -> Service:
    """The worker of that number. Only other servers reach it."""
    node = replace(coordinator, name=NAME.format(number))
    own: dict[str, Text] = {"coordinator": "false"}
    files: tuple[File, ...] = ()
    if node.secure:
        own |= trino_password.of_worker(node.etc, node.coordinator, node.port)
        files = trino_password.files_of_worker(node.etc, Certificate.of(node.name, node.place.host(node.name)))
    else:
        own |= {"http-server.http.port": str(node.port), "discovery.uri": node.coordinator, **trino_password.INTERNAL}
    port = Port(node.name, node.port, gives=_SECURE if node.secure else _OPEN, inner=True)
    if not node.place.drains:
        return node.service([node.config(own)], port, files, needs=_NEEDS)
    if not node.secure:
        port = replace(port, gives=_DRAINED)
    own |= {"shutdown.grace-period": _GRACE, "access-control.config-files": f"{node.etc}/{_CONTROL}"}
    made = node.service([node.config(own)], port, (*files, *_control(node.etc)), needs=_NEEDS)
    return replace(made, drain=_drain(node))


def _control(etc: str) -> tuple[File, ...]:
    """What lets :data:`OWNER` drain a worker: by default, Trino lets nobody."""
    control = {"access-control.name": "file", "security.config-file": f"{etc}/{_RULES}"}
    rules = [{"user": OWNER, "allow": ["read", "write"]}, {"allow": ["read"]}]
    return (
        File(_CONTROL, properties(control)),
        File(_RULES, json.dumps({"system_information": rules}, indent=1)),
    )


def _drain(node: TrinoNode) -> Drain:
    drain = Drain(
        "trino-worker", node.port, "/v1/info/state", put='"DRAINING"', done='"DRAINED"', undo='"ACTIVE"', user=OWNER
    )
    if not node.secure:
        return drain
    return replace(drain, user="", trust=trino_password.AUTHORITY, shows=Basic(trino_password.PASSWORD, OWNER))
