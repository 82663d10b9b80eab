"""Users of a store: the same questions to each store that has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from bootstrap.reconciler.plan import Plan, render
from bootstrap.remote.s3 import client
from lakehouse.kinds import STORES
from lakehouse.runtimes.state import State
from lakehouse.spec import Lakehouse
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
    access_key, secret_key = ((state / f"{name}-analyst-{key}").read_text() for key in ("access-key", "secret-key"))
    theirs = replace(there.store, access_key=access_key, secret_key=secret_key)
    s3, analyst = client(there.store), client(theirs)
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
    nobody = with_access(servers, name, None)
    assert bring(nobody) == [f"~ {user}", "    - access: the file does not name it"]
    assert not may(analyst.get_object, f"lake/silver/{root}")
    assert user in make_plan(nobody, here).unnamed
    assert bring(nobody, allow_destroy=True) == [f"- {user}"]
    assert not list(state.glob("*"))
    assert not may(analyst.get_object, f"lake/silver/{root}")


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
