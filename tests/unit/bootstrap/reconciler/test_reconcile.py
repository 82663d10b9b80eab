"""Rounds: what a round with fresh facts may do of a plan if somebody else made changes, and what is reported."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.catalogs.base import Reading
from bootstrap.iceberg.metadata import CatalogFacts, ReferenceFacts
from bootstrap.reconciler.apply import Done, Failed, Outcome
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.kind import Registry
from bootstrap.reconciler.marks import RENAMED_FROM
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.seed import Seeds
from bootstrap.reconciler.plan import Plan
from bootstrap.reconciler.reconcile import make_plan, reconcile
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, Throttled, UnknownState
from lakehouse.errors import LakehouseError
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.rounds import Lake, World
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

TABLE: dict[str, Any] = {"columns": {"a": "long"}}
GOING: dict[str, Any] = {**TABLE, "deletable": True}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def tables(**of: Any) -> Lakehouse:
    return lakehouse({"n": {"tables": of}})


def applied(world: World, wanted: Lakehouse, **options: Any) -> Outcome:
    world.tried.clear()
    return reconcile(wanted, options.pop("reached", world.reached), **options)


def there(world: World, **of: Any) -> None:
    """The former contents, made by a separate apply."""
    assert applied(world, tables(**of)).exit_code == 0


def applies(world: World, wanted: Lakehouse) -> Callable[[], None]:
    """Somebody else's apply of another file."""

    def act() -> None:
        Simulation.apply(world, wanted)

    return act


def addresses(outcome: Outcome) -> dict[str, set[str]]:
    return {
        "done": {each.address for each in outcome.done},
        "failed": {each.address for each in outcome.failed},
        "skipped": set(outcome.skipped),
        "refused": {note.address for note in outcome.refused},
    }


def test_a_branch_that_moved_between_plan_and_deletion_stays(world: World) -> None:
    world.refs["etl"] = ReferenceFacts("branch", "H1", deletable=True)

    def somebody_commits() -> None:
        world.refs["etl"] = replace(world.refs["etl"], points_to="H2")

    world.meanwhile["branch lake.etl"] = somebody_commits
    there(world)
    outcome = applied(world, tables(), allow_destroy=True)
    assert world.refs["etl"].points_to == "H2"
    assert world.tried.count("branch lake.etl") == 1
    [failure] = outcome.failed
    assert "changed since the plan" in failure.message
    assert "moved meanwhile" in failure.message
    assert not failure.again
    assert "branch lake.etl" not in addresses(outcome)["done"]


def test_nothing_is_changed_if_the_plan_is_not_confirmed(world: World) -> None:
    there(world, t=TABLE)
    seen: list[Plan] = []

    def confirm(agreed: Plan) -> None:
        seen.append(agreed)
        raise LakehouseError("no")

    with pytest.raises(LakehouseError, match="no"):
        applied(world, tables(t=TABLE, u=TABLE), confirm=confirm)
    assert [step.address for step in seen[0].steps] == ["table lake.n.u"]
    assert world.tried == []


def test_a_lost_answer_does_not_keep_a_branch_from_going(world: World) -> None:
    there(world)
    world.refs["etl"] = ReferenceFacts("branch", "H1", deletable=True)
    world.meanwhile["branch lake.etl"] = lambda: UnknownState("no answer")
    outcome = applied(world, tables(), allow_destroy=True)
    assert (outcome.exit_code, world.refs) == (0, {})
    assert world.tried.count("branch lake.etl") == 2


def test_a_table_that_was_made_again_is_not_dropped(world: World) -> None:
    there(world, t=GOING)
    first = world.tables["n.t"].table_uuid

    def somebody_makes_it_again() -> None:
        del world.tables["n.t"]
        Simulation.apply(world, tables(t=GOING))

    world.meanwhile["table lake.n.t"] = somebody_makes_it_again
    outcome = applied(world, tables(), allow_destroy=True)
    assert world.tables["n.t"].table_uuid != first
    assert addresses(outcome)["failed"] == {"table lake.n.t"}
    assert outcome.exit_code == 1


