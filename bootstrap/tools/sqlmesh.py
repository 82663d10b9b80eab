"""SQLMesh's file. https://sqlmesh.readthedocs.io/en/stable/integrations/engines/trino/"""

from __future__ import annotations

import json
from collections.abc import Iterator

from bootstrap.tools.reach import Reach
from lakehouse.kinds.engines import trino


def write(stack: Reach) -> str:
    """``config.yaml``: each catalog as a gateway through Trino."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at = stack.address(trino.NAME, "engines.trino", "SQLMesh")
    yield "# config.yaml of a SQLMesh project. Trino asks for no password on this machine."
    yield "gateways:"
    for each in stack.catalogs:
        yield f"  {json.dumps(each.name)}:"
        yield "    connection:"
        yield "      type: trino"
        yield "      method: no-auth"
        yield "      user: sqlmesh"
        yield f"      host: {json.dumps(at.host)}"
        yield f"      port: {at.port}"
        yield "      http_scheme: http"
        yield f"      catalog: {json.dumps(each.name)}"
        # SQLMesh keeps its state where rows can be updated quickly, which a lake is not for.
        yield "    state_connection: {type: duckdb, database: state.db}"
    yield f"default_gateway: {json.dumps(stack.catalog.name)}"
    yield 'model_defaults: {dialect: trino, start: "2026-01-01"}'
