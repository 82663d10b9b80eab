"""What Polaris 1.7.0 was seen to answer, asked of the double (or of the server that POLARIS_HOME names)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import reconcile
from tests.behaviour.servers import Servers
from tests.polaris.sdk import management

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

M, C = "/api/management/v1", "/api/catalog/v1"
FORM = ("grant_type", "client_id", "client_secret", "scope")
SCHEMA = {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "id", "required": True, "type": "long"}]}
VIEW = {
    "name": "v",
    "schema": SCHEMA,
    "properties": {},
    "view-version": {
        "version-id": 1,
        "timestamp-ms": 1,
        "schema-id": 0,
        "summary": {},
        "default-namespace": ["s"],
        "representations": [{"type": "sql", "sql": "select 1 as id", "dialect": "trino"}],
    },
}


@dataclass
class Polaris:
    """The server, asked as its root."""

    base: str
    token: str
    storage: Mapping[str, Any]  # settings for the suite's store

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """The status, and the type of an error; an error without a body has the type `empty`."""
        answer = self.full(method, path, body, **headers)
        kind = ""
        if answer.status_code >= 400:
            kind = answer.json()["error"]["type"] if answer.content else "empty"
        return answer.status_code, kind

    def full(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token}", "Polaris-Realm": "POLARIS", **headers}
        return requests.request(method, f"{self.base}{path}", json=body, headers=sent, timeout=30)

    def catalog(self, name: str, location: str = "") -> dict[str, Any]:
        at = location or f"s3://warehouse/{name}"
        storage = {**self.storage, "allowedLocations": [at]}
        about = {"properties": {"default-base-location": at}, "storageConfigInfo": storage}
        return {"catalog": {"type": "INTERNAL", "name": name, **about}}


@pytest.fixture
def polaris(servers: Servers) -> Polaris:
    connections = servers.of("polaris").connections()
    assert reconcile(lakehouse({}), connections).exit_code == 0  # so that the bucket is there
    at = connections.catalogs["lake"]
    token = at.auth.headers("GET", at.api, {}, None)["Authorization"].removeprefix("Bearer ")
    return Polaris(at.api.removesuffix(M), token, at.storage or {})


@pytest.fixture
def lake(polaris: Polaris, root: str) -> Iterator[str]:
    """A catalog of the test's own."""
    assert polaris.ask("POST", f"{M}/catalogs", polaris.catalog(root)) == (201, "")
    yield root
    polaris.full("DELETE", f"{M}/catalogs/{root}")


