"""Replication slots of a real PostgreSQL: one that nobody reads goes, and so does its publication; readers;
slots that Kafka Connect left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.engines.replication import SourceDatabase, drop, kept
from bootstrap.engines.slot_records import SlotRecord, SlotRecords
from bootstrap.reconciler.apply import Outcome
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.reconcile import reconcile
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Refused
from lakehouse import packages
from lakehouse.kinds.platform import postgres
from lakehouse.runtimes.state import State
from tests.integration.deployment import until
from tests.kinds.shop import PASSWORD, Shop
from tests.kinds.test_streams import shop
from tests.unit.lakehouse.kinds.pipelines.streaming import without_pipelines

__all__ = ["shop"]  # a fixture

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(300)]

NAME = "lakehouse_items_1"


@pytest.fixture
def source(shop: Shop) -> SourceDatabase:
    """A slot with its publication, as Debezium makes them."""
    shop.sql(f"CREATE PUBLICATION {NAME} FOR TABLE items")
    shop.sql(f"SELECT pg_create_logical_replication_slot('{NAME}', 'pgoutput')")
    return SourceDatabase("127.0.0.1", shop.port, "shop", "postgres", NAME, NAME)


@pytest.fixture
def reader(shop: Shop, source: SourceDatabase) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody who reads the slot."""
    home = packages.location(postgres.PACKAGE)
    at = f"host=127.0.0.1 port={shop.port} dbname=shop user=postgres"
    with subprocess.Popen(
        [home / "bin/pg_recvlogical", "--start", "--no-loop", f"--slot={NAME}", f"--dbname={at}", "--file=-",
         "--option=proto_version=1", f"--option=publication_names={NAME}"],
        env={**os.environ, "LD_LIBRARY_PATH": str(home / "lib"), "PGPASSWORD": PASSWORD},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            until(lambda: is_read(shop), 60)
            yield process
        finally:
            process.kill()


def is_read(shop: Shop) -> bool:
    return shop.sql("SELECT count(*) FROM pg_replication_slots WHERE active") == "1"


def left(shop: Shop) -> tuple[str, str]:
    """How many slots and publications there are."""
    return shop.slots, shop.sql("SELECT count(*) FROM pg_publication")


def test_a_slot_that_is_read_is_left_alone_or_taken_from_its_reader(
    shop: Shop, source: SourceDatabase, reader: subprocess.Popen[bytes]
) -> None:
    assert not drop(source, PASSWORD, lambda seconds: None, end_reader=False)
    assert is_read(shop)
    assert left(shop) == ("1", "1")
    assert drop(source, PASSWORD)
    assert left(shop) == ("0", "0")
    assert reader.wait(30) != 0
    assert drop(source, PASSWORD), "a second time there is nothing to do"
    assert kept(source, PASSWORD) is None


def test_a_killed_reader_keeps_no_slot(shop: Shop, source: SourceDatabase, reader: subprocess.Popen[bytes]) -> None:
    assert kept(source, PASSWORD) is not None
    reader.kill()
    assert drop(source, PASSWORD, end_reader=False)
    assert left(shop) == ("0", "0")


def applied(state: State, *, allow_destroy: bool) -> Outcome:
    """The result of an apply of a file without pipelines, whose stack has no Kafka Connect."""
    store = StoreConnection("http://127.0.0.1:1", "us-east-1")
    where = World.of(Connections(store, {}, user_keys=state))
    return reconcile(without_pipelines(), where, allow_destroy=allow_destroy, kinds=OBJECTS.only("slot"))


def test_a_slot_goes_with_both_keys_after_its_pipeline_left_the_file_with_connect(
    shop: Shop, source: SourceDatabase, tmp_path: Path
) -> None:
    state = State(tmp_path)
    state.keep("pipeline-items", PASSWORD)
    SlotRecords(state).keep(SlotRecord("items", True, source))
    outcome = applied(state, allow_destroy=False)
    [stays] = outcome.stays
    assert stays.address == f"slot {NAME} of shop at 127.0.0.1:{shop.port}"
    assert left(shop) == ("1", "1")
    outcome = applied(state, allow_destroy=True)
    assert [each.address for each in outcome.done] == [stays.address]
    assert left(shop) == ("0", "0")
    assert applied(state, allow_destroy=True).exit_code == 0


def test_a_slot_that_was_dropped_by_hand_is_forgotten(shop: Shop, source: SourceDatabase, tmp_path: Path) -> None:
    state = State(tmp_path)
    state.keep("pipeline-items", PASSWORD)
    records = SlotRecords(state)
    records.keep(SlotRecord("items", False, source))
    assert len(applied(state, allow_destroy=True).stays) == 1
    shop.sql(f"SELECT pg_drop_replication_slot('{NAME}')")
    assert applied(state, allow_destroy=True) == Outcome()
    assert [each.dropped for each in records] == [True]
    shop.sql(f"DROP PUBLICATION {NAME}")


def test_a_password_that_is_refused_is_an_error_with_the_slot(shop: Shop, source: SourceDatabase) -> None:
    with pytest.raises(Refused, match=f"the replication slot {NAME} of shop at .* stays, .*password authentication"):
        drop(source, "another")
    assert drop(source, PASSWORD, end_reader=False)
