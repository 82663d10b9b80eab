"""Hive Metastore on PostgreSQL: the suite of all catalogs, and tests for Hive only.

The tests that are imported here run with this module's fixtures.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table as IcebergTable
from pyiceberg.types import LongType

from bootstrap import catalogs
from bootstrap.catalogs.hive import HiveCatalog
from bootstrap.catalogs.metastore import Metastore
from bootstrap.reconciler.objects.table import TableCommit
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, Throttled, UnknownState, Unreachable
from tests.behaviour.conftest import lakehouse
from tests.behaviour.every_catalog import *  # noqa: F403 - its tests run here
from tests.behaviour.located_catalog import *  # noqa: F403 - likewise
from tests.behaviour.placing_catalog import *  # noqa: F403 - likewise
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers
from tests.behaviour.test_tables import applied
from tests.behaviour.view_catalog import *  # noqa: F403 - likewise

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture
def servers(servers: Servers) -> Servers:
    return servers.of("hive")


@pytest.fixture
def connections(servers: Servers) -> Connections:
    return servers.connections()


@pytest.fixture
def witness(servers: Servers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())


@pytest.fixture
def metastore(servers: Servers) -> Metastore:
    return Metastore(servers.catalogs["hive"].uri, 10.0)


T: dict[str, Any] = {"tables": {"t": {"columns": {"a": "int"}}}}


def test_databases_are_as_the_file_says(connections: Connections, root: str, witness: Catalog) -> None:
    applied(lakehouse({root: {"properties": {"comment": "Who works here", "team": "x"}}}), connections)
    location = f"s3://warehouse/lake/{root}"
    known = {"comment": "Who works here", "team": "x", "location": location}
    assert witness.load_namespace_properties(root).items() >= known.items()
    applied(lakehouse({root: {"properties": {"comment": "Who worked here", "team": "y"}}}), connections)
    assert witness.load_namespace_properties(root).items() >= {"comment": "Who worked here", "team": "y"}.items()


def test_the_default_database_is_there_once_the_file_names_it(connections: Connections, witness: Catalog) -> None:
    catalog = catalogs.connect("lake", connections)
    assert ("default",) in witness.list_namespaces()
    assert "default" not in catalog.facts(None, lambda *_: None).namespaces
    applied(lakehouse({"default": {"properties": {"team": "x"}, "deletable": True, **T}}), connections)
    table = witness.load_table("default.t")
    assert table.location() == "s3://warehouse/lake/default/t"
    catalog.drop_table("default.t", str(table.metadata.table_uuid), purge=True)
    catalog.drop_namespace("default")
    assert "default" not in catalog.facts(None, lambda *_: None).namespaces
    assert "team" not in witness.load_namespace_properties("default")


def test_what_is_no_iceberg_table_keeps_its_name(connections: Connections, root: str, metastore: Metastore) -> None:
    from hive_metastore.ttypes import SerDeInfo, StorageDescriptor, Table

    applied(lakehouse({root: {}}), connections)
    with metastore.asked("test") as hive:
        hive.create_table(Table("t", root, sd=StorageDescriptor([], serdeInfo=SerDeInfo()), tableType="VIRTUAL_VIEW"))
    [note] = make_plan(lakehouse({root: T}), connections).refused
    assert "something other than an Iceberg table has this name" in note.message


def test_a_database_goes_empty_or_not_at_all(connections: Connections, root: str, witness: Catalog) -> None:
    catalog = catalogs.connect("lake", connections)
    applied(lakehouse({root: T}), connections)
    with pytest.raises(Conflict, match="is not empty"):
        catalog.drop_namespace(root)
    with pytest.raises(Conflict, match="is another table"):
        catalog.drop_table(f"{root}.t", "another", purge=False)
    identity = str(witness.load_table(f"{root}.t").metadata.table_uuid)
    catalog.drop_table(f"{root}.t", identity, purge=False)
    catalog.drop_namespace(root)
    for call in (lambda: catalog.drop_namespace(root), lambda: catalog.drop_table(f"{root}.t", identity, purge=False)):
        with pytest.raises(Missing):
            call()


@pytest.mark.parametrize("purge", [True, False])
def test_files_go_with_the_table_only_if_asked_for(
    connections: Connections, root: str, witness: Catalog, purge: bool
) -> None:
    applied(lakehouse({root: T}), connections)
    table = witness.load_table(f"{root}.t")
    table.append(pa.table({"a": pa.array([1], pa.int32())}))
    [path] = [each.file.file_path for each in table.scan().plan_files()]
    catalogs.connect("lake", connections).drop_table(f"{root}.t", str(table.metadata.table_uuid), purge=purge)
    assert table.io.new_input(path).exists() is not purge


@pytest.fixture
def rows(root: str, connections: Connections, witness: Catalog) -> IcebergTable:
    """A table with one data file."""
    applied(lakehouse({root: T}), connections)
    table = witness.load_table(f"{root}.t")
    table.append(pa.table({"a": pa.array([1], pa.int32())}))
    return table


def test_a_purge_spares_files_that_may_belong_to_another_table(
    connections: Connections, root: str, witness: Catalog, rows: IcebergTable
) -> None:
    with rows.transaction() as change:
        change.set_properties({"gc.enabled": "false"})
    catalog, identity = catalogs.connect("lake", connections), str(rows.metadata.table_uuid)
    with pytest.raises(Refused, match=rf"{root}\.t: its property gc.enabled is false.*Drop the table without --purge"):
        catalog.drop_table(f"{root}.t", identity, purge=True)
    assert witness.load_table(f"{root}.t").scan().to_arrow().num_rows == 1
    assert catalog.drop_table(f"{root}.t", identity, purge=False) == ""


def test_a_purge_that_fails_says_what_is_left(
    connections: Connections, root: str, witness: Catalog, rows: IcebergTable
) -> None:
    snapshot = rows.current_snapshot()
    assert snapshot is not None
    rows.io.delete(snapshot.manifest_list)
    left = catalogs.connect("lake", connections).drop_table(f"{root}.t", str(rows.metadata.table_uuid), purge=True)
    assert left.startswith(f"dropped, but the files at {rows.location()} are not all deleted: ")
    assert "thrift:" not in left
    assert not witness.table_exists(f"{root}.t")


def test_a_commit_that_came_too_late_is_a_conflict(connections: Connections, root: str, witness: Catalog) -> None:
    applied(lakehouse({root: T}), connections)
    [step] = make_plan(lakehouse({root: {"tables": {"t": {"columns": {"a": "long"}}}}}), connections).steps
    with witness.load_table(f"{root}.t").update_schema() as update:
        update.add_column("b", LongType())
    assert isinstance(step.change.body, TableCommit)
    with pytest.raises(Conflict):
        catalogs.connect("lake", connections).commit_table(f"{root}.t", step.change.body.sent("update"))
    applied(lakehouse({root: {"tables": {"t": {"columns": {"a": "long", "b": "long"}}}}}), connections)


def test_two_writers_at_once_lose_nothing(connections: Connections, servers: Servers, root: str) -> None:
    columns: dict[str, Any] = {"a": "int"}
    applied(lakehouse({root: {"tables": {"t": {"columns": columns}}}}), connections)

    def rows(writer: int) -> int:
        """Six commits of a row by a client of its own; returns how often another one was faster."""
        client, beaten = load_catalog("lake", **servers.pyiceberg()), 0
        for number in range(6):
            while True:
                try:
                    table = client.load_table(f"{root}.t")
                    table.append(pa.table({"a": pa.array([writer * 100 + number], pa.int32())}))
                    break
                except CommitFailedException:
                    beaten += 1
        return beaten

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(rows, writer) for writer in (1, 2)]
        for number in range(4):
            columns[f"c{number}"] = "long"
            wanted = lakehouse({root: {"tables": {"t": {"columns": columns}}}})
            assert reconcile(wanted, connections, rounds=50).exit_code == 0
        beaten = sum(each.result() for each in writers)
    assert beaten > 0, "they never met"
    table = load_catalog("lake", **servers.pyiceberg()).load_table(f"{root}.t")
    assert table.schema().column_names == list(columns)
    assert sorted(table.scan().to_arrow()["a"].to_pylist()) == [w * 100 + n for w in (1, 2) for n in range(6)]
    assert len(table.metadata.snapshots) == 12


@pytest.fixture
def wider(root: str, connections: Connections) -> Any:
    """A lakehouse that needs a commit to its table, which is there."""
    applied(lakehouse({root: T}), connections)
    return lakehouse({root: {"tables": {"t": {"columns": {"a": "long"}}}}})


def test_the_lock_of_another_client_is_waited_for(
    connections: Connections, metastore: Metastore, root: str, wider: Any
) -> None:
    hasty = replace(connections, patience=1.0)
    [step] = make_plan(wider, connections).steps
    assert isinstance(step.change.body, TableCommit)
    commit = step.change.body.sent("update")
    refused = pytest.raises(Throttled, match="somebody else holds its lock in the metastore")
    with metastore.asked("test") as hive, metastore.locked(hive, "test", root, "t"), refused:
        catalogs.connect("lake", hasty).commit_table(f"{root}.t", commit)
    catalogs.connect("lake", hasty).commit_table(f"{root}.t", commit)
    assert make_plan(wider, connections).steps == ()


LOCKING = """
import os, sys
from bootstrap.catalogs.metastore import Metastore
metastore = Metastore(sys.argv[1], 10.0)
with metastore.asked("test") as hive, metastore.locked(hive, "test", sys.argv[2], "t"):
    os._exit(9)
