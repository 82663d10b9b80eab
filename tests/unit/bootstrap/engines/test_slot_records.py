from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.engines.replication import SourceDatabase
from bootstrap.engines.slot_records import SlotRecord, SlotRecords
from lakehouse.errors import LakehouseError
from lakehouse.kinds.pipelines.connectors import DELETABLE
from lakehouse.runtimes.state import State
from tests.unit.bootstrap.engines.test_replication import CONFIG

SOURCE = SourceDatabase("127.0.0.1", 5432, "shop", "reader", "lakehouse_shop_1", "lakehouse_shop_1")


@pytest.fixture
def records(tmp_path: Path) -> SlotRecords:
    return SlotRecords(State(tmp_path))


def test_a_slot_is_recorded_until_it_is_forgotten(records: SlotRecords) -> None:
    assert (list(records), records.of(SOURCE)) == ([], None)
    records.connector("shop", CONFIG)
    record = SlotRecord("shop", False, SOURCE)
    assert list(records) == [record]
    assert records.of(SOURCE) == record
    assert record.name == "lakehouse_shop_1 of shop at 127.0.0.1:5432"
    records.keep(replace(record, dropped=True))
    assert [each.dropped for each in records] == [True]
    records.connector("shop", CONFIG)
    assert [each.dropped for each in records] == [False], "its connector makes it again"
    records.forget(SOURCE)
    records.forget(SOURCE)
    assert list(records) == []


def test_a_connector_that_makes_no_slot_has_no_record(records: SlotRecords) -> None:
    records.connector("orders", {"topics": "orders"})
    assert list(records) == []


def test_who_reads_is_no_part_of_where_a_slot_is(records: SlotRecords) -> None:
    records.connector("shop", CONFIG)
    records.connector("shop", {**CONFIG, "database.user": "another"})
    assert [each.source.user for each in records] == ["another"]


def test_a_pipeline_that_moved_has_a_slot_in_both_databases_and_one_key(records: SlotRecords) -> None:
    records.connector("shop", CONFIG)
    records.connector("shop", {**CONFIG, "database.port": "5433", DELETABLE: "true"})
    assert sorted((each.source.port, each.deletable) for each in records) == [(5432, True), (5433, True)]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pipeline": "shop", "deletable": true, "source": {}}'])
def test_a_record_that_cannot_be_read_is_named_with_the_fix(records: SlotRecords, text: str) -> None:
    records.keep(SlotRecord("shop", True, SOURCE))
    path = records.path(SOURCE)
    assert path.stat().st_mode & 0o077 == 0
    path.write_text(text)
    with pytest.raises(LakehouseError, match=f"{path} cannot be read .* drop that slot in its database and delete"):
        list(records)
