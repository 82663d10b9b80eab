"""The edge to MinIO's admin API, with a double that keeps users and policies. The real one is in tests/behaviour."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
from minio.error import MinioAdminException

from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Missing, Refused, RemoteError, Unreachable
from bootstrap.stores.minio_users import MinioUsers, digest
from bootstrap.stores.users import StoreUser
from lakehouse.runtimes.state import State

POLICY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
OTHER: dict[str, Any] = {**POLICY, "ID": "x"}


class Admin:
    """The part of MinioAdmin that is used. ``fails``: the error of any change."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, str] = {}
        self.policies: dict[str, Any] = {}
        self.fails: Exception | None = None

    def user_list(self) -> str:
        return json.dumps(self.users)

    def policy_list(self) -> str:
        """Lists come in another order each time, as those of MinIO do."""
        for policy in self.policies.values():
            for statement in policy["Statement"]:
                statement["Action"].reverse()
            policy["Statement"].reverse()
        return json.dumps(self.policies)

    def policy_add(self, name: str, policy: Any) -> None:
        if self.fails:
            raise self.fails
        self.policies[name] = policy

    def policy_set(self, name: str, user: str) -> None:
        self.users[user]["policyName"] = name

    def policy_unset(self, name: str, user: str) -> None:
        left = [each for each in self.users[user]["policyName"].split(",") if each not in name.split(",")]
        self.users[user]["policyName"] = ",".join(left)

    def policy_remove(self, name: str) -> None:
        del self.policies[name]

    def user_add(self, access_key: str, secret_key: str) -> None:
        assert secret_key != access_key
        self.secrets[access_key] = secret_key
        self.users[access_key] = {**self.users.get(access_key, {}), "status": "enabled"}

    def user_enable(self, access_key: str) -> None:
        self.users[access_key]["status"] = "enabled"

    def user_disable(self, access_key: str) -> None:
        self.users[access_key]["status"] = "disabled"

    def user_remove(self, access_key: str) -> None:
        if self.fails:
            raise self.fails
        del self.users[access_key]


@pytest.fixture
def server() -> Admin:
    return Admin()


@pytest.fixture
def users(server: Admin, tmp_path: Path) -> MinioUsers:
    made = MinioUsers(Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}), State(tmp_path))
    made.__dict__["_admin"] = server
    return made


def key(folder: Path, name: str = "demo-a") -> str:
    return (folder / "secrets" / f"{name}-access-key").read_text()


def test_a_user_is_made_changed_and_removed_with_its_keys(users: MinioUsers, server: Admin, tmp_path: Path) -> None:
    assert not users.any_made("demo")
    users.create("demo-a", POLICY)
    assert users.any_made("demo")
    assert users.facts("demo") == {"demo-a": StoreUser(POLICY)}
    assert list(server.users) == [key(tmp_path)]
    assert "demo-a" not in server.users, "who knows an access key writes with it: it is no name"
    users.change("demo-a", OTHER, enabled=False)
    assert users.facts("demo") == {"demo-a": StoreUser(OTHER, enabled=False)}
    users.change("demo-a", OTHER, enabled=True)
    assert users.facts("demo") == {"demo-a": StoreUser(OTHER)}
    with pytest.raises(Conflict):
        users.remove("demo-a", POLICY)
    users.remove("demo-a", OTHER)
    assert (server.users, server.policies, list((tmp_path / "secrets").iterdir())) == ({}, {}, [])
    with pytest.raises(Missing):
        users.remove("demo-a", OTHER)
    with pytest.raises(Missing):
        users.change("demo-a", OTHER, enabled=True)


@pytest.mark.parametrize("enabled", [True, False])
def test_new_keys_give_a_disabled_user_no_access(
    users: MinioUsers, server: Admin, tmp_path: Path, enabled: bool
) -> None:
    users.create("demo-a", POLICY)
    users.change("demo-a", POLICY, enabled=enabled)
    users.renew("demo-a")
    assert users.facts("demo") == {"demo-a": StoreUser(POLICY, enabled)}
    assert {each["status"] for each in server.users.values()} == {"enabled" if enabled else "disabled"}
    assert users.end_former("demo-a") == 1
    assert list(server.users) == [key(tmp_path)]


