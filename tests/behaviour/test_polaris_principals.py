"""Principals of Polaris, as its double or the server that POLARIS_HOME names: each tries what it may and may not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import requests
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import ForbiddenError, OAuthError, RESTError, UnauthorizedError

from bootstrap import catalogs
from bootstrap.backup.bundle import Bundle
from bootstrap.backup.create import create
from bootstrap.backup.restore import restore
from bootstrap.backup.vault import vault
from bootstrap.catalogs.polaris_principals import CLIENT_ID, CLIENT_SECRET
from bootstrap.reconciler.facts import gather
from bootstrap.reconciler.importing import imported
from bootstrap.reconciler.plan import Plan, render
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections
from bootstrap.remote.user_keys import UserKeys
from lakehouse.runtimes.state import State
from lakehouse.spec import Access, Lakehouse
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers
from tests.behaviour.test_backup import lose
from tests.behaviour.test_backup import table as before
from tests.behaviour.test_polaris import Person, person

__all__ = ["person"]
pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]
COLUMNS = {"id": "long"}
ROWS = pa.table({"id": pa.array([1], pa.int64())})


@pytest.fixture
def servers(servers: Servers) -> Servers:
    return servers.of("polaris")


@pytest.fixture
def connections(servers: Servers, tmp_path: Path) -> Connections:
    return replace(servers.connections(), user_keys=State(tmp_path))


def lakehouse(root: str, grants: dict[str, list[str]] | None, *, deletable: bool = False) -> Lakehouse:
    """Namespaces ``ROOT``, one in it, and ``ROOT_b``; a principal with these grants; None: it is not in the file."""
    principals = {} if grants is None else {"bi": {"roles": ["r"], "deletable": deletable}}
    table = {"t": {"columns": COLUMNS}, "u": {"columns": COLUMNS}}
    return Lakehouse.model_validate(
        {
            "name": root,
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {
                        root: {"tables": table},
                        f"{root}.in": {"tables": table},
                        f"{root}_b": {"tables": table},
                    },
                }
            },
            "access": {"roles": {"r": {"grants": grants or {}}}, "principals": principals},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "polaris"}}},
        }
    )


class Bringing:
    """Applies files, with the changes of principals, and says what the plan showed of them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def __call__(self, wanted: Lakehouse, **options: Any) -> list[str]:
        steps = self._steps(wanted, **options)
        outcome = reconcile(wanted, self._connections, **options)
        assert outcome.exit_code == 0, outcome.failed
        assert self._steps(wanted, **options) == [], "a plan after it is empty"
        return [line.strip() for line in render(Plan(tuple(steps)))][:-1]

    def _steps(self, wanted: Lakehouse, **options: Any) -> list[Any]:
        return [
            each for each in make_plan(wanted, self._connections, **options).steps if each.change.kind == "principal"
        ]


def client(servers: Servers, connections: Connections, root: str) -> Catalog:
    """PyIceberg as the principal."""
    assert connections.user_keys is not None
    pair = UserKeys(connections.user_keys, (CLIENT_ID, CLIENT_SECRET)).pair(f"{root}-bi")
    assert pair is not None
    return load_catalog("lake", **{**servers.pyiceberg(), "credential": ":".join(pair)})