def test_a_column_that_came_since_the_plan_does_not_go(world: World) -> None:
    """If a whole table may go, its columns may too, but a column that somebody adds just now was in no plan."""
    content = {"n": {"tables": {"t": GOING}}}
    exclusive = lakehouse(content, managed="exclusive")
    assert applied(world, exclusive).exit_code == 0

    world.meanwhile["table lake.n.t"] = applies(
        world, tables(t={**GOING, "columns": {"a": "long", "theirs": "string"}})
    )
    wider = {"n": {"tables": {"t": {**GOING, "columns": {"a": "long", "b": "long"}}}}}
    outcome = applied(world, lakehouse(wider, managed="exclusive"), allow_destroy=True)
    assert "theirs" in world.tables["n.t"].schema().column_names
    assert addresses(outcome)["failed"] == {"table lake.n.t"}


@pytest.mark.parametrize("saved", [True, False])
def test_what_was_approved_as_new_does_not_change_somebody_elses_table(world: World, saved: bool) -> None:
    there(world)
    wanted = tables(t={"columns": {"a": "long", "b": "string"}}, u=TABLE)
    plan = make_plan(wanted, world.reached)

    world.meanwhile["table lake.n.t"] = applies(world, tables(t=TABLE))
    outcome = applied(world, wanted, saved=plan if saved else None)
    assert "n.u" in world.tables
    names = world.tables["n.t"].schema().column_names
    if saved:
        assert names == ["a"]
        assert addresses(outcome)["failed"] == {"table lake.n.t"}
        assert "Make a new plan" in outcome.failed[0].message
    else:
        assert names == ["a", "b"], "only the file decides what should exist"
        assert outcome.exit_code == 0


def test_what_needs_a_step_that_changed_is_skipped(world: World) -> None:
    there(world)
    wanted = lakehouse(
        {"n": {"tables": {"t": {"columns": {"a": "long", "b": "string"}}}}}, references={"tags": {"v1": {}}}
    )
    world.meanwhile["table lake.n.t"] = applies(world, tables(t=TABLE))
    outcome = applied(world, wanted, saved=make_plan(wanted, world.reached))
    assert addresses(outcome) == {
        "done": set(), "failed": {"table lake.n.t"}, "skipped": {"tag lake.v1"}, "refused": set()
    }  # fmt: skip
    assert world.refs == {}


def test_a_part_of_what_was_approved_is_still_done(world: World) -> None:
    there(world, t=TABLE)
    wanted = tables(t={"columns": {"a": "long", "b": "string", "c": "date"}})
    plan = make_plan(wanted, world.reached)
    half = tables(t={"columns": {"a": "long", "b": "string"}})
    world.meanwhile["table lake.n.t"] = applies(world, half)
    outcome = applied(world, wanted, saved=plan)
    assert outcome.exit_code == 0
    assert world.tables["n.t"].schema().column_names == ["a", "b", "c"]


@pytest.mark.parametrize("error", [UnknownState, Conflict, Missing, Throttled])
@pytest.mark.parametrize("saved", [True, False])
def test_what_passes_is_done_in_the_next_round(world: World, error: type[Exception], saved: bool) -> None:
    wanted = tables(t=TABLE, u=TABLE)
    for address in ("bucket warehouse", "namespace lake.n", "table lake.n.t"):
        world.meanwhile[address] = lambda: error("x")
    outcome = applied(world, wanted, saved=make_plan(wanted, world.reached) if saved else None)
    assert outcome.exit_code == 0
    assert len(outcome.done) == 4
    assert set(world.tables) == {"n.t", "n.u"}


def test_what_somebody_else_did_meanwhile_is_done(world: World) -> None:
    there(world)
    world.meanwhile["table lake.n.t"] = applies(world, tables(t=TABLE))
    outcome = applied(world, tables(t=TABLE))
    assert (outcome.done, outcome.exit_code) == ((Done("table lake.n.t"),), 0)


def test_what_is_refused_now_is_not_done(world: World) -> None:
    """Somebody created it with a column that cannot become the file's."""
    there(world)
    theirs = tables(t={"columns": {"a": "string"}})
    world.meanwhile["table lake.n.t"] = applies(world, theirs)
    outcome = applied(world, tables(t=TABLE))
    assert addresses(outcome) == {"done": set(), "failed": set(), "skipped": set(), "refused": {"column lake.n.t.a"}}
    assert outcome.exit_code == 1


