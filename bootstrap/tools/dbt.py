"""dbt's profile. https://docs.getdbt.com/docs/core/connect-data-platform/trino-setup and spark-setup"""

from __future__ import annotations

import json
from collections.abc import Iterator

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach, TrinoOwner
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engines import spark, trino
from lakehouse.services.service import Address

SCHEMA = "dbt"
_PROJECT = """\
# {name}: Trino has no views there. In dbt_project.yml:
#   models: {{+materialized: table, +views_enabled: false}}
#   snapshots: {{+views_enabled: false}}"""
_ICEBERG = f"""\
# By Spark: {reach.EVAL}; packages dbt-spark and pyspark-client. In dbt_project.yml:
#   models: {{+file_format: iceberg}}
#   seeds: {{+file_format: iceberg}}
#   snapshots: {{+file_format: iceberg}}
# For snapshots, dbt-spark makes a view without a schema, which few kinds of catalog take. In macros/snapshots.sql:
#   {{% macro spark_build_snapshot_staging_table(strategy, sql, target_relation) %}}
#     {{% set staging = api.Relation.create(identifier=target_relation.identifier ~ '__dbt_tmp', type='view') %}}
#     {{% call statement('build_snapshot_staging_relation') %}}
#       {{{{ create_temporary_view(staging, snapshot_staging_table(strategy, sql, target_relation)) }}}}
#     {{% endcall %}}
#     {{% do return(staging) %}}
#   {{% endmacro %}}
#   {{% macro spark__post_snapshot(staging_relation) %}}{{% endmacro %}}"""
_TABLES = """\
# {name}_spark: Spark has no views there. In dbt_project.yml:
#   models: {{+file_format: iceberg, +materialized: table}}"""


def write(stack: Reach) -> str:
    """``profiles.yml``: each catalog as a target through Trino, and one through Spark Connect if it runs."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at, by_spark = stack.addresses.get(trino.NAME), spark.CONNECT in stack.addresses
    if not by_spark:
        at = stack.address(trino.NAME, "engines.trino, or engines.spark with connect: true,", "dbt")
    yield "# ~/.dbt/profiles.yml, for dbt-trino" + (" and dbt-spark" if by_spark else "")
    if stack.owner is not None:
        yield f"# Its password: {reach.EVAL}"
    yield f"{json.dumps(stack.name)}:"
    yield f"  target: {json.dumps(stack.catalog.name if at else f'{stack.catalog.name}_spark')}"
    yield "  outputs:"
    for each in stack.catalogs:
        if at is not None:
            yield from _trino(each, at, stack.owner)
        if by_spark:
            yield from _spark(each)
    for each in stack.catalogs:
        if at is not None and not each.kind.trino_views:
            yield _PROJECT.format(name=each.name)
    if by_spark:
        yield _ICEBERG
    for each in stack.catalogs:
        if by_spark and not each.kind.can.views:
            yield _TABLES.format(name=each.name)


def _trino(each: CatalogEndpoint, at: Address, owner: TrinoOwner | None) -> Iterator[str]:
    yield f"    {json.dumps(each.name)}:"
    yield "      type: trino"
    if owner is None:
        yield "      method: none"
        yield "      user: dbt"
    else:
        yield "      method: ldap"  # dbt-trino's name for a password
        yield f"      user: {owner.user}"
        yield f"      password: \"{{{{ env_var('{reach.TRINO_PASSWORD}') }}}}\""
        yield f"      cert: {json.dumps(owner.trust)}"
    yield f"      host: {json.dumps(at.host)}"
    yield f"      port: {at.port}"
    yield f"      http_scheme: {'http' if owner is None else 'https'}"
    yield f"      database: {json.dumps(each.name)}"
    yield f"      schema: {SCHEMA}"
    yield "      threads: 2"


def _spark(each: CatalogEndpoint) -> Iterator[str]:
    yield f"    {json.dumps(f'{each.name}_spark')}:"
    yield "      type: spark"
    # A session at SPARK_REMOTE. The Thrift server would want a namespace `default` in each catalog.
    yield "      method: session"
    yield "      host: NA"
    yield f"      schema: {SCHEMA}"
    # dbt-spark names no catalog.
    yield f"      server_side_parameters: {{spark.sql.defaultCatalog: {json.dumps(each.name)}}}"
    yield "      threads: 1"
