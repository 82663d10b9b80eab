"""Every tool for which there is a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bootstrap.tools import datahub, dbt, dlt, duckdb, env, pyiceberg, spark, sqlmesh, trino
from bootstrap.tools.reach import Reach
from lakehouse.errors import UsageError
from lakehouse.text.words import listed, suggest

WRITERS: Mapping[str, Callable[[Reach], str]] = {
    "pyiceberg": pyiceberg.write,
    "dlt": dlt.write,
    "dbt": dbt.write,
    "sqlmesh": sqlmesh.write,
    "spark": spark.write,
    "trino": trino.write,
    "duckdb": duckdb.write,
    "datahub": datahub.write,
    "env": env.write,
}


def writer(tool: str) -> Callable[[Reach], str]:
    """The function of a tool. Raises UsageError that lists the tools."""
    if tool not in WRITERS:
        raise UsageError(
            f'--for: there is no configuration for "{tool}", only for {listed(WRITERS)}.{suggest(tool, WRITERS)}'
        )
    return WRITERS[tool]
