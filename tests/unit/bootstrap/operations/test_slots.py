from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.engines import replication
from bootstrap.engines.replication import SourceDatabase
from bootstrap.engines.slot_records import SlotRecords
from bootstrap.operations import slots
from bootstrap.operations.destroy import destroy_data
from bootstrap.reconciler.objects import replication_slot
from bootstrap.remote.errors import Refused, RemoteError, Unreachable
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.owner import mark
from lakehouse.spec import Lakehouse
from tests.unit.lakehouse.kinds.pipelines.streaming import ITEMS, ORDERS, SHOP, lakehouse, without_pipelines

NOTHING = without_pipelines()


def target_of(tmp_path: Path, pipelines: dict[str, Any]) -> Target:
    """A stack that is down, and that was deployed with these pipelines."""
    (tmp_path / "lakehouse.yaml").write_text("")
    found = Target(tmp_path / "lakehouse.yaml", lakehouse(pipelines), "local")
    found.local.state.prepare()
    mark(found.local.state, found.local.claim)
    for name in pipelines:
        found.local.state.keep(f"pipeline-{name}", "of-the-shop")
    return found


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return target_of(tmp_path, {"orders": ORDERS, "shop": SHOP, "items": ITEMS})


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def drop(source: SourceDatabase, password: str, *, end_reader: bool) -> bool:
        assert not end_reader
        found.append((source.slot, password))
        return True

    monkeypatch.setattr(replication, "drop", drop)
    return found


def kept(monkeypatch: pytest.MonkeyPatch, answer: int | RemoteError | None) -> None:
    def asked(source: SourceDatabase, password: str) -> int | None:
        if isinstance(answer, RemoteError):
            raise answer
        return answer

    monkeypatch.setattr(replication, "kept", asked)


def test_only_pipelines_that_read_postgresql_have_slots(target: Target) -> None:
    [found] = slots.sources(target)
    assert found.name == f"{found.source.slot} of shop at db.example.com:5432"
    assert found.source.slot.startswith("lakehouse_shop_")


def test_a_stack_that_was_never_deployed_has_none_and_gets_no_password(target: Target) -> None:
    password = target.local.state.kept("pipeline-shop")
    password.unlink()
    assert slots.sources(target) == []
    assert not password.exists()


@pytest.mark.parametrize("answer", [0, 4096, Refused("no such user")])
def test_a_slot_that_is_there_or_may_be_is_named_with_what_drops_it(
    target: Target, monkeypatch: pytest.MonkeyPatch, answer: int | RemoteError
) -> None:
    kept(monkeypatch, answer)
    [said] = slots.left(target)
    slot = slots.sources(target)[0].source.slot
    assert f"its replication slot {slot} stays in shop at db.example.com:5432" in said
    assert f"`lakehouse destroy --data` drops the slot, or there: SELECT pg_drop_replication_slot('{slot}')." in said


def test_nothing_is_said_of_a_slot_that_is_not_there(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(monkeypatch, None)
    assert list(slots.left(target)) == []


def test_slots_go_with_the_data(target: Target, dropped: list[tuple[str, str]]) -> None:
    slot = slots.sources(target)[0].source.slot
    destroy_data(target, yes=True)
    assert dropped == [(slot, "of-the-shop")]
    assert not target.located.state.root.exists()


def test_a_slot_that_another_copy_reads_stays_and_the_data_goes(
    target: Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a lakehouse that was restored beside the one that runs, and is no longer needed."""
    monkeypatch.setattr(replication, "drop", lambda source, password, end_reader: False)
    slot = slots.sources(target)[0].source.slot
    destroy_data(target, yes=True)
    said = capsys.readouterr().err
    assert (
        said
        == f"The replication slot {slot} stays in shop at db.example.com:5432: another copy of this stack reads it.\n"
    )
    assert not target.located.state.root.exists()


def test_the_data_stays_with_the_password_while_a_slot_does(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    source = {**SHOP["from"]["postgres"], "host": "127.0.0.1", "port": port}
    target = target_of(tmp_path, {"shop": {**SHOP, "from": {"postgres": source}}})
    with pytest.raises(LakehouseError) as refused:
        destroy_data(target, yes=True)
    said = str(refused.value)
    assert said.startswith(f"pipelines.shop: PostgreSQL at 127.0.0.1:{port} cannot be reached")
    assert f"Its replication slot {slots.sources(target)[0].source.slot} stays" in said
    assert "The stack's data is still there, with the password" in said
    assert "remove pipelines.shop from lakehouse.yaml" in said
    assert "lakehouse deploy" not in said, "the database is no part of the stack"
    assert target.local.state.secret("pipeline-shop") == "of-the-shop"
    without = Target(target.path, lakehouse({}), "local")
    destroy_data(without, yes=True)
    assert not target.located.state.root.exists()


def recorded(target: Target) -> Path:
    """The record of the slot that an apply of the target's file writes."""
    [found] = slots.sources(target)
    records = SlotRecords(target.local.state)
    records.keep(found)
    return records.path(found.source)


def test_the_slot_of_a_pipeline_that_left_the_file_goes_with_the_data_too(
    target: Target, dropped: list[tuple[str, str]]
) -> None:
    [slot] = [each.source.slot for each in slots.sources(target)]
    recorded(target)
    assert len(slots.sources(target)) == 1, "it is not there twice"
    destroy_data(Target(target.path, NOTHING, "local"), yes=True)
    assert dropped == [(slot, "of-the-shop")]
    assert not target.located.state.root.exists()


def test_a_slot_that_was_dropped_is_not_dropped_again(target: Target, dropped: list[tuple[str, str]]) -> None:
    [found] = slots.sources(target)
    SlotRecords(target.local.state).keep(replace(found, dropped=True))
    destroy_data(Target(target.path, NOTHING, "local"), yes=True)
    assert dropped == []


def test_the_way_out_if_the_database_is_gone_is_to_forget_its_slot(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(source: SourceDatabase, password: str, *, end_reader: bool) -> bool:
        raise Unreachable("PostgreSQL", str(source), "no route", "It stays.")

    monkeypatch.setattr(replication, "drop", gone)
    record = recorded(target)
    for of, way_out in (
        (target, f"If the database is gone, remove pipelines.shop from lakehouse.yaml and delete {record} first."),
        (Target(target.path, NOTHING, "local"), f"If the database is gone, delete {record} first."),
    ):
        with pytest.raises(LakehouseError) as refused:
            destroy_data(of, yes=True)
        assert way_out in str(refused.value)
    record.unlink()
    destroy_data(Target(target.path, NOTHING, "local"), yes=True)
    assert not target.located.state.root.exists()


def test_a_stack_that_is_stopped_names_the_slot_of_a_pipeline_that_left_the_file(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(monkeypatch, 0)
    recorded(target)
    [said] = slots.left(Target(target.path, NOTHING, "local"))
    assert said.startswith("Pipeline shop is no longer in lakehouse.yaml, but its replication slot lakehouse_shop_")


def test_a_deploy_names_a_slot_that_no_pipeline_reads(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def file(of: Lakehouse) -> None:
        target.path.write_text(json.dumps(of.model_dump(mode="json", by_alias=True, exclude_unset=True)))

    monkeypatch.setattr(replication_slot, "kept", lambda source, password, patience: 0)
    file(target.lakehouse)
    assert list(slots.unread(target)) == []
    recorded(target)
    file(NOTHING)
    [said] = slots.unread(Target(target.path, NOTHING, "local"))
    assert said.startswith("No pipeline reads the replication slot lakehouse_shop_")
    assert "shop at db.example.com:5432 keeps its log for it until its disk is full" in said
