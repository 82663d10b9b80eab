"""Principals of Polaris: what each is granted, and what has to change. tests/behaviour tries it on a server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest

from bootstrap.catalogs.polaris_principals import PolarisPrincipal
from bootstrap.catalogs.polaris_roles import Granted, OthersRole
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.apply import Outcome
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.kind import Changes
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.principal import PrincipalFacts, Principals, PrincipalSettings
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from bootstrap.remote.errors import UnknownState
from lakehouse.access.polaris import PolarisGrant, polaris_grants
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.objects.test_user import lakehouse
from tests.unit.bootstrap.reconciler.simulation import world

KINDS = OBJECTS.only("principal")
READS = {"lake.silver": ["read"]}
NOBODY = lakehouse({})


def of(want: Lakehouse, name: str = "a") -> Granted:
    return {"w": polaris_grants(want, name)["lake"]}


def planned(want: Lakehouse, there: dict[str, PolarisPrincipal], *, destroy: bool = False) -> Plan:
    facts = Facts({}, {}, own={"principal": PrincipalFacts(there, {"lake": "w"})})
    return plan(diff(want, facts, allow_destroy=destroy, kinds=KINDS), allow_destroy=destroy, kinds=KINDS)


def shown(found: Plan) -> list[str]:
    return [line.strip() for line in render(found)][:-1]


def test_a_principal_is_created_with_its_grants_by_the_servers_name_of_the_catalog() -> None:
    found = planned(lakehouse({"a": {"lake.silver.far": ["read"]}}), {})
    assert shown(found) == ["+ principal demo-a", "+ w.silver.far: TABLE_READ_DATA, TABLE_READ_PROPERTIES"]
    assert from_json(json.loads(json.dumps(found.to_json())), KINDS) == found


def test_what_is_granted_must_exist() -> None:
    [step] = planned(lakehouse({"a": {"lake.silver": ["read"], "lake.bronze.raw": ["read"]}}), {}).steps
    assert set(Principals().needs(step.change, Changes([]))) == {
        "catalog lake",
        *("namespace lake.silver", "rename-namespace lake.silver"),
        *("namespace lake.bronze", "rename-namespace lake.bronze"),
        *("table lake.bronze.raw", "rename lake.bronze.raw"),
    }
    assert Principals().sent_to(step.change) == "lake"


def test_what_is_granted_must_exist_in_its_own_catalog_only() -> None:
    grants = {catalog: [PolarisGrant(("n",), "", "TABLE_LIST", "namespace").sent()] for catalog in ("w", "x")}
    body = PrincipalSettings({**grants, "x": []}, {"w": "lake", "x": "other"})
    change = Change("update", "principal", "", "demo-a", (Detail("+", "w.n: TABLE_LIST"),), body)
    spaces = {"namespace lake.n", "rename-namespace lake.n"}
    assert set(Principals().needs(change, Changes([]))) == {"catalog lake", *spaces, "catalog other"}


@pytest.mark.parametrize("wanted", [{}, READS])
def test_access_ends_whatever_else_fails(wanted: dict[str, list[str]]) -> None:
    """A table that cannot be made must not keep a grant alive."""
    have = PolarisPrincipal(of(lakehouse({"a": {"lake.silver": ["read"], "lake.bronze.raw": ["write"]}})))
    [step] = planned(lakehouse({"a": wanted}), {"demo-a": have}).steps
    assert list(Principals().needs(step.change, Changes([]))) == []


def test_one_of_another_lakehouse_is_not_touched() -> None:
    """The lakehouse `demo` with a principal `x-a`, and `demo-x` with `a`, make the same name."""
    have = PolarisPrincipal(of(lakehouse({"a": {"lake": ["write"]}})), owner="demo-x")
    refused = planned(lakehouse({"a": READS}), {"demo-a": have})
    assert refused.steps == ()
    assert refused.refused[0].message == (
        "that name is of the lakehouse demo-x, which makes the same name of its own and a principal's. "
        "Name it otherwise"
    )
    gone = planned(NOBODY, {"demo-a": replace(have, deletable=True)}, destroy=True)
    assert (gone.steps, gone.unnamed, gone.refused) == ((), (), ())
    assert planned(lakehouse({"a": READS}), {"demo-a": replace(have, owner="demo")}).steps != ()


def test_a_rotation_that_was_cut_short_is_shown_and_made_again() -> None:
    want = lakehouse({"a": READS})
    found = planned(want, {"demo-a": PolarisPrincipal(of(want), renewing=True)})
    assert shown(found) == ["~ principal demo-a", "~ credentials: a rotation was cut short, and is made again"]
    [step] = found.steps
    work = MagicMock()
    Principals().carry_out(step.change, work)
    assert work.principals.renew.call_args.args == ("demo-a", "")


def test_nobody_without_grants_in_these_catalogs_is_made() -> None:
    assert planned(lakehouse({"a": {}}), {}).steps == ()
    facts = Facts({}, {}, own={"principal": PrincipalFacts({}, {"elsewhere": "w"})})
    assert diff(lakehouse({"a": READS}), facts, kinds=KINDS).changes == ()


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (lambda have: have, []),
        (lambda have: replace(have, deletable=True), ["~ deletable: true -> false"]),
        (lambda have: replace(have, enabled=False), ["+ access"]),
        (lambda have: replace(have, granted={}), ["+ w.silver: "]),
        (
            lambda have: replace(have, granted={**have.granted, "x": frozenset({PolarisGrant((), "", "TABLE_LIST")})}),
            ["- x: TABLE_LIST"],
        ),
    ],
)
def test_what_differs_is_shown(change: Any, lines: list[str]) -> None:
    want = lakehouse({"a": READS})
    found = shown(planned(want, {"demo-a": change(PolarisPrincipal(of(want)))}))
    assert found[:1] == (["~ principal demo-a"] if lines else [])
    assert len(found[1:]) == len(lines)
    for line, begins in zip(found[1:], lines, strict=True):
        assert line.startswith(begins)


def test_access_ends_at_once_and_the_rest_with_both_keys() -> None:
    have = PolarisPrincipal(of(lakehouse({"a": READS})))
    assert shown(planned(lakehouse({"a": {}}), {"demo-a": have})) == [
        "~ principal demo-a",
        "- access: its roles grant nothing in these catalogs",
    ]
    for marked, destroy in ((False, False), (True, False), (False, True)):
        found = planned(NOBODY, {"demo-a": replace(have, deletable=marked)}, destroy=destroy)
        assert shown(found)[:2] == ["~ principal demo-a", "- access: the file does not name it"]
    assert shown(planned(NOBODY, {"demo-a": replace(have, deletable=True)}, destroy=True)) == ["- principal demo-a"]
    others = planned(NOBODY, {"demo-a": replace(have, deletable=True, ours=False)}, destroy=True)
    assert (others.steps, others.unnamed) == ((), ("principal demo-a",))


class Server:
    """A server's principals, in memory; ``fails`` are the errors of the next changes, after they were made."""

    warehouses = {"lake": "w"}

    def __init__(self) -> None:
        self.there: dict[str, PolarisPrincipal] = {}
        self.fails: list[Exception] = []
        self.asked = 0

    def any_made(self, lakehouse: str) -> bool:
        return bool(self.there)

    def facts(self, lakehouse: str, existing: dict[str, str], *, others: bool = False) -> dict[str, PolarisPrincipal]:
        self.asked += 1
        return dict(self.there)

    def strangers(self, known: set[str]) -> dict[str, tuple[OthersRole, ...]]:
        return {}

    def create(self, name: str, granted: Granted, *, deletable: bool, owner: str) -> None:
        self.change(name, granted, enabled=True, deletable=deletable, owner=owner)

    def change(
        self, name: str, granted: Granted, *, enabled: bool, deletable: bool, existing: str = "", owner: str = ""
    ) -> None:
        kept = granted if enabled else self.there[name].granted
        self.there[name] = PolarisPrincipal(kept, enabled, deletable=deletable)
        if self.fails:
            raise self.fails.pop()

    def remove(self, name: str, made: int) -> None:
        del self.there[name]