def test_who_does_not_prove_who_it_is_gets_nothing(polaris: Polaris, servers: Servers) -> None:
    form = dict(zip(FORM, ("client_credentials", "root", "wrong", "PRINCIPAL_ROLE:ALL"), strict=True))
    for change, status, error in (
        ({}, 401, "unauthorized_client"),
        ({"scope": "x"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ):
        answer = requests.post(f"{polaris.base}{C}/oauth/tokens", data={**form, **change}, timeout=30)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    kinds = "urn:ietf:params:oauth"
    exchange = {"grant_type": f"{kinds}:grant-type:token-exchange", "subject_token": polaris.token}
    exchange |= {"subject_token_type": f"{kinds}:token-type:access_token"}
    for change, header, status, error in (
        ({}, "", 400, "invalid_client"),  # but any header will do
        ({"subject_token": kinds}, "Bearer x", 400, "invalid_client"),
        ({"subject_token": ""}, "Bearer x", 400, "invalid_request"),
        ({"subject_token_type": f"{kinds}:token-type:jwt"}, "Bearer x", 400, "invalid_request"),
        ({"scope": "x"}, "Bearer x", 400, "invalid_scope"),
        ({}, "Bearer x", 200, ""),
    ):
        headers = {"Authorization": header} if header else {}
        answer = requests.post(
            f"{polaris.base}{C}/oauth/tokens", data={**exchange, **change}, headers=headers, timeout=30
        )
        assert (answer.status_code, answer.json().get("error", "")) == (status, error)
    for header in ("", "Bearer x"):
        assert polaris.ask("GET", f"{M}/catalogs", Authorization=header) == (401, "empty")
        assert polaris.ask("GET", f"{C}/config?warehouse=lake", Authorization=header) == (401, "empty")
    other = {"Polaris-Realm": "OTHER"}
    assert polaris.ask("GET", f"{M}/catalogs", **other) == (404, "MissingOrInvalidRealm")


def test_catalogs(polaris: Polaris, lake: str) -> None:
    where = f"{M}/catalogs/{lake}"
    made = polaris.full("GET", where).json()
    assert {"allowedKmsKeys", "pathStyleAccess"} <= made["storageConfigInfo"].keys()
    assert made["lastUpdateTimestamp"] == made["createTimestamp"]  # the answer to the request that creates it says 0
    assert polaris.ask("POST", f"{M}/catalogs", polaris.catalog(lake)) == (409, "AlreadyExistsException")
    inside = polaris.catalog(f"{lake}-2", f"s3://warehouse/{lake}/inside")
    assert polaris.ask("POST", f"{M}/catalogs", inside)[0] == 400
    outside = polaris.catalog(f"{lake}-2")
    outside["catalog"]["storageConfigInfo"]["allowedLocations"] = [f"s3://warehouse/{lake}-3"]
    assert polaris.ask("POST", f"{M}/catalogs", outside) == (400, "BadRequestException")
    reserved = polaris.catalog(f"{lake}-2")
    reserved["catalog"]["properties"]["polaris.x"] = "y"
    assert polaris.ask("POST", f"{M}/catalogs", reserved) == (400, "IllegalArgumentException")
    assert polaris.ask("POST", f"{M}/catalogs", {"catalog": {"type": "INTERNAL"}})[0] == 400
    assert polaris.ask("GET", f"{M}/catalogs/nope{lake}") == (404, "NotFoundException")
    version = made["entityVersion"]
    put = {"currentEntityVersion": version, "properties": {"a": "b"}}
    changed = polaris.full("PUT", where, put)
    assert changed.status_code == 200
    assert changed.json()["entityVersion"] == version + 1
    assert changed.json()["properties"] == {"a": "b", "default-base-location": f"s3://warehouse/{lake}"}
    assert polaris.ask("PUT", where, put) == (409, "CommitConflictException")
    assert polaris.ask("PUT", where, {"properties": {}})[0] == 500
    assert polaris.ask("PATCH", where) == (405, "NotAllowedException")


def test_principals_roles_and_grants(polaris: Polaris, lake: str) -> None:
    who, role = f"p{lake}", f"r{lake}"
    principal = {"principal": {"name": who}, "credentialRotationRequired": False}
    assert polaris.ask("POST", f"{M}/principals", principal) == (201, "")
    assert polaris.ask("POST", f"{M}/principals", principal) == (409, "AlreadyExistsException")
    assert polaris.ask("POST", f"{M}/principals/{who}/rotate")[0] == 403
    chosen = {"clientId": f"id-{who}", "clientSecret": f"value-of-{who}-0123456789"}
    assert polaris.ask("POST", f"{M}/principals/{who}/reset", chosen) == (200, "")
    changed = polaris.full("GET", f"{M}/principals/{who}").json()
    assert (changed["clientId"], changed["entityVersion"]) == (chosen["clientId"], 2)
    taken = {"clientId": polaris.full("GET", f"{M}/principals/root").json()["clientId"]}
    assert polaris.ask("POST", f"{M}/principals/{who}/reset", taken) == (409, "AlreadyExistsException")
    assert polaris.ask("POST", f"{M}/principal-roles", {"principalRole": {"name": role}}) == (201, "")
    own = f"{M}/catalogs/{lake}/catalog-roles"
    assert polaris.ask("POST", own, {"catalogRole": {"name": "rw"}}) == (201, "")
    assert polaris.ask("DELETE", f"{own}/catalog_admin")[0] == 400
    assert polaris.ask("DELETE", f"{M}/principal-roles/service_admin")[0] == 400
    given, assigned = f"{M}/principals/{who}/principal-roles", f"{M}/principal-roles/{role}/catalog-roles/{lake}"
    for _ in range(2):
        assert polaris.ask("PUT", given, {"principalRole": {"name": role}}) == (201, "")
        assert polaris.ask("PUT", assigned, {"catalogRole": {"name": "rw"}}) == (201, "")
    assert polaris.ask("PUT", given, {"principalRole": {"name": "nope"}})[0] == 404
    of_a_provider = {"principalRole": {"name": f"f{lake}", "federated": True}}
    assert polaris.full("POST", f"{M}/principal-roles", of_a_provider).json()["federated"] is True
    assert polaris.ask("PUT", given, of_a_provider) == (400, "ValidationException")
    assert polaris.ask("DELETE", f"{M}/principal-roles/f{lake}") == (204, "")
    for name, properties, error in (
        ("", {}, "ResteasyReactiveViolationException"),
        ("System$x", {}, "ResteasyReactiveViolationException"),
        (f"q{lake}", {"polaris.x": "y"}, "IllegalArgumentException"),
    ):
        refused = {"principal": {"name": name, "properties": properties}}
        assert polaris.ask("POST", f"{M}/principals", refused) == (400, error)
    assert polaris.ask("DELETE", f"{assigned}/nope") == (404, "NotFoundException")
    assert polaris.ask("GET", f"{M}/principal-roles/{role}/catalog-roles/nope{lake}") == (404, "NotFoundException")
    grants = f"{own}/rw/grants"
    content = {"grant": {"type": "catalog", "privilege": "NAMESPACE_LIST"}}
    for _ in range(2):
        assert polaris.ask("PUT", grants, content) == (201, "")
    assert polaris.full("GET", grants).json() == {"grants": [content["grant"]]}
    assert polaris.ask("PUT", grants, {"grant": {"type": "catalog", "privilege": "BOGUS"}}) == (400, "empty")
    missing = {"grant": {"type": "namespace", "namespace": ["nope"], "privilege": "NAMESPACE_LIST"}}
    assert polaris.ask("PUT", grants, missing) == (404, "NoSuchNamespaceException")
    unfit = {"grant": {"type": "namespace", "namespace": ["nope"], "privilege": "CATALOG_READ_PROPERTIES"}}
    assert polaris.ask("PUT", grants, unfit) == (400, "empty")
    assert polaris.ask("POST", f"{grants}?cascade=true", content) == (501, "empty")

    form = {
        "grant_type": "client_credentials",
        "client_id": chosen["clientId"],
        "client_secret": chosen["clientSecret"],
    }
    answer = requests.post(f"{polaris.base}{C}/oauth/tokens", data={**form, "scope": "PRINCIPAL_ROLE:ALL"}, timeout=30)
    asked = {"grant_type": "client_credentials", "scope": "PRINCIPAL_ROLE:ALL"}
    key = (chosen["clientId"], chosen["clientSecret"])  # in a header, as DuckDB sends it
    assert requests.post(f"{polaris.base}{C}/oauth/tokens", data=asked, auth=key, timeout=30).ok
    theirs = Polaris(polaris.base, answer.json()["access_token"], polaris.storage)
    assert theirs.ask("GET", f"{C}/{lake}/namespaces") == (200, "")
    assert theirs.ask("POST", f"{C}/{lake}/namespaces", {"namespace": ["x"]})[0] == 403
    assert theirs.ask("GET", f"{M}/catalogs")[0] == 403

    assert polaris.ask("POST", grants, content) == (201, "")
    assert polaris.ask("POST", grants, content) == (400, "GRANT_NOT_FOUND")
    assert theirs.ask("GET", f"{C}/{lake}/namespaces")[0] == 403
    assert polaris.ask("DELETE", f"{given}/{role}") == (204, "")
    assert polaris.ask("DELETE", f"{given}/{role}") == (400, "GRANT_NOT_FOUND")
    assert polaris.ask("DELETE", f"{given}/nope") == (404, "NotFoundException")
    assert polaris.ask("DELETE", f"{M}/catalogs/{lake}")[0] == 400  # it has a role besides catalog_admin
    for path in (f"{own}/rw", f"{M}/principal-roles/{role}", f"{M}/principals/{who}"):
        assert polaris.ask("DELETE", path) == (204, "")
        assert polaris.ask("DELETE", path)[0] == 404


def test_namespaces_tables_and_views(polaris: Polaris, lake: str) -> None:
    spaces = f"{C}/{lake}/namespaces"
    config = polaris.full("GET", f"{C}/config?warehouse={lake}").json()
    assert config["overrides"]["prefix"] == lake
    assert polaris.ask("GET", f"{C}/config?warehouse=nope{lake}") == (404, "NotFoundException")
    assert polaris.ask("GET", f"{C}/config")[0] == 400
    assert polaris.ask("POST", spaces, {"namespace": ["s"], "properties": {"k": "v"}}) == (200, "")
    assert polaris.ask("POST", spaces, {"namespace": ["s"]}) == (409, "AlreadyExistsException")
    assert polaris.ask("POST", spaces, {"namespace": ["no", "u"]}) == (404, "NoSuchNamespaceException")
    assert polaris.ask("POST", spaces, {"namespace": ["s", "u"]}) == (200, "")
    assert polaris.ask("POST", spaces, {"namespace": []}) == (409, "AlreadyExistsException")
    assert polaris.ask("POST", spaces, {"namespace": ["a/b"]}) == (400, "IllegalArgumentException")
    placed = {"namespace": ["p"], "properties": {"location": f"s3://warehouse/{lake}/elsewhere"}}
    assert polaris.ask("POST", spaces, placed) == (400, "IllegalArgumentException")
    assert polaris.ask("HEAD", f"{spaces}/s") == (204, "")
    both = {"updates": {"k2": "v2"}, "removals": ["k"]}
    for _ in range(2):  # permanent: it is no use to try again
        assert polaris.ask("POST", f"{spaces}/s/properties", both) == (409, "CommitConflictException")
    half = polaris.full("GET", f"{spaces}/s").json()["properties"]
    assert (half["k"], half["k2"]) == ("v", "v2")  # it has set, and not removed
    same = {"updates": {"k": "w"}, "removals": ["k"]}
    assert polaris.ask("POST", f"{spaces}/s/properties", same) == (422, "UnprocessableEntityException")
    gone = {"updates": {}, "removals": ["k", "never-set"]}
    for _ in range(2):
        assert polaris.ask("POST", f"{spaces}/s/properties", gone) == (200, "")
    table = {"name": "t", "schema": SCHEMA}
    assert polaris.ask("POST", f"{spaces}/s/tables", table) == (200, "")
    assert polaris.ask("HEAD", f"{spaces}/s/tables/t") == (204, "")
    assert polaris.ask("POST", f"{spaces}/s/tables", table) == (409, "AlreadyExistsException")
    assert polaris.ask("GET", f"{spaces}/s/tables/nope") == (404, "NoSuchTableException")
    assert polaris.ask("POST", f"{spaces}/nope/tables", table) == (404, "NoSuchNamespaceException")
    assert polaris.ask("GET", f"{spaces}/nope/tables") == (404, "NoSuchNamespaceException")
    at = polaris.full("GET", f"{spaces}/s/tables/t").json()["metadata-location"]
    again = {"name": "again", "metadata-location": at}
    assert polaris.ask("POST", f"{spaces}/s/register", again) == (403, "ForbiddenException")  # two tables in one place
    for source, space, name, answered in (
        ("t", "nope", "u", (404, "NoSuchNamespaceException")),
        ("t", "s", "u", (204, "")),
        ("u", "s", "t", (204, "")),
    ):
        rename = {"source": {"namespace": ["s"], "name": source}, "destination": {"namespace": [space], "name": name}}
        assert polaris.ask("POST", f"{C}/{lake}/tables/rename", rename) == answered
    elsewhere = {"name": "w", "schema": SCHEMA, "location": "s3://warehouse/elsewhere"}
    assert polaris.ask("POST", f"{spaces}/s/tables", elsewhere) == (403, "ForbiddenException")
    data = {"name": "w", "schema": SCHEMA, "properties": {"write.data.path": "s3://warehouse/elsewhere"}}
    assert polaris.ask("POST", f"{spaces}/s/tables", data) == (403, "ForbiddenException")
    shared = {"name": "w", "schema": SCHEMA, "location": f"s3://warehouse/{lake}/s/t/inside"}
    assert polaris.ask("POST", f"{spaces}/s/tables", shared) == (403, "ForbiddenException")
    move = {"action": "set-location", "location": f"s3://warehouse/{lake}/s/t2"}
    change = {"identifier": {"namespace": ["s"], "name": "t"}, "requirements": [], "updates": [move]}
    assert polaris.ask("POST", f"{spaces}/s/tables/t", change) == (403, "ForbiddenException")
    vended = {"X-Iceberg-Access-Delegation": "vended-credentials"}
    assert polaris.ask("GET", f"{spaces}/s/tables/t", **vended)[0] == 403  # root has no privilege to read data
    assert polaris.ask("POST", f"{spaces}/s/views", VIEW) == (200, "")
    assert polaris.ask("DELETE", f"{spaces}/s")[0] == 409
    assert polaris.ask("DELETE", f"{M}/catalogs/{lake}")[0] == 400
    assert polaris.ask("DELETE", f"{spaces}/s/tables/t?purgeRequested=true")[0] == 403
    assert polaris.ask("DELETE", f"{spaces}/s/tables/t") == (204, "")
    assert polaris.ask("DELETE", f"{spaces}/s/views/v") == (403, "ForbiddenException")  # it purges the metadata
    assert polaris.ask("DELETE", f"{spaces}/s/views/nope") == (404, "NoSuchViewException")
    purges = {"currentEntityVersion": 1, "properties": {"polaris.config.drop-with-purge.enabled": "true"}}
    assert polaris.ask("PUT", f"{M}/catalogs/{lake}", purges) == (200, "")
    assert polaris.ask("DELETE", f"{spaces}/s/views/v") == (204, "")
    assert polaris.ask("DELETE", f"{spaces}/s%1Fu") == (204, "")
    assert polaris.ask("DELETE", f"{spaces}/s") == (204, "")


def test_the_official_client_reads_every_answer(polaris: Polaris, lake: str) -> None:
    client = management(f"{polaris.base}{M}", polaris.token)
    found = client.get_catalog(lake)
    assert found.storage_config_info.storage_type == "S3"
    assert found.properties.default_base_location == f"s3://warehouse/{lake}"
    assert lake in [each.name for each in client.list_catalogs().catalogs]
    assert "root" in [each.name for each in client.list_principals().principals]
    assert "service_admin" in [each.name for each in client.list_principal_roles().roles]
    assert [each.name for each in client.list_catalog_roles(lake).roles] == ["catalog_admin"]
    grants = f"{M}/catalogs/{lake}/catalog-roles/catalog_admin/grants"
    polaris.full("PUT", grants, {"grant": {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"}})
    found = client.list_grants_for_catalog_role(lake, "catalog_admin").grants
    given = {f"CATALOG_MANAGE_{each}" for each in ("ACCESS", "METADATA", "CONTENT")}
    assert {(each.type, each.privilege.value) for each in found} == {("catalog", each) for each in given}
    who = f"q{lake}"
    made = polaris.full("POST", f"{M}/principals", {"principal": {"name": who}}).json()
    assert made["credentials"]["clientSecret"]
    assert client.get_principal(who).client_id == made["credentials"]["clientId"]
    client.delete_principal(who)
