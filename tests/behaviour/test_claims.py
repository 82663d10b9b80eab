"""Folders of live tables: no new table shares one, and what somebody removed is reported and restored."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import StaticTable

from bootstrap import catalogs
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.nessie_commit import NessieCommit
from bootstrap.maintenance import run
from bootstrap.reconciler.plan import render
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import UnknownState
from bootstrap.remote.s3 import client
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import apply, make_plan, reconcile, restore
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

EV2: dict[str, Any] = {"columns": {"id": "long", "s": "string"}, "properties": {"gc.enabled": "true"}}


@pytest.fixture
def witness(servers: Servers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())


def filled(witness: Catalog, name: str, *ids: int) -> None:
    table = witness.load_table(name)
    rows = pa.table({"id": pa.array(ids, pa.int64()), "s": [str(each) for each in ids]})
    table.append(rows.select(table.schema().column_names))


def ids(witness: Catalog, name: str) -> list[int]:
    return sorted(witness.load_table(name).scan().to_arrow()["id"].to_pylist())


def keys(servers: Servers, location: str) -> list[str]:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    found = client(servers.connections().store).list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")
    return [each["Key"] for each in found.get("Contents", ()) if each["Key"][-1] != "/"]


def test_a_table_of_a_name_that_was_renamed_away_gets_a_folder_of_its_own(
    connections: Connections, root: str, witness: Catalog
) -> None:
    wanted = lakehouse({root: {"tables": {"ev2": EV2}}})
    assert reconcile(wanted, connections).exit_code == 0
    filled(witness, f"{root}.ev2", 1, 2, 3)
    witness.rename_table(f"{root}.ev2", f"{root}.ev2_old")
    text = "\n".join(render(make_plan(wanted, connections)))
    assert f"s3://warehouse/lake/{root}/ev2 is the location of lake.{root}.ev2_old" in text
    outcome = reconcile(wanted, connections)
    assert outcome.exit_code == 0, outcome
    if connections.catalogs["lake"].kind == "nessie":
        assert f"it was renamed to {root}.ev2_old" in text
        assert f"lake.{root}.ev2_old" in outcome.done[0].remark
    new, old = (witness.load_table(f"{root}.{name}").location() for name in ("ev2", "ev2_old"))
    assert (old, new) == (f"s3://warehouse/lake/{root}/ev2", f"s3://warehouse/lake/{root}/ev2-2")
    filled(witness, f"{root}.ev2", 4)
    assert (ids(witness, f"{root}.ev2_old"), ids(witness, f"{root}.ev2")) == ([1, 2, 3], [4])
    assert not make_plan(wanted, connections).steps


def test_a_location_in_or_around_a_live_table_is_refused_with_both_names(
    connections: Connections, root: str, witness: Catalog
) -> None:
    assert reconcile(lakehouse({root: {"tables": {"old": EV2}}}), connections).exit_code == 0
    at = f"s3://warehouse/lake/{root}/old"
    for change in ({"location": f"{at}/inside"}, {"location": at}, {"properties": {"write.data.path": f"{at}/data"}}):
        made = make_plan(lakehouse({root: {"tables": {"new": {**EV2, **change}}}}), connections)
        (note,) = made.refused
        assert note.address == f"table lake.{root}.new"
        assert f"lake.{root}.old" in note.message
        assert not made.steps


def test_an_apply_that_was_killed_before_its_commit_finds_its_folder_again(
    servers: Servers, root: str, witness: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, wanted = servers.connections(), lakehouse({root: {"tables": {"t": EV2}}})
    assert reconcile(lakehouse({root: {}}), connections).exit_code == 0

    def killed(*arguments: Any) -> None:
        raise UnknownState("killed")

    with monkeypatch.context() as patched:
        patched.setattr(NessieCommit, "_send", killed)
        patched.setattr("bootstrap.remote.retry._FIRST_WAIT", 0.001)
        assert reconcile(wanted, connections, rounds=2).exit_code == 1
    folder = f"s3://warehouse/lake/{root}/t"
    assert len(keys(servers, folder)) == 2  # each round wrote one
    assert reconcile(wanted, connections).exit_code == 0
    assert witness.load_table(f"{root}.t").location() == folder


def test_a_folder_that_is_not_empty_is_left_to_its_owner(
    servers: Servers, connections: Connections, root: str, witness: Catalog
) -> None:
    store = client(servers.connections().store)
    reconcile(lakehouse({}), connections)
    for name in ("t", "t-2", "u"):
        store.put_object(Bucket="warehouse", Key=f"lake/{root}/{name}/thesis.txt", Body=b"mine")
    folder = f"s3://warehouse/lake/{root}"
    declared = {**EV2, "location": f"{folder}/u"}
    outcome = reconcile(lakehouse({root: {"tables": {"t": EV2, "u": declared}}}), connections)
    assert [note.address for note in outcome.refused] == [f"table lake.{root}.u"]
    assert witness.load_table(f"{root}.t").location() == f"{folder}/t-3"


def test_a_dropped_table_is_reported_and_restored(connections: Connections, root: str, witness: Catalog) -> None:
    wanted = lakehouse({root: {"tables": {"ev2": EV2}}})
    assert reconcile(wanted, connections).exit_code == 0
    filled(witness, f"{root}.ev2", 1, 2)
    filled(witness, f"{root}.ev2", 3)
    witness.drop_table(f"{root}.ev2")
    (note,) = make_plan(wanted, connections).lost
    assert f"`lakehouse undrop lake.{root}.ev2` brings it back" in note.message
    assert "it held 3 rows in " in note.message
    if connections.catalogs["lake"].kind == "nessie":
        assert "dropped (commit " in note.message
    reported = restore(wanted, connections, f"lake.{root}.ev2")
    assert reported.startswith(f"table lake.{root}.ev2 is back, with 3 rows in ")
    assert ids(witness, f"{root}.ev2") == [1, 2, 3]
    assert not make_plan(wanted, connections).steps


def test_a_table_that_a_deploy_made_anew_and_tags_keep_no_dropped_one_away(
    connections: Connections, root: str, witness: Catalog
) -> None:
    wanted, name = lakehouse({root: {"tables": {"ev2": EV2}}}), f"{root}.ev2"
    assert reconcile(wanted, connections).exit_code == 0
    filled(witness, name, 1, 2)
    catalog = catalogs.connect("lake", connections)
    if isinstance(catalog, NessieCatalog):
        main = next(each for each in catalog.references.list() if each.name == catalog.connection.branch)
        catalog.references.point(f"tag_{root}", "tag", main.points_to)
    witness.drop_table(name)
    assert reconcile(wanted, connections).exit_code == 0, "an empty table"
    witness.drop_table(name)
    assert reconcile(wanted, connections).exit_code == 0, "another one"
    said = restore(wanted, connections, f"lake.{name}")
    assert said.endswith("with 2 rows in 1 snapshot, instead of the empty table that had its name")
    assert ids(witness, name) == [1, 2]
    assert not make_plan(wanted, connections).steps
    if isinstance(catalog, NessieCatalog):
        catalog.references.delete(f"tag_{root}", "tag")


def test_a_dropped_column_is_reported_and_restored_with_its_values(
    servers: Servers, root: str, witness: Catalog
) -> None:
    connections, wanted = servers.connections(), lakehouse({root: {"tables": {"ev2": EV2}}})
    assert reconcile(wanted, connections).exit_code == 0
    filled(witness, f"{root}.ev2", 1, 2)
    commits = catalogs.connect("lake", connections)
    facts = commits.facts({f"{root}.ev2"}, lambda count, of: None).tables[f"{root}.ev2"]
    schema = {"schema-id": 1, "type": "struct", "identifier-field-ids": [], "fields": [
        {"id": 1, "name": "id", "type": "long", "required": False}]}  # fmt: skip
    commits.commit_table(
        f"{root}.ev2",
        {
            "requirements": [{"type": "assert-table-uuid", "uuid": facts.uuid}],
            "updates": [
                {"action": "add-schema", "schema": schema, "last-column-id": 2},
                {"action": "set-current-schema", "schema-id": -1},
            ],
        },
    )
    (note,) = make_plan(wanted, connections).lost
    assert note.address == f"column lake.{root}.ev2.s"
    assert f"`lakehouse undrop lake.{root}.ev2.s` brings it back" in note.message
    restore(wanted, connections, f"lake.{root}.ev2.s")
    assert not make_plan(wanted, connections).steps
    # Nessie's own endpoint shows the schema of the last rows: read by the metadata file itself.
    at = commits.facts({f"{root}.ev2"}, lambda count, of: None).tables[f"{root}.ev2"].metadata_location
    table = StaticTable.from_metadata(at, servers.pyiceberg())
    assert table.scan().to_arrow()["s"].to_pylist() == ["1", "2"]


POLICY = {"remove_orphans": {"older_than_days": 2}, "expire_snapshots": {"older_than_days": 1}}


def steps(wanted: Lakehouse, connections: Connections, table: str) -> dict[str, str]:
    """What maintenance refuses for the table, by step."""
    meant = run.chosen(wanted, "lakehouse.yaml", [f"lake.{table}"])
    (work,) = run.prepare(wanted, connections, meant, run.today() + timedelta(days=9))
    return {step.action: step.refused for step in work.steps}


def test_orphans_stay_in_a_folder_in_which_another_live_table_keeps_files(
    servers: Servers, root: str, witness: Catalog, tmp_path: Path
) -> None:
    connections = servers.connections(tmp_path)
    # Other tests leave branches in the catalog that all share.
    table = {**EV2, "maintenance": {**POLICY, "ignore_references": True}}
    wanted = lakehouse({root: {"tables": {"ev2": table, "free": table}}})
    assert reconcile(wanted, connections).exit_code == 0
    filled(witness, f"{root}.ev2", 1)
    filled(witness, f"{root}.free", 1)
    folder = f"s3://warehouse/lake/{root}"
    witness.create_table(f"{root}.mover", witness.load_table(f"{root}.free").schema(), location=f"{folder}/away")
    filled(witness, f"{root}.mover", 7)
    for _ in range(2):  # the second time from the kept facts
        assert steps(wanted, connections, f"{root}.ev2")["remove orphans"] == ""
        assert steps(wanted, connections, f"{root}.free")["remove orphans"] == ""

    # Files of one table, added to another one in another folder.
    (file,) = [each.file.file_path for each in witness.load_table(f"{root}.ev2").scan().plan_files()]
    witness.load_table(f"{root}.mover").add_files([file])
    refused = steps(wanted, connections, f"{root}.ev2")["remove orphans"]
    assert f"{folder}/ev2 holds the files of lake.{root}.mover, {folder}/ev2/data" in refused
    assert steps(wanted, connections, f"{root}.free")["remove orphans"] == ""

    # A table that moved: its former files are where they were.
    catalog = catalogs.connect("lake", connections)
    mover = catalog.facts({f"{root}.mover"}, lambda count, of: None).tables[f"{root}.mover"]
    catalog.commit_table(
        f"{root}.mover",
        {
            "requirements": [{"type": "assert-table-uuid", "uuid": mover.uuid}],
            "updates": [{"action": "set-location", "location": f"{folder}/free/deep"}],
        },
    )
    refused = steps(wanted, connections, f"{root}.free")["remove orphans"]
    assert f"{folder}/free holds the location of lake.{root}.mover, {folder}/free/deep" in refused

    # One table under two names.
    facts = catalog.facts({f"{root}.ev2"}, lambda count, of: None).tables[f"{root}.ev2"]
    catalog.register_table(f"{root}.twin", facts.metadata_location)
    assert f"lake.{root}.twin" in steps(wanted, connections, f"{root}.ev2")["remove orphans"]
    assert not make_plan(wanted, connections).steps


@pytest.mark.parametrize("connections", ["nessie"], indirect=True)  # REST's list of tables does not say where they are
def test_a_folder_that_is_taken_while_an_apply_goes_on_is_not_shared(
    connections: Connections, root: str, witness: Catalog
) -> None:
    """Somebody creates a table there after the plan and before the commit."""
    wanted = lakehouse({root: {"tables": {"t": EV2}}})
    assert reconcile(lakehouse({root: {}}), connections).exit_code == 0
    made = make_plan(wanted, connections)
    folder = f"s3://warehouse/lake/{root}/t"
    assert reconcile(lakehouse({root: {"tables": {"other": {**EV2, "location": folder}}}}), connections).exit_code == 0
    [failure] = apply(made, connections).failed
    assert f"{folder} is the location of lake.{root}.other" in failure.message
    assert failure.again
    assert reconcile(wanted, connections).exit_code == 0
    assert witness.load_table(f"{root}.t").location() == f"{folder}-2"
