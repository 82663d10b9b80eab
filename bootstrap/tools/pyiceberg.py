"""PyIceberg's file. https://py.iceberg.apache.org/configuration/"""

from __future__ import annotations

import json

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach


def write(stack: Reach) -> str:
    """``.pyiceberg.yaml``: every catalog without its keys, which PyIceberg adds from the environment."""
    lines = [f"# .pyiceberg.yaml in the home folder. Keys come from the environment: {reach.EVAL}", "catalog:"]
    for at in stack.catalogs:
        lines.append(f"  {reach.clients_name(at.name)}:")
        lines += [f"    {key}: {json.dumps(value)}" for key, value in reach.open_settings(at)]
    return "\n".join(lines)