def may(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ForbiddenError:
        return False
    except OSError as error:  # by the store: the keys that the server gave reach no more
        if "ACCESS_DENIED" not in str(error):
            raise
        return False
    return True


def test_a_principal_may_do_what_its_roles_grant_and_no_more(
    servers: Servers, connections: Connections, root: str
) -> None:
    bring = Bringing(connections)
    shown = bring(lakehouse(root, {f"lake.{root}": ["read"], f"lake.{root}_b.t": ["write"]}))
    assert shown[0] == f"+ principal {root}-bi"
    assert (
        f"+ lake.{root}_b.t: TABLE_READ_DATA, TABLE_READ_PROPERTIES, TABLE_WRITE_DATA, TABLE_WRITE_PROPERTIES" in shown
    )
    own = client(servers, connections, root)
    for namespace in (root, f"{root}.in"):
        assert may(lambda n=namespace: own.load_table(f"{n}.t").scan().to_arrow())  # type: ignore[misc]
        assert may(lambda n=namespace: own.list_tables(n))  # type: ignore[misc]
        assert not may(lambda n=namespace: own.load_table(f"{n}.t").append(ROWS))  # type: ignore[misc]
        assert not may(lambda n=namespace: own.drop_table(f"{n}.u"))  # type: ignore[misc]
    assert may(lambda: own.load_table(f"{root}_b.t").append(ROWS))
    assert not may(lambda: own.load_table(f"{root}_b.u"))
    assert not may(lambda: own.list_tables(f"{root}_b"))
    assert not may(lambda: own.create_table(f"{root}_b.new", own.load_table(f"{root}.t").schema()))
    assert not may(lambda: own.create_namespace(f"{root}_c"))
    assert bring(lakehouse(root, {f"lake.{root}": ["manage"]}))[0] == f"~ principal {root}-bi"
    assert may(lambda: own.load_table(f"{root}.t").append(ROWS))
    assert may(lambda: own.create_table(f"{root}.new", own.load_table(f"{root}.t").schema()))
    assert may(lambda: own.drop_table(f"{root}.new"))
    assert not may(lambda: own.load_table(f"{root}_b.t"))


def test_access_ends_at_once_and_the_principal_with_both_keys(
    servers: Servers, connections: Connections, root: str, person: Person
) -> None:
    bring, granted = Bringing(connections), {f"lake.{root}": ["read"]}
    bring(lakehouse(root, granted, deletable=True))
    own = client(servers, connections, root)
    read = lambda: own.load_table(f"{root}.t")  # noqa: E731 - a call to try again and again
    assert may(read)
    assert bring(lakehouse(root, {}, deletable=True)) == [
        f"~ principal {root}-bi",
        "- access: its roles grant nothing in these catalogs",
    ]
    assert not may(read)
    assert bring(lakehouse(root, granted, deletable=True)) == [f"~ principal {root}-bi", "+ access"]
    assert may(read)
    assert bring(lakehouse(root, None)) == [f"~ principal {root}-bi", "- access: the file does not name it"]
    assert not may(read)
    assert bring(lakehouse(root, None), allow_destroy=True) == [f"- principal {root}-bi"]
    names = [each["name"] for each in person.ask("GET", "/principals")["principals"]]
    assert f"{root}-bi" not in names
    assert "root" in names
    assert f"{root}-bi" not in [each["name"] for each in person.ask("GET", "/principal-roles")["roles"]]
    with pytest.raises((OAuthError, UnauthorizedError, RESTError)):
        client_of_gone(servers, own)


def client_of_gone(servers: Servers, former: Catalog) -> None:
    load_catalog("lake", **{**servers.pyiceberg(), "credential": former.properties["credential"]})


def test_grants_of_others_stay_and_ours_come_back(connections: Connections, root: str, person: Person) -> None:
    bring, wanted = Bringing(connections), lakehouse(root, {f"lake.{root}": ["read"]})
    bring(wanted)
    name, catalog = f"{root}-bi", "/catalogs/lake/catalog-roles"
    person.ask("POST", catalog, {"catalogRole": {"name": f"{root}-theirs"}})
    theirs = {"type": "catalog", "privilege": "TABLE_LIST"}
    person.ask("PUT", f"{catalog}/{root}-theirs/grants", {"grant": theirs})
    person.ask("PUT", f"/principal-roles/{name}/catalog-roles/lake", {"catalogRole": {"name": f"{root}-theirs"}})
    assert bring(wanted) == []
    person.ask("PUT", f"{catalog}/{name}/grants", {"grant": theirs})
    taken = {"type": "namespace", "namespace": [root], "privilege": "TABLE_READ_DATA"}
    person.ask("POST", f"{catalog}/{name}/grants", {"grant": taken})
    assert bring(wanted) == [f"~ principal {name}", "- lake: TABLE_LIST", f"+ lake.{root}: TABLE_READ_DATA"]
    assert person.ask("GET", f"{catalog}/{root}-theirs/grants")["grants"] == [theirs]
    person.ask("DELETE", f"{catalog}/{root}-theirs")


def test_grants_end_with_a_table_and_go_with_one_that_is_renamed(
    servers: Servers, connections: Connections, root: str
) -> None:
    bring = Bringing(connections)
    wanted = lakehouse(root, {f"lake.{root}.t": ["read"], f"lake.{root}_b.t": ["read"]})
    bring(wanted)
    as_root = load_catalog("lake", **servers.pyiceberg())
    as_root.drop_table(f"{root}_b.t")
    reads = "TABLE_READ_DATA, TABLE_READ_PROPERTIES"
    assert bring(wanted) == [f"~ principal {root}-bi", f"+ lake.{root}_b.t: {reads}"]
    as_root.rename_table(f"{root}.t", f"{root}.new")
    own = client(servers, connections, root)
    assert may(lambda: own.load_table(f"{root}.new").scan().to_arrow()), "the grant went with it"
    file = wanted.model_dump(mode="json", exclude_unset=True)
    del file["catalogs"]["lake"]["namespaces"][root]["tables"]["t"]
    del file["access"]["roles"]["r"]["grants"][f"lake.{root}.t"]
    assert bring(Lakehouse.model_validate(file)) == [f"~ principal {root}-bi", f"- lake.{root}.new: {reads}"]
    assert not may(lambda: own.load_table(f"{root}.new"))
    assert may(lambda: own.load_table(f"{root}_b.t"))


def test_a_grant_on_a_table_holds_after_a_restore(
    servers: Servers, connections: Connections, root: str, tmp_path: Path
) -> None:
    """A restore replaces the empty table of a deploy, with which its grants end; the apply after it gives them back."""
    wanted, name = lakehouse(root, {f"lake.{root}.t": ["read"]}), f"{root}.t"
    Bringing(connections)(wanted)
    own, there = client(servers, connections, root), vault(str(tmp_path / "backups"))
    before(connections, name).append(ROWS)
    listed = catalogs.connect("lake", connections).facts((), lambda *_: None)
    others = [f"lake.{each}" for each in listed.namespaces if not each.startswith(root)]
    bundle = Bundle(root, "local", "lakehouse.yaml", b"name: demo", {})
    manifest = create(bundle, connections, there, others, None).manifest
    lose(connections, name)
    assert reconcile(wanted, connections).exit_code == 0, "as a deploy does: an empty table"
    restore(there, manifest, connections, [f"lake.{name}"])
    assert reconcile(wanted, connections).exit_code == 0, "as `lakehouse backup restore` ends"
    assert own.load_table(name).scan().to_arrow() == ROWS
    assert not may(lambda: own.load_table(name).append(ROWS))
    assert not may(lambda: own.load_table(f"{root}.u"))


def test_new_credentials_replace_the_former_ones(servers: Servers, connections: Connections, root: str) -> None:
    Bringing(connections)(lakehouse(root, {f"lake.{root}": ["read"]}))
    former = client(servers, connections, root)
    principals = World.of(connections).principals
    assert principals is not None
    principals().renew(f"{root}-bi")
    assert may(lambda: client(servers, connections, root).load_table(f"{root}.t"))
    with pytest.raises((OAuthError, UnauthorizedError, RESTError)):
        client_of_gone(servers, former)
    assert Bringing(connections)(lakehouse(root, {f"lake.{root}": ["read"]})) == []


def test_a_token_is_renewed_beyond_a_rotation_until_all_are_ended(
    servers: Servers, connections: Connections, root: str, person: Person
) -> None:
    bring, wanted = Bringing(connections), lakehouse(root, {f"lake.{root}": ["read"]})
    bring(wanted)
    principals = World.of(connections).principals
    assert principals is not None
    server, name = principals(), f"{root}-bi"
    person.ask("POST", "/principal-roles", {"principalRole": {"name": f"{root}-theirs"}})
    person.ask("PUT", f"/principals/{name}/principal-roles", {"principalRole": {"name": f"{root}-theirs"}})
    first = logged_in(servers, server.keys.pair(name))
    server.renew(name)
    second = logged_in(servers, server.keys.pair(name))
    renewed = exchanged(servers, first)
    assert renewed.status_code == 200, "for a token nobody asks for a secret"
    tokens = [first, second, renewed.json()["access_token"]]
    assert [lists(servers, root, each) for each in tokens] == [200, 200, 200]
    rotated = requests.post(
        f"{servers.pyiceberg()['uri'].removesuffix('/catalog')}/management/v1/principals/{name}/rotate",
        headers={"Authorization": f"Bearer {first}"},
        timeout=30,
    ).json()["credentials"]
    assert logged_in(servers, (rotated["clientId"], rotated["clientSecret"])), "it also gives itself a secret"
    assert logged_in(servers, server.keys.pair(name)), "beside the one that it has"
    server.end_tokens(name)
    with pytest.raises(KeyError):
        logged_in(servers, (rotated["clientId"], rotated["clientSecret"]))
    assert [lists(servers, root, each) for each in tokens] == [401, 401, 401]
    assert [exchanged(servers, each).status_code for each in tokens] == [401, 401, 401]
    assert lists(servers, root, logged_in(servers, server.keys.pair(name))) == 200, "its credentials are the same"
    assert may(lambda: client(servers, connections, root).load_table(f"{root}.t").scan().to_arrow())
    assert bring(wanted) == []
    has = {each["name"] for each in person.ask("GET", f"/principals/{name}/principal-roles")["roles"]}
    assert has == {name, f"{root}-theirs"}
    person.ask("DELETE", f"/principal-roles/{root}-theirs")


def logged_in(servers: Servers, pair: tuple[str, str] | None) -> str:
    """A token for these credentials."""
    assert pair is not None
    form = {"grant_type": "client_credentials", "client_id": pair[0], "client_secret": pair[1]}
    return str(_token(servers, form | {"scope": "PRINCIPAL_ROLE:ALL"}).json()["access_token"])


def exchanged(servers: Servers, token: str) -> requests.Response:
    """The answer to who wants a new token for this one, as Iceberg's client in Java does before it ends."""
    kinds = "urn:ietf:params:oauth"
    form = {"grant_type": f"{kinds}:grant-type:token-exchange", "subject_token": token}
    form |= {"subject_token_type": f"{kinds}:token-type:access_token", "scope": "PRINCIPAL_ROLE:ALL"}
    return _token(servers, form, Authorization=f"Bearer {token}")


def _token(servers: Servers, form: dict[str, str], **headers: str) -> requests.Response:
    return requests.post(servers.pyiceberg()["oauth2-server-uri"], data=form, headers=headers, timeout=30)


def lists(servers: Servers, root: str, token: str) -> int:
    """The status of a list of tables by this token."""
    url = f"{servers.pyiceberg()['uri']}/v1/lake/namespaces/{root}/tables"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code


def by_hand(person: Person, root: str, *privileges: str) -> tuple[str, str]:
    """What somebody makes with curl: a principal that has these privileges on a namespace. Returns its credentials."""
    person.ask("POST", "/catalogs/lake/catalog-roles", {"catalogRole": {"name": f"{root}-hand"}})
    for privilege in privileges:
        grant = {"type": "namespace", "namespace": [root], "privilege": privilege}
        person.ask("PUT", f"/catalogs/lake/catalog-roles/{root}-hand/grants", {"grant": grant})
    person.ask("POST", "/principal-roles", {"principalRole": {"name": f"{root}-analysts"}})
    person.ask("PUT", f"/principal-roles/{root}-analysts/catalog-roles/lake", {"catalogRole": {"name": f"{root}-hand"}})
    made = person.ask("POST", "/principals", {"principal": {"name": f"{root}.ann"}})
    person.ask("PUT", f"/principals/{root}.ann/principal-roles", {"principalRole": {"name": f"{root}-analysts"}})
    return made["credentials"]["clientId"], made["credentials"]["clientSecret"]


def test_what_somebody_made_by_hand_is_imported_kept_and_given_more(
    servers: Servers, connections: Connections, root: str, person: Person
) -> None:
    bring = Bringing(connections)
    before = lakehouse(root, None)
    reconcile(before, connections)
    pair = by_hand(person, root, "TABLE_READ_DATA", "NAMESPACE_READ_PROPERTIES", "VIEW_READ_PROPERTIES", "TABLE_CREATE")
    facts = gather(before, World.of(connections), everything=True)
    found, left, _ = imported(before, facts)
    role, principal = f"{root}_analysts", f"{root}_ann"
    assert found["access"]["roles"][role] == {"grants": {f"lake.{root}": ["read"]}}
    assert found["access"]["principals"][principal] == {"roles": [role], "existing": {"polaris": f"{root}.ann"}}
    assert (
        f"principal role {root}-analysts: no verb says TABLE_CREATE on lake.{root}: what it has so stays as it is"
        in left
    )
    said = {"roles": {role: found["access"]["roles"][role]}}
    member = {principal: found["access"]["principals"][principal]}
    after = before.model_copy(update={"access": Access.model_validate({**said, "principals": member})})
    assert bring(after) == [], "the plan after it is empty"
    own = load_catalog("lake", **{**servers.pyiceberg(), "credential": ":".join(pair)})
    assert may(lambda: own.load_table(f"{root}.t").scan().to_arrow()), "by the credentials that it had"
    assert not may(lambda: own.load_table(f"{root}.t").append(ROWS))
    more = {"roles": {role: {"grants": {f"lake.{root}": ["write"]}}}, "principals": member}
    shown = bring(before.model_copy(update={"access": Access.model_validate(more)}))
    assert shown == [
        f"~ principal {root}-{principal}",
        f"+ lake.{root}: TABLE_WRITE_DATA, TABLE_WRITE_PROPERTIES",
        "+ access",
    ]
    assert may(lambda: own.load_table(f"{root}.t").append(ROWS))
    assert bring(before)[-1] == "- access: the file does not name it"
    assert not may(lambda: own.load_table(f"{root}.t").append(ROWS))
    assert may(lambda: own.load_table(f"{root}.t").scan().to_arrow()), "what others granted stays"
    only = before.model_copy(
        update={"access": Access.model_validate({**said, "principals": member, "grants": "authoritative"})}
    )
    shown = bring(only, allow_destroy=True)
    assert shown[0] == f"~ principal {root}-{principal}"
    assert [each.change.name for each in make_plan(only, connections, allow_destroy=True).steps] == []
    assert [each["name"] for each in person.ask("GET", f"/principals/{root}.ann/principal-roles")["roles"]] == [
        f"{root}-{principal}"
    ]
    assert may(lambda: own.load_table(f"{root}.t").scan().to_arrow()), "by the role of the toolkit now"
    assert f"{root}-analysts" in [each["name"] for each in person.ask("GET", "/principal-roles")["roles"]]
    person.ask("DELETE", f"/principals/{root}.ann")
