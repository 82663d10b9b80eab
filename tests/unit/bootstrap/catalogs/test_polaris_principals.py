"""The client of principals, against the double's entities without a server: tests/polaris answers as Polaris does."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bootstrap.catalogs.polaris_principals import PolarisPrincipal, PolarisPrincipals
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, UnknownState
from bootstrap.remote.user_keys import UserKeys
from lakehouse.access.polaris import PolarisGrant
from lakehouse.runtimes.state import State
from tests.polaris import management
from tests.polaris.answers import PolarisError
from tests.polaris.realm import Realm

READ = PolarisGrant(("n",), "", "TABLE_READ_DATA", "namespace")
WRITE = PolarisGrant(("n",), "t", "TABLE_WRITE_DATA", "table")
LIST = PolarisGrant((), "", "TABLE_LIST", "catalog")


class Tables:
    """Tables that are all there; nothing is kept for another run."""

    def kept(self) -> dict[str, Any]:
        return {}

    def is_there(self, catalog: str, grant: Mapping[str, Any]) -> bool:
        return True


class Management:
    """The management API in memory. ``fails``: the parts of a path whose request fails, once each."""

    def __init__(self) -> None:
        tables: Any = Tables()
        self.realm = Realm(("root", "s"), tables, lambda *_: None)
        self.double = management.Management(self.realm, tables)
        self.fails: list[str] = []
        self.lock = threading.Lock()

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.request("POST", path, body)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        if self.fails and self.fails[0] in f"{method} {path}":
            raise Refused(f"no answer to {self.fails.pop(0)}")
        try:
            return self.double.handle(method, [unquote(part) for part in path.strip("/").split("/")], {}, body).body
        except PolarisError as error:
            kinds: dict[int, type[Exception]] = {404: Missing, 409: Exists}
            raise kinds.get(error.answer.status, Refused)(str(error.answer.body)) from None


@pytest.fixture
def api() -> Management:
    made = Management()
    for name in ("lake", "other"):
        entity: dict[str, Any] = {"name": name, "type": "INTERNAL", "properties": {}, "storageConfigInfo": {}}
        made.realm.put(f"catalog:{name}", entity, {})
    return made


@pytest.fixture
def principals(api: Management, tmp_path: Path) -> PolarisPrincipals:
    store = StoreConnection("http://127.0.0.1:1", "us-east-1")
    at = CatalogConnection("polaris", "http://127.0.0.1:2", "lake", "http://127.0.0.1:2/api/management/v1")
    made = PolarisPrincipals(Connections(store, {"first": at}), State(tmp_path))
    made._http = api  # type: ignore[assignment]
    return made


def test_a_principal_is_made_changed_and_removed_with_its_roles(
    principals: PolarisPrincipals, api: Management, tmp_path: Path
) -> None:
    before = dict(api.realm.entities)
    assert (principals.facts("demo"), principals.any_made("demo")) == ({}, False)
    principals.create("demo-a", {"lake": frozenset({READ, WRITE})}, deletable=False)
    assert principals.any_made("demo")
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal({"lake": frozenset({READ, WRITE})})}
    assert api.realm.numbered(number(principals, api)) == "demo-a"
    principals.change("demo-a", {}, enabled=False, deletable=True)
    off = PolarisPrincipal({"lake": frozenset({READ, WRITE})}, enabled=False, deletable=True)
    assert principals.facts("demo") == {"demo-a": off}, "its grants stay"
    principals.change("demo-a", {"other": frozenset({LIST})}, enabled=True, deletable=False)
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal({"other": frozenset({LIST})})}
    made = principals.facts("demo")["demo-a"].made
    with pytest.raises(Conflict, match="principal demo-a is another one now"):
        principals.remove("demo-a", made - 1)
    principals.remove("demo-a", made)
    assert api.realm.entities.keys() == before.keys()
    assert list((tmp_path / "secrets").iterdir()) == []
    with pytest.raises(Missing):
        principals.remove("demo-a", made)


def test_others_are_not_read_and_not_touched(principals: PolarisPrincipals, api: Management) -> None:
    for name in ("demo-hand", "root"):
        if name != "root":
            api.post("/principals", {"principal": {"name": name}})
    assert principals.facts("demo") == {}, "without a principal role of its name it is not ours"
    api.post("/principal-roles", {"principalRole": {"name": "theirs"}})
    api.request("PUT", "/principals/demo-hand/principal-roles", {"principalRole": {"name": "theirs"}})
    with pytest.raises(Refused, match=r"principal demo-hand exists, with roles of others \(theirs\). Remove it"):
        principals.create("demo-hand", {"lake": frozenset({READ})}, deletable=False)


def test_a_role_of_others_is_not_taken_for_the_toolkits(principals: PolarisPrincipals, api: Management) -> None:
    for name in ("ann", "eve"):
        api.post("/principals", {"principal": {"name": name}})
    role = {"principalRole": {"name": "demo-ann"}}
    api.post("/principal-roles", role)
    api.request("PUT", "/principals/eve/principal-roles", role)
    wanted = {"lake": frozenset({READ})}
    with pytest.raises(Refused, match="principal role demo-ann exists, and is not one that the toolkit made for ann"):
        principals.change("demo-ann", wanted, enabled=True, deletable=False, existing="ann")
    api.request("DELETE", "/principals/eve/principal-roles/demo-ann")
    principals.change("demo-ann", wanted, enabled=True, deletable=False, existing="ann")
    assert principals.facts("demo", {"demo-ann": "ann"})["demo-ann"].granted == wanted


@pytest.mark.parametrize("at", ["/reset", "POST /principal-roles", "/grants", "PUT /principals/demo-a/principal-roles"])
def test_a_creation_that_was_cut_short_goes_on(principals: PolarisPrincipals, api: Management, at: str) -> None:
    wanted = {"lake": frozenset({READ})}
    api.fails = [at]
    with pytest.raises(Refused, match="no answer"):
        principals.create("demo-a", wanted, deletable=False)
    found = principals.facts("demo").get("demo-a")
    if found is None:
        principals.create("demo-a", wanted, deletable=False)
    else:
        assert found != PolarisPrincipal(wanted), "so a plan changes it"
        principals.change("demo-a", wanted, enabled=True, deletable=False)
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal(wanted)}


@pytest.mark.parametrize("at", ["PUT /principal-roles/demo-a/catalog-roles/other", "PUT /catalogs/other"])
def test_a_change_that_was_cut_short_goes_on(principals: PolarisPrincipals, api: Management, at: str) -> None:
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=False)
    wanted = {"lake": frozenset({READ}), "other": frozenset({LIST})}
    api.fails = [at]
    with pytest.raises(Refused, match="no answer"):
        principals.change("demo-a", wanted, enabled=True, deletable=False)
    assert principals.facts("demo") != {"demo-a": PolarisPrincipal(wanted)}, "so a plan changes it"
    principals.change("demo-a", wanted, enabled=True, deletable=False)
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal(wanted)}


def test_a_role_that_somebody_took_away_is_no_access(principals: PolarisPrincipals, api: Management) -> None:
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=False)
    api.request("DELETE", "/principal-roles/demo-a/catalog-roles/lake/demo-a")
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal()}


def test_what_is_lost_goes_before_what_may_fail(principals: PolarisPrincipals, api: Management) -> None:
    principals.create("demo-a", {"other": frozenset({LIST})}, deletable=False)
    for enabled, granted in ((True, {"lake": frozenset({READ})}), (False, {})):
        api.fails = ["GET /principals/demo-a"] if not enabled else ["PUT /catalogs/lake"]
        with pytest.raises(Refused, match="no answer"):
            principals.change("demo-a", granted, enabled=enabled, deletable=True)
        found = principals.facts("demo")["demo-a"]
        assert (found.granted.get("other"), found.enabled) == (None, enabled)


def test_a_catalog_is_left_by_our_principals_and_by_no_others(principals: PolarisPrincipals, api: Management) -> None:
    principals.create("demo-a", {"lake": frozenset({READ}), "other": frozenset({READ})}, deletable=False)
    api.post("/catalogs/lake/catalog-roles", {"catalogRole": {"name": "demo-theirs"}})
    principals.leave("lake")
    assert [each["name"] for each in api.get("/catalogs/lake/catalog-roles")["roles"]] == ["demo-theirs"]
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal({"other": frozenset({READ})})}


def test_a_rotation_that_was_cut_short_leaves_it_ours(
    principals: PolarisPrincipals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would take its access away once it is not in the file."""
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=False)
    with monkeypatch.context() as patched:
        patched.setattr(UserKeys, "keep", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            principals.renew("demo-a")
    assert principals.facts("demo")["demo-a"].ours


@pytest.mark.parametrize("sent", [False, True])
def test_a_rotation_that_was_cut_short_is_made_again(
    principals: PolarisPrincipals, api: Management, monkeypatch: pytest.MonkeyPatch, sent: bool
) -> None:
    """Whether or not the server took the new credentials, the next attempt has those that it has."""
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=False)
    former, post = principals.keys.pair("demo-a"), api.post

    def cut(path: str, body: Any) -> Any:
        if sent:
            post(path, body)
        raise UnknownState("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(api, "post", cut)
        with pytest.raises(UnknownState):
            principals.renew("demo-a")
    assert principals.facts("demo")["demo-a"].renewing
    assert principals.keys.pair("demo-a") == former, "which the server may have still"
    principals.renew("demo-a")
    assert not principals.facts("demo")["demo-a"].renewing
    assert api.realm.numbered(number(principals, api)) == "demo-a"


def test_a_name_is_one_lakehouses(principals: PolarisPrincipals, api: Management) -> None:
    principals.create("demo-x-bi", {"lake": frozenset({READ})}, deletable=False, owner="demo-x")
    assert {name: each.owner for name, each in principals.facts("demo").items()} == {"demo-x-bi": "demo-x"}
    former = principals.keys.pair("demo-x-bi")
    principals.change("demo-x-bi", {}, enabled=False, deletable=False)  # so it has no roles of others
    with pytest.raises(Refused, match="principal demo-x-bi is of the lakehouse demo-x"):
        principals.create("demo-x-bi", {"lake": frozenset({READ})}, deletable=False, owner="demo")
    assert principals.keys.pair("demo-x-bi") == former
    for name in ("ann", "eve"):
        api.post("/principals", {"principal": {"name": name}})
        principals.change(
            f"demo-{name}", {"lake": frozenset({READ})}, enabled=True, deletable=False, existing=name, owner="demo"
        )
    assert principals.facts("demo", {"demo-ann": "ann"})["demo-ann"].owner == "demo"


def test_new_credentials_replace_the_former_ones(principals: PolarisPrincipals, api: Management) -> None:
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=False)
    former = principals.keys.pair("demo-a")
    principals.renew("demo-a")
    assert former is not None
    assert api.realm.number_of(*former) is None
    assert api.realm.numbered(number(principals, api)) == "demo-a"
    assert principals.facts("demo")["demo-a"].ours
    with pytest.raises(Missing):
        principals.renew("demo-b")


