"""Users of Trino: what has to change. tests/kinds/access/test_trino_password.py checks that Trino enforces it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bootstrap.engines.trino_files import TrinoFiles, TrinoUser
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from lakehouse.runtimes.state import State, write_private
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.objects.test_user import NOBODY, READS, lakehouse
from tests.unit.bootstrap.reconciler.simulation import world

USERS, ALL = OBJECTS.only("trino-user"), OBJECTS.only("trino-user", "trino-rules")


def planned(want: Lakehouse, there: Mapping[str, TrinoUser] | None, *, allow_destroy: bool = False) -> Plan:
    facts = Facts({}, {}, own={} if there is None else {"trino-user": there})
    found = diff(want, facts, allow_destroy=allow_destroy, kinds=USERS)
    return plan(found, allow_destroy=allow_destroy, kinds=USERS)


def lines_of(made: Plan) -> list[str]:
    return [line for line in render(made) if not line.startswith(("Plan:", "No changes", "1 object "))]


READER, LEFT = lakehouse({"a": READS}), ["~ trino-user a", "    - access: the file does not name it"]


@pytest.mark.parametrize(
    ("want", "there", "shown"),
    [
        (READER, None, []),
        (READER, {}, ["+ trino-user a"]),
        (READER, {"a": TrinoUser()}, []),
        (READER, {"a": TrinoUser(enabled=False, right=False)}, ["~ trino-user a", "    + access"]),
        (
            READER,
            {"a": TrinoUser(right=False)},
            ["~ trino-user a", "    ~ password: Trino's file has another one than the state folder"],
        ),
        (READER, {"a": TrinoUser(ours=False)}, ["+ trino-user a"]),
        (lakehouse({"a": {}}), {}, []),
        (
            lakehouse({"a": {}}),
            {"a": TrinoUser()},
            ["~ trino-user a", "    - access: its roles grant nothing"],
        ),
        (lakehouse({"a": {}}), {"a": TrinoUser(enabled=False)}, []),
        (
            lakehouse({"a": READS}, deletable=True),
            {"a": TrinoUser()},
            ["~ trino-user a", "    ~ deletable: false -> true"],
        ),
        (NOBODY, {"a": TrinoUser()}, LEFT),
        (NOBODY, {"a": TrinoUser(enabled=False)}, []),
        (
            NOBODY,
            {"x": TrinoUser(ours=False)},
            ["~ trino-user x", "    - access: this lakehouse did not make it"],
        ),
    ],
)
def test_what_changes(want: Lakehouse, there: Mapping[str, TrinoUser] | None, shown: list[str]) -> None:
    made = planned(want, there)
    assert [line for line in lines_of(made) if line.strip()] == shown
    assert from_json(json.loads(json.dumps(made.to_json()))).steps == made.steps


def test_a_user_is_removed_only_with_both_keys() -> None:
    marked, plain = {"a": TrinoUser(deletable=True)}, {"a": TrinoUser()}
    assert lines_of(planned(NOBODY, marked, allow_destroy=True))[0] == "- trino-user a"
    for there, allow in ((marked, False), (plain, True)):
        assert lines_of(planned(NOBODY, there, allow_destroy=allow))[:2] == LEFT


def test_an_apply_brings_files_about_and_a_second_plan_is_empty(tmp_path: Path) -> None:
    state = State(tmp_path)
    config = state.config("trino") / "config.properties"
    here = world(None, trino=lambda: TrinoFiles(state, pause=lambda seconds: None))

    def bring(want: Lakehouse, **options: Any) -> list[str]:
        steps = [each.address for each in make_plan(want, here, kinds=ALL, **options).steps]
        outcome = reconcile(want, here, kinds=ALL, **options)
        assert outcome.exit_code == 0, outcome.failed
        assert not make_plan(want, here, kinds=ALL, **options).steps
        return steps

    for kinds in (USERS, ALL):
        [failed, *_] = reconcile(READER, here, kinds=kinds).failed
        assert failed.message.startswith("deploy first: Trino was started without passwords")
    assert TrinoFiles(state).users() == {}
    write_private(config, "http-server.authentication.type=PASSWORD\n")
    assert set(bring(READER)) == {"trino-rules access", "trino-user a"}
    password = TrinoFiles(state).password("a")
    assert "trino-user a" in bring(lakehouse({"a": {}}))
    assert "trino-user a" in bring(lakehouse({"a": READS}, deletable=True))
    assert TrinoFiles(state).password("a") == password
    assert "trino-user a" in bring(NOBODY, allow_destroy=True)
    assert TrinoFiles(state).users() == {}
    (state.config("trino") / "access" / "rules.json").unlink()
    assert bring(NOBODY) == ["trino-rules access"]
