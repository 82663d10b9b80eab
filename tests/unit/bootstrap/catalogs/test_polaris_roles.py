"""Principals, roles and grants that others made, against the double's entities without a server.

They are imported, kept, given more, and with `grants: authoritative` taken away.
"""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.catalogs.polaris_principals import PolarisPrincipals
from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler.apply import Outcome
from bootstrap.reconciler.importing import Described, imported
from bootstrap.reconciler.kind import Inquiry, Registry
from bootstrap.reconciler.objects.others_grant import OthersGrants
from bootstrap.reconciler.objects.principal import Principals
from bootstrap.reconciler.plan import render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from lakehouse.access.polaris import PolarisGrant
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.catalogs.test_polaris_principals import Management, api, principals
from tests.unit.bootstrap.reconciler.simulation import world

__all__ = ["api", "principals"]
KINDS = Registry(Principals(), OthersGrants())
TABLE = {"columns": {"a": "long"}}
READ = ("TABLE_READ_DATA", "NAMESPACE_READ_PROPERTIES", "VIEW_READ_PROPERTIES")


def file(**access: Any) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "first": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {"n": {"tables": {"t": TABLE}}, "m": {"tables": {"t": TABLE}}},
                }
            },
            "access": access,
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"first": "polaris"}}},
        }
    )