def test_a_seed_of_a_table_that_is_refused_now_is_not_done(world: World) -> None:
    there(world)
    (world.reached.connections.folder / "t.csv").write_text("a\n1\n")
    theirs = tables(t={"columns": {"a": "string"}})
    world.meanwhile["table lake.n.t"] = applies(world, theirs)
    outcome = applied(world, tables(t={**TABLE, "seed": "t.csv"}))
    assert addresses(outcome) == {"done": set(), "failed": set(), "skipped": set(), "refused": {"column lake.n.t.a"}}


def test_a_seed_whose_file_changed_is_not_done(world: World) -> None:
    there(world, t=TABLE)
    (world.reached.connections.folder / "t.csv").write_text("a\n1\n")

    def load(*arguments: Any) -> None:
        Simulation.apply(world, tables(t={**TABLE, "properties": {"lakehouse.seed": "second"}}))
        raise Conflict("was seeded in the meantime")

    others = [kind for kind in OBJECTS if not isinstance(kind, Seeds)]
    outcome = applied(world, tables(t={**TABLE, "seed": "t.csv"}), kinds=Registry(*others, Seeds(load)))
    assert addresses(outcome)["done"] == set()
    [failure] = outcome.failed
    assert (failure.address, "a seed is loaded once" in failure.message) == ("seed lake.n.t", True)


def test_what_may_go_no_more_is_not_gone(world: World) -> None:
    there(world, t=GOING)

    def somebody_takes_the_key_back() -> Exception:
        Simulation.apply(world, tables(t=TABLE))
        return Conflict("changed")

    world.meanwhile["table lake.n.t"] = somebody_takes_the_key_back
    outcome = applied(world, tables(), allow_destroy=True)
    assert "n.t" in world.tables
    assert addresses(outcome)["done"] == set()
    assert addresses(outcome)["failed"] == {"table lake.n.t"}


def test_what_was_done_is_reported_if_the_facts_cannot_be_read_again(world: World) -> None:
    there(world)
    asked: list[int] = []

    class Unsure(Lake):
        def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
            asked.append(1)
            if "table lake.n.t" in world.tried:
                raise UnknownState("nor here")
            return super().facts(tables, reading)

    world.meanwhile["table lake.n.t"] = lambda: UnknownState("no answer")
    unsure: Any = Unsure(world)
    outcome = applied(world, tables(t=TABLE, u=TABLE), reached=replace(world.reached, catalog=lambda name: unsure))
    assert asked
    assert outcome.done == (Done("table lake.n.u"),)
    assert outcome.failed == (Failed("table lake.n.t", "no answer", again=True),)


def test_what_stays_throttled_fails_after_some_rounds(world: World) -> None:
    there(world)
    paused: list[int] = []
    world.always["table lake.n.t"] = Throttled("busy")
    outcome = applied(world, tables(t=TABLE), reached=replace(world.reached, pause=paused.append))
    assert addresses(outcome)["failed"] == {"table lake.n.t"}
    assert paused == list(range(world.reached.rounds - 1)), "longer each time"


@pytest.mark.parametrize("location", [None, "s3://warehouse/lake/fixed"])
def test_a_folder_that_is_taken_while_a_plan_is_carried_out_is_not_shared(world: World, location: str | None) -> None:
    """An engine makes a table of another name there: after the plan, before the commit."""
    folder = location or "s3://warehouse/lake/n/t"

    def somebody() -> None:
        Simulation.apply(world, lakehouse({"other": {"tables": {"x": {**TABLE, "location": folder}}}}))

    world.meanwhile["namespace lake.n"] = somebody
    outcome = applied(world, tables(t={**TABLE, **({"location": location} if location else {})}))
    assert str(world.tables["other.x"].location) == folder
    if location is None:
        assert outcome.exit_code == 0
        assert str(world.tables["n.t"].location) == f"{folder}-2"
    else:
        assert "n.t" not in world.tables
        assert addresses(outcome)["refused"] == {"table lake.n.t"}
        assert f"{folder} is the location of lake.other.x" in outcome.refused[0].message


