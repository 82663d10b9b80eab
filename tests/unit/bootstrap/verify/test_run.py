from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bootstrap.session.target import Target
from bootstrap.verify import namespace
from bootstrap.verify.checks import VerifyCheck, VerifyReport
from bootstrap.verify.engines import VerifiedEngine, VerifiedTable
from bootstrap.verify.report import show
from bootstrap.verify.run import Verification

Tables = defaultdict[VerifiedTable, list[list[int]]]


class FakeEngine:
    """An engine with tables in memory. It does not see tables in ``blind``, and fails at the call ``fails``."""

    def __init__(
        self, name: str, tables: Tables, *, blind: str = "", fails: str = "", history: bool = True, views: str = ""
    ) -> None:
        self.views, self.looked = views, list[VerifiedTable]()
        self.name, self.table = name, f"by_{name}"
        self.services: tuple[str, ...] = (f"{name}-service",)
        self._tables, self._blind, self._fails, self._history = tables, blind, fails, history
        self.stopped = False

    def keeps_history(self, catalog: str) -> bool:
        return self._history

    def write(self, table: VerifiedTable, numbers: Sequence[int]) -> None:
        if self._fails == "write":
            raise RuntimeError("no room")
        if self._fails == "interrupt":
            raise KeyboardInterrupt
        self._tables[table] = [list(numbers[:count]) for count in range(len(numbers) + 1)]

    def read(self, table: VerifiedTable, snapshot: int | None = None) -> list[int]:
        if self._blind and self._blind in table.name:
            return []
        return self._tables[table][-1 if snapshot is None else snapshot]

    def snapshots(self, table: VerifiedTable) -> list[int]:
        known = list(range(len(self._tables[table])))
        return known[:-1] if self._fails == "history" else known

    def look(self, view: VerifiedTable) -> None:
        self.looked.append(view)
        if self._fails == "look":
            raise RuntimeError(f"View is stale\n{view.name}")

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def tables() -> Tables:
    return defaultdict(list)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened to namespaces, in order."""
    happened: list[str] = []

    def remove(target: Target, catalog: str, name: str) -> int:
        happened.append(f"- {catalog}.{name}")
        return 4

    monkeypatch.setattr(namespace, "create", lambda target, catalog, name: happened.append(f"+ {catalog}.{name}"))
    monkeypatch.setattr(namespace, "remove", remove)
    return happened


def verify(target: Target, engines: Sequence[VerifiedEngine]) -> dict[str, VerifyCheck]:
    return {check.what: check for check in Verification(target, engines, "verify_1", lambda: None).run()}


def test_every_engine_writes_and_reads_what_the_others_wrote(target: Target, tables: Tables, world: list[str]) -> None:
    engines = [FakeEngine("a", tables), FakeEngine("b", tables), FakeEngine("c", tables, history=False)]
    checks = verify(target, engines)
    assert list(checks) == [
        "namespace created",
        *("a writes", "b writes", "c writes"),
        *("a reads", "b reads", "c reads"),
        *("a reads as of a snapshot", "b reads as of a snapshot"),
        "everything removed",
    ]
    assert all(check.ok for check in checks.values())
    assert checks["a reads"].note == "what a, b, c wrote"
    assert checks["a reads as of a snapshot"].note == "the 2 states of what b wrote"
    assert world == ["+ lake.verify_1", "- lake.verify_1"]
    assert all(each.stopped for each in engines)


def test_who_does_not_see_a_row_is_named(target: Target, tables: Tables, world: list[str]) -> None:
    checks = verify(target, [FakeEngine("a", tables), FakeEngine("b", tables, blind="by_a")])
    assert [what for what, check in checks.items() if not check.ok] == ["b reads"]
    assert checks["b reads"].note == ("a wrote [1, 2], b reads []\n  `lakehouse logs b-service` shows more.")


def test_one_that_cannot_write_is_blamed_and_the_rest_goes_on(target: Target, tables: Tables, world: list[str]) -> None:
    checks = verify(target, [FakeEngine("a", tables, fails="write"), FakeEngine("b", tables)])
    assert not checks["a writes"].ok
    assert checks["a writes"].note.startswith("RuntimeError: no room")
    assert checks["a reads"].note == "what b wrote"
    assert checks["b reads"].ok
    assert world[-1] == "- lake.verify_1"


def test_lost_snapshots_are_found(target: Target, tables: Tables, world: list[str]) -> None:
    checks = verify(target, [FakeEngine("a", tables), FakeEngine("b", tables, fails="history")])
    assert checks["b reads as of a snapshot"].note.startswith(
        "by_b held [[1], [1, 2]] one after the other, b reads [[1]]"
    )


def test_with_no_row_written_nothing_is_read(target: Target, tables: Tables, world: list[str]) -> None:
    checks = verify(target, [FakeEngine("a", tables, fails="write")])
    assert list(checks) == ["namespace created", "a writes", "everything removed"]


def test_a_namespace_that_cannot_be_made_ends_it(
    target: Target, tables: Tables, world: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise RuntimeError("503")

    monkeypatch.setattr(namespace, "create", refuse)
    checks = verify(target, [FakeEngine("a", tables)])
    assert list(checks) == ["namespace created", "everything removed"]
    assert checks["namespace created"].note == "RuntimeError: 503"


def test_an_interruption_leaves_nothing_behind(target: Target, tables: Tables, world: list[str]) -> None:
    engine = FakeEngine("a", tables, fails="interrupt")
    with pytest.raises(KeyboardInterrupt):
        verify(target, [engine])
    assert world == ["+ lake.verify_1", "- lake.verify_1"]
    assert engine.stopped


def test_a_report_says_what_failed_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    report = VerifyReport(
        (VerifyCheck("lake", "a writes", True, 0.5, "by_a"), VerifyCheck("lake", "a reads", False, 1.0, "why [x]")), 2.0
    )
    show(report)
    shown = capsys.readouterr().out
    assert not report.ok
    assert "lake: a reads: FAILED\n  why [x]" in shown
    assert "1 of 2 checks failed after 2.0 s." in shown


def test_a_report_without_checks_proves_nothing() -> None:
    assert not VerifyReport((), 0.0).ok


def test_names_are_unique() -> None:
    assert len({namespace.unique() for _ in range(100)}) == 100


class FakeStore:
    """The part of boto3's client that is used."""

    def __init__(self, keys: list[str], *, stubborn: bool = False) -> None:
        self.keys, self._stubborn = keys, stubborn

    def get_paginator(self, name: str) -> FakeStore:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, list[dict[str, str]]]]:  # noqa: N803 - boto3's
        found = [{"Key": key} for key in self.keys if key.startswith(Prefix)]
        return [{"Contents": found}] if found else [{}]

    def delete_object(self, Bucket: str, Key: str) -> None:  # noqa: N803 - boto3's
        if not self._stubborn:
            self.keys.remove(Key)


