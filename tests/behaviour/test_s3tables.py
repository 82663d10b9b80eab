"""Tables that SeaweedFS serves by itself, with signed requests: the suite of all catalogs, and what is particular.

The tests that are imported here run with this module's fixtures.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError

from bootstrap import catalogs
from bootstrap.catalogs.s3tables import S3TablesCatalog
from bootstrap.reconciler.objects.table import TableCommit
from bootstrap.remote.auth import SigV4
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Refused, RemoteError
from bootstrap.remote.s3 import client, s3tables
from tests.behaviour import conftest
from tests.behaviour.conftest import lakehouse
from tests.behaviour.every_catalog import *  # noqa: F403 - its tests run here
from tests.behaviour.project import Project
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import REGION, TABLES, Servers
from tests.behaviour.test_tables import applied

pytestmark = [
    pytest.mark.behaviour,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("servers", ["seaweedfs"], indirect=True, scope="session"),
]

LOCATION = f"s3://{TABLES}"
T: dict[str, Any] = {"tables": {"t": {"columns": {"a": "int"}}}}


@pytest.fixture(autouse=True)
def table_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "LOCATION", LOCATION)


@pytest.fixture
def servers(servers: Servers) -> Servers:
    return servers.of("s3tables")


@pytest.fixture
def connections(servers: Servers) -> Connections:
    return servers.connections()


@pytest.fixture
def project(servers: Servers, project: Project) -> Project:
    project.location = LOCATION
    project.write()
    return project


@pytest.fixture
def witness(servers: Servers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())


@pytest.fixture
def live(connections: Connections) -> S3TablesCatalog:
    found = catalogs.connect("lake", connections)
    assert isinstance(found, S3TablesCatalog)
    return found


def test_what_the_file_names_no_more_goes_with_two_keys_and_its_files(
    connections: Connections, root: str, below: Callable[[str], str], witness: Catalog
) -> None:
    gone = below("gone")
    table = {"columns": {"a": "long"}, "deletable": True}
    applied(lakehouse({root: {}, gone: {"deletable": True, "tables": {"t": table}}}), connections)
    folder = witness.load_table(f"{gone}.t").location().removeprefix(f"{LOCATION}/")

    def held() -> bool:
        return "Contents" in client(connections.store).list_objects_v2(Bucket=TABLES, Prefix=f"{folder}/")

    assert held()
    empty = lakehouse({root: {}})
    assert not make_plan(empty, connections).steps, "one key destroys nothing"
    refused = reconcile(empty, connections, allow_destroy=True, rounds=1)
    assert "drops a table only with its files. `--purge` deletes them" in str(refused)
    assert witness.table_exists(f"{gone}.t")
    applied(empty, connections, allow_destroy=True, purge=True)
    with pytest.raises(NoSuchNamespaceError):
        witness.load_namespace_properties(gone)
    assert not held()


# the table bucket


@pytest.fixture
def elsewhere(connections: Connections, root: str, monkeypatch: pytest.MonkeyPatch) -> Connections:
    """The catalog is the bucket ``root``, which is not there yet."""
    monkeypatch.setattr(conftest, "LOCATION", f"s3://{root}")
    return replace(connections, catalogs={"lake": replace(connections.catalogs["lake"], warehouse=root)})


def test_a_missing_table_bucket_is_planned_and_made_and_goes_only_when_it_is_empty(
    elsewhere: Connections, root: str
) -> None:
    def names() -> set[str]:
        return {each["name"] for each in s3tables(elsewhere.store).list_table_buckets().get("tableBuckets") or ()}

    wanted = lakehouse({"a": T}, buckets={root: {"deletable": True}})
    planned = [step.address for step in make_plan(wanted, elsewhere).steps]
    assert planned == [f"bucket {root}", "namespace lake.a", "table lake.a.t"]
    applied(wanted, elsewhere)
    assert root in names()
    without = lakehouse({}, buckets={"warehouse": {}})
    held = reconcile(without, elsewhere, allow_destroy=True, rounds=1)
    assert "is not empty" in str(held.failed)
    catalog = catalogs.connect("lake", elsewhere)
    catalog.drop_table("a.t", catalog.facts(None, lambda count, of: None).tables["a.t"].uuid, purge=True)
    catalog.drop_namespace("a")
    reconcile(without, elsewhere, allow_destroy=True)
    assert root not in names()


def test_an_ordinary_bucket_is_no_catalog(elsewhere: Connections, root: str) -> None:
    client(elsewhere.store).create_bucket(Bucket=root)
    made = make_plan(lakehouse({"a": T}), elsewhere)
    assert not made.steps
    refused = {note.address: note.message for note in made.refused}
    assert "is an ordinary bucket, and its catalog needs a table bucket" in refused[f"bucket {root}"]
    assert {"catalog lake", "namespace lake.a", "table lake.a.t"} <= refused.keys()


# what other catalogs do otherwise


def commit_of(live: S3TablesCatalog, connections: Connections, root: str) -> dict[str, Any]:
    [step] = [
        step for step in make_plan(lakehouse({root: T}), connections).steps if step.address == f"table lake.{root}.t"
    ]
    assert isinstance(step.change.body, TableCommit)
    return dict(step.change.body.sent("create"))


def test_a_table_that_exists_is_not_taken_for_a_new_one(
    connections: Connections, live: S3TablesCatalog, root: str, witness: Catalog
) -> None:
    """Iceberg's request to create a table answers 200 with the table that is there; ours is a commit."""
    commit = commit_of(live, connections, root)
    applied(lakehouse({root: {}}), connections)
    theirs = witness.create_table(f"{root}.t", pa.schema([("theirs", pa.string())]))
    assert witness.create_table(f"{root}.t", pa.schema([("a", pa.int32())])).metadata.table_uuid == (
        theirs.metadata.table_uuid
    ), "the trap is gone"
    with pytest.raises(Conflict):
        live.commit_table(f"{root}.t", commit)
    assert witness.load_table(f"{root}.t").schema().column_names == ["theirs"]