def test_a_saved_plan_does_not_move_to_another_folder_by_itself(world: World) -> None:
    wanted = tables(t=TABLE)

    def somebody() -> None:
        elsewhere = {**TABLE, "location": "s3://warehouse/lake/n/t"}
        Simulation.apply(world, lakehouse({"other": {"tables": {"x": elsewhere}}}))

    world.meanwhile["namespace lake.n"] = somebody
    outcome = applied(world, wanted, saved=make_plan(wanted, world.reached))
    assert "n.t" not in world.tables
    [failure] = outcome.failed
    assert "changed since the plan" in failure.message
    assert "is the location of lake.other.x" in failure.message


NEW: dict[str, Any] = {**TABLE, "renamed_from": "old"}


def test_a_rename_that_somebody_else_made_is_done(world: World) -> None:
    there(world, old=TABLE)
    world.meanwhile["rename lake.n.new"] = lambda: applies(world, tables(new=NEW))()
    outcome = applied(world, tables(new={**NEW, "columns": {"a": "long", "b": "int"}}))
    assert addresses(outcome)["done"] == {"rename lake.n.new", "table lake.n.new"}
    assert outcome.exit_code == 0
    assert world.tables.keys() == {"n.new"}


def test_a_rename_whose_answer_is_lost_is_made_once(world: World) -> None:
    there(world, old=TABLE)

    def carried_out() -> Exception:
        Simulation.apply(world, tables(new=NEW))
        return UnknownState("no answer")

    world.meanwhile["rename lake.n.new"] = carried_out
    assert applied(world, tables(new=NEW)).exit_code == 0
    assert world.tried == ["rename lake.n.new"]


def test_a_rename_of_a_table_that_was_dropped_meanwhile_fails_and_makes_no_empty_one(world: World) -> None:
    there(world, old=TABLE)
    world.meanwhile["rename lake.n.new"] = lambda: world.tables.clear()
    outcome = applied(world, tables(new=NEW))
    assert addresses(outcome)["failed"] == {"rename lake.n.new"}
    assert outcome.exit_code == 1
    assert not world.tables


def test_a_rename_whose_new_name_was_taken_meanwhile_is_refused(world: World) -> None:
    there(world, old=TABLE)
    world.meanwhile["rename lake.n.new"] = lambda: (applies(world, tables(new=TABLE))(), Exists("taken"))[1]
    outcome = applied(world, tables(new=NEW))
    assert addresses(outcome)["refused"] == {"table lake.n.new"}
    assert outcome.exit_code == 1
    assert world.tables.keys() == {"n.old", "n.new"}


@pytest.mark.parametrize("writes", range(9))
def test_a_rename_of_a_namespace_that_dies_after_any_write_is_finished_by_the_next_apply(
    world: World, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    of = {"t": TABLE, "u": TABLE}
    assert applied(world, lakehouse({"a": {"tables": of, "properties": {"k": "v"}}, "a.c": {"tables": of}})).done
    ids = {name: table.table_uuid for name, table in world.tables.items()}
    made: list[str] = []
    does = World.does

    def until(world: World, address: str, change: Change | None = None) -> None:
        if len(made) == writes:
            raise Refused("killed")
        made.append(address)
        does(world, address, change)

    wanted = lakehouse({"b": {"renamed_from": "a", "tables": of, "properties": {"k": "v"}}})
    with monkeypatch.context() as patched:
        patched.setattr(World, "does", until)
        applied(world, wanted)
    assert sorted(table.table_uuid for table in world.tables.values()) == sorted(ids.values())
    assert applied(world, wanted).exit_code == 0
    assert {name: table.table_uuid for name, table in world.tables.items()} == {
        name.replace("a", "b", 1): identity for name, identity in ids.items()
    }
    assert world.namespaces.keys() == {"b", "b.c"}
    assert RENAMED_FROM not in world.namespaces["b"]
    assert world.namespaces["b"]["k"] == "v"
    assert not make_plan(wanted, world.reached).steps
