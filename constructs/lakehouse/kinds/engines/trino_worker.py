"""A worker of Trino. It gets its catalogs, with their keys, from the coordinator when a query needs them."""

from __future__ import annotations

from dataclasses import replace

from lakehouse.kinds.engines import trino_password
from lakehouse.kinds.engines.trino_node import COORDINATOR, TrinoNode
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import Port, Service
from lakehouse.text.placeholders import Text

NAME = "trino-worker-{}"
_OPEN = "its version, whether it is up, its memory and load, and its numbers, by any name as the user"
_SECURE = "its version, whether it is up, and its memory and load"


def worker(coordinator: TrinoNode, number: int) -> Service:
    """The worker of that number. Only other servers reach it."""
    node = replace(coordinator, name=NAME.format(number))
    port = Port(node.name, node.port, gives=_SECURE if node.secure else _OPEN, inner=True)
    own: dict[str, Text] = {"coordinator": "false"}
    if not node.secure:
        own |= {"http-server.http.port": str(node.port), "discovery.uri": node.coordinator, **trino_password.INTERNAL}
        return node.service([node.config(own)], port, needs=(COORDINATOR,))
    own |= trino_password.of_worker(node.etc, node.coordinator, node.port)
    files = trino_password.files_of_worker(node.etc, Certificate.of(node.name, node.place.host(node.name)))
    return node.service([node.config(own)], port, files, needs=(COORDINATOR,))