def number(principals: PolarisPrincipals, api: Management) -> str:
    """That of the principal with the present credentials."""
    found = api.realm.number_of(*map(str, principals.keys.pair("demo-a") or ()))
    assert found is not None
    return found


def test_all_tokens_end_by_another_principal_that_has_what_the_former_one_had(
    principals: PolarisPrincipals, api: Management
) -> None:
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=True)
    api.post("/principal-roles", {"principalRole": {"name": "theirs"}})
    api.request("PUT", "/principals/demo-a/principal-roles", {"principalRole": {"name": "theirs"}})
    pair, before, former = (
        principals.keys.pair("demo-a"),
        principals.facts("demo", others=True),
        number(principals, api),
    )
    principals.end_tokens("demo-a")
    assert api.realm.numbered(former) is None, "who has a token of it is nobody"
    assert api.realm.numbered(number(principals, api)) == "demo-a"
    assert principals.keys.pair("demo-a") == pair
    assert principals.facts("demo", others=True) == before
    assert {each["name"] for each in api.get("/principals/demo-a/principal-roles")["roles"]} == {"demo-a", "theirs"}


@pytest.mark.parametrize("at", ["POST /principals", "/reset", "PUT /principals/demo-a/principal-roles"])
def test_an_apply_gives_back_what_an_end_of_tokens_that_was_cut_short_took(
    principals: PolarisPrincipals, api: Management, at: str
) -> None:
    granted = {"lake": frozenset({READ})}
    principals.create("demo-a", granted, deletable=False)
    api.fails = [at]
    with pytest.raises(Refused):
        principals.end_tokens("demo-a")
    if "demo-a" in principals.facts("demo"):
        principals.change("demo-a", granted, enabled=True, deletable=False)
    else:
        principals.create("demo-a", granted, deletable=False)
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal(granted)}


def test_whose_credentials_are_elsewhere_is_not_ours(principals: PolarisPrincipals) -> None:
    principals.create("demo-a", {"lake": frozenset({READ})}, deletable=False)
    principals.keys.forget("demo-a")
    assert principals.facts("demo") == {"demo-a": PolarisPrincipal({"lake": frozenset({READ})}, ours=False)}
