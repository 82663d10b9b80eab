"""Polaris, as its double or the server that POLARIS_HOME names: the suite of all catalogs, and tests for Polaris only.

The tests that are imported here run with this module's fixtures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.types import LongType

from bootstrap import catalogs
from bootstrap.reconciler.plan import render
from bootstrap.remote.auth import ClientCredentials
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Refused
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse, only
from tests.behaviour.every_catalog import *  # noqa: F403 - its tests run here
from tests.behaviour.placing_catalog import *  # noqa: F403 - likewise
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import Servers
from tests.behaviour.view_catalog import *  # noqa: F403 - likewise

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture
def servers(servers: Servers) -> Servers:
    return servers.of("polaris")


@pytest.fixture
def connections(servers: Servers) -> Connections:
    return servers.connections()


@pytest.fixture
def witness(servers: Servers, connections: Connections) -> Catalog:
    assert reconcile(lakehouse({}), connections).exit_code == 0  # its client asks for the catalog at once
    return load_catalog("lake", **servers.pyiceberg())


class Person:
    """Somebody with curl and the root's credentials."""

    def __init__(self, connections: Connections) -> None:
        at = connections.catalogs["lake"]
        self._base = at.api
        self._headers = dict(at.auth.headers("GET", at.api, {}, None))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self._base}{path}", json=body, headers=self._headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def makes(self, name: str, location: str, **properties: str) -> None:
        storage = {"storageType": "S3", "allowedLocations": [location], "stsUnavailable": True}
        about = {"properties": {"default-base-location": location, **properties}, "storageConfigInfo": storage}
        self.ask("POST", "/catalogs", {"catalog": {"type": "INTERNAL", "name": name, **about}})


@pytest.fixture
def person(connections: Connections) -> Person:
    return Person(connections)


def two(connections: Connections, name: str, **of_it: Any) -> tuple[Lakehouse, Connections]:
    """A lakehouse with a second catalog, `second`, that the server calls ``name``."""
    found = lakehouse({})
    spec = {"location": f"s3://warehouse/{name}", **of_it}
    file = found.model_dump(mode="json", exclude_unset=True)
    file["catalogs"]["second"] = spec
    file["stacks"]["local"]["catalogs"]["second"] = "nessie"
    there = replace(connections.catalogs["lake"], warehouse=name)
    return Lakehouse.model_validate(file), replace(connections, catalogs={**connections.catalogs, "second": there})


def about(lake: Lakehouse, connections: Connections, word: str, **options: Any) -> list[str]:
    """The lines of a plan that contain a word."""
    return [line.strip() for line in render(make_plan(lake, connections, **options)) if word in line]


def test_a_catalog_is_created_changed_and_dropped_with_two_keys_if_it_is_empty(
    connections: Connections, root: str, person: Person
) -> None:
    wanted, both = two(connections, root, namespaces={"n": {"deletable": True}}, deletable=True)
    assert "+ catalog second" in about(wanted, both, "catalog second")
    assert reconcile(wanted, both).exit_code == 0
    made = person.ask("GET", f"/catalogs/{root}")
    assert made["storageConfigInfo"]["allowedLocations"] == [f"s3://warehouse/{root}"]
    assert make_plan(wanted, both).steps == ()

    wider, _ = two(connections, root, namespaces={"n": {"deletable": True}}, deletable=True, properties={"team": "us"})
    assert about(wider, both, "property team") == ["+ property team = us"]
    assert reconcile(wider, both).exit_code == 0
    after = person.ask("GET", f"/catalogs/{root}")
    assert after["properties"]["team"] == "us"
    assert after["entityVersion"] == made["entityVersion"] + 1

    gone = lakehouse({})
    assert f"catalog {root}" in make_plan(gone, connections).unnamed
    going = only(make_plan(gone, connections, allow_destroy=True), f"catalog {root}")
    [failure] = apply(going, connections).failed
    assert "it is dropped only if it has no namespace" in failure.message
    without, _ = two(connections, root, deletable=True)
    assert reconcile(without, both, allow_destroy=True).exit_code == 0
    going = only(make_plan(gone, connections, allow_destroy=True), f"catalog {root}")
    assert apply(going, connections).exit_code == 0
    assert root not in [each["name"] for each in person.ask("GET", "/catalogs")["catalogs"]]


def test_settings_that_somebody_changed_are_drift_and_a_late_update_is_refused(
    connections: Connections, root: str, person: Person
) -> None:
    wanted, both = two(connections, root)
    assert reconcile(wanted, both).exit_code == 0
    there = person.ask("GET", f"/catalogs/{root}")

    def puts(region: str) -> None:
        now = person.ask("GET", f"/catalogs/{root}")
        storage = {**now["storageConfigInfo"], "region": region, "pathStyleAccess": False}
        body = {"currentEntityVersion": now["entityVersion"], "properties": {"a": "b"}, "storageConfigInfo": storage}
        person.ask("PUT", f"/catalogs/{root}", body)

    puts("eu-west-9")
    lines = about(wanted, both, "storage")
    assert "~ storage region: eu-west-9 -> us-east-1" in lines
    assert "~ storage pathStyleAccess: false -> true" in lines
    late = only(make_plan(wanted, both), "catalog second")
    puts("eu-west-8")
    [failure] = apply(late, both).failed
    assert failure.again
    assert reconcile(wanted, both).exit_code == 0
    again = person.ask("GET", f"/catalogs/{root}")
    assert again["storageConfigInfo"] == there["storageConfigInfo"]
    assert again["properties"]["a"] == "b"  # what others set stays
    assert make_plan(wanted, both).steps == ()


