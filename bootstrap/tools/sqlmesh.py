"""SQLMesh's file. https://sqlmesh.readthedocs.io/en/stable/integrations/engines/trino/"""

from __future__ import annotations

import json
from collections.abc import Iterator

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach
from lakehouse.kinds.engines import trino


def write(stack: Reach) -> str:
    """``config.yaml``: each catalog as a gateway through Trino."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at = stack.address(trino.NAME, "engines.trino", "SQLMesh")
    if (owner := stack.owner) is None:
        login = ("no-auth", "sqlmesh", "http")
        yield "# config.yaml of a SQLMesh project. Trino asks for no password on this machine."
    else:
        login = ("basic", owner.user, "https")
        yield f"# config.yaml of a SQLMesh project. Its password: {reach.EVAL}"
    method, user, scheme = login
    yield "gateways:"
    for each in stack.catalogs:
        yield f"  {json.dumps(each.name)}:"
        yield "    connection:"
        yield "      type: trino"
        yield f"      method: {method}"
        yield f"      user: {user}"
        if owner is not None:
            yield f"      password: \"{{{{ env_var('{reach.TRINO_PASSWORD}') }}}}\""
            yield f"      cert: {json.dumps(owner.trust)}"
        yield f"      host: {json.dumps(at.host)}"
        yield f"      port: {at.port}"
        yield f"      http_scheme: {scheme}"
        yield f"      catalog: {json.dumps(each.name)}"
        # SQLMesh keeps its state where rows can be updated quickly, which a lake is not for.
        yield "    state_connection: {type: duckdb, database: state.db}"
    yield f"default_gateway: {json.dumps(stack.catalog.name)}"
    yield 'model_defaults: {dialect: trino, start: "2026-01-01"}'