def test_of_several_that_create_a_table_at_once_one_has_it(
    connections: Connections, live: S3TablesCatalog, root: str
) -> None:
    commit = commit_of(live, connections, root)
    applied(lakehouse({root: {}}), connections)

    def create(identity: str) -> bool:
        mine = copy.deepcopy(commit)
        mine["updates"][0]["uuid"] = identity
        try:
            live.commit_table(f"{root}.t", mine)
        except RemoteError:
            return False
        return True

    identities = [str(uuid.uuid4()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, identities))
    assert live.facts({f"{root}.t"}, lambda count, of: None).tables[f"{root}.t"].uuid in identities


def test_a_name_that_was_renamed_away_is_not_used_again(connections: Connections, root: str, witness: Catalog) -> None:
    """Its folder has the old table's files, and the server would write the new one's there."""
    wanted = lakehouse({root: T})
    applied(wanted, connections)
    witness.rename_table(f"{root}.t", f"{root}.old")
    made = make_plan(wanted, connections)
    assert not made.steps
    [note] = made.refused
    assert f"is the location of lake.{root}.old, and S3 Tables has no other folder for it" in note.message


def test_a_nested_namespace_of_somebody_else_is_only_listed(connections: Connections, root: str) -> None:
    applied(lakehouse({root: T}), connections)
    live = catalogs.connect("lake", connections)
    assert isinstance(live, S3TablesCatalog)
    live.http.post(f"{live.prefix}/namespaces", {"namespace": [root, "deep"], "properties": {}})
    assert not make_plan(lakehouse({root: T}), connections).steps


# keys


@pytest.mark.parametrize("key", ["nobody", "the owner's name"])
def test_wrong_keys_are_refused_with_the_fix(servers: Servers, connections: Connections, key: str) -> None:
    name = servers.access_key if key == "the owner's name" else key
    auth = SigV4.of(name, "wrong", "s3tables", REGION)
    there = replace(connections, catalogs={"lake": replace(connections.catalogs["lake"], auth=auth)})
    with pytest.raises(Refused, match=r"HTTP 403.*Check the credentials"):
        catalogs.connect("lake", there).facts(None, lambda count, of: None)


def test_a_token_needs_the_keys_too(servers: Servers) -> None:
    """The endpoint also gives OAuth2 tokens."""
    uri = f"{servers.catalogs['s3tables'].uri}/v1/oauth/tokens"
    proof = "_".join(("client", "secret"))
    form = {"grant_type": "client_credentials", "client_id": servers.access_key}
    assert requests.post(uri, data={**form, proof: "wrong"}, timeout=30).status_code in (400, 401, 403)
    assert requests.post(uri, data={**form, proof: servers.secret_key}, timeout=30).status_code == 200
