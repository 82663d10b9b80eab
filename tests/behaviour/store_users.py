"""Users of a store: the same questions to each store that has them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.facts import gather
from bootstrap.reconciler.importing import imported
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.user import policy_of
from bootstrap.reconciler.plan import Plan, render
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.s3 import client
from bootstrap.remote.user_keys import UserKeys
from bootstrap.stores.proof import NAME, outcomes
from lakehouse.access.proof import calls
from lakehouse.kinds import STORES
from lakehouse.runtimes.state import State
from lakehouse.spec import Lakehouse, Verb
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers
from tests.behaviour.test_stores import with_buckets

KINDS = OBJECTS.only("user", "policy")


def users_reach_what_their_roles_grant(servers: Servers, root: str, tmp_path: Path) -> None:
    """A user through its life: made, given less, disabled, enabled, removed; each call is tried with its own keys."""
    name = f"l{root}"[:20]
    there = servers.connections()
    here = replace(there, user_keys=State(tmp_path), user_api=STORES[servers.kind].users)
    state = tmp_path / "secrets"
    silver, bronze = {"lake.silver": ["read"]}, {"lake.bronze": ["write"]}

    def bring(wanted: Lakehouse, **options: Any) -> list[str]:
        """Apply it, with the changes of users. Returns these as a plan shows them, without keys."""
        steps = [each for each in make_plan(wanted, here, **options).steps if each.address.startswith("user ")]
        shown = list(render(Plan(tuple(steps))))
        outcome = reconcile(wanted, here, **options)
        assert outcome.exit_code == 0, outcome.failed
        assert not [each for each in make_plan(wanted, here, **options).steps if each.address.startswith("user ")]
        for file in state.glob("*"):
            assert file.read_text() not in "".join(shown)
        return [line for line in shown if line.strip()[0] in "+~-" and ("user" in line or "access" in line)]

    def may(call: Callable[..., Any], key: str, **more: Any) -> bool:
        try:
            call(Bucket="warehouse", Key=key, **more)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                raise
            return False
        return True

    user = f"user {name}-analyst"
    assert bring(with_access(servers, name, {**silver, **bronze})) == [f"+ {user}"]
    s3, analyst = client(there.store), client(of_user(here, tmp_path, f"{name}-analyst"))
    for folder in ("silver", "bronze"):
        s3.put_object(Bucket="warehouse", Key=f"lake/{folder}/{root}", Body=b"")
    assert may(analyst.get_object, f"lake/silver/{root}")
    assert not may(analyst.put_object, f"lake/silver/{root}", Body=b"")
    assert may(analyst.put_object, f"lake/bronze/{root}", Body=b"")
    assert not may(analyst.get_object, f"elsewhere/{root}")
    assert bring(with_access(servers, name, silver, deletable=True)) == [f"~ {user}"]
    assert not may(analyst.put_object, f"lake/bronze/{root}", Body=b"")
    assert may(analyst.get_object, f"lake/silver/{root}")
    assert bring(with_buckets(servers, {})) == []  # a lakehouse of another name: not its users
    assert bring(with_access(servers, name, {}, deletable=True)) == [
        f"~ {user}", "    - access: its roles grant no files"
    ]  # fmt: skip
    assert not may(analyst.get_object, f"lake/silver/{root}")
    assert bring(with_access(servers, name, silver, deletable=True)) == [f"~ {user}", "    + access"]
    assert may(analyst.get_object, f"lake/silver/{root}")
    proven(with_access(servers, name, silver), here, tmp_path)
    users = World.of(here).users
    assert users is not None
    admin = users()
    admin.renew(f"{name}-analyst")
    assert may(analyst.get_object, f"lake/silver/{root}"), "the former keys work beside the new ones"
    assert bring(with_access(servers, name, silver, deletable=True)) == []
    proven(with_access(servers, name, silver), here, tmp_path)
    assert admin.end_former(f"{name}-analyst") == 1
    assert not may(analyst.get_object, f"lake/silver/{root}")
    proven(with_access(servers, name, silver), here, tmp_path)
    analyst = client(of_user(here, tmp_path, f"{name}-analyst"))
    nobody = with_access(servers, name, None)
    assert bring(nobody) == [f"~ {user}", "    - access: the file does not name it"]
    assert not may(analyst.get_object, f"lake/silver/{root}")
    assert user in make_plan(nobody, here).unnamed
    assert bring(nobody, allow_destroy=True) == [f"- {user}"]
    assert not list(state.glob("*"))
    assert not may(analyst.get_object, f"lake/silver/{root}")


def users_of_others_are_imported(
    servers: Servers, root: str, tmp_path: Path, make: Callable[[str, Any], tuple[str, str]], existing: str
) -> None:
    """A user that somebody made by hand: imported, given more, taken from, with new keys, and left as it was.

    ``make`` makes a user with a policy of that name, and returns its keys; ``existing`` is its name in the file.
    """
    name, theirs = f"l{root}"[:20], f"{root}-reads"
    here = replace(servers.connections(), user_keys=State(tmp_path), user_api=STORES[servers.kind].users)
    file = with_access(servers, name, None)
    outcome = reconcile(file, here, kinds=OBJECTS.only("bucket"))
    assert outcome.exit_code == 0, outcome.failed
    reads = policy_of(with_access(servers, name, {"lake.silver": ["read"]}), "analyst")
    assert reads is not None
    statements = [{key: each[key] for key in each if key != "Sid"} for each in reads["Statement"]]
    further = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::warehouse/lake/x-{root}/*"]}
    pair = make(theirs, {"Version": "2012-10-17", "Statement": [*statements, further]})
    s3 = client(here.store)
    for folder in ("silver", "bronze"):
        s3.put_object(Bucket="warehouse", Key=f"lake/{folder}/{root}", Body=b"")

    def may(folder: str, *, pair: tuple[str, str] = pair) -> bool:
        store = replace(here.store, access_key=pair[0], secret_key=pair[1])
        try:
            client(store).get_object(Bucket="warehouse", Key=f"lake/{folder}/{root}")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                raise
            return False
        return True

    assert eventually(lambda: may("silver"))
    found = imported(file, facts_of(file, here), KINDS)
    entry = {
        key: each for key, each in found.data["access"]["principals"].items() if each["existing"]["store"] == existing
    }
    [(principal, said)] = entry.items()
    [role] = said["roles"]
    grants = found.data["access"]["roles"][role]["grants"]
    assert grants == {"lake.silver": ["read"]}
    rest = f"no grant says GetObject on warehouse/lake/x-{root}/*: what it has so stays as it is"
    assert f"user {existing}, policy {theirs}: {rest}" in found.left
    shown = json.dumps(found.data) + "".join(found.left)
    assert servers.access_key not in shown
    assert not any(each in shown for each in pair)
    after = adding(file, {role: grants}, {principal: said})
    assert users_in(after, here) == []
    assert f"user {existing}" not in diff(after, facts_of(after, here), kinds=KINDS).unnamed
    more = adding(file, {role: grants, "w": {"lake.bronze": ["read"]}}, {principal: {**said, "roles": [role, "w"]}})
    assert users_in(more, here)[0] == f"~ user {name}-{principal}"
    brought(more, here)
    assert users_in(more, here) == []
    assert eventually(lambda: may("bronze") and may("silver"))
    world = World.of(here)
    assert world.users is not None
    admin = world.users()
    overlap = admin.renew(f"{name}-{principal}", existing)
    new = UserKeys(State(tmp_path)).pair(f"{name}-{principal}")
    assert new is not None
    assert eventually(lambda: may("bronze", pair=new))
    assert may("silver") == overlap
    assert admin.end_former(f"{name}-{principal}", existing) == overlap
    assert eventually(lambda: not may("silver"))
    assert users_in(more, here) == []
    brought(file, here, allow_destroy=True)
    assert eventually(lambda: not may("bronze", pair=new))
    assert may("silver", pair=new), "it is never removed, and its own policy stays"
    only = adding(file, {role: grants}, {principal: said}, authoritative=True)
    brought(only, here)
    assert f"policy {name}-{principal}: {theirs}" in make_plan(only, here, kinds=KINDS).unnamed
    brought(only, here, allow_destroy=True)
    assert eventually(lambda: may("silver", pair=new)), "by the toolkit's policy"
    assert users_in(only, here, allow_destroy=True) == []


def further_keys_end_with_its_access(
    servers: Servers, root: str, tmp_path: Path, make: Callable[[StoreConnection, str], tuple[str, str]]
) -> None:
    """A user may make further keys for itself: they end with its former ones, and when its access ends.

    ``make`` makes a pair as the user of that name would.
    """
    name = f"k{root}"[:20]
    user = f"{name}-analyst"
    here = replace(servers.connections(), user_keys=State(tmp_path), user_api=STORES[servers.kind].users)
    file = with_access(servers, name, {"lake.silver": ["read"]})
    assert reconcile(file, here, kinds=OBJECTS.only("bucket")).exit_code == 0
    brought(file, here)
    client(here.store).put_object(Bucket="warehouse", Key=f"lake/silver/{root}", Body=b"")

    def further() -> Callable[[], bool]:
        """Whether a pair that the user makes now gets an object."""
        own = of_user(here, tmp_path, user)
        access_key, secret_key = make(own, user)
        s3 = client(replace(own, access_key=access_key, secret_key=secret_key))

        def gets() -> bool:
            try:
                s3.get_object(Bucket="warehouse", Key=f"lake/silver/{root}")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                    raise
                return False
            return True

        assert eventually(gets)
        return gets

    made = further()
    users = World.of(here).users
    assert users is not None
    users().renew(user)
    users().end_former(user)
    assert eventually(lambda: not made())
    made = further()
    brought(with_access(servers, name, {}), here)
    assert eventually(lambda: not made())


def brought(file: Lakehouse, here: Connections, **options: Any) -> None:
    outcome = reconcile(file, here, kinds=KINDS, **options)
    assert outcome.exit_code == 0, (outcome.failed, outcome.refused)


def facts_of(file: Lakehouse, here: Connections) -> Facts:
    return gather(file, World.of(here), everything=True, kinds=KINDS)


def users_in(file: Lakehouse, here: Connections, **options: Any) -> list[str]:
    """The part of the plan for users and their policies, as lines."""
    made = make_plan(file, here, kinds=KINDS, **options)
    assert not made.refused
    lines = render(replace(made, unnamed=()))  # other tests' users are on the same store
    return [line for line in lines if not line.startswith(("Plan:", "No changes"))]


def adding(
    file: Lakehouse, roles: dict[str, Any], principals: dict[str, Any], *, authoritative: bool = False
) -> Lakehouse:
    access = {"roles": {role: {"grants": grants} for role, grants in roles.items()}, "principals": principals}
    word = {"grants": "authoritative"} if authoritative else {}
    return Lakehouse.model_validate({**file.model_dump(exclude_unset=True), "access": {**access, **word}})


def eventually(holds: Callable[[], bool]) -> bool:
    """SeaweedFS reads changed users again within about a second."""
    for _ in range(50):
        if holds():
            return True
        time.sleep(0.2)
    return False


def of_user(connections: Connections, folder: Path, name: str) -> StoreConnection:
    """The store as the user reaches it."""
    pair = UserKeys(State(folder)).pair(name)
    assert pair is not None
    return replace(connections.store, access_key=pair[0], secret_key=pair[1])


def proven(wanted: Lakehouse, connections: Connections, folder: Path) -> None:
    """The calls that `lakehouse access test` makes are answered as the file says; of a file with other grants, not."""

    def wrong(file: Lakehouse) -> list[tuple[str, str]]:
        keys = UserKeys(State(folder))
        found = outcomes(list(calls(file)), connections, lambda name: keys.pair(f"{wanted.name}-{name}"))
        return [(each.call.operation, each.call.place.namespace) for each in found if not each.right]

    assert wrong(wanted) == []
    more: dict[str, list[Verb]] = {"lake.silver": ["read", "write"], "lake.bronze": ["read"]}
    changed = wanted.model_copy(deep=True)
    changed.access.roles["r"].grants.update(more)
    assert wrong(changed) == [("put", "silver"), ("delete", "silver"), ("list", "bronze"), ("get", "bronze")]
    left = client(connections.store).list_objects_v2(Bucket="warehouse").get("Contents", ())
    assert not [each["Key"] for each in left if NAME in each["Key"]]


def with_access(
    servers: Servers, name: str, grants: dict[str, list[str]] | None, *, deletable: bool = False
) -> Lakehouse:
    """A principal with these grants; None: it is not in the file."""
    principals = {} if grants is None else {"analyst": {"roles": ["r"], "deletable": deletable}}
    return Lakehouse.model_validate(
        {
            "name": name,
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"silver": {}, "bronze": {}}}},
            "access": {"roles": {"r": {"grants": grants or {}}}, "principals": principals},
            "stacks": {"local": {"runtime": "process", "store": servers.kind, "catalogs": {"lake": "nessie"}}},
        }
    )
