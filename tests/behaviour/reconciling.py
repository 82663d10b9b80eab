"""The reconciler on the servers that connections reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bootstrap.reconciler import apply as applying
from bootstrap.reconciler import reconcile as reconciling
from bootstrap.reconciler.apply import Outcome
from bootstrap.reconciler.plan import Plan
from bootstrap.reconciler.tables.undrop import undrop
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections
from lakehouse.spec import Lakehouse


def make_plan(lakehouse: Lakehouse, connections: Connections, **options: Any) -> Plan:
    return reconciling.make_plan(lakehouse, World.of(connections), **options)


def reconcile(lakehouse: Lakehouse, connections: Connections, *, rounds: int = 5, **options: Any) -> Outcome:
    return reconciling.reconcile(lakehouse, replace(World.of(connections), rounds=rounds), **options)


def apply(plan: Plan, connections: Connections, **options: Any) -> Outcome:
    return applying.apply(plan, World.of(connections), **options)


def restore(lakehouse: Lakehouse, connections: Connections, name: str) -> str:
    found = undrop(lakehouse, World.of(connections), name)
    found.bring_back()
    return f"{found.what} is back, {found.rest}"