def test_a_policy_is_the_same_in_whatever_order_it_comes(users: MinioUsers) -> None:
    first = {"Effect": "Allow", "Action": ["b", "a", "c"], "Resource": ["x"]}
    users.create("demo-a", {**POLICY, "Statement": [first, {**first, "Action": ["d", "e"]}]})
    seen = [users.facts("demo")["demo-a"].policy for _ in range(3)]
    assert seen[0] == seen[1] == seen[2]
    users.remove("demo-a", seen[0])
    assert users.facts("demo") == {}


def test_a_creation_that_was_cut_short_is_made_again_with_the_same_keys(
    users: MinioUsers, server: Admin, tmp_path: Path
) -> None:
    users.create("demo-a", POLICY)
    kept = key(tmp_path)
    del server.users[kept]["policyName"]
    assert users.facts("demo") == {}
    users.create("demo-a", POLICY)
    assert (list(server.users), key(tmp_path)) == ([kept], kept)


def test_whose_keys_are_elsewhere_is_not_ours(users: MinioUsers, server: Admin) -> None:
    server.users["abc"] = {"policyName": "demo-a", "status": "enabled"}
    server.users["def"] = {"policyName": "theirs", "status": "enabled"}
    server.users["ghi"] = {"policyName": "demo-lost", "status": "enabled"}
    server.policies |= {"demo-a": POLICY, "theirs": POLICY}
    assert users.facts("demo") == {"demo-a": StoreUser(POLICY, ours=False)}


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (urllib3.exceptions.ReadTimeoutError(None, "/?key=KEY", "KEY"), Unreachable, "no answer in time"),  # type: ignore[arg-type]
        (MinioAdminException("400", '{"Code": "XMinioAdminInvalid", "Message": "no user KEY"}'), Refused, "Invalid"),
    ],
)
def test_errors_have_their_type_and_no_keys(
    users: MinioUsers, server: Admin, tmp_path: Path, error: Exception, kind: type[RemoteError], words: str
) -> None:
    users.create("demo-a", POLICY)
    if isinstance(error, MinioAdminException):
        error = MinioAdminException("400", f'{{"Code": "XMinioAdminInvalid", "Message": "no user {key(tmp_path)}"}}')
    server.fails = error
    calls: list[Callable[[], None]] = [
        lambda: users.create("demo-a", POLICY),
        lambda: users.change("demo-a", POLICY, enabled=True),
        lambda: users.remove("demo-a", POLICY),
    ]
    for call in calls:
        with pytest.raises(kind, match=words) as caught:
            call()
        assert key(tmp_path) not in str(caught.value)
        assert "KEY" not in str(caught.value)


def test_policies_of_others_are_named_stay_and_are_taken_away_one_by_one(
    users: MinioUsers, server: Admin, tmp_path: Path
) -> None:
    """MinIO has the names of a user's policies in one text. A user with two was taken for none of the toolkit's."""
    users.create("demo-a", POLICY)
    users.create("demo-b", POLICY)
    server.policies |= {"theirs": POLICY, "more": POLICY}
    server.users[key(tmp_path)]["policyName"] = "theirs,demo-a,more,demo-b"
    want = StoreUser(POLICY, others=("demo-b", "more", "theirs"))
    assert users.facts("demo") == {"demo-a": want, "demo-b": StoreUser(POLICY)}
    users.renew("demo-a")
    assert users.facts("demo")["demo-a"] == want, "the new keys may do what the former ones may"
    users.take("demo-a", "more")
    assert users.facts("demo")["demo-a"].others == ("demo-b", "theirs")
    for policy in ("theirs", "demo-b"):
        users.take("demo-a", policy)
    assert {each["policyName"] for each in server.users.values()} == {"demo-a", "demo-b"}
    assert {"theirs", "more"} <= server.policies.keys()
    with pytest.raises(Missing, match="user demo-a of the store has no policy theirs"):
        users.take("demo-a", "theirs")


