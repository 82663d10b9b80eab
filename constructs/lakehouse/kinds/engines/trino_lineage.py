"""How Trino sends the lineage of statements: its own listener for OpenLineage.

Only the coordinator has it. https://trino.io/docs/476/admin/event-listeners-openlineage.html
"""

from __future__ import annotations

from lakehouse.kinds.platform.lineage import Receiver, trino_address
from lakehouse.services.service import File, Place
from lakehouse.text.openlineage import PATH
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

OWN = ("event-listener.config-files",)  # keys of config.properties
_FILE = "lineage.properties"
_PREFIX = "openlineage-event-listener"


def settings(etc: str) -> dict[str, Text]:
    """Those of the server, with ``etc`` as its configuration folder."""
    return {OWN[0]: f"{etc}/{_FILE}"}


def files(place: Place, to: Receiver) -> tuple[File, ...]:
    """What these settings refer to."""
    found: dict[str, Text] = {
        "event-listener.name": "openlineage",
        f"{_PREFIX}.trino.uri": trino_address(place),  # names its datasets, and is never asked
        f"{_PREFIX}.namespace": to.jobs,
        f"{_PREFIX}.transport.type": "HTTP",
        f"{_PREFIX}.transport.url": to.url,
        f"{_PREFIX}.transport.endpoint": PATH,
        f"{_PREFIX}.transport.api-key": to.key,
    }
    return (File(_FILE, properties(found)),)
