"""Each table is maintained separately, and what was not done is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.catalogs.metrics import Found, measure
from bootstrap.maintenance import plan, report, run
from bootstrap.remote.connections import Connections, StoreConnection
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec.model import Lakehouse

METRICS = measure("lake.a.t", {}, None, [], [])
CONNECTIONS = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {})
COMPACT, MANIFESTS = plan.MaintenanceStep("compact", "many"), plan.MaintenanceStep("rewrite manifests", "many")
REFUSED = plan.MaintenanceStep(
    "remove orphans", "some", older_than=datetime(2026, 1, 1, tzinfo=UTC), refused="not to be"
)


class Engine:
    """Fails at one table."""

    deletes = True

    def __init__(self) -> None:
        self.did: list[tuple[str, str]] = []

    def execute(self, catalog: str, table: str, step: plan.MaintenanceStep) -> Mapping[str, Any]:
        self.did.append((table, step.action))
        if table == "a.bad":
            raise LakehouseError("no")
        return {"rewritten": 3}


def work(table: str, *steps: plan.MaintenanceStep, there: bool = True) -> run.Work:
    return run.Work("lake", table, METRICS if there else None, steps, "" if there else "it is gone")


def test_one_failure_ends_its_table_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "look", lambda work, connections: Found(METRICS, {}))
    engine = Engine()
    all_work = [
        work("a.bad", COMPACT, MANIFESTS),
        work("a.gone", there=False),
        work("a.t", REFUSED, COMPACT),
        work("a.u"),
    ]
    outcomes = list(run.carry_out(all_work, CONNECTIONS, engine, lambda work, action: None))
    assert engine.did == [("a.bad", "compact"), ("a.t", "compact")]
    assert [each.well for each in outcomes] == [False, False, False, True]
    assert list(report.complaints(outcomes)) == [
        "failed: lake.a.bad: compact: no",
        "failed: lake.a.gone: it is gone",
        "refused: lake.a.t: remove orphans: not to be.",
    ]
    assert report.outcome_json(outcomes[2])["done"] == {"compact": {"rewritten": 3}}
    assert "0 -> 0" in "\n".join(report.outcome_text(outcomes))


@pytest.mark.parametrize("now", ["s3://w/l/a/t/", "s3://w/l/a/u"])
def test_orphans_are_removed_where_the_table_still_is(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    monkeypatch.setattr(run, "look", lambda work, connections: Found(METRICS, {}))
    monkeypatch.setattr(run, "TableReader", lambda *of: SimpleNamespace(location_now=lambda table: now, catalog=None))
    engine, step = Engine(), plan.MaintenanceStep("remove orphans", "some", location="s3://w/l/a/t")
    (outcome,) = run.carry_out([work("a.t", step)], CONNECTIONS, engine, lambda work, action: None)
    assert outcome.well == now.startswith("s3://w/l/a/t")
    assert bool(engine.did) == outcome.well


def test_plan_as_text() -> None:
    assert list(report.plan_text([work("a.t", COMPACT, REFUSED), work("a.u"), work("a.gone", there=False)])) == [
        "~ lake.a.t: compact: many.",
        "! lake.a.t: remove orphans: not to be.",
        "  lake.a.u: nothing to do.",
        "! lake.a.gone: it is gone.",
    ]


def test_names_choose_tables() -> None:
    table = {"columns": {"id": "long"}, "maintenance": {"compact": {}}}
    spaces = {
        "a": {"tables": {"t": table, "tt": table, "off": {"columns": {"id": "long"}}}},
        "ab": {"tables": {"t": table}},
    }
    content = {
        "name": "x",
        "buckets": {"www": {}},
        "catalogs": {"lake": {"location": "s3://www/l", "namespaces": spaces}},
        "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
    }
    lakehouse = Lakehouse.model_validate(content)

    def names(*words: str) -> list[str]:
        return [".".join((at[1], at[3], at[5])) for at in run.chosen(lakehouse, "f.yaml", words)]

    assert names() == names("lake") == ["lake.a.t", "lake.a.tt", "lake.ab.t"]
    assert names("lake.a") == ["lake.a.t", "lake.a.tt"]
    assert names("lake.a.t", "lake.ab") == ["lake.a.t", "lake.ab.t"]
    for wrong in ("lake.a.off", "a.t", "nope"):
        with pytest.raises(UsageError, match=wrong):
            names(wrong)


def test_athena_compacts_and_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expiry and orphans are the toolkit's own there; what else Athena cannot do has Spark's call as the fix."""
    asked: list[str] = []

    class Session:
        def run(self, statement: str) -> SimpleNamespace:
            asked.append(statement)
            return SimpleNamespace(rows=iter(()))

    monkeypatch.setattr(run, "workgroup", lambda target: "group")
    monkeypatch.setattr(run, "AthenaEngine", lambda target, group: Session())
    by = run.engine(SimpleNamespace(in_aws=True))  # type: ignore[arg-type]
    assert not by.deletes
    by.execute("lake", "people.employees", COMPACT)
    assert asked == ['OPTIMIZE "people"."employees" REWRITE DATA USING BIN_PACK']
    with pytest.raises(
        LakehouseError, match=r"(?s)Athena cannot rewrite manifests.*CALL lake.system.rewrite_manifests"
    ):
        by.execute("lake", "people.employees", MANIFESTS)


@pytest.mark.parametrize("action", ["expire snapshots", "remove orphans"])
def test_what_the_engine_must_not_delete_is_deleted_here(monkeypatch: pytest.MonkeyPatch, action: plan.Action) -> None:
    monkeypatch.setattr(run, "look", lambda work, connections: Found(METRICS, {}))
    reader = SimpleNamespace(location_now=lambda table: "s3://w/t", catalog=None)
    monkeypatch.setattr(run, "TableReader", lambda *of: reader)
    did: list[str] = []

    def doing(name: str) -> Callable[..., Mapping[str, int]]:
        def do(*_: object) -> Mapping[str, int]:
            did.append(name)
            return {}

        return do

    own = SimpleNamespace(expire=doing("expire"), orphans=doing("orphans"))
    monkeypatch.setattr(run, "Garbage", lambda *of: own)
    engine = Engine()
    engine.deletes = False
    step = plan.MaintenanceStep(action, "some", location="s3://w/t")
    (outcome,) = run.carry_out([work("a.t", step)], CONNECTIONS, engine, lambda work, action: None)
    assert outcome.well
    assert engine.did == []
    assert did == [action.split()[0] if action.startswith("expire") else "orphans"]