class Hand:
    """What somebody does with curl."""

    def __init__(self, api: Management) -> None:
        self.api = api
        for name in ("lake", "other"):
            self.role(name, "catalog_admin", {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"})

    def principal(self, name: str, *roles: str) -> None:
        self.api.post("/principals", {"principal": {"name": name}})
        for role in roles:
            self.api.request("PUT", f"/principals/{name}/principal-roles", {"principalRole": {"name": role}})

    def principal_role(self, name: str, **catalog_roles: str) -> None:
        self.api.post("/principal-roles", {"principalRole": {"name": name}})
        for catalog, role in catalog_roles.items():
            self.assign(name, catalog, role)

    def assign(self, role: str, catalog: str, catalog_role: str) -> None:
        body = {"catalogRole": {"name": catalog_role}}
        self.api.request("PUT", f"/principal-roles/{role}/catalog-roles/{catalog}", body)

    def role(self, catalog: str, name: str, *grants: dict[str, Any]) -> None:
        self.api.post(f"/catalogs/{catalog}/catalog-roles", {"catalogRole": {"name": name}})
        for grant in grants:
            self.api.request("PUT", f"/catalogs/{catalog}/catalog-roles/{name}/grants", {"grant": grant})

    def credentials(self, name: str) -> tuple[str, str]:
        own = self.api.realm.entities[f"principal:{name}"]["own"]
        return own["id"], own["secret"]


def on(namespace: str, *privileges: str) -> list[dict[str, Any]]:
    return [{"type": "namespace", "namespace": [namespace], "privilege": each} for each in privileges]


@pytest.fixture
def hand(api: Management) -> Hand:
    """Ann may read a namespace; Bob administers the catalog and lists; an engine writes another catalog."""
    made = Hand(api)
    made.role("lake", "reader", *on("n", *READ))
    made.role("lake", "lister", *on("m", "TABLE_LIST"))
    made.role("other", "writer", {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"})
    made.principal_role("data-analysts", lake="reader")
    made.principal_role("listers", lake="lister")
    made.principal_role("admins", lake="catalog_admin")
    made.principal_role("engines", other="writer")
    made.principal("Ann-Lee", "data-analysts", "listers")
    made.principal("bob", "listers", "admins")
    made.principal("engine", "engines")
    return made


def described(server: PolarisPrincipals, lakehouse: Lakehouse) -> Described:
    look = Inquiry(lakehouse, world(None, principals=lambda: server), everything=True)
    facts = Facts({}, {"first": CatalogFacts({}, {})})
    return imported(lakehouse, Principals().read(look)(facts), KINDS)


def planned(server: PolarisPrincipals, lakehouse: Lakehouse, **options: Any) -> list[str]:
    made = make_plan(lakehouse, world(None, principals=lambda: server), kinds=KINDS, **options)
    return [line.strip() for line in render(made) if not line.startswith("Plan:")]


def applied(server: PolarisPrincipals, lakehouse: Lakehouse, **options: Any) -> Outcome:
    done = reconcile(lakehouse, world(None, principals=lambda: server), kinds=KINDS, **options)
    assert done.exit_code == 0, (done.failed, done.refused)
    return done


ANN = {"roles": ["data_analysts"], "existing": {"polaris": "Ann-Lee"}}
READER = {"data_analysts": {"grants": {"first.n": ["read"]}}}


def test_what_others_made_is_imported_in_verbs_and_the_next_plan_is_empty(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    before, kept = {**api.realm.entities}, hand.credentials("Ann-Lee")
    found = described(principals, file())
    assert found.data == {"access": {"roles": READER, "principals": {"ann_lee": ANN}}}
    assert sorted(found.left) == [
        "principal bob: no verb says what its roles give, so it has no entry",
        "principal role listers: no verb says TABLE_LIST on first.m: what it has so stays as it is",
    ]
    assert not [word for word in ("root", "service_admin", "catalog_admin", "engine") if word in str(found)]
    after = file(**found.data["access"])
    assert planned(principals, after) == ["No changes."]
    for allowed in (False, True):
        assert applied(principals, after, allow_destroy=allowed).done == ()
    assert described(principals, after).data == {}
    assert api.realm.entities == before, "nothing was dropped or changed"
    assert hand.credentials("Ann-Lee") == kept


def test_the_file_then_gives_more_and_takes_its_own_away(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    before, kept = {**api.realm.entities}, hand.credentials("Ann-Lee")
    more = file(
        roles={**READER, "w": {"grants": {"first.m.t": ["write"]}}},
        principals={"ann": {**ANN, "roles": ["data_analysts", "w"]}},
    )
    lines = planned(principals, more)
    assert lines[0] == "~ principal demo-ann"
    assert not [line for line in lines if "lake.n:" in line], "others give that already"
    applied(principals, more)
    assert planned(principals, more) == ["No changes."]
    writes = {each.privilege for each in principals.facts("demo", {"demo-ann": "Ann-Lee"})["demo-ann"].granted["lake"]}
    assert "TABLE_WRITE_DATA" in writes
    gone = file(roles=READER)
    assert "- access: the file does not name it" in planned(principals, gone)
    applied(principals, gone, allow_destroy=True)
    assert {key: of for key, of in api.realm.entities.items() if not key.startswith("principal:Ann")}.keys() == {
        key for key in before if not key.startswith("principal:Ann")
    }
    assert (planned(principals, gone), hand.credentials("Ann-Lee")) == (["No changes."], kept)


def test_a_principal_that_the_server_does_not_have_is_refused(principals: PolarisPrincipals, hand: Hand) -> None:
    wanted = file(principals={"eve": {"existing": {"polaris": "eve"}}})
    assert planned(principals, wanted)[0].startswith("! refused: principal demo-eve: Polaris has no principal eve")


def test_additive_leaves_roles_of_others_and_authoritative_takes_them_with_both_keys(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    access: Any = {"roles": READER, "principals": {"bi": {"roles": ["data_analysts"]}}}
    applied(principals, file(**access))
    for role in ("listers", "admins", "engines"):
        api.request("PUT", "/principals/demo-bi/principal-roles", {"principalRole": {"name": role}})
    hand.assign("demo-bi", "lake", "lister")
    hand.assign("demo-bi", "lake", "catalog_admin")
    api.request("PUT", "/principals/demo-bi/principal-roles", {"principalRole": {"name": "service_admin"}})
    before = {**api.realm.entities}
    assert planned(principals, file(**access)) == ["No changes."]
    assert planned(principals, file(**access), allow_destroy=True)[-1] == "No changes."
    only = file(**access, grants="authoritative")
    grants = ["grant demo-bi: principal role listers", "grant demo-bi: catalog role lister of lake"]
    waiting = make_plan(only, world(None, principals=lambda: principals), kinds=KINDS)
    assert (waiting.steps, set(waiting.unnamed)) == ((), set(grants))
    stays = "the file does not name it, and it stays: dropping it takes --allow-destroy"
    assert {note.address for note in waiting.kept if note.message == stays} == set(grants)
    never = [note for note in waiting.kept if "catalog_admin" in note.message]
    assert {note.address for note in never} == {"principal demo-bi"}
    assert len(never) == 2
    assert planned(principals, only, allow_destroy=True)[:4] == [
        *("- grant demo-bi: catalog role lister of lake", "- lake.m: TABLE_LIST"),
        *("- grant demo-bi: principal role listers", "- lake.m: TABLE_LIST"),
    ]
    assert len(applied(principals, only, allow_destroy=True).done) == 2
    left = {each["name"] for each in api.get("/principals/demo-bi/principal-roles")["roles"]}
    assert left == {"demo-bi", "admins", "engines", "service_admin"}
    own = {each["name"] for each in api.get("/principal-roles/demo-bi/catalog-roles/lake")["roles"]}
    assert own == {"demo-bi", "catalog_admin"}
    assert api.realm.entities.keys() == before.keys(), "the roles stay, and whoever else has them"
    assert "listers" in [each["name"] for each in api.get("/principals/bob/principal-roles")["roles"]]
    again = make_plan(only, world(None, principals=lambda: principals), kinds=KINDS)
    assert (again.steps, again.unnamed) == ((), ())


def test_what_an_existing_principal_has_by_others_is_given_by_ours_before_it_is_taken(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    only = file(roles=READER, principals={"ann": ANN}, grants="authoritative")
    lines = planned(principals, only, allow_destroy=True)
    assert [line for line in lines if line[2:].startswith(("principal", "grant"))] == [
        "~ principal demo-ann",
        "- grant demo-ann: principal role data-analysts",
        "- grant demo-ann: principal role listers",
    ]
    made = make_plan(only, world(None, principals=lambda: principals), kinds=KINDS, allow_destroy=True)
    assert {step.needs for step in made.steps if step.change.kind == "grant"} == {("principal demo-ann",)}
    applied(principals, only, allow_destroy=True)
    assert planned(principals, only, allow_destroy=True)[-1] == "No changes."
    assert [each["name"] for each in api.get("/principals/Ann-Lee/principal-roles")["roles"]] == ["demo-ann"]


def test_a_role_that_also_gives_something_in_other_catalogs_stays(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    """They are other stacks', whose files say what is to be there."""
    hand.role("other", "lister", {"type": "catalog", "privilege": "TABLE_LIST"})
    hand.assign("listers", "other", "lister")
    only = file(roles=READER, principals={"ann": ANN}, grants="authoritative")
    made = make_plan(only, world(None, principals=lambda: principals), kinds=KINDS, allow_destroy=True)
    [note] = [each for each in made.kept if "also in" in each.message]
    assert note.message.startswith("listers gives it something here, and also in other, which this stack has not")
    applied(principals, only, allow_destroy=True)
    left = {each["name"] for each in api.get("/principals/Ann-Lee/principal-roles")["roles"]}
    assert left == {"demo-ann", "listers"}


def test_a_role_that_also_gives_catalog_admin_of_another_catalog_stays(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    hand.assign("listers", "other", "catalog_admin")
    only = file(roles=READER, principals={"ann": ANN}, grants="authoritative")
    made = make_plan(only, world(None, principals=lambda: principals), kinds=KINDS, allow_destroy=True)
    [note] = [each for each in made.kept if "catalog_admin" in each.message]
    assert note.message.startswith("listers gives it catalog_admin of other, ")
    applied(principals, only, allow_destroy=True)
    left = {each["name"] for each in api.get("/principals/Ann-Lee/principal-roles")["roles"]}
    assert left == {"demo-ann", "listers"}


def test_new_credentials_are_made_for_an_existing_principal_only_if_asked(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    kept = hand.credentials("Ann-Lee")
    applied(principals, file(roles=READER, principals={"ann": ANN}, grants="authoritative"), allow_destroy=True)
    assert (principals.keys.pair("demo-ann"), hand.credentials("Ann-Lee")) == (None, kept)
    principals.renew("demo-ann", "Ann-Lee")
    assert principals.keys.pair("demo-ann") == hand.credentials("Ann-Lee") != kept


def test_a_role_of_others_is_read_once_for_all_its_principals(
    principals: PolarisPrincipals, api: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Hand(api)
    made.role("lake", "reader", *on("n", *READ))
    made.principal_role("analysts", lake="reader")
    for number in range(5):
        made.principal(f"p{number}", "analysts")
    asked: list[str] = []

    def get(path: str) -> Any:
        asked.append(path)
        return api.request("GET", path)

    monkeypatch.setattr(api, "get", get)
    assert len(principals.strangers(set())) == 5
    assert asked
    assert len(asked) == len(set(asked))


def test_an_unknown_type_of_grant_is_named_and_stays(
    principals: PolarisPrincipals, api: Management, hand: Hand
) -> None:
    """A later server may have types that are unknown here."""
    api.realm.entities["catalog-role:lake/reader"]["own"]["grants"].append(
        {"type": "policy", "namespace": ["n"], "policyName": "p", "privilege": "POLICY_READ"}
    )
    assert (
        PolarisGrant(("n",), "p", "POLICY_READ", "policy")
        in principals.strangers(set())["Ann-Lee"][0].within(["lake"])["lake"]
    )
    found = described(principals, file())
    assert found.data["access"]["roles"] == READER
    assert any("POLICY_READ on first.n.p" in each for each in found.left)
