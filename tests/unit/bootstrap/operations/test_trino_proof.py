"""What is tried in Trino. tests/kinds/access/test_access_kinds.py tries it on a real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from trino.exceptions import HttpError, TrinoQueryError, TrinoUserError

from bootstrap.operations import trino_proof
from bootstrap.operations.trino_proof import OURS, calls, outcomes
from bootstrap.session.target import Target, find
from bootstrap.session.trino_login import TrinoLogin
from lakehouse.access.engines import EngineCall, EngineOperation
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import owner
from tests.unit.bootstrap.reconciler.objects.test_user import lakehouse
from tests.unit.lakehouse.services.place import PROJECT

Answer = Callable[[str], Any]  # rows, or an error


def test_tables_of_the_file_are_never_dropped() -> None:
    spec = lakehouse({"all": {"lake": ["manage"]}})
    found = calls(spec)
    assert {(each.namespace, each.name) for each in found if each.operation == "drop"} == {
        ("bronze", ""),
        ("silver", ""),
    }
    assert {(each.namespace, each.name) for each in found if each.operation == "write"} >= {("bronze", "raw")}
    assert all(each.allowed for each in found)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    file = tmp_path / "lakehouse.yaml"
    file.write_text((PROJECT / "lakehouse.yaml").read_text())
    found = find(file, "local")
    owner.mark(found.located.state, found.located.claim)
    return found


def error(name: str) -> TrinoQueryError:
    return TrinoUserError({"errorName": name, "message": f"it says {name}", "errorType": "USER_ERROR"})


DENIED = error("PERMISSION_DENIED")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[tuple[str, str]]]:
    """Makes principals get those answers. Returns who sends which statement."""

    def answering(answer: Answer) -> list[tuple[str, str]]:
        asked = []

        def asking(target: Any, login: TrinoLogin | None) -> Any:
            def ask(statement: str) -> list[list[Any]]:
                asked.append((login.user if login else "", statement))
                found = answer(statement) if login else []
                if isinstance(found, Exception):
                    raise found
                return list(found)

            return ask

        monkeypatch.setattr(trino_proof, "_asking", asking)
        return asked

    return answering


def always(error: Exception) -> Answer:
    return lambda statement: error


def call(operation: EngineOperation, allowed: bool = True, name: str = "t", **more: Any) -> EngineCall:
    return EngineCall("bi", operation, "lake", "silver", name, allowed, **more)


def one(target: Target, *wanted: EngineCall) -> list[bool]:
    """Whether each call was allowed."""
    return [each.allowed for each in outcomes(wanted, target, lambda name: "a word")]


@pytest.mark.parametrize(
    "operation", ["list", "load", "read", "read-all", "history", "write", "execute", "create", "drop"]
)
def test_yes_and_no_are_told_apart(
    operation: EngineOperation, target: Target, sent: Callable[[Answer], list[tuple[str, str]]]
) -> None:
    sent(lambda statement: [["t"]])
    assert one(target, call(operation)) == [True]
    for no in (DENIED, HttpError("error 401: b'...'")):
        sent(always(no))
        assert one(target, call(operation)) == [False]
    for other in (error("TABLE_NOT_FOUND"), HttpError("error 500: b'...'")):
        sent(always(other))
        with pytest.raises(LakehouseError, match="neither yes nor no"):
            one(target, call(operation))


def test_what_is_only_filtered_out_is_denied(target: Target, sent: Callable[[Answer], list[tuple[str, str]]]) -> None:
    sent(lambda statement: [["others"]] if statement.startswith("SHOW") else [])
    assert one(target, call("list"), call("load")) == [False, False]


def test_one_change_too_many_or_too_few_is_found(
    target: Target, sent: Callable[[Answer], list[tuple[str, str]]]
) -> None:
    sent(lambda statement: DENIED if "DELETE" in statement else [])
    assert one(target, call("write", allowed=True), call("write", allowed=False)) == [False, True]


def test_compaction_of_a_filtered_table_is_refused_in_other_words(
    target: Target, sent: Callable[[Answer], list[tuple[str, str]]]
) -> None:
    sent(lambda statement: error("NOT_SUPPORTED"))
    assert one(target, call("execute")) == [False]


@pytest.mark.parametrize(
    ("narrowed", "asked"),
    [
        ({"filters": ("a > 0", "b")}, ["NOT coalesce((a > 0) OR (b), false)"]),
        ({"filters": ("a > 0", "id IN (SELECT id FROM lake.bronze.sold)")}, []),
        ({"filters": ("id in (table ids)",)}, []),
        ({"filters": ("selected",)}, ["NOT coalesce((selected), false)"]),
        ({"masks": (("Email", "mask"),)}, ['"email" IS NOT NULL']),
        ({"masks": (("email", "substr(email, 1, 1)"),)}, []),
        ({"filters": ("a > 0",), "masks": (("email", "mask"),)}, ['"email" IS NOT NULL']),
    ],
)
@pytest.mark.parametrize("leaks", [False, True])
def test_whether_hidden_rows_and_values_are_seen(
    narrowed: Mapping[str, Any],
    asked: list[str],
    leaks: bool,
    target: Target,
    sent: Callable[[Answer], list[tuple[str, str]]],
) -> None:
    found = sent(lambda statement: [[1]] if leaks and statement.startswith("SELECT 1") else [])
    wanted = [call("read", **narrowed), call("read-all", allowed=False)]
    assert one(target, *wanted) == [True, leaks and bool(asked)]
    conditions = [statement for _, statement in found if statement.startswith("SELECT 1")]
    assert conditions == [f'SELECT 1 FROM "lake"."silver"."t" WHERE {each} LIMIT 1' for each in asked]


def test_who_has_no_password_is_not_tried_and_tables_of_the_test_go(
    target: Target, sent: Callable[[Answer], list[tuple[str, str]]]
) -> None:
    found = sent(lambda statement: DENIED)
    wanted = [call("drop", allowed=False, name=""), EngineCall("idle", "read", "lake", "silver", "", allowed=True)]
    made = list(outcomes(wanted, target, {"bi": "a word"}.get))
    assert [each.allowed for each in made] == [False, False]
    assert {each.call.place for each in made} == {"lake.silver"}
    assert [who for who, _ in found] == ["", "", "bi", "", ""]
    assert [statement.split()[0] for _, statement in found] == ["CREATE", "CREATE", "DROP", "DROP", "DROP"]
    assert all(OURS in statement for _, statement in found)