def test_a_catalog_made_by_curl_is_only_reported(connections: Connections, root: str, person: Person) -> None:
    person.makes(root, f"s3://warehouse/{root}", **{"lakehouse.deletable": "another"})
    plan = make_plan(lakehouse({}), connections, allow_destroy=True)
    assert f"catalog {root}" in plan.unnamed
    assert f"catalog {root}" not in [step.address for step in plan.steps]
    person.ask("DELETE", f"/catalogs/{root}")


def test_a_catalog_is_not_moved(connections: Connections, root: str) -> None:
    wanted, both = two(connections, root)
    assert reconcile(wanted, both).exit_code == 0
    moved, _ = two(connections, root, location=f"s3://warehouse/{root}-2")
    [note] = make_plan(moved, both).refused
    assert f"it is at s3://warehouse/{root} on its server" in note.message


def test_a_privilege_that_was_taken_away_is_given_again(connections: Connections, root: str, person: Person) -> None:
    wanted, both = two(connections, root)
    assert reconcile(wanted, both).exit_code == 0
    grant = {"grant": {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"}}
    person.ask("POST", f"/catalogs/{root}/catalog-roles/catalog_admin/grants", grant)
    assert about(wanted, both, "privilege") == ["+ privilege to read and write data"]
    assert reconcile(wanted, both).exit_code == 0
    assert make_plan(wanted, both).steps == ()


def test_wrong_credentials_are_named_with_the_fix(connections: Connections) -> None:
    at = connections.catalogs["lake"]
    wrong = ClientCredentials('catalog "lake"', f"{at.uri}/v1/oauth/tokens", "root", "wrong", "PRINCIPAL_ROLE:ALL")
    with pytest.raises(Refused, match=r"no token for root \(HTTP 401, unauthorized_client\).*Check the credentials"):
        make_plan(lakehouse({}), replace(connections, catalogs={"lake": replace(at, auth=wrong)}))


def test_a_token_that_ended_is_replaced(connections: Connections, root: str) -> None:
    assert reconcile(lakehouse({root: {}}), connections).exit_code == 0
    auth = connections.catalogs["lake"].auth
    assert isinstance(auth, ClientCredentials)
    auth._token = "ended"
    assert make_plan(lakehouse({root: {}}), connections).steps == ()


def test_a_nested_namespace_and_its_table(connections: Connections, root: str, witness: Catalog) -> None:
    columns = {"tables": {"t": {"columns": {"a": "int"}}}}
    wanted = lakehouse({root: {}, f"{root}.deep": {}, f"{root}.deep.er": columns})
    assert reconcile(wanted, connections).exit_code == 0
    assert witness.list_namespaces((root, "deep")) == [(root, "deep", "er")]
    assert make_plan(wanted, connections).steps == ()


def test_pyiceberg_writes_and_reads_and_its_column_is_drift(
    connections: Connections, root: str, witness: Catalog
) -> None:
    wanted = lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}})
    assert reconcile(wanted, connections).exit_code == 0
    table = witness.load_table(f"{root}.t")
    table.append(pa.table({"a": pa.array([1], pa.int32())}))
    with table.update_schema() as update:
        update.add_column("b", LongType())
    again = witness.load_table(f"{root}.t")
    assert again.scan().to_arrow().to_pylist() == [{"a": 1, "b": None}]
    assert f"column lake.{root}.t.b" in make_plan(wanted, connections).unnamed


def test_a_property_that_somebody_removed_meanwhile_is_no_failure(connections: Connections, root: str) -> None:
    assert reconcile(lakehouse({root: {}}), connections).exit_code == 0
    catalogs.connect("lake", connections).update_namespace(root, {}, ["never-set"])


@pytest.mark.parametrize("servers", ["minio"], indirect=True)
def test_clients_get_keys_for_one_table_from_a_store_that_has_others(
    servers: Servers, connections: Connections, root: str, witness: Catalog
) -> None:
    assert "s3.secret-access-key" not in servers.pyiceberg()
    wanted = lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}})
    assert reconcile(wanted, connections).exit_code == 0
    table = witness.load_table(f"{root}.t")
    assert table.io.properties["s3.session-token"]
    assert servers.secret_key not in table.io.properties.values()
    table.append(pa.table({"a": pa.array([1], pa.int32())}))
    assert witness.load_table(f"{root}.t").scan().to_arrow().to_pylist() == [{"a": 1}]
    io = witness.load_table(f"{root}.t").io
    with pytest.raises(OSError, match=r"(?i)access.?denied"):
        io.new_input(f"s3://warehouse/lake/{root}/other/file").open()
