"""Keys of principals at each server; the servers themselves are doubles here."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bootstrap.catalogs.nessie_tokens import NessieTokens
from bootstrap.catalogs.polaris_principals import CLIENT_ID, CLIENT_SECRET
from bootstrap.engines.trino_files import TrinoFiles
from bootstrap.operations.access_keys import KeysAt, PrincipalServers
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Missing, Refused
from bootstrap.remote.user_keys import UserKeys
from bootstrap.session.target import Target, find
from lakehouse.kinds.catalogs.nessie import SIGNER
from lakehouse.runtimes import generations, owner, tokens
from lakehouse.runtimes.state import State

CONNECTIONS = Connections(StoreConnection("http://127.0.0.1:9000", "r"), {})


class Server:
    """A store or a Polaris: the part that the commands need. ``there`` are its users."""

    uri = "http://127.0.0.1:8181/api/catalog"

    warehouses: ClassVar[dict[str, str]] = {}

    def __init__(self, keys: UserKeys, *there: str) -> None:
        self.keys, self.there, self.asked, self.tokens = keys, set(there), 0, 1

    def facts(self, lakehouse: str, existing: dict[str, str] | None = None) -> dict[str, None]:
        self.asked += 1
        return dict.fromkeys(name for name in self.there if name.startswith(f"{lakehouse}-"))

    def renew(self, name: str, existing: str = "") -> bool:
        self._check(name)
        self.keys.keep(name, "NEW", "NEWSECRET")
        return not existing

    def end_former(self, name: str, existing: str = "") -> int:
        self._check(name)
        return 2

    def end_tokens(self, name: str) -> None:
        self._check(name)
        self.tokens = 0

    def _check(self, name: str) -> None:
        if name not in self.there:
            raise Missing(name)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def secure(file: Path) -> Target:
    """A stack whose Trino asks for passwords."""
    text = file.read_text()
    assert "  trino: {" in text
    file.write_text(text.replace("  trino: {", "  trino: {authentication: password, "))
    found = find(file, "local")
    owner.mark(found.located.state, found.located.claim)
    return found


def servers(target: Target, state: State, *there: str) -> PrincipalServers:
    """The three servers, with these principals at the store and at Polaris, and no keys in the state folder."""
    users: Any = Server(UserKeys(state), *there)
    principals: Any = Server(UserKeys(state, (CLIENT_ID, CLIENT_SECRET)), *there)
    return PrincipalServers(target, CONNECTIONS, users, principals, TrinoFiles(state))


def test_trino_hands_out_a_password_and_its_former_one_ends_at_once(secure: Target, state: State) -> None:
    files = TrinoFiles(state)
    at = PrincipalServers(secure, CONNECTIONS, trino=files)
    assert (list(at.written("bi")), list(at.renewed("bi")), list(at.ended("bi"))) == ([], [], [])
    files.create("bi", deletable=False)
    former = files.password("bi")
    [section] = at.written("bi")
    ca = secure.local.state.root / "certificates" / "authority" / "certificate.pem"
    uri = secure.local.addresses["trino"].removesuffix("/ui/")
    assert section == f"[trino]\nuri = {uri}\nuser = bi\npassword = {former}\nca = {ca}\n"
    [done] = at.renewed("bi")
    assert done.server == "Trino"
    assert "The former one ends within 2 s; queries that run go on." in done.said
    assert files.password("bi") not in (former, None)
    assert list(at.ended("bi")) == [KeysAt("Trino", "bi: its former password for Trino ended when it got a new one.")]
    state.keep("trino-user-bi", "another")
    with pytest.raises(Refused, match="`lakehouse apply` makes them agree"):
        list(at.written("bi"))


def test_nessie_hands_out_a_token_and_the_next_deploy_replaces_it(file: Path) -> None:
    text = file.read_text().partition("engines:")[0].partition("access:")[0].partition("stacks:")[0]
    access = "{roles: {r: {grants: {lake: [read]}}}, principals: {bi: {roles: [r]}, gone: {roles: []}}}"
    stack = "{runtime: process, store: seaweedfs, secure: true, catalogs: {lake: nessie}}"
    file.write_text(f"{text}access: {access}\nstacks: {{local: {stack}}}\n")
    target = find(file, "local")
    owner.mark(target.located.state, target.located.claim)
    state = target.local.state
    catalog = CatalogConnection("nessie", "https://n/iceberg", "lake", "https://n/api/v2", trust="/ca.pem")
    at = PrincipalServers(target, CONNECTIONS, nessie=NessieTokens(state, {"lake": catalog}))
    assert (at.none, list(at.written("bi")), list(at.renewed("bi"))) == (False, [], [])
    for each in ("bi", "gone"):
        state.keep(f"nessie-principal-{each}", "a-group")
    tokens.make(state, SIGNER)
    [section] = at.written("bi")
    first = "[nessie.lake]\nuri = https://n/iceberg\napi = https://n/api/v2\nwarehouse = lake\n"
    assert section.startswith(f"{first}token = ")
    assert section.endswith("\nca = /ca.pem\n")
    claims = section.partition("token = ")[2].split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (found["sub"], found["groups"]) == ("bi", ["a-group"])
    [done] = at.renewed("bi")
    assert done.server == "Nessie"
    assert "by the next `lakehouse deploy`, which restarts Nessie" in done.said
    assert state.secret("nessie-principal-bi") == "a-group", "until the deploy"
    assert generations.plan(state, target.local.everything, None).generations == {"nessie-principal-bi": 1}
    assert (list(at.ended("bi")), list(at.renewed("gone"))) == ([], []), "which has no grant"


def test_the_section_for_the_store_names_whom_to_trust_if_the_stack_is_secure(secure: Target, state: State) -> None:
    users: Any = Server(UserKeys(state))
    plain = PrincipalServers(secure, CONNECTIONS, users=users)
    users.keys.keep(plain.name("bi"), "ID", "SECRET")
    store = replace(CONNECTIONS.store, endpoint="https://127.0.0.1:9000", trust="/state/authority.pem")
    at = PrincipalServers(secure, replace(CONNECTIONS, store=store), users=users)
    assert next(at.written("bi")).endswith("\nca_bundle = /state/authority.pem\n")
    assert "ca_bundle" not in next(plain.written("bi"))


def test_polaris_hands_out_its_own_pair_and_ends_tokens_when_told_to(secure: Target, state: State) -> None:
    principals: Any = Server(UserKeys(state, (CLIENT_ID, CLIENT_SECRET)))
    at = PrincipalServers(secure, CONNECTIONS, principals=principals)
    principals.there.add(at.name("bi"))
    principals.keys.keep(at.name("bi"), "ID", "SECRET")
    [section] = at.written("bi")
    assert section == "[polaris]\nuri = http://127.0.0.1:8181/api/catalog\nclient_id = ID\nclient_secret = SECRET\n"
    [done] = at.renewed("bi")
    assert "get no token any more" in done.said
    assert "`lakehouse access rotate bi --end-former`, which ends all of them" in done.said
    assert principals.keys.pair(at.name("bi")) == ("NEW", "NEWSECRET")
    [done] = at.ended("bi")
    assert "all its tokens of Polaris have ended" in done.said
    assert principals.tokens == 0
    principals.there.clear()
    assert list(at.ended("bi")) == [KeysAt("Polaris")], "Polaris does not know it"


def test_the_tokens_of_a_principal_of_others_stay(secure: Target, state: State) -> None:
    text = secure.path.read_text().partition("access:")[0].partition("engines:")[0].partition("stacks:")[0]
    access = "{roles: {r: {grants: {lake: [read]}}}, principals: {bi: {roles: [r], existing: {polaris: Ann}}}}"
    stack = "{runtime: process, store: seaweedfs, catalogs: {lake: {kind: polaris, home: /p}}}"
    secure.path.write_text(f"{text}access: {access}\nstacks: {{local: {stack}}}\n")
    target = find(secure.path, "local")
    principals: Any = Server(UserKeys(state, (CLIENT_ID, CLIENT_SECRET)))
    at = PrincipalServers(target, CONNECTIONS, principals=principals)
    principals.there.add(at.name("bi"))
    principals.keys.keep(at.name("bi"), "ID", "SECRET")
    [done] = at.ended("bi")
    assert "Ann at Polaris is of others, so its tokens stay" in done.said
    assert "`lakehouse secret rotate polaris-tokens`" in done.said
    assert principals.tokens == 1


def test_each_server_is_tried_though_another_has_lost_the_principal(secure: Target, state: State) -> None:
    at = servers(secure, state)
    assert at.users is not None
    assert at.trino is not None
    at.users.keys.keep(at.name("bi"), "A", "S")
    at.trino.create("bi", deletable=False)
    former = at.trino.password("bi")
    lost, done = at.renewed("bi")
    assert lost == KeysAt("the store")
    assert done.server == "Trino"
    assert at.trino.password("bi") != former
    assert [(each.server, bool(each.said)) for each in at.ended("bi")] == [("the store", False), ("Trino", True)]


def test_servers_without_keys_are_named_if_the_file_gives_something_there(secure: Target, state: State) -> None:
    at = servers(secure, state)
    assert at.users is not None
    assert set(at.lost("bi")) == {"the store", "Trino"}, "the file has no catalog of Polaris"
    at.users.keys.keep(at.name("bi"), "KEY", "SECRET")
    assert at.lost("bi") == ["Trino"]
    TrinoFiles(state).create("bi", deletable=False)
    assert at.lost("bi") == []


def test_former_keys_end_at_the_servers_for_which_there_are_present_ones(secure: Target, state: State) -> None:
    at = servers(secure, state, f"{secure.lakehouse.name}-bi")
    assert at.principals is not None
    assert list(at.ended("bi")) == [], "without present ones, it would have none"
    at.principals.keys.keep(at.name("bi"), "ID", "SECRET")
    assert [each.server for each in at.ended("bi")] == ["Polaris"]


def test_keys_that_the_state_folder_has_lost_are_made_again(secure: Target, state: State) -> None:
    at = servers(secure, state, f"{secure.lakehouse.name}-bi", "other-bi")
    assert (list(at.written("bi")), at.has_files("bi")) == ([], False)
    assert [each.server for each in at.renewed("bi")] == ["the store", "Polaris"]
    assert [each.split("\n")[0] for each in at.written("bi")] == ["[default]", "[polaris]"]
    assert at.has_files("bi")
    assert list(at.renewed("idle")) == []
    servers_asked: Any = (at.users, at.principals)
    assert [each.asked for each in servers_asked] == [1, 1], "once for all principals"
