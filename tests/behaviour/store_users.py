"""Users of a store: the same questions to each store that has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

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
