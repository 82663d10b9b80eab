"""Tables with a former name, for the tests of renames."""

from __future__ import annotations

from typing import Any

from bootstrap.reconciler.changes import Diff
from bootstrap.reconciler.plan import plan, render
from lakehouse.spec.kinds import Limits
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

A: dict[str, Any] = {"columns": {"a": "long"}}


def renamed(former: str, **more: Any) -> dict[str, Any]:
    return {**A, "renamed_from": former, **more}


def there(*names: str, limits: Limits | None = None, **table: Any) -> Simulation:
    """A catalog with these tables of the namespaces ``n`` and ``m``."""
    made = Simulation(limits)
    spaces: dict[str, Any] = {"n": {}, "m": {}}
    for name in names:
        space, _, short = name.partition(".")
        spaces[space].setdefault("tables", {})[short] = {**A, **table}
    made.apply(lakehouse(spaces))
    return made


def steps(found: Diff) -> list[str]:
    return [line for line in render(plan(found)) if line.startswith(("+", "~", "-", "    ", "!"))]
