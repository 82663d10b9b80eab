"""Users through IAM's API, against moto's double of it. SeaweedFS's own answers are in tests/behaviour."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Missing, Refused
from bootstrap.remote.s3 import iam
from bootstrap.stores.iam_users import IamUsers
from bootstrap.stores.users import StoreUser
from lakehouse.runtimes.state import State

STORE = StoreConnection(None, "us-east-1", "testing", "testing")


def policy(*actions: str, mark: str = "") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": ["arn:aws:s3:::warehouse/*"]}
    return {**({"ID": mark} if mark else {}), "Version": "2012-10-17", "Statement": [statement]}


READ, WRITE = policy("s3:GetObject"), policy("s3:ListMultipartUploadParts", "s3:PutObject", mark="deletable")


@pytest.fixture
def api() -> Iterator[Any]:
    with mock_aws():
        yield iam(STORE)


@pytest.fixture
def users(api: Any, tmp_path: Path) -> IamUsers:
    return IamUsers(Connections(STORE, {}), State(tmp_path))


def keys(api: Any, name: str = "demo-a") -> dict[str, str]:
    return {each["AccessKeyId"]: each["Status"] for each in api.list_access_keys(UserName=name)["AccessKeyMetadata"]}


def kept(folder: Path, name: str = "demo-a") -> str:
    return (folder / "secrets" / f"{name}-access-key").read_text()


def test_a_user_is_made_changed_and_removed_with_its_keys(users: IamUsers, api: Any, tmp_path: Path) -> None:
    assert not users.any_made("demo")
    users.create("demo-a", READ)
    assert users.any_made("demo")
    assert users.facts("demo") == {"demo-a": StoreUser(READ)}
    assert users.facts("dem") == {}
    assert keys(api) == {kept(tmp_path): "Active"}
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o600}
    users.change("demo-a", WRITE, enabled=False)
    assert users.facts("demo") == {"demo-a": StoreUser(WRITE, enabled=False)}
    users.change("demo-a", WRITE, enabled=True)
    assert users.facts("demo") == {"demo-a": StoreUser(WRITE)}
    users.change("demo-a", READ, enabled=True)
    assert users.facts("demo") == {"demo-a": StoreUser(READ)}, "without the mark"
    with pytest.raises(Conflict):
        users.remove("demo-a", WRITE)
    users.remove("demo-a", READ)
    assert (api.list_users()["Users"], list((tmp_path / "secrets").iterdir())) == ([], [])
    with pytest.raises(Missing):
        users.remove("demo-a", READ)
    with pytest.raises(Missing):
        users.change("demo-a", READ, enabled=True)


def test_an_action_has_the_word_that_seaweedfs_knows(users: IamUsers, api: Any) -> None:
    users.create("demo-a", WRITE)
    sent = api.get_user_policy(UserName="demo-a", PolicyName="lakehouse")["PolicyDocument"]
    assert sent["Statement"][0]["Action"] == ["s3:ListParts", "s3:PutObject"]
    assert "ID" not in sent, "SeaweedFS keeps none: it is a tag"


def test_an_answer_that_was_lost_costs_no_more_than_a_key(users: IamUsers, api: Any, tmp_path: Path) -> None:
    """The user was made, with a key that nobody got to know, and no policy."""
    api.create_user(UserName="demo-a")
    lost = api.create_access_key(UserName="demo-a")["AccessKey"]["AccessKeyId"]
    assert users.facts("demo") == {}, "so a plan makes it"
    users.create("demo-a", READ)
    assert (keys(api), lost == kept(tmp_path)) == ({kept(tmp_path): "Active"}, False)


def test_a_policy_that_somebody_removed_comes_back_with_the_same_keys(users: IamUsers, api: Any) -> None:
    users.create("demo-a", READ)
    before = keys(api)
    api.delete_user_policy(UserName="demo-a", PolicyName="lakehouse")
    assert users.facts("demo") == {}
    users.create("demo-a", READ)
    assert keys(api) == before


def test_a_user_with_policies_of_others_is_refused(users: IamUsers, api: Any) -> None:
    api.create_user(UserName="demo-a")
    api.put_user_policy(UserName="demo-a", PolicyName="theirs", PolicyDocument=json.dumps(READ))
    with pytest.raises(Refused, match="user demo-a exists, with policies of others .theirs.. Remove the user"):
        users.create("demo-a", READ)


def test_a_disabled_user_has_no_active_key_and_only_its_own_comes_back(
    users: IamUsers, api: Any, tmp_path: Path
) -> None:
    """SeaweedFS lets a user make a further key of its own."""
    users.create("demo-a", READ)
    further = api.create_access_key(UserName="demo-a")["AccessKey"]["AccessKeyId"]
    users.change("demo-a", READ, enabled=False)
    assert set(keys(api).values()) == {"Inactive"}
    users.change("demo-a", READ, enabled=True)
    assert keys(api) == {kept(tmp_path): "Active", further: "Inactive"}


@pytest.mark.parametrize("enabled", [True, False])
def test_new_keys_give_a_disabled_user_no_access(users: IamUsers, api: Any, tmp_path: Path, enabled: bool) -> None:
    users.create("demo-a", READ)
    former = kept(tmp_path)
    users.change("demo-a", READ, enabled=enabled)
    users.renew("demo-a")
    assert users.facts("demo") == {"demo-a": StoreUser(READ, enabled)}
    assert kept(tmp_path) != former
    assert set(keys(api).values()) == {"Active" if enabled else "Inactive"}
    assert users.end_former("demo-a") == 1
    users.change("demo-a", READ, enabled=True)
    assert keys(api) == {kept(tmp_path): "Active"}


def test_whose_keys_are_elsewhere_is_not_ours(users: IamUsers, tmp_path: Path) -> None:
    users.create("demo-a", READ)
    for file in (tmp_path / "secrets").iterdir():
        file.unlink()
    assert users.facts("demo") == {"demo-a": StoreUser(READ, ours=False)}


def test_policies_of_others_are_named_taken_away_one_by_one_and_go_with_the_user(users: IamUsers, api: Any) -> None:
    users.create("demo-a", READ)
    api.put_user_policy(UserName="demo-a", PolicyName="theirs", PolicyDocument=json.dumps(READ))
    arn = api.create_policy(PolicyName="shared", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
    api.attach_user_policy(UserName="demo-a", PolicyArn=arn)
    assert users.facts("demo") == {"demo-a": StoreUser(READ, others=("shared", "theirs"))}
    users.change("demo-a", READ, enabled=True)
    assert users.facts("demo")["demo-a"].others == ("shared", "theirs"), "they stay"
    for policy in ("shared", "theirs"):
        users.take("demo-a", policy)
    assert users.facts("demo") == {"demo-a": StoreUser(READ)}
    assert api.get_policy(PolicyArn=arn), "it may be somebody else's too"
    with pytest.raises(Missing, match="user demo-a of the store has no policy theirs"):
        users.take("demo-a", "theirs")
    api.attach_user_policy(UserName="demo-a", PolicyArn=arn)
    users.remove("demo-a", READ)
    assert api.list_users()["Users"] == []


def test_keys_that_were_written_out_go_with_the_user(users: IamUsers, tmp_path: Path) -> None:
    users.create("demo-a", READ)
    written = [tmp_path / "access" / f"{name}.ini" for name in ("a", "b")]
    written[0].parent.mkdir()
    for each in written:
        each.write_text("[default]\n")
    users.remove("demo-a", READ)
    assert [each.exists() for each in written] == [False, True]


EXISTING = {"demo-a": "ann"}


@pytest.fixture
def hand(api: Any) -> Any:
    """A store in which somebody made a user with a policy of its own and a shared one, and an administrator."""
    for name, content in (("ann", READ), ("root2", policy("iam:*"))):
        api.create_user(UserName=name)
        api.create_access_key(UserName=name)
        api.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(content))
    arn = api.create_policy(PolicyName="shared", PolicyDocument=json.dumps(READ))["Policy"]["Arn"]
    api.attach_user_policy(UserName="ann", PolicyArn=arn)
    api.create_user(UserName="idle")
    return api


def test_users_of_others_are_listed_without_the_toolkits_and_administrators(users: IamUsers, hand: Any) -> None:
    users.create("other-b", READ)
    [found] = users.strangers(set()).values()
    assert found == StoreUser({}, others=("own", "shared"), existing="ann", given={"own": READ, "shared": READ})
    assert users.strangers({"ann"}) == {}
    hand.create_group(GroupName="g")
    hand.add_user_to_group(GroupName="g", UserName="ann")
    [key] = keys(hand, "ann")
    hand.update_access_key(UserName="ann", AccessKeyId=key, Status="Inactive")
    [found] = users.strangers(set()).values()
    assert (found.apart, found.enabled) == (("group g",), False)


def test_a_user_of_others_gets_the_toolkits_policy_beside_its_own_and_loses_only_that(
    users: IamUsers, hand: Any
) -> None:
    before = keys(hand, "ann")
    assert users.facts("demo") == {}
    [found] = users.facts("demo", EXISTING).values()
    assert (found.policy, found.enabled, found.existing, found.others) == ({}, False, "ann", ("own", "shared"))
    assert users.facts("demo", {"demo-a": "nobody"}) == {}
    users.change("demo-a", further := policy("s3:ListMultipartUploadParts"), enabled=True, existing="ann")
    for existing in (EXISTING, None):
        [found] = users.facts("demo", existing).values()
        assert (found.policy, found.enabled, found.ours) == (further, True, True)
        assert found.others == ("own", "shared")
    assert users.any_made("demo")
    users.change("demo-a", further, enabled=False, existing="ann")
    assert hand.list_user_policies(UserName="ann")["PolicyNames"] == ["own"]
    assert (keys(hand, "ann"), users.facts("demo"), users.any_made("demo")) == (before, {}, False)
    with pytest.raises(Missing):
        users.change("demo-a", READ, enabled=True, existing="nobody")
    for each in ("own", "shared"):
        users.take("demo-a", each, "ann")
    assert users.facts("demo", EXISTING)["demo-a"].others == ()


def test_a_user_of_others_gets_further_keys(users: IamUsers, hand: Any, tmp_path: Path) -> None:
    [former] = keys(hand, "ann")
    assert users.renew("demo-a", "ann")
    assert keys(hand, "ann") == {former: "Active", kept(tmp_path): "Active"}
    assert users.end_former("demo-a", "ann") == 1
    assert keys(hand, "ann") == {kept(tmp_path): "Active"}


def test_actions_of_seaweedfs_are_named_and_no_policy_ends_them(
    users: IamUsers, hand: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SeaweedFS shows them as one policy, USER_policy, and answers the same for every name that it does not know."""
    hand.delete_user_policy(UserName="ann", PolicyName="own")
    hand.put_user_policy(UserName="ann", PolicyName="ann_policy", PolicyDocument=json.dumps(READ))
    assert users.strangers(set())["ann"].apart == (), "moto has no policy of the other name"
    monkeypatch.setattr(users, "_content", lambda user, name: READ)
    assert users.strangers(set())["ann"].apart == ("actions of SeaweedFS (s3.configure)",)
    calls: list[Callable[[], None]] = [
        lambda: users.change("demo-a", READ, enabled=True, existing="ann"),
        lambda: users.take("demo-a", "ann_policy", "ann"),
    ]
    for call in calls:
        with pytest.raises(Refused, match="and its first policy would end them"):
            call()
    assert hand.list_user_policies(UserName="ann")["PolicyNames"] == ["ann_policy"]
    admin = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    monkeypatch.setattr(users, "_content", lambda user, name: admin)
    assert "ann" not in users.strangers(set())
