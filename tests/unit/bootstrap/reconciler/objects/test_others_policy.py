from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.plan import Plan, render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from lakehouse.spec import Access, Lakehouse
from tests.unit.bootstrap.reconciler.objects.test_user import READS, Store, lakehouse, read
from tests.unit.bootstrap.reconciler.simulation import world

KINDS = OBJECTS.only("user", "policy")


class Giving(Store):
    """A store in which others give users policies."""

    def take(self, name: str, policy: str, existing: str = "") -> None:
        had = self.users[name].others
        self.users[name] = replace(self.users[name], others=tuple(each for each in had if each != policy))


def file(word: str) -> Lakehouse:
    made = lakehouse({"a": READS, "b": READS})
    return made.model_copy(update={"access": Access.model_validate({**made.access.model_dump(), "grants": word})})


def planned(store: Store, word: str, **options: Any) -> Plan:
    return make_plan(file(word), world(None, users=lambda: store), kinds=KINDS, **options)


@pytest.fixture
def store() -> Giving:
    return Giving(a=read(others=("theirs", "x")), b=read(), c=read(others=("y",), ours=False))


def test_additive_says_nothing_of_policies_of_others(store: Giving) -> None:
    assert planned(store, "additive", allow_destroy=True).steps == ()
    assert planned(store, "additive").unnamed == ("user demo-c",)


def test_authoritative_shows_them_and_takes_them_away_with_the_second_key(store: Giving) -> None:
    waiting = planned(store, "authoritative")
    assert (waiting.steps, set(waiting.unnamed)) == (
        (),
        {"policy demo-a: theirs", "policy demo-a: x", "user demo-c"},
    )
    assert {note.address for note in waiting.kept} == {"policy demo-a: theirs", "policy demo-a: x"}
    made = planned(store, "authoritative", allow_destroy=True)
    assert list(render(made))[:2] == ["- policy demo-a: theirs", "- policy demo-a: x"]
    assert set(made.destroyed) == {"policy demo-a: theirs", "policy demo-a: x"}
    done = reconcile(file("authoritative"), world(None, users=lambda: store), kinds=KINDS, allow_destroy=True)
    assert done.exit_code == 0
    assert store.users == {"demo-a": read(), "demo-b": read(), "demo-c": read(others=("y",), ours=False)}
    again = planned(store, "authoritative", allow_destroy=True)
    assert (again.steps, again.unnamed) == ((), ("user demo-c",))


def test_the_user_is_first_made_as_the_file_says(store: Giving) -> None:
    store.users["demo-a"] = replace(store.users["demo-a"], enabled=False)
    steps = planned(store, "authoritative", allow_destroy=True).steps
    assert [step.needs for step in steps] == [(), ("user demo-a",), ("user demo-a",)]
