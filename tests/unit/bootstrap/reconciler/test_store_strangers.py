"""Users of a store that others made, as entries of the file; tests/behaviour asks real stores."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.importing import Described, imported
from bootstrap.reconciler.kind import Inquiry
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.user import STRANGERS, USER, Users, policy_of
from bootstrap.reconciler.plan import Plan, plan, render
from bootstrap.stores.users import StoreUser
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.objects.test_user import lakehouse
from tests.unit.bootstrap.reconciler.simulation import world

KINDS = OBJECTS.only("user", "policy")


def allowing(**grants: list[str]) -> dict[str, Any]:
    """The policy of grants in the catalog `lake`, as somebody might have written it."""
    found = policy_of(lakehouse({"a": {f"lake.{on.replace('__', '.')}": verbs for on, verbs in grants.items()}}), "a")
    assert found is not None
    return {"Statement": [{key: each[key] for key in each if key != "Sid"} for each in found["Statement"]]}


READS, WRITES = allowing(silver=["read"]), allowing(bronze__raw=["write"])
MORE = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::warehouse/lake/x/*"}]}
DENY = {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}


def user(name: str, **given: Mapping[str, Any]) -> StoreUser:
    return StoreUser({}, existing=name, given=given, others=tuple(sorted(given)))


def described(strangers: Mapping[str, StoreUser], file: Lakehouse | None = None, **facts: Any) -> Described:
    file = file or lakehouse({})
    there = Facts({}, facts.pop("catalogs", {"lake": CatalogFacts({}, {})}), own={USER: {}, STRANGERS: strangers})
    return imported(file, there, facts.pop("kinds", KINDS))


def taken_over(file: Lakehouse, found: Described) -> Lakehouse:
    access = {**file.model_dump(exclude_unset=True).get("access", {}), **found.data["access"]}
    return Lakehouse.model_validate({**file.model_dump(exclude_unset=True), "access": access})


def planned(file: Lakehouse, there: Mapping[str, StoreUser], *, allow_destroy: bool = False) -> Plan:
    facts = Facts({}, {}, own={USER: there})
    return plan(diff(file, facts, allow_destroy=allow_destroy, kinds=KINDS), allow_destroy=allow_destroy, kinds=KINDS)


def test_policies_become_roles_and_the_next_plan_is_empty() -> None:
    strangers = {
        "Ann-Lee": user("Ann-Lee", analysts=READS, loader=WRITES),
        "bob": user("bob", analysts=READS),
    }
    found = described(strangers)
    assert found.left == []
    assert found.data == {
        "access": {
            "roles": {
                "analysts": {"grants": {"lake.silver": ["read"]}},
                "loader": {"grants": {"lake.bronze.raw": ["write"]}},
            },
            "principals": {
                "ann_lee": {"roles": ["analysts", "loader"], "existing": {"store": "Ann-Lee"}},
                "bob": {"roles": ["analysts"], "existing": {"store": "bob"}},
            },
        }
    }
    after = taken_over(lakehouse({}), found)
    there = {f"demo-{name.lower().replace('-', '_')}": replace(each, enabled=False) for name, each in strangers.items()}
    assert planned(after, there, allow_destroy=True).steps == ()


def test_what_no_grant_says_is_reported() -> None:
    found = described({"ann": user("ann", reads=READS, more=MORE), "eve": user("eve", more=MORE)})
    assert found.data["access"]["principals"] == {"ann": {"roles": ["reads"], "existing": {"store": "ann"}}}
    rest = "no grant says GetObject on warehouse/lake/x/*: what it has so stays as it is"
    assert found.left == [
        f"user ann, policy more: {rest}",
        f"user eve, policy more: {rest}",
        "user eve: no verb says what its policies give, so it has no entry",
    ]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (replace(user("ann", reads=READS), enabled=False), "it is disabled"),
        (replace(user("ann", reads=READS), apart=("group g", "x")), "group g and x may give or deny it more"),
        (user("ann", reads=READS, never=DENY), "policy never has a Deny, which no grant says"),
    ],
)
def test_a_user_of_whom_an_entry_would_not_be_true_has_none(wrong: StoreUser, why: str) -> None:
    found = described({"ann": wrong})
    assert found.data == {}
    [said] = found.left
    assert said.startswith(f"user ann: {why}")
    assert said.endswith("so it has no entry and stays as it is")


def test_names_that_are_taken_are_not_used_again() -> None:
    file = lakehouse({"ann": {"lake.bronze": ["read"]}, "reads": {"lake.silver": ["read"]}})
    found = described({"ann": user("ann", ann=READS, reads=READS), "sha256:0a": user("sha256:0a", reads=READS)}, file)
    assert found.data["access"] == {
        "roles": {"ann_1": {"grants": {"lake.silver": ["read"]}}},
        "principals": {
            "ann_1": {"roles": ["ann_1", "reads"], "existing": {"store": "ann"}},
            "reads_1": {"roles": ["reads"], "existing": {"store": "sha256:0a"}},
        },
    }


def test_a_grant_on_what_is_imported_with_it_is_said_too() -> None:
    """Else a first import would need a second one."""
    file = lakehouse({})
    content = file.model_dump(exclude_unset=True)
    content["catalogs"]["lake"]["namespaces"] = {}
    catalogs = {"lake": CatalogFacts({"silver": {}}, {})}
    policy = policy_of(plain(), "a")
    assert policy is not None
    found = described(
        {"ann": user("ann", reads=policy)},
        Lakehouse.model_validate(content),
        catalogs=catalogs,
        kinds=OBJECTS.only("namespace", "user", "policy"),
    )
    assert found.data["access"]["roles"] == {"reads": {"grants": {"lake.silver": ["read"]}}}


def plain() -> Lakehouse:
    """A lakehouse whose namespace has only its folder."""
    content = lakehouse({"a": {"lake.silver": ["read"]}}).model_dump(exclude_unset=True)
    content["catalogs"]["lake"]["namespaces"] = {"silver": {}}
    return Lakehouse.model_validate(content)


class Store:
    """A store with users of others."""

    def __init__(self, strangers: Mapping[str, StoreUser]) -> None:
        self.others = strangers

    def any_made(self, lakehouse: str) -> bool:
        return False

    def facts(self, lakehouse: str, existing: Mapping[str, str]) -> dict[str, StoreUser]:
        return {}

    def strangers(self, known: Collection[str]) -> dict[str, StoreUser]:
        return {name: each for name, each in self.others.items() if name not in known}


def test_only_users_with_something_in_the_file_s_locations_are_drift() -> None:
    elsewhere = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::theirs/*"}]}
    store = Store({"ann": user("ann", reads=READS), "eve": user("eve", other=elsewhere)})
    look = Inquiry(lakehouse({}), world(None, users=lambda: store), everything=True)
    facts = Users().read(look)(Facts({}, {}))
    assert diff(lakehouse({}), facts, kinds=KINDS).unnamed == ("user ann",)
    assert not Users().read(replace(look, everything=False))(Facts({}, {})).own


ANN: Any = {"existing": {"store": "Ann"}}
GRANTS: dict[str, dict[str, list[str]]] = {"ann": {"lake.silver": ["read"]}}


def adopted(**of: Any) -> dict[str, StoreUser]:
    return {"demo-ann": replace(user("Ann", reads=READS), enabled=False, **of)}


def shown(made: Plan) -> list[str]:
    return [line.strip() for line in render(made) if not line.startswith(("Plan:", "No changes"))]


def test_the_file_gives_what_policies_of_others_do_not() -> None:
    assert shown(planned(lakehouse(GRANTS, **ANN), adopted())) == []
    more = lakehouse({"ann": {"lake.silver": ["read"], "lake.bronze": ["read"]}}, **ANN)
    made = planned(more, adopted())
    assert shown(made)[0] == "~ user demo-ann"
    [step] = made.steps
    assert (step.change.body.existing, step.change.body.enabled) == ("Ann", True)  # type: ignore[attr-defined]
    own: Any = {"policy": policy_of(more, "ann"), "enabled": True}
    assert shown(planned(more, {"demo-ann": replace(adopted()["demo-ann"], **own)})) == []
    less = planned(lakehouse(GRANTS, **ANN), {"demo-ann": replace(adopted()["demo-ann"], **own)})
    assert any(line.startswith("- warehouse/lake/bronze/*") for line in shown(less))
    drifted = {"demo-ann": replace(adopted()["demo-ann"], given={"reads": WRITES})}
    assert "+ warehouse/lake/silver/*: GetObject" in shown(planned(lakehouse(GRANTS, **ANN), drifted))


def test_one_that_leaves_the_file_loses_the_toolkits_policy_and_is_never_removed() -> None:
    own = adopted(policy={"ID": "lakehouse.deletable", **READS})
    there = {"demo-ann": replace(own["demo-ann"], enabled=True)}
    for allow in (False, True):
        made = planned(lakehouse({}), there, allow_destroy=allow)
        assert shown(made) == ["~ user demo-ann", "- access: the file does not name it"]
        assert [step.change.op for step in made.steps] == ["update"]


@pytest.mark.parametrize(
    ("there", "entry", "why"),
    [
        ({}, ANN, "the store has no user Ann, and an existing one is not made"),
        ({"demo-ann": StoreUser(READS)}, ANN, "the toolkit made a user of this name, and it is not Ann"),
        (adopted(), {"existing": {"store": "Other"}}, "user Ann of the store still has the toolkit's policy"),
        (adopted(), {}, "user Ann of the store still has the toolkit's policy"),
    ],
)
def test_another_user_than_the_file_means_is_refused(there: Any, entry: Any, why: str) -> None:
    made = planned(lakehouse(GRANTS, **entry), there)
    [note] = made.refused
    assert (made.steps, note.address) == ((), "user demo-ann")
    assert note.message.startswith(why)


def test_authoritative_gives_the_files_policy_before_it_takes_those_of_others() -> None:
    file = lakehouse(GRANTS, **ANN)
    only = file.model_copy(update={"access": file.access.model_copy(update={"grants": "authoritative"})})
    admin = {"Statement": [{"Effect": "Allow", "Action": "admin:*"}]}
    there = {
        "demo-ann": replace(adopted()["demo-ann"], given={"reads": READS, "admins": admin}, others=("admins", "reads"))
    }
    made = planned(only, there, allow_destroy=True)
    changes: list[Change] = [step.change for step in made.steps]
    assert [(each.kind, each.op) for each in changes] == [("user", "update"), ("policy", "destroy")]
    assert changes[1].body.existing == "Ann"  # type: ignore[attr-defined]
    assert made.steps[1].needs == ("user demo-ann",)
    assert [note.message for note in made.kept] == [
        "policy admins lets it administer the store, and the toolkit never takes that away"
    ]
