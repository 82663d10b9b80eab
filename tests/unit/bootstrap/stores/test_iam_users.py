"""Users through IAM's API, against moto's double of it. SeaweedFS's own answers are in tests/behaviour."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
