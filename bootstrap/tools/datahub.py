"""DataHub's recipe: https://docs.datahub.com/docs/generated/ingestion/sources/iceberg

Keys are not in it: PyIceberg, which DataHub uses, takes them from the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach
from lakehouse.kinds.catalog import CatalogEndpoint

_SINK = {"type": "datahub-rest", "config": {"server": "http://localhost:8080"}}  # DataHub's own quickstart


def write(stack: Reach) -> str:
    """The recipe of one catalog: DataHub wants one for each."""
    lines = [
        f"# datahub ingest -c FILE, in a shell with the keys: {reach.EVAL}",
        "# `lakehouse metadata publish` also publishes owners, tags and where rows come from.",
        yaml.safe_dump(recipe(stack.catalog, _SINK), sort_keys=False, width=120).rstrip(),
    ]
    return "\n".join(lines)


def recipe(
    at: CatalogEndpoint, sink: Mapping[str, Any], environment: str = "PROD", instance: str = ""
) -> dict[str, Any]:
    """What DataHub reads in a catalog, and to where it writes it. The platform instance is the catalog's name.

    Raises UsageError if PyIceberg cannot use the catalog's kind.
    """
    name = reach.clients_name(at.name)
    return {
        "source": {
            "type": "iceberg",
            "config": {
                "env": environment,
                "platform_instance": instance or at.name,
                "catalog": {name: dict(reach.open_settings(at))},
            },
        },
        "sink": dict(sink),
    }