ANN = digest("ann")
EXISTING = {"demo-a": ANN}
READS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::warehouse/*"]}],
}


@pytest.fixture
def hand(server: Admin) -> Admin:
    """A server on which somebody made users: one in a group, one who administers it, and one without anything."""
    server.policies |= {"reads": READS, "admins": {"Statement": [{"Effect": "Allow", "Action": ["admin:*"]}]}}
    for name, given in (("ann", "reads"), ("bob", "reads"), ("root2", "admins"), ("idle", "")):
        server.user_add(name, f"{name}-secret")
        server.users[name]["policyName"] = given
    server.users["bob"]["memberOf"] = ["g"]
    return server


def test_users_of_others_are_named_by_a_digest_without_the_toolkits_and_administrators(
    users: MinioUsers, hand: Admin, tmp_path: Path
) -> None:
    users.create("demo-b", READS)
    hand.policies["else-c"] = {"Statement": [{**READS["Statement"][0], "Sid": "S3ObjectsRead"}]}
    hand.user_add("0123456789" * 4, "of another state folder")
    hand.users["0123456789" * 4]["policyName"] = "else-c"
    found = users.strangers(set())
    assert found.keys() == {ANN, digest("bob")}
    assert (found[ANN].given, found[ANN].others, found[ANN].existing) == ({"reads": READS}, ("reads",), ANN)
    assert (found[ANN].enabled, found[ANN].apart, found[digest("bob")].apart) == (True, (), ("group g",))
    assert users.strangers({ANN}).keys() == {digest("bob")}
    hand.policies["bob"] = READS
    hand.users["ann"]["policyName"] = "bob"
    assert "bob" not in repr(users.strangers(set())), "a policy's name would show an access key"


def test_a_user_of_others_gets_the_toolkits_policy_beside_its_own_and_loses_only_that(
    users: MinioUsers, hand: Admin, tmp_path: Path
) -> None:
    before = json.dumps(hand.users["ann"])
    assert users.facts("demo") == {}
    [found] = users.facts("demo", EXISTING).values()
    assert (found.policy, found.enabled, found.existing, found.others) == ({}, False, ANN, ("reads",))
    assert users.facts("demo", {"demo-a": digest("nobody")}) == {}
    users.change("demo-a", POLICY, enabled=True, existing=ANN)
    assert set(hand.users["ann"]["policyName"].split(",")) == {"demo-a", "reads"}
    for existing in (EXISTING, None):
        [found] = users.facts("demo", existing).values()
        assert (found.policy, found.enabled, found.existing, found.ours) == (POLICY, True, ANN, True)
    assert users.any_made("demo")
    users.change("demo-a", POLICY, enabled=False, existing=ANN)
    assert json.dumps(hand.users["ann"]) == before
    assert ("demo-a" in hand.policies, users.facts("demo"), users.any_made("demo")) == (False, {}, False)
    for call in (
        lambda: users.change("demo-a", POLICY, enabled=True, existing=digest("nobody")),
        lambda: users.end_former("demo-a", digest("nobody")),
        lambda: users.take("demo-a", "other", ANN),
    ):
        with pytest.raises(Missing):
            call()
    users.take("demo-a", "reads", ANN)
    assert (hand.users["ann"]["policyName"], "reads" in hand.policies) == ("", True)


@pytest.mark.parametrize("status", ["enabled", "disabled"])
def test_a_user_of_others_gets_a_new_secret_key_and_stays_the_user_that_it_is(
    users: MinioUsers, hand: Admin, status: str
) -> None:
    hand.users["ann"]["status"] = status
    before = dict(hand.users["ann"])
    assert users.renew("demo-a", ANN) is False
    assert users.keys.pair("demo-a") == ("ann", hand.secrets["ann"])
    assert hand.secrets["ann"] != "ann-secret"
    assert (hand.users["ann"], users.end_former("demo-a", ANN)) == (before, 0)
