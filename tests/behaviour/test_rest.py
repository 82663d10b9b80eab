"""Iceberg's own REST server on PostgreSQL: the suite of all catalogs, and what Nessie's REST endpoint cannot do.

The tests that are imported here run with this module's fixtures.
"""

from __future__ import annotations

import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.types import LongType

from bootstrap.remote.connections import Connections
from tests.behaviour.conftest import lakehouse
from tests.behaviour.every_catalog import *  # noqa: F403 - its tests run here
from tests.behaviour.placing_catalog import *  # noqa: F403 - likewise
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers
from tests.behaviour.view_catalog import *  # noqa: F403 - likewise

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture
def servers(servers: Servers) -> Servers:
    return servers.of("rest")


@pytest.fixture
def connections(servers: Servers) -> Connections:
    return servers.connections()


@pytest.fixture
def witness(servers: Servers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())


def test_a_nested_namespace_and_its_table(connections: Connections, root: str, witness: Catalog) -> None:
    columns = {"tables": {"t": {"columns": {"a": "int"}}}}
    wanted = lakehouse({root: {}, f"{root}.deep": {}, f"{root}.deep.er": columns})
    assert reconcile(wanted, connections).exit_code == 0
    assert witness.list_namespaces((root, "deep")) == [(root, "deep", "er")]
    assert witness.load_table(f"{root}.deep.er.t").schema().column_names == ["a"]
    assert make_plan(wanted, connections).exit_code == 0


def test_a_schema_change_by_pyiceberg_is_seen_at_once_and_rows_stay(
    connections: Connections, root: str, witness: Catalog
) -> None:
    wanted = lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}})
    assert reconcile(wanted, connections).exit_code == 0
    table = witness.load_table(f"{root}.t")
    table.append(pa.table({"a": pa.array([1], pa.int32())}))
    with table.update_schema() as update:
        update.add_column("b", LongType())
    again = witness.load_table(f"{root}.t")
    assert again.schema().column_names == ["a", "b"]
    assert again.scan().to_arrow().to_pylist() == [{"a": 1, "b": None}]
    assert len(again.metadata.snapshots) == 1
    assert f"column lake.{root}.t.b" in make_plan(wanted, connections).unnamed


def test_a_view_is_made_and_found(connections: Connections, servers: Servers, root: str, witness: Catalog) -> None:
    assert reconcile(lakehouse({root: {}}), connections).exit_code == 0
    version = {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {},
        "default-namespace": [root],
        "representations": [{"type": "sql", "sql": "SELECT 1 AS a", "dialect": "spark"}],
    }
    schema = {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "a", "type": "int", "required": False}]}
    body = {"name": "v", "schema": schema, "view-version": version, "properties": {}}
    requests.post(
        f"{servers.catalogs['rest'].uri}/v1/namespaces/{root}/views", json=body, timeout=30
    ).raise_for_status()
    assert witness.list_views(root) == [(root, "v")]
    assert witness.list_tables(root) == []
