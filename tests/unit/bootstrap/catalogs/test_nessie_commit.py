"""Many tables in one commit of Nessie: one that fails does not stop the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.catalogs.nessie_commit import NessieCommit
from bootstrap.iceberg.metadata import TableFacts, compact
from bootstrap.reconciler.tables import wanted
from bootstrap.reconciler.tables.commit import creation, evolution
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, RemoteError, UnknownState
from tests.unit.bootstrap.reconciler.simulation import lakehouse

UUID = "00000000-0000-0000-0000-00000000000"


class Server:
    """Nessie's API and the store behind it, in memory. ``fails`` has the error of a table's commit."""

    def __init__(self) -> None:
        self.contents: dict[str, dict[str, Any]] = {}
        self.files: dict[str, str] = {}
        self.fails: dict[str, RemoteError] = {}
        self.commits: list[list[str]] = []

    def post(self, path: str, body: Any) -> Any:
        if path.endswith("/contents"):
            names = [".".join(key["elements"]) for key in body["requestedKeys"]]
            there = [name for name in names if name in self.contents]
            found = [{"key": {"elements": name.split(".")}, "content": self.contents[name]} for name in there]
            return {"contents": found, "effectiveReference": {"hash": "h"}}
        names = [".".join(operation["key"]["elements"]) for operation in body["operations"]]
        self.commits.append(names)
        for name in names:
            if name in self.fails:
                raise self.fails[name]
        for name, operation in zip(names, body["operations"], strict=True):
            if operation["type"] == "DELETE":
                assert "@h/" in path, "at the hash that the table was read at"
                del self.contents[name]
                continue
            deleted = [name for name, each in zip(names, body["operations"], strict=True) if each["type"] == "DELETE"]
            if not deleted:
                assert operation["content"].get("id") == self.contents.get(name, {}).get("id"), "the same table goes on"
            self.contents[name] = {"id": f"id of {name}", **operation["content"]}
        return {}

    def read(self, location: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.files[location])
        return content

    def write(self, location: str, text: str) -> None:
        assert location not in self.files, "no file is ever overwritten"
        self.files[location] = text

    def facts(self, name: str) -> TableFacts:
        location = self.contents[name]["metadataLocation"]
        return TableFacts(location, compact(self.read(location)))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def commits(server: Server) -> NessieCommit:
    catalog = CatalogConnection("nessie", "http://127.0.0.1:1", "lake", "http://127.0.0.1:1")
    anything: Any = server
    made = NessieCommit("catalog", anything, catalog, Connections(StoreConnection("http://127.0.0.1:1", "r"), {}))
    made.files = anything
    return made


def of(columns: dict[str, Any], count: int = 4) -> dict[str, wanted.WantedTable]:
    spec = lakehouse({"n": {"tables": {f"t{n}": {"columns": columns} for n in range(count)}}}).catalogs["lake"]
    return wanted.of_catalog("lake", spec)


def creations(count: int = 4) -> dict[str, Any]:
    made = {}
    for number, (name, want) in enumerate(of({"a": "int"}, count).items()):
        change = creation(want)
        identity = {"action": "assign-uuid", "uuid": f"{UUID}{number}"}
        made[name] = {"requirements": list(change.requirements), "updates": [identity, *change.updates]}
    return made


def widening(server: Server) -> dict[str, Any]:
    made = {}
    for name, want in of({"a": "long", "b": "string"}).items():
        change = evolution(want, server.facts(name), exclusive=False, allow_destroy=False)
        made[name] = {"requirements": list(change.requirements), "updates": list(change.updates)}
    return made


def test_all_at_once(server: Server, commits: NessieCommit) -> None:
    assert not commits.commit(creations())
    assert not commits.commit(widening(server))
    assert server.commits == [["n.t0", "n.t1", "n.t2", "n.t3"]] * 2
    for number in range(4):
        facts = server.facts(f"n.t{number}")
        assert [field.name for field in facts.schema.fields] == ["a", "b"]
        assert facts.uuid == f"{UUID}{number}", "each new table has its own id"
        assert facts.location == f"s3://warehouse/lake/n/t{number}"
        assert facts.metadata_location.startswith(f"s3://warehouse/lake/n/t{number}/metadata/00001-")


@pytest.mark.parametrize("error", [Conflict("x"), Refused("x"), Missing("x")])
def test_what_the_server_refuses_does_not_stop_the_others(
    server: Server, commits: NessieCommit, error: RemoteError
) -> None:
    server.fails = {"n.t2": error}
    assert commits.commit(creations()) == {"n.t2": error}
    assert server.commits == [["n.t0", "n.t1", "n.t2", "n.t3"], ["n.t0"], ["n.t1"], ["n.t2"], ["n.t3"]]
    assert set(server.contents) == {"n.t0", "n.t1", "n.t3"}
    assert len(server.files) == 4, "each file was written once"


def test_a_lost_answer_is_never_followed_by_the_same_request(server: Server, commits: NessieCommit) -> None:
    lost = UnknownState("x")
    server.fails = {"n.t2": lost}
    assert commits.commit(creations()) == dict.fromkeys(creations(), lost)
    assert len(server.commits) == 1


def test_only_a_table_that_changed_meanwhile_fails(server: Server, commits: NessieCommit) -> None:
    commits.commit(creations())
    late = widening(server)
    assert not commits.commit({"n.t1": late["n.t1"]})
    errors = commits.commit(late)
    assert {name: type(error) for name, error in errors.items()} == {"n.t1": Conflict}
    assert server.commits[-1] == ["n.t0", "n.t2", "n.t3"]


def test_an_existing_table_is_not_created_again(server: Server, commits: NessieCommit) -> None:
    commits.commit(creations(1))
    before = dict(server.contents)
    server.contents["n.t1"] = {"type": "ICEBERG_VIEW", "id": "v"}
    errors = commits.commit(creations(3))
    assert {name: type(error) for name, error in errors.items()} == {"n.t0": Conflict, "n.t1": Exists}
    assert {name: server.contents[name] for name in before} == before
    assert "n.t2" in server.contents


def test_only_the_table_that_was_meant_is_dropped(server: Server, commits: NessieCommit) -> None:
    commits.commit(creations(2))
    with pytest.raises(Conflict, match="n.t1 is another table"):
        commits.drop("n.t1", f"{UUID}0")
    assert set(server.contents) == {"n.t0", "n.t1"}
    assert commits.drop("n.t1", f"{UUID}1") == "s3://warehouse/lake/n/t1"
    assert set(server.contents) == {"n.t0"}
    with pytest.raises(Missing):
        commits.drop("n.t1", f"{UUID}1")
    server.contents["n.v"] = {"type": "ICEBERG_VIEW", "id": "v"}
    with pytest.raises(Conflict, match="no longer an Iceberg table"):
        commits.drop("n.v", f"{UUID}1")


def test_one_damaged_metadata_file_stops_no_other_table(server: Server, commits: NessieCommit) -> None:
    commits.commit(creations())
    late = widening(server)
    server.files[server.contents["n.t2"]["metadataLocation"]] = "{}"
    errors = commits.commit(late)
    assert {name: type(error) for name, error in errors.items()} == {"n.t2": Refused}
    assert server.commits[-1] == ["n.t0", "n.t1", "n.t3"]


def test_a_rename_is_one_commit_in_which_the_content_stays_the_same(server: Server, commits: NessieCommit) -> None:
    assert not commits.commit(creations(2))
    before, uuid = dict(server.contents), server.facts("n.t0").uuid
    commits.rename("n.t0", "m.new", uuid)
    assert server.commits[-1] == ["n.t0", "m.new"]
    assert server.contents == {"m.new": before["n.t0"], "n.t1": before["n.t1"]}
    for former, name, identity, error in (
        ("n.t0", "n.x", uuid, Missing),
        ("m.new", "n.t1", uuid, Exists),
        ("m.new", "n.x", "another", Conflict),
    ):
        with pytest.raises(error):
            commits.rename(former, name, identity)
    assert len(server.commits) == 2


def test_a_namespace_is_renamed_with_all_that_is_in_it_in_one_commit(server: Server, commits: NessieCommit) -> None:
    assert not commits.commit(creations(2))
    for name in ("n", "n.inner"):
        server.contents[name] = {"type": "NAMESPACE", "id": name, "elements": name.split("."), "properties": {"k": "v"}}
    before = dict(server.contents)
    commits.rename_namespace("n", "x.y", ["n.t0", "n.t1", "n.inner"])
    assert len(server.commits) == 2
    assert server.contents == {
        "x.y.t0": before["n.t0"],
        "x.y.t1": before["n.t1"],
        "x.y": {**before["n"], "elements": ["x", "y"]},
        "x.y.inner": {**before["n.inner"], "elements": ["x", "y", "inner"]},
    }
    for former, name, inside, error in (
        ("n", "z", [], Missing),
        ("x.y", "z", ["x.y.t7"], Conflict),
        ("x.y", "x.y.inner", [], Exists),
    ):
        with pytest.raises(error):
            commits.rename_namespace(former, name, inside)
    assert len(server.commits) == 2
