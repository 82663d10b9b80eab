"""Users of a store: what each may do, and what has to change. tests/behaviour checks that a store enforces it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bootstrap.cli.reconciler import drift_json
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.apply import Outcome
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.user import UserGone, UserSettings, name_of, policy_of
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from bootstrap.remote.errors import Conflict, UnknownState
from bootstrap.stores.users import Policy, StoreUser
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import world

KINDS = OBJECTS.only("user")

TABLE: Any = {"columns": {"a": "long"}}


def lakehouse(grants: dict[str, dict[str, list[str]]], **of: Any) -> Lakehouse:
    """One role and one principal for each name, with these grants; ``of``: more of each principal."""
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {
                        "bronze": {"tables": {"raw": TABLE}},
                        "silver": {"tables": {"far": {**TABLE, "location": "s3://other/far"}}},
                    },
                }
            },
            "access": {
                "roles": {name: {"grants": of} for name, of in grants.items()},
                "principals": {name: {"roles": [name], **of} for name in grants},
            },
            "stacks": {"local": {"runtime": "process", "store": "minio", "catalogs": {"lake": "nessie"}}},
        }
    )


def actions(policy: Any) -> dict[str, set[str]]:
    """Resource -> actions."""
    found: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        for resource in statement["Resource"]:
            found.setdefault(resource.removeprefix("arn:aws:s3:::"), set()).update(statement["Action"])
    return found


def test_grants_become_actions_on_the_files() -> None:
    spec = lakehouse(
        {
            "reader": {"lake.silver": ["read"]},
            "writer": {"lake.bronze.raw": ["write"]},
            "owner": {"lake": ["manage"]},
            "nobody": {},
        }
    )
    found = {name_of(spec, principal): policy_of(spec, principal) for principal in spec.access.principals}
    assert found.pop("demo-nobody") is None
    assert list(found) == ["demo-reader", "demo-writer", "demo-owner"]
    reads, lists = {"s3:GetObject"}, {"s3:GetBucketLocation", "s3:ListBucket"}
    assert actions(found["demo-reader"]) == {
        "warehouse/lake/silver/*": reads,
        "other/far/*": reads,
        "warehouse": lists,
        "other": lists,
    }
    writer = actions(found["demo-writer"])
    assert set(writer) == {"warehouse/lake/bronze/raw/*", "warehouse"}
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= writer["warehouse/lake/bronze/raw/*"]
    owner = actions(found["demo-owner"])
    assert {"warehouse/lake/bronze/*", "warehouse/lake/silver/*", "other/far/*"} <= set(owner)


def test_no_statement_reaches_beyond_the_buckets_of_the_grant() -> None:
    policy = policy_of(lakehouse({"reader": {"lake.bronze": ["read"]}}), "reader")
    assert policy is not None
    assert not any(resource.startswith("other") for resource in actions(policy))
    (listing,) = [each for each in policy["Statement"] if each["Action"] == ["s3:ListBucket"]]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["lake/bronze/", "lake/bronze/*"]}}


READS: dict[str, list[str]] = {"lake.silver": ["read"]}
WRITES: dict[str, list[str]] = {"lake.silver": ["write"]}
MARK = {"ID": "lakehouse.deletable"}


def read(**of: Any) -> StoreUser:
    """The user of a principal that may read silver, with more of it."""
    policy = policy_of(lakehouse({"a": READS}), "a")
    assert policy is not None
    return replace(StoreUser({**policy, **of.pop("policy", {})}), **of)


def planned(want: Lakehouse, there: Mapping[str, StoreUser] | None, *, allow_destroy: bool = False) -> Plan:
    facts = Facts({}, {}, own={} if there is None else {"user": there})
    return plan(diff(want, facts, allow_destroy=allow_destroy, kinds=KINDS), allow_destroy=allow_destroy, kinds=KINDS)


def lines_of(made: Plan) -> list[str]:
    return [line for line in render(made) if not line.startswith(("Plan:", "No changes"))]


NOBODY = lakehouse({})
CREATED = [
    "+ user demo-a",
    "    + other: GetBucketLocation",
    "    + other (far/, far/*): ListBucket",
    "    + other/far/*: GetObject",
    "    + warehouse: GetBucketLocation",
    "    + warehouse (lake/silver/, lake/silver/*): ListBucket",
    "    + warehouse/lake/silver/*: GetObject",
]


@pytest.mark.parametrize(
    ("want", "there", "lines"),
    [
        (NOBODY, {}, []),
        (NOBODY, None, []),
        (lakehouse({"a": READS}), None, []),  # the store does not support users
        (lakehouse({"a": {}}), {}, []),
        (lakehouse({"a": READS}), {}, CREATED),
        (lakehouse({"a": READS}, deletable=True), {}, [*CREATED, "    + deletable = true"]),
        (lakehouse({"a": READS}), {"demo-a": read()}, []),
        (lakehouse({"a": READS}), {"demo-a": read(enabled=False)}, ["~ user demo-a", "    + access"]),
        (lakehouse({"a": READS}, deletable=True), {"demo-a": read()},
         ["~ user demo-a", "    ~ deletable: false -> true"]),
        (lakehouse({"a": READS}, deletable=True), {"demo-a": read(policy=MARK)}, []),
        (lakehouse({"a": READS}), {"demo-a": read(policy=MARK)}, ["~ user demo-a", "    ~ deletable: true -> false"]),
        (lakehouse({"a": {}}), {"demo-a": read()}, ["~ user demo-a", "    - access: its roles grant no files"]),
        (lakehouse({"a": {}}), {"demo-a": read(enabled=False)}, []),
    ],
)  # fmt: skip
def test_what_a_plan_says(want: Lakehouse, there: dict[str, StoreUser] | None, lines: list[str]) -> None:
    made = planned(want, there)
    assert lines_of(made) == lines
    assert from_json(json.loads(json.dumps(made.to_json()))).steps == made.steps


def test_a_grant_that_came_or_went_is_a_line_of_the_plan() -> None:
    there = {"demo-a": StoreUser(policy_of(lakehouse({"a": WRITES}), "a") or {})}
    more = [line for line in lines_of(planned(lakehouse({"a": WRITES}), {"demo-a": read()})) if line[4:5] in "+-"]
    less = [line for line in lines_of(planned(lakehouse({"a": READS}), there)) if line[4:5] in "+-"]
    assert [line.replace("+", "-") for line in more] == less
    assert any("warehouse/lake/silver/*" in line and "PutObject" in line for line in less)
    assert not any("GetObject" in line for line in less)


def test_how_a_store_writes_a_policy_is_no_difference() -> None:
    there = read()
    statements = [{**each, "Action": each["Action"][::-1], "Resource": each["Resource"][::-1]}
                  for each in there.policy["Statement"]][::-1]  # fmt: skip
    [single] = [each for each in statements if each["Action"] == ["s3:GetBucketLocation"]]
    single["Action"] = "s3:GetBucketLocation"
    assert (
        lines_of(planned(lakehouse({"a": READS}), {"demo-a": replace(there, policy={"Statement": statements})})) == []
    )


@pytest.mark.parametrize("allow_destroy", [False, True])
@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_access_goes_at_once_and_the_user_with_both_keys(enabled: bool, marked: bool, allow_destroy: bool) -> None:
    there = read(enabled=enabled, policy=MARK if marked else {})
    made = planned(NOBODY, {"demo-a": there}, allow_destroy=allow_destroy)
    if marked and allow_destroy:
        assert [(step.change.op, step.change.body) for step in made.steps] == [("destroy", UserGone(there.policy))]
        assert not made.unnamed
    else:
        body = UserSettings(there.policy, enabled=False)
        assert [(step.change.op, step.change.body) for step in made.steps] == ([("update", body)] if enabled else [])
        assert made.unnamed == ("user demo-a",)
        assert bool(made.kept) == (marked and not allow_destroy)


def test_a_user_that_this_lakehouse_did_not_make_stays_as_it_is() -> None:
    made = planned(NOBODY, {"demo-x-a": read(ours=False, policy=MARK)}, allow_destroy=True)
    assert (made.steps, made.unnamed) == ((), ("user demo-x-a",))


def test_users_are_in_drift() -> None:
    facts = Facts({}, {}, own={"user": {"demo-a": read(enabled=False), "demo-old": read(enabled=False)}})
    found = drift_json(diff(lakehouse({"a": READS, "b": READS}), facts, kinds=KINDS))
    assert found["missing"] == ["user demo-b"]
    assert found["differs"] == {"user demo-a": ["access"]}
    assert found["unnamed"] == ["user demo-old"]


class Store:
    """A store with users, in memory; ``fails`` are the errors of the next changes."""

    def __init__(self, **users: StoreUser) -> None:
        self.users = {f"demo-{name}": user for name, user in users.items()}
        self.fails: list[Exception] = []
        self.others: dict[str, StoreUser] = {}
        self.asked = 0

    def any_made(self, lakehouse: str) -> bool:
        return bool(self.users)

    def facts(self, lakehouse: str, existing: Mapping[str, str] | None = None) -> dict[str, StoreUser]:
        self.asked += 1
        return dict(self.users)

    def strangers(self, known: Collection[str]) -> dict[str, StoreUser]:
        return {name: user for name, user in self.others.items() if name not in known}

    def create(self, name: str, policy: Policy) -> None:
        self.users[name] = StoreUser(policy)
        if self.fails:
            raise self.fails.pop()

    def change(self, name: str, policy: Policy, *, enabled: bool, existing: str = "") -> None:
        self.users[name] = replace(self.users[name], policy=policy, enabled=enabled)

    def remove(self, name: str, policy: Policy) -> None:
        if self.fails:
            raise self.fails.pop()
        del self.users[name]


def applied(store: Store, want: Lakehouse, **options: Any) -> Outcome:
    return reconcile(want, world(None, users=lambda: store), kinds=KINDS, **options)


def test_a_user_comes_loses_its_access_gets_it_back_and_goes() -> None:
    store = Store()
    want = lakehouse({"a": READS}, deletable=True)
    assert [done.address for done in applied(store, want).done] == ["user demo-a"]
    assert applied(store, want).done == ()
    made = store.users["demo-a"]
    for of, enabled in ((NOBODY, False), (want, True)):
        assert applied(store, of).exit_code == 0
        assert store.users["demo-a"] == replace(made, enabled=enabled)
    assert applied(store, NOBODY, allow_destroy=True).exit_code == 0
    assert store.users == {}


def test_an_answer_that_was_lost_makes_no_second_user() -> None:
    store = Store()
    store.fails.append(UnknownState("no answer"))
    outcome = applied(store, lakehouse({"a": READS}))
    assert ([done.address for done in outcome.done], outcome.exit_code) == (["user demo-a"], 0)


def test_a_user_that_changed_since_the_plan_stays() -> None:
    store = Store(a=read(policy=MARK))
    store.fails += [Conflict("the policy of user demo-a changed meanwhile")] * 9
    outcome = applied(store, NOBODY, allow_destroy=True)
    assert list(store.users) == ["demo-a"]
    assert outcome.exit_code == 1


def test_a_store_is_asked_only_about_principals() -> None:
    store = Store()
    make_plan(NOBODY, world(None, users=lambda: store), kinds=KINDS)
    assert store.asked == 0
    store.users["demo-a"] = read()
    make_plan(NOBODY, world(None, users=lambda: store), kinds=KINDS)
    assert store.asked == 1, "the last principal left the file, and its user is still there"


def test_a_principal_that_others_made_in_polaris_gets_no_user() -> None:
    """Else an import would be followed by a plan that gives keys for files, which nobody asked for."""
    wanted = lakehouse({"a": READS}, existing={"polaris": "Ann"})
    assert lines_of(planned(wanted, {})) == []
    assert lines_of(planned(wanted, {"demo-a": read()})) == ["~ user demo-a", "    - access: its roles grant no files"]
