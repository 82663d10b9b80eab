"""Where a new table goes: to an empty folder that nobody claims; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts, Home
from bootstrap.reconciler.changes import Diff
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects.bucket import BucketGone
from bootstrap.reconciler.objects.table import TableGone
from bootstrap.reconciler.objects.view import NewView
from bootstrap.reconciler.plan import plan, render
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

T: dict[str, Any] = {"columns": {"a": "long"}}
ROOT = "s3://warehouse/lake/n"


def world(*tables: str, **locations: str) -> Simulation:
    """A catalog that has these tables in the namespace n: at their default folders, or at those given."""
    made = Simulation()
    made.buckets["warehouse"] = BucketFacts(False, None)
    named = dict.fromkeys(tables, T) | {name: {**T, "location": at} for name, at in locations.items()}
    made.apply(lakehouse({"n": {"tables": named}}))
    return made


def renamed(made: Simulation, old: str, new: str) -> Simulation:
    made.tables[f"n.{new}"] = made.tables.pop(f"n.{old}")
    return made


def settled(of: Lakehouse, facts: Facts, *held: str) -> Facts:
    known = claims.live(facts.catalogs)
    return replace(facts, claims=known, homes=claims.homes(of, facts.catalogs, known, lambda at: at in held))


def found(of: Lakehouse, made: Simulation, *held: str, **options: Any) -> Diff:
    return diff(of, settled(of, made.facts(), *held), **options)


def home(made: Simulation, *held: str) -> Home:
    of = lakehouse({"n": {"tables": {"t": T}}})
    return settled(of, made.facts(), *held).homes["lake.n.t"]


def test_the_default_folder_if_it_is_free() -> None:
    assert home(world("u")) == Home(f"{ROOT}/t")


def test_a_number_if_the_folder_is_another_tables() -> None:
    assert home(renamed(world("t"), "t", "t_old")) == Home(f"{ROOT}/t-2", f"{ROOT}/t is the location of lake.n.t_old")


def test_a_table_in_the_default_folder_counts() -> None:
    found = home(world(x=f"{ROOT}/t/deep"))
    assert found.location == f"{ROOT}/t-2"
    assert "holds the location of lake.n.x," in found.reason


@pytest.mark.parametrize("around", [ROOT, "s3://warehouse/lake"])
def test_a_table_around_the_default_folder_is_refused_as_no_number_helps(around: str) -> None:
    refused = home(world(x=around)).refused
    assert f"is in the location of lake.n.x, {around}" in refused
    assert refused.endswith("Choose another folder by `location`")


def test_a_number_if_the_folder_holds_files_and_the_next_if_that_does_too() -> None:
    assert home(world(), f"{ROOT}/t", f"{ROOT}/t-2") == Home(f"{ROOT}/t-3", f"{ROOT}/t holds files already")


def test_folders_on_other_branches_count() -> None:
    facts = world().facts()
    lake = replace(facts.catalogs["lake"], elsewhere={"n.t on branch etl": f"{ROOT}/t"})
    of = lakehouse({"n": {"tables": {"t": T}}})
    assert settled(of, Facts({}, {"lake": lake})).homes["lake.n.t"].location == f"{ROOT}/t-2"


def test_another_catalog_on_the_same_store_counts() -> None:
    of = lakehouse({"n": {"tables": {"t": T}}})
    other = world(x=f"{ROOT}/t").facts().catalogs["lake"]
    known = claims.live({"lake": CatalogFacts({}, {}), "pond": other})
    homes = claims.homes(of, {"lake": CatalogFacts({}, {})}, known, lambda at: False)
    assert homes["lake.n.t"].reason.endswith("is the location of pond.n.x")


def test_the_plan_says_where_and_why_and_its_digest_stays() -> None:
    made, of = renamed(world("t"), "t", "t_old"), lakehouse({"n": {"tables": {"t": T}}})
    first, second = (plan(found(of, made)) for _ in range(2))
    assert f"    + location {ROOT}/t-2: {ROOT}/t is the location of lake.n.t_old" in list(render(first))
    assert first.digest == second.digest
    for step in first.steps:
        made.carry_out(step.change)
    assert made.tables["n.t"].location == f"{ROOT}/t-2"
    assert not found(of, made)


@pytest.mark.parametrize(
    "change",
    [
        {"location": f"{ROOT}/u"},
        {"location": f"{ROOT}/u/inside"},
        {"properties": {"write.data.path": f"{ROOT}/u/data"}},
        {"properties": {"write.metadata.path": ROOT}},
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_a_declared_folder_that_a_live_table_claims_is_refused(change: dict[str, Any], there: bool) -> None:
    if there and "location" in change:
        return  # a table does not move
    made = world("u", *(["t"] if there else []))
    note = found(lakehouse({"n": {"tables": {"t": {**T, **change}}}}), made).refused[0]
    assert note.address == "table lake.n.t"
    assert "lake.n.u" in note.message
    assert "Choose another folder" in note.message


def test_a_declared_folder_that_holds_files_is_refused() -> None:
    of = lakehouse({"n": {"tables": {"t": {**T, "location": f"{ROOT}/x"}}}})
    (note,) = found(of, world(), f"{ROOT}/x").refused
    assert "holds files already" in note.message


def test_nothing_is_looked_up_while_the_file_asks_for_no_new_folder() -> None:
    made = world("t", "u")
    of = lakehouse({"n": {"tables": {"t": T}}})
    assert not claims.unsettled(of, made.facts())
    assert claims.unsettled(lakehouse({"n": {"tables": {"new": T}}}), made.facts())
    assert claims.unsettled(
        lakehouse({"n": {"tables": {"t": {**T, "properties": {"write.data.path": "s3://warehouse/x"}}}}}), made.facts()
    )


@pytest.mark.parametrize(
    ("setting", "more", "refused"),
    [
        ({"expire_days": 3}, {}, True),
        ({"access": "public-read"}, {}, False),
        ({"access": "public-read"}, {"access": {"roles": {"r": {"grants": {"lake": ["read"]}}}}}, True),
        ({"versioning": True}, {}, False),
    ],
)
def test_a_bucket_with_a_live_table_gets_no_rule_that_takes_or_shows_it(
    setting: dict[str, Any], more: dict[str, Any], refused: bool
) -> None:
    made = world(x="s3://away/x")
    made.buckets["away"] = BucketFacts(False, None)
    of = lakehouse({"n": {}}, buckets={"warehouse": {}, "away": setting}, **more)
    assert claims.unsettled(of, made.facts()) or "versioning" in setting
    result = found(of, made)
    assert [note.address for note in result.refused] == (["bucket away"] if refused else [])
    assert bool(result.changes) != refused
    if refused:
        assert "lake.n.x" in result.refused[0].message


def test_what_ingest_stages_for_a_moment_does_not_count() -> None:
    made = world(x="s3://staging/ingest/1/table")
    made.buckets["staging"] = BucketFacts(False, None)
    of = lakehouse({"n": {}}, buckets={"warehouse": {}, "staging": {"expire_days": 7}})
    assert not found(of, made).refused


def test_what_goes_says_who_shares_its_folder() -> None:
    made = world("t", x=f"{ROOT}/t/deep")
    made.apply(lakehouse({"n": {"tables": {"t": {**T, "deletable": True}}}}))
    (change,) = found(lakehouse({"n": {}}), made, allow_destroy=True).changes
    assert isinstance(change.body, TableGone)
    assert change.body.shared == f"{ROOT}/t holds the location of lake.n.x, {ROOT}/t/deep"


def test_a_bucket_to_delete_names_the_table_in_it() -> None:
    made = world(x="s3://away/x")
    made.buckets["away"] = BucketFacts(False, None, deletable="unit")
    (change,) = found(lakehouse({"n": {}}), made, allow_destroy=True).changes
    assert change.address == "bucket away"
    assert isinstance(change.body, BucketGone)
    assert "lake.n.x" in change.body.shared


@pytest.mark.parametrize(
    "grants",
    [
        {"lake.n.t": ["read"]},
        # It is compiled to the folder of each table without a mask.
        {"lake": {"verbs": ["read"], "columns": {"tag:pii": "mask"}}},
    ],
)
def test_a_table_that_access_names_goes_where_the_file_says(grants: dict[str, Any]) -> None:
    access = {"roles": {"r": {"grants": grants}}}
    made = renamed(world("t"), "t", "t_old")
    (note,) = found(lakehouse({"n": {"tables": {"t": T}}}, access=access), made).refused
    assert f"Write `location: {ROOT}/t-2`" in note.message
    declared = lakehouse({"n": {"tables": {"t": {**T, "location": f"{ROOT}/t-2"}}}}, access=access)
    assert not found(declared, made).refused
    made.apply(declared)
    assert not found(declared, made).kept
    (kept,) = found(lakehouse({"n": {"tables": {"t": T}}}, access=access), made).kept
    assert f"Write `location: {ROOT}/t-2`" in kept.message


@pytest.mark.parametrize(
    ("at", "path"), [(f"{ROOT}/a", {}), (f"{ROOT}/a/in", {}), (f"{ROOT}/c", {"write.data.path": f"{ROOT}/a/data"})]
)
def test_a_plan_with_nothing_to_make_reports_live_tables_that_share_a_folder(at: str, path: dict[str, str]) -> None:
    """From the facts that it reads anyway, so it does not read all tables."""
    of = lakehouse({"n": {"tables": {"a": T, "b": {**T, "properties": path}, "ab": T}}})
    made = world("a", "ab", b=at)
    made.apply(of)
    facts = made.facts()
    assert not claims.unsettled(of, facts)
    (note,) = diff(of, facts).kept
    assert f"of lake.n.b is the same as, or inside, the location of lake.n.a, {ROOT}/a." in note.message
    assert note.address == f"folder {path.get('write.data.path', at)}"
    plain = plan(diff(of, facts))
    assert (plain.exit_code, plain.steps) == (0, ())
    assert f"! {note}" in list(render(plain))


VIEW: dict[str, Any] = {"sql": {"spark": "SELECT 1"}, "columns": {"a": "int"}}


def with_view(location: str = f"{ROOT}/v") -> Simulation:
    made = world()
    made.limits = Limits(views=True)
    made.apply(lakehouse({"n": {"views": {"v": VIEW}}}))
    made.views["n.v"]["location"] = location
    return made


def test_a_view_keeps_its_folder_from_tables() -> None:
    made = with_view(f"{ROOT}/t")
    views = {"v": VIEW}
    of = lakehouse({"n": {"tables": {"t": T}, "views": views}})
    (change,) = found(of, made).changes
    assert [each.text for each in change.details if each.text.startswith("location")] == [
        f"location {ROOT}/t-2: {ROOT}/t is the location of lake.n.v"
    ]
    (note,) = found(lakehouse({"n": {"tables": {"x": {**T, "location": f"{ROOT}/t/x"}}, "views": views}}), made).refused
    assert "is in the location of lake.n.v" in note.message


def test_a_new_view_gets_no_folder_that_a_table_has_or_that_holds_files() -> None:
    made = world("v")
    made.limits = Limits(views=True)
    made.tables["n.u"] = made.tables.pop("n.v")
    of = lakehouse({"n": {"tables": {"u": T}, "views": {"v": VIEW}}})
    (change,) = found(of, made, f"{ROOT}/v-2").changes
    assert isinstance(change.body, NewView)
    assert change.body.location == f"{ROOT}/v-3"


def test_a_table_in_the_folder_of_a_view_is_reported() -> None:
    made = with_view()
    made.apply(lakehouse({"n": {"tables": {"t": T}, "views": {"v": VIEW}}}))
    assert list(claims.sharing(made.facts().catalogs)) == []
    view = made.views["n.v"]
    made.views["n.v"] = {**view, "properties": {"write.metadata.path": f"{ROOT}/t/m"}}
    ((outer, inner),) = claims.sharing(made.facts().catalogs)
    assert (outer.owner, inner.owner, inner.what) == ("lake.n.t", "lake.n.v", "write.metadata.path")
    made.views["n.v"] = {**view, "location": f"{ROOT}/t/v"}
    ((outer, inner),) = claims.sharing(made.facts().catalogs)
    assert (outer.owner, inner.owner) == ("lake.n.t", "lake.n.v")


def test_folders_next_to_one_another_are_not_shared() -> None:
    of = lakehouse({"n": {"tables": {"a": T, "ab": T, "a2": {**T, "properties": {"write.data.path": f"{ROOT}/a2/d"}}}}})
    made = world()
    made.apply(of)
    assert list(claims.sharing(made.facts().catalogs)) == []
