"""The Glue Data Catalog, on moto's server: the suite of all catalogs, and tests for Glue only.

The tests that are imported here run with this module's fixtures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from bootstrap import catalogs
from bootstrap.reconciler.objects.table import TableCommit
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, Unreachable
from lakehouse.spec import load
from tests import moto
from tests.behaviour.conftest import lakehouse
from tests.behaviour.every_catalog import *  # noqa: F403 - its tests run here
from tests.behaviour.glue import WAREHOUSE, GlueServers, glue
from tests.behaviour.located_catalog import *  # noqa: F403 - likewise
from tests.behaviour.placing_catalog import *  # noqa: F403 - likewise
from tests.behaviour.project import Project
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import REGION
from tests.behaviour.test_tables import applied

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def servers() -> Iterator[GlueServers]:
    with glue() as up:
        yield up


@pytest.fixture(params=["facts kept", pytest.param("no facts kept", marks=pytest.mark.matrix)])
def connections(servers: GlueServers, request: pytest.FixtureRequest, tmp_path: Path) -> Connections:
    return servers.connections(tmp_path / "cache" if request.param == "facts kept" else None)


@pytest.fixture
def witness(servers: GlueServers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())


@pytest.fixture
def client(servers: GlueServers) -> Any:
    return moto.client("glue", servers.catalog, REGION)


T: dict[str, Any] = {"tables": {"t": {"columns": {"a": "int"}}}}


def test_databases_are_as_the_file_says(connections: Connections, root: str, client: Any) -> None:
    applied(lakehouse({root: {"properties": {"comment": "Who works here", "team": "x"}}}), connections)
    made = client.get_database(Name=root)["Database"]
    assert (made["LocationUri"], made["Description"]) == (f"{WAREHOUSE}/{root}", "Who works here")
    assert made["Parameters"]["team"] == "x"
    applied(lakehouse({root: {"properties": {"comment": "Who worked here", "team": "y"}}}), connections)
    changed = client.get_database(Name=root)["Database"]
    assert (changed["LocationUri"], changed["Description"]) == (f"{WAREHOUSE}/{root}", "Who worked here")
    assert changed["Parameters"]["team"] == "y"


def test_a_database_of_terraform_is_taken_as_it_is(connections: Connections, root: str, client: Any) -> None:
    everybody = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    client.create_database(
        DatabaseInput={
            "Name": root,
            "Description": "Who works here",
            "LocationUri": f"{WAREHOUSE}/{root}",
            "Parameters": {"comment": "Who works here"},
            "CreateTableDefaultPermissions": [{"Permissions": ["ALL"], "Principal": everybody}],
        }
    )
    wanted = lakehouse({root: {"properties": {"comment": "Who works here"}, **T}})
    assert [step.address for step in make_plan(wanted, connections).steps] == [f"table lake.{root}.t"]
    applied(wanted, connections)
    applied(lakehouse({root: {"properties": {"comment": "Who works here", "team": "x"}, **T}}), connections)
    after = client.get_database(Name=root)["Database"]
    assert after["CreateTableDefaultPermissions"][0]["Principal"] == everybody


def test_databases_of_others_are_not_seen(connections: Connections, root: str, client: Any) -> None:
    client.create_database(DatabaseInput={"Name": f"{root}_theirs", "LocationUri": "s3://warehouse/lake2/x"})
    client.create_database(DatabaseInput={"Name": f"{root}_nowhere"})
    seen = catalogs.connect("lake", connections).facts(None, lambda *_: None).namespaces
    assert not {f"{root}_theirs", f"{root}_nowhere"} & seen.keys()
    outcome = reconcile(lakehouse({f"{root}_theirs": {}}), connections)
    assert "does not belong to this lakehouse. Rename the namespace" in outcome.failed[0].message


def test_what_is_no_iceberg_table_keeps_its_name(connections: Connections, root: str, client: Any) -> None:
    applied(lakehouse({root: {}}), connections)
    client.create_table(DatabaseName=root, TableInput={"Name": "t", "TableType": "VIRTUAL_VIEW"})
    [note] = make_plan(lakehouse({root: T}), connections).refused
    assert "something other than an Iceberg table has this name" in note.message


def test_a_database_goes_empty_or_not_at_all(connections: Connections, root: str, witness: Catalog) -> None:
    catalog = catalogs.connect("lake", connections)
    applied(lakehouse({root: T}), connections)
    with pytest.raises(Conflict, match="is not empty"):
        catalog.drop_namespace(root)
    assert witness.table_exists(f"{root}.t")
    identity = str(witness.load_table(f"{root}.t").metadata.table_uuid)
    with pytest.raises(Conflict, match="is another table"):
        catalog.drop_table(f"{root}.t", "another", purge=False)
    assert witness.table_exists(f"{root}.t")
    catalog.drop_table(f"{root}.t", identity, purge=False)
    catalog.drop_namespace(root)
    with pytest.raises(Missing):
        catalog.drop_namespace(root)


@pytest.mark.parametrize("purge", [True, False])
def test_files_are_deleted_with_the_table_only_on_request(
    connections: Connections, servers: GlueServers, root: str, witness: Catalog, purge: bool
) -> None:
    applied(lakehouse({root: T}), connections)
    witness.load_table(f"{root}.t").append(pa.table({"a": pa.array([1], pa.int32())}))
    identity = str(witness.load_table(f"{root}.t").metadata.table_uuid)
    catalogs.connect("lake", connections).drop_table(f"{root}.t", identity, purge=purge)
    s3 = moto.client("s3", servers.store, REGION)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="warehouse", Prefix=f"lake/{root}/").get("Contents", ())]
    assert bool([key for key in keys if key.endswith(".parquet")]) is not purge


def test_a_purge_spares_files_that_may_belong_to_another_table(
    connections: Connections, root: str, witness: Catalog
) -> None:
    applied(lakehouse({root: T}), connections)
    table = witness.load_table(f"{root}.t")
    table.append(pa.table({"a": pa.array([1], pa.int32())}))
    with table.transaction() as change:
        change.set_properties({"gc.enabled": "false"})
    catalog, identity = catalogs.connect("lake", connections), str(table.metadata.table_uuid)
    with pytest.raises(Refused, match=rf"{root}\.t: its property gc.enabled is false.*Drop the table without --purge"):
        catalog.drop_table(f"{root}.t", identity, purge=True)
    assert witness.load_table(f"{root}.t").scan().to_arrow().num_rows == 1
    assert catalog.drop_table(f"{root}.t", identity, purge=False) == ""


def test_a_commit_that_came_too_late_is_a_conflict(connections: Connections, root: str, witness: Catalog) -> None:
    applied(lakehouse({root: T}), connections)
    [step] = make_plan(lakehouse({root: {"tables": {"t": {"columns": {"a": "long"}}}}}), connections).steps
    with witness.load_table(f"{root}.t").update_schema() as update:
        update.add_column("b", LongType())
    catalog = catalogs.connect("lake", connections)
    assert isinstance(step.change.body, TableCommit)
    with pytest.raises(Conflict):
        catalog.commit_table(f"{root}.t", step.change.body.sent("update"))
    applied(lakehouse({root: {"tables": {"t": {"columns": {"a": "long", "b": "long"}}}}}), connections)


def test_history_stays_and_both_see_it(connections: Connections, root: str, witness: Catalog) -> None:
    applied(lakehouse({root: T}), connections)
    for number in (1, 2):
        witness.load_table(f"{root}.t").append(pa.table({"a": pa.array([number], pa.int32())}))
    applied(lakehouse({root: {"tables": {"t": {"columns": {"b": "string", "a": "long"}}}}}), connections)
    table = witness.load_table(f"{root}.t")
    assert len(table.metadata.snapshots) == 2
    assert sorted(table.scan().to_arrow()["a"].to_pylist()) == [1, 2]
    assert table.scan(snapshot_id=table.metadata.snapshots[0].snapshot_id).to_arrow().num_rows == 1


def test_import_writes_what_makes_the_next_plan_empty(project: Project, below: Callable[[str], str]) -> None:
    project.run("apply")
    theirs = load_catalog("lake", **project.servers.pyiceberg())
    name = below("deep")
    theirs.create_namespace(name, {"location": f"{WAREHOUSE}/{name}"})
    theirs.create_table(f"{name}.theirs", Schema(NestedField(1, "id", LongType(), required=True, doc="which")))
    assert json.loads(project.run("drift", "--json").stdout)["unnamed"]
    assert project.run("import", "--write").exit_code == 0
    entry = load(project.path).catalogs["lake"].namespaces[name].tables["theirs"]
    assert (entry.columns["id"].type, entry.columns["id"].doc) == ("long", "which")
    planned = project.run("plan")
    assert planned.exit_code == 0, planned.stdout


@pytest.mark.parametrize(
    ("name", "error", "said"), [("a.b", Refused, 'Glue has one level. Write "a_b"'), ("there", Exists, "there")]
)
def test_what_glue_does_not_take(
    connections: Connections, root: str, name: str, error: type[Exception], said: str
) -> None:
    catalog = catalogs.connect("lake", connections)
    wanted = name if name == "a.b" else f"{root}_{name}"
    if name == "there":
        catalog.create_namespace(wanted, {})
    with pytest.raises(error, match=said):
        catalog.create_namespace(wanted, {})


def test_a_glue_that_does_not_answer() -> None:
    nobody = "http://127.0.0.1:1"
    store = StoreConnection(nobody, REGION, "key", "secret")
    connections = Connections(store, {"lake": CatalogConnection("glue", nobody, WAREHOUSE)}, patience=2.0)
    with pytest.raises(Unreachable, match="catalog"):
        catalogs.connect("lake", connections).facts(None, lambda *_: None)
