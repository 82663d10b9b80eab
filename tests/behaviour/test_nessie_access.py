"""Nessie as a secure stack has it: who is let in, and what each principal may do by the rules of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bootstrap.catalogs.nessie_tokens import NessieTokens
from bootstrap.operations import nessie_proof
from bootstrap.remote.auth import NONE, Auth, Bearer
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Refused
from bootstrap.remote.http import Http
from lakehouse import packages
from lakehouse.access.nessie import group
from lakehouse.kinds.catalogs.nessie import SIGNER, server
from lakehouse.kinds.compose import endpoints
from lakehouse.runtimes import generations, tokens
from lakehouse.runtimes.generations import NOTHING
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import TRUSTED
from lakehouse.spec import Lakehouse, LocalStack, ports
from tests.behaviour.servers import awaited, started
from tests.ports import free

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

T = {"columns": {"id": "long"}}
VIEW = {"sql": {"spark": "SELECT 1 AS a"}, "columns": {"a": "int"}}
FILE: dict[str, Any] = {
    "name": "demo",
    "buckets": {"warehouse": {}},
    "catalogs": {
        "lake": {
            "location": "s3://warehouse/lake",
            "namespaces": {
                "sales": {"tables": {"orders": T, "customers": T}, "views": {"latest": VIEW}},
                "sales.eu": {"tables": {"orders": T}},
                "sales_us": {"tables": {"orders": T}},
            },
        }
    },
    "access": {
        "roles": {
            "reader": {"grants": {"lake.sales": ["read"]}},
            "writer": {"grants": {"lake.sales.orders": ["write"], "lake.sales_us": ["manage"]}},
            "loader": {"grants": {"lake.sales": ["write"]}},
            "all": {"grants": {"lake": ["manage"]}},
            "narrow": {"grants": {"lake.sales.customers": {"verbs": ["read"], "rows": "id = 1"}}},
        },
        "principals": {
            "bi": {"roles": ["reader"]},
            "etl": {"roles": ["writer"]},
            "load": {"roles": ["loader"]},
            "admin": {"roles": ["all"]},
            "shop": {"roles": ["narrow"]},
            "nobody": {"roles": []},
        },
        "enforce": "best-effort",
    },
    "stacks": {"local": {"runtime": "process", "store": "seaweedfs", "catalogs": {"lake": "nessie"}, "secure": True}},
}


@dataclass(frozen=True)
class Nessie:
    """A server, with the tables and views of the file."""

    lakehouse: Lakehouse
    state: State
    connections: Connections
    own: NessieTokens

    @property
    def at(self) -> CatalogConnection:
        return self.connections.catalogs["lake"]

    def http(self, auth: Auth) -> Http:
        return Http("nessie", self.at.api, auth=auth, trust=self.at.trust)

    def by(self, principal: str) -> Http:
        return self.http(Bearer(self.own.token(principal)))

    def key(self, *names: str) -> dict[str, Any]:
        """An entry as the owner reads it."""
        body = {"requestedKeys": [{"elements": list(names)}]}
        found: dict[str, Any] = self.http(self.at.auth).post("/trees/main/contents", body)["contents"][0]["content"]
        return found

    def commit(self, own: Http, *names: str, **content: Any) -> None:
        now = self.http(self.at.auth).get("/trees/main")["reference"]["hash"]
        operation = {"type": "PUT", "key": {"elements": list(names)}, "content": content}
        body = {"commitMeta": {"message": "test", "authors": ["somebody else"]}, "operations": [operation]}
        own.post(f"/trees/main@{now}/history/commit", body)


def table(nth: int) -> dict[str, Any]:
    numbers = dict.fromkeys(("snapshotId", "schemaId", "specId", "sortOrderId"), 0)
    return {"type": "ICEBERG_TABLE", "metadataLocation": f"s3://none/{nth}", **numbers}


@pytest.fixture(scope="module")
def nessie(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nessie]:
    lakehouse = Lakehouse.model_validate(FILE)
    stack = lakehouse.stacks["local"]
    assert isinstance(stack, LocalStack)
    state = State(tmp_path_factory.mktemp("nessie access") / "state")
    state.prepare()
    names = list(ports(lakehouse, "local"))
    place = ProcessPlace(state, dict(zip(names, free(len(names)), strict=True)), trust=str(state.kept(TRUSTED.kept)))
    [at] = endpoints(lakehouse, stack, place).catalogs
    [service] = server(place, at, stack.catalogs["lake"])
    packages.set_up(service.packages, [service.java or 0], progress=False)
    generations.make(state, [service], NOTHING)
    token = at.kind.token(at)
    assert token is not None
    catalog = CatalogConnection(
        "nessie", at.uri, at.warehouse, at.api, auth=Bearer(state.secret(token.secret)), trust=place.trust
    )
    connections = Connections(StoreConnection("", ""), {"lake": catalog}, user_keys=state)
    own = NessieTokens.of(connections)
    assert own is not None
    with started(service, state, {}) as process:
        awaited(service, process, state)
        found = Nessie(lakehouse, state, connections, own)
        owner = found.http(catalog.auth)
        for nth, (namespace, inner) in enumerate(lakehouse.catalogs["lake"].namespaces.items()):
            space = namespace.split(".")
            found.commit(owner, *space, type="NAMESPACE", elements=space, properties={})
            for name in inner.tables:
                found.commit(owner, *space, name, **table(nth))
            for name in inner.views:
                view = {"metadataLocation": "s3://none/view", "versionId": 1, "schemaId": 0}
                found.commit(owner, *space, name, type="ICEBERG_VIEW", **view)
        yield found


def test_each_principal_may_do_what_the_file_says_and_nothing_stays(nessie: Nessie) -> None:
    calls = nessie_proof.calls(nessie.lakehouse, nessie.own.catalogs)
    before = nessie.http(nessie.at.auth).get("/trees")
    found = list(nessie_proof.outcomes(calls, nessie.connections, nessie.own))
    assert len(found) == len(calls) > 100
    assert [each for each in found if each.allowed != each.wanted] == []
    assert {each.call.principal for each in found if each.allowed} == {"bi", "etl", "load", "admin"}
    assert nessie.http(nessie.at.auth).get("/trees") == before


def test_only_a_token_that_the_stack_signed_is_let_in(nessie: Nessie, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    other.prepare()
    tokens.make(other, SIGNER)
    head, _, signature = nessie.own.token("bi").rpartition(".")
    for auth in (
        NONE,
        Bearer("x"),
        Bearer(tokens.mint(other, SIGNER, "lakehouse", ["lakehouse"])),
        Bearer(f"{head}.{signature[::-1]}"),
    ):
        with pytest.raises(Refused, match="HTTP 401"):
            nessie.http(auth).get("/trees")
    plain = nessie.at.api.replace("https:", "http:")
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.PoolManager(retries=False).request("GET", f"{plain}/config", timeout=5)


def test_a_token_with_a_former_group_or_of_a_name_without_grants_gets_nothing(nessie: Nessie) -> None:
    own = nessie.state.secret(group("bi").secret)
    for subject, groups in (("bi", []), ("bi", ["former"]), ("lakehouse", []), ("stranger", [own])):
        client = nessie.http(Bearer(tokens.mint(nessie.state, SIGNER, subject, groups)))
        with pytest.raises(Refused, match="HTTP 403"):
            client.get("/trees/main/entries")


def test_a_list_has_only_names_that_may_be_read(nessie: Nessie) -> None:
    entries = nessie.by("bi").get("/trees/main/entries")["entries"]
    assert sorted(".".join(each["name"]["elements"]) for each in entries) == [
        "sales", "sales.customers", "sales.eu", "sales.eu.orders", "sales.latest", "sales.orders",
    ]  # fmt: skip
    with pytest.raises(Refused, match="'LIST_COMMIT_LOG' is not allowed"):  # its messages have all names
        nessie.by("bi").get("/trees/main/history")


def test_old_states_and_references_are_no_way_around(nessie: Nessie) -> None:
    now = nessie.http(nessie.at.auth).get("/trees/main")["reference"]
    asked = {"requestedKeys": [{"elements": ["sales_us", "orders"]}]}
    client = nessie.by("bi")
    for path, body in (
        (f"/trees/@{now['hash']}/contents", asked),
        (f"/trees/main@{now['hash']}/contents", asked),
        ("/trees?name=x&type=BRANCH", now),
        (f"/trees/main@{now['hash']}/history/merge", {"fromHash": now["hash"], "fromRefName": "main"}),
    ):
        with pytest.raises(Refused, match="HTTP 403"):
            client.post(path, body)


def test_who_may_write_rows_changes_no_namespace_and_no_view(nessie: Nessie) -> None:
    for names in (("sales",), ("sales", "latest")):
        there = nessie.key(*names)
        with pytest.raises(Refused, match="'UPDATE_ENTITY' is not allowed"):
            nessie.commit(nessie.by("load"), *names, **there)
    there = nessie.key("sales", "eu", "orders")
    nessie.commit(nessie.by("load"), "sales", "eu", "orders", **{**there, "snapshotId": there["snapshotId"] + 1})


def test_who_committed_is_the_tokens_name_whatever_the_client_says(nessie: Nessie) -> None:
    there = nessie.key("sales", "orders")
    nessie.commit(nessie.by("etl"), "sales", "orders", **{**there, "snapshotId": there["snapshotId"] + 1})
    log = nessie.http(nessie.at.auth).get("/trees/main/history", **{"max-records": "1"})["logEntries"]
    assert log[0]["commitMeta"]["committer"] == "etl"