"""


def test_the_lock_of_a_process_that_died_is_given_up(
    connections: Connections, servers: Servers, root: str, wider: Any
) -> None:
    died = subprocess.run([sys.executable, "-c", LOCKING, servers.catalogs["hive"].uri, root], check=False, timeout=60)
    assert died.returncode == 9
    applied(wider, connections)


def test_a_commit_that_lost_its_lock_changes_nothing(
    connections: Connections, metastore: Metastore, root: str, wider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hive_metastore.ttypes import ShowLocksRequest, UnlockRequest

    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, HiveCatalog)
    [step] = make_plan(wider, connections).steps
    assert isinstance(step.change.body, TableCommit)
    write = catalog.files.write

    def write_for_too_long(location: str, text: str) -> None:
        write(location, text)
        with metastore.asked("test") as hive:
            for each in hive.show_locks(ShowLocksRequest(dbname=root, tablename="t")).locks:
                hive.unlock(UnlockRequest(lockid=each.lockid))

    monkeypatch.setattr(catalog.files, "write", write_for_too_long)
    with pytest.raises(Conflict, match="the metastore released its lock"):
        catalog.commit_table(f"{root}.t", step.change.body.sent("update"))
    assert len(make_plan(wider, connections).steps) == 1


def test_a_comment_has_its_limit(connections: Connections, root: str) -> None:
    outcome = reconcile(lakehouse({root: {"properties": {"comment": "x" * 4001}}}), connections)
    assert "Hive keeps 4000 characters of a comment, and this one has 4001" in outcome.failed[0].message


@pytest.mark.parametrize(
    ("name", "error", "said"), [("a.b", Refused, 'Hive has one level. Write "a_b"'), ("there", Exists, "there")]
)
def test_what_hive_does_not_take(
    connections: Connections, root: str, name: str, error: type[Exception], said: str
) -> None:
    catalog = catalogs.connect("lake", connections)
    wanted = name if name == "a.b" else f"{root}_{name}"
    if name == "there":
        catalog.create_namespace(wanted, {})
    with pytest.raises(error, match=said):
        catalog.create_namespace(wanted, {})


def test_a_table_without_its_namespace_says_so(connections: Connections, root: str) -> None:
    applied(lakehouse({root: T}), connections)
    catalog = catalogs.connect("lake", connections)
    at = catalog.facts(None, lambda *_: None).tables[f"{root}.t"].metadata_location
    with pytest.raises(Missing, match=f"there is no namespace {root}_x"):
        catalog.register_table(f"{root}_x.t", at)
    with pytest.raises(Exists, match="there is already a table or view of that name"):
        catalog.register_table(f"{root}.t", at)


def at(uri: str, connections: Connections) -> Any:
    """The catalog at another address, where an answer takes at most a second."""
    there = replace(connections, catalogs={"lake": CatalogConnection("hive", uri, "s3://warehouse/lake")}, patience=1.0)
    return catalogs.connect("lake", there)


def test_a_metastore_that_does_not_answer(connections: Connections) -> None:
    with pytest.raises(Unreachable, match='catalog "lake"'):
        at("thrift://127.0.0.1:1", connections).facts(None, lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(UnknownState, match="no answer from"):
        at(f"thrift://127.0.0.1:{mute.getsockname()[1]}", connections).facts(None, lambda *_: None)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", id="HTTP"),
        pytest.param(struct.pack(">i", 1 << 20), id="a message without a version"),
        pytest.param(struct.pack(">Ii", 0x80010001, 101 << 20), id="a name that is longer than the limit"),
    ],
)
def test_what_is_no_request_is_refused_at_once_and_the_metastore_still_answers(
    servers: Servers, metastore: Metastore, data: bytes
) -> None:
    at = urlsplit(servers.catalogs["hive"].uri)
    with socket.create_connection((str(at.hostname), at.port or 0), timeout=20) as raw, suppress(ConnectionResetError):
        raw.sendall(data)
        assert raw.recv(1) == b""  # it closed the connection and does not wait for the rest of a text
    with metastore.asked("test") as hive:
        assert "default" in hive.get_all_databases()