def applied(server: Server, want: Lakehouse, **options: Any) -> Outcome:
    return reconcile(want, world(None, principals=lambda: server), kinds=KINDS, **options)


def test_a_principal_comes_loses_its_access_gets_it_back_and_goes() -> None:
    server, want = Server(), lakehouse({"a": READS}, deletable=True)
    server.fails.append(UnknownState("no answer"))
    assert [done.address for done in applied(server, want).done] == ["principal demo-a"]
    made = PolarisPrincipal(of(want), deletable=True)
    assert server.there == {"demo-a": made}
    assert applied(server, want).done == ()
    for file, enabled in ((NOBODY, False), (want, True)):
        assert applied(server, file).exit_code == 0
        assert server.there["demo-a"] == replace(made, enabled=enabled)
    assert applied(server, NOBODY, allow_destroy=True).exit_code == 0
    assert server.there == {}


def test_a_server_is_asked_only_about_principals() -> None:
    server = Server()
    make_plan(NOBODY, world(None, principals=lambda: server), kinds=KINDS)
    assert server.asked == 0
    server.there["demo-a"] = PolarisPrincipal()
    make_plan(NOBODY, world(None, principals=lambda: server), kinds=KINDS)
    assert server.asked == 1, "the last principal left the file, and it is still there"
