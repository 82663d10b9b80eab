"""What needs something refused is refused too, and says what to fix: nothing fails in the middle of an apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal
from unittest.mock import MagicMock

import pytest

from bootstrap.catalogs.polaris_principals import PolarisPrincipal
from bootstrap.catalogs.polaris_roles import OthersRole
from bootstrap.catalogs.rest import RestCatalog
from bootstrap.iceberg.metadata import BucketFacts
from bootstrap.reconciler.apply import apply
from bootstrap.reconciler.changes import Change, Diff, Note
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects.others_policy import PolicyGone
from bootstrap.reconciler.objects.principal import PrincipalFacts, PrincipalSettings
from bootstrap.reconciler.objects.table import TableCommit
from bootstrap.reconciler.plan import Plan, plan
from bootstrap.remote.errors import Conflict
from lakehouse.access.polaris import PolarisGrant, polaris_grants
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse, world

A: dict[str, Any] = {"columns": {"a": "long"}}
BROKEN: dict[str, Any] = {"columns": {"a": "int"}}  # of a table that has a long there
CASES: dict[str, tuple[dict[str, Any], dict[str, list[str]], list[str], list[str]]] = {
    # name: (namespaces of the file, grants of its principal, what is planned, what is refused besides the cause)
    "a grant on a table whose rename is refused": (
        {"n": {"tables": {"new": {**A, "renamed_from": "old"}}}},
        {"lake.n.new": ["read"]},
        [],
        ['principal unit-p: first fix "table lake.n.new"'],
    ),
    "a grant beside it goes on": (
        {"n": {"tables": {"new": {**A, "renamed_from": "old"}, "t": A}}},
        {"lake.n.new": ["read"], "lake.n.t": ["read"]},
        ["principal unit-p"],
        ['principal unit-p: first fix "table lake.n.new"'],
    ),
    "a grant on the namespace needs no table": (
        {"n": {"tables": {"new": {**A, "renamed_from": "old"}}}},
        {"lake.n": ["read"]},
        ["principal unit-p"],
        [],
    ),
    "a grant on a table that exists, of which a column is refused": (
        {"n": {"tables": {"t": BROKEN}}},
        {"lake.n.t": ["read"]},
        ["principal unit-p"],
        [],
    ),
    "a grant on a table in a namespace that does not get its name": (
        {"k": {"renamed_from": "held", "tables": {"t": A}}},
        {"lake.k.t": ["read"]},
        [],
        ['principal unit-p: first fix "namespace lake.k"'],
    ),
    "a view in the same namespace, and one that reads it": (
        {
            "n": {
                "tables": {"new": {**A, "renamed_from": "old"}},
                "views": {
                    "v": {"sql": "select a from new", "columns": {"a": "long"}},
                    "w": {"sql": "select a from v", "columns": {"a": "long"}},
                    "x": {"sql": "select 1 as a", "columns": {"a": "long"}},
                },
            }
        },
        {"lake.n.w": ["read"]},
        ["view lake.n.x"],
        [
            'view lake.n.v: first fix "table lake.n.new"',
            'view lake.n.w: first fix "view lake.n.v"',
            'principal unit-p: first fix "view lake.n.w"',
        ],
    ),
    "a view of a column that is refused": (
        {
            "n": {"tables": {"t": BROKEN}},
            "m": {"views": {"v": {"sql": "select a from lake.n.t", "columns": {"a": "long"}}}},
        },
        {},
        [],
        ['view lake.m.v: first fix "table lake.n.t"'],
    ),
    "a view of a table with the same name elsewhere": (
        {
            "n": {"tables": {"t": BROKEN}},
            "m": {"tables": {"t": A}, "views": {"v": {"sql": "select a from t", "columns": {"a": "long"}}}},
        },
        {},
        ["table lake.m.t", "view lake.m.v"],
        [],
    ),
}


def existing() -> Simulation:
    """Tables whose renames are refused, as both names exist, and a namespace with a view, which cannot move."""
    there = Simulation(Limits(renames=True, references=True, views=True))
    view = {"v": {"sql": "select a from t", "columns": {"a": "long"}}}
    there.apply(lakehouse({"n": {"tables": {"t": A}}, "m": {}, "held": {"tables": {"t": A}, "views": view}}))
    return there


def with_principal(namespaces: Any, grants: Any, **more: Any) -> Lakehouse:
    access = {"roles": {"r": {"grants": grants}}, "principals": {"p": {"roles": ["r"]}} if grants else {}}
    return lakehouse(namespaces, access={**access, **more.pop("settings", {})}, **more)


def planned(file: Lakehouse, there: Simulation, principals: dict[str, PolarisPrincipal] | None = None) -> Plan:
    own = {"principal": PrincipalFacts(principals or {}, {"lake": "w"})}
    facts = replace(there.facts(), own=own)
    if file.access.grants == "authoritative":
        return plan(diff(file, facts, allow_destroy=True), allow_destroy=True)
    return plan(diff(file, facts))


def said(note: Note) -> str:
    """A note that only follows from another one, in short; empty for the others."""
    rule, _, fix = note.message.partition(": ")
    return f"{note.address}: {fix}" if rule == "it needs what is refused" else ""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_needs_something_refused(case: Any) -> None:
    namespaces, grants, steps, refused = case
    there = existing()
    if any("renamed_from" in each for space in namespaces.values() for each in space.get("tables", {}).values()):
        there.limits = replace(there.limits, renames=False)  # the catalog renames nothing in one step
        there.tables["n.old"] = there.tables["n.t"]
    found = planned(with_principal({"n": {}, "m": {}, **namespaces}, grants), there)
    assert [step.address for step in found.steps] == steps
    assert [each for each in map(said, found.refused) if each] == refused
    assert len(found.refused) > len(refused), "the cause has its own note"
    assert found.exit_code == 1


def test_of_a_principal_the_rest_is_granted_and_what_goes_goes() -> None:
    there = existing()
    there.limits, there.tables["n.old"] = replace(there.limits, renames=False), there.tables["n.t"]
    spaces = {"n": {"tables": {"new": {**A, "renamed_from": "old"}, "t": A}}, "m": {}}
    before = with_principal(spaces, {"lake.m": ["read"]})
    have = PolarisPrincipal({"w": polaris_grants(before, "p")["lake"]})
    file = with_principal(spaces, {"lake.n.new": ["read"], "lake.n.t": ["read"]})
    [step] = planned(file, there, {"unit-p": have}).steps
    assert isinstance(step.change.body, PrincipalSettings)
    granted = {PolarisGrant.read(each).on for each in step.change.body.granted["w"]}
    assert granted == {"n.t"}
    assert {(each.symbol, each.text.partition(":")[0]) for each in step.change.details} == {
        ("-", "w.m"),
        ("+", "w.n.t"),
    }


def test_grants_on_a_view_whose_change_is_refused_stay() -> None:
    there = existing()
    view = {"v": {"sql": "select a from t", "columns": {"a": "long"}}}
    changed = {"v": {"sql": "select a + 1 as a from t", "columns": {"a": "long"}}}
    there.apply(lakehouse({"n": {"tables": {"t": A}, "views": view}, "m": {}}))
    before = with_principal({"n": {"views": view}}, {"lake.n.v": ["read"]})
    have = PolarisPrincipal({"w": polaris_grants(before, "p")["lake"]})
    spaces = {"n": {"tables": {"t": BROKEN}, "views": changed}, "m": {}}
    found = planned(with_principal(spaces, {"lake.n.v": ["read"]}), there, {"unit-p": have})
    assert (found.steps, [each for each in map(said, found.refused) if each]) == (
        (),
        ['view lake.n.v: first fix "table lake.n.t"'],
    )
    [step] = planned(with_principal(spaces, {"lake.n.v": ["read"], "lake.m": ["read"]}), there, {"unit-p": have}).steps
    assert isinstance(step.change.body, PrincipalSettings)
    assert {PolarisGrant.read(each).on for each in step.change.body.granted["w"]} == {"n.v", "m"}


@pytest.mark.parametrize("op", ["create", "update"])
def test_of_a_principal_that_waits_for_what_failed_the_rest_is_done(op: Literal["create", "update"]) -> None:
    """What a grant is on must exist; that a table did not get its new column keeps nobody waiting."""
    file = with_principal({"n": {"tables": {"t": A}}, "m": {}}, {"lake.n.t": ["read"], "lake.m": ["read"]})
    before = with_principal({"n": {"tables": {"t": A}}, "m": {}}, {"lake.n": ["read"]})
    have = PolarisPrincipal({"w": polaris_grants(before, "p")["lake"]})
    own = {"principal": PrincipalFacts({"unit-p": have}, {"lake": "w"})}
    facts = replace(existing().facts(), own=own)
    [principal] = [each for each in diff(file, facts).changes if each.kind == "principal"]
    made = plan(Diff((Change(op, "table", "lake", "n.t", (), TableCommit((), ())), principal)))
    catalog, principals = MagicMock(spec=RestCatalog), MagicMock()
    catalog.commit_table.side_effect = Conflict("somebody else was faster")
    outcome = apply(made, world(catalog, principals=lambda: principals))
    assert [each.address for each in outcome.failed] == ["table lake.n.t"]
    whole = ([], ("principal unit-p",)) if op == "create" else (["principal unit-p"], ())
    assert ([each.address for each in outcome.done], outcome.skipped) == whole
    [call] = principals.change.call_args_list
    kept = {grant.on for grant in call.args[1]["w"]}
    assert kept == {"m"} if op == "create" else {"m", "n.t"}


def test_a_role_of_others_is_not_taken_away_before_the_own_one_gives_all() -> None:
    there = existing()
    there.limits, there.tables["n.old"] = replace(there.limits, renames=False), there.tables["n.t"]
    spaces = {"n": {"tables": {"new": {**A, "renamed_from": "old"}}}, "m": {}}
    file = with_principal(spaces, {"lake.n.new": ["read"]}, settings={"grants": "authoritative"})
    theirs = OthersRole("analysts", {"w": {"c": polaris_grants(file, "p")["lake"]}})
    found = planned(file, there, {"unit-p": PolarisPrincipal(others=(theirs,))})
    assert found.steps == ()
    assert [each for each in map(said, found.refused) if each] == [
        'principal unit-p: first fix "table lake.n.new"',
        'grant unit-p: principal role analysts: first fix "principal unit-p"',
    ]


def test_a_policy_of_others_stays_if_the_user_does_not_get_the_files_one() -> None:
    user, body = "user unit-p", PolicyGone("unit-p", "theirs")
    gone = Change("destroy", "policy", "", "unit-p: theirs", (), body)
    barred = frozenset({user})
    found = plan(Diff((gone,), (Note(user, "it is another one"),), barred=barred), allow_destroy=True)
    assert found.steps == ()
    assert [each for each in map(said, found.refused) if each] == [f'policy unit-p: theirs: first fix "{user}"']


def test_a_branch_does_not_begin_without_what_it_shall_hold() -> None:
    file = lakehouse({"n": {"tables": {"t": BROKEN}}, "m": {}}, references={"branches": {"b": {}, "c": {"from": "b"}}})
    found = plan(diff(file, existing().facts()))
    assert found.steps == ()
    assert [each for each in map(said, found.refused) if each] == [
        'branch lake.b: first fix "table lake.n.t"',
        'branch lake.c: first fix "branch lake.b"',
    ]


def test_a_grant_waits_for_a_rename_that_is_planned() -> None:
    there = existing()
    new = {**A, "renamed_from": "t", "location": "s3://warehouse/lake/n/t"}
    file = with_principal({"n": {"tables": {"new": new}}, "m": {}}, {"lake.n.new": ["read"]})
    needs = {step.address: step.needs for step in planned(file, there).steps}
    assert needs == {"rename lake.n.new": (), "principal unit-p": ("rename lake.n.new",)}


def test_a_refused_object_is_not_created_by_another_kinds_plan() -> None:
    """A bucket that cannot be used refuses its catalogs, which their server does not have yet."""
    there = existing()
    there.buckets["warehouse"] = BucketFacts(False, None, unfit="it is another's")
    found = diff(lakehouse({"n": {"tables": {"t": A}}, "m": {}}), there.facts())
    asked = replace(found, changes=(Change("create", "catalog", "", "lake"), *found.changes))
    assert plan(replace(asked, absent=frozenset({"catalog lake"}))).steps == ()