def test_files_below_a_place_are_deleted_and_no_others() -> None:
    store = FakeStore(["lake/verify_1/t/data.parquet", "lake/verify_10/t/data.parquet"])
    assert namespace._delete(store, "s3://warehouse/lake/verify_1/") == 1
    assert store.keys == ["lake/verify_10/t/data.parquet"]


def test_files_that_are_left_are_reported() -> None:
    from lakehouse.errors import LakehouseError

    with pytest.raises(LakehouseError, match="1 files are left under s3://warehouse/lake/verify_1/"):
        namespace._delete(FakeStore(["lake/verify_1/a"], stubborn=True), "s3://warehouse/lake/verify_1/")


def test_views_are_read_by_the_engines_that_they_have_sql_for(target: Target, tables: Tables, world: list[str]) -> None:
    columns = {"a": "int"}
    views = {"v": {"sql": "SELECT 1", "columns": columns}, "w": {"sql": {"spark": "SELECT 1"}, "columns": columns}}
    data = target.lakehouse.model_dump(mode="json", exclude_unset=True)
    data["catalogs"]["lake"]["namespaces"] = {"n": {"views": views}}
    viewed = replace(target, lakehouse=type(target.lakehouse).model_validate(data))
    spark, trino = FakeEngine("a", tables, views="spark"), FakeEngine("b", tables, views="trino", fails="look")
    checks = verify(viewed, [spark, trino, FakeEngine("c", tables)])
    assert checks["a reads the file's views"].note == "2 of them"
    assert spark.looked == [("lake", "n", "v"), ("lake", "n", "w")]
    assert not checks["b reads the file's views"].ok
    assert checks["b reads the file's views"].note.startswith("lake.n.v: View is stale. Correct its `sql`")
    assert "c reads the file's views" not in checks
