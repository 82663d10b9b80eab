"""Every kind of catalog that a file may name: its contents are planned, applied and found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap import catalogs
from bootstrap.reconciler.plan import render
from lakehouse.kinds import CATALOGS
from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import KINDS, Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(900)]

COLUMNS: dict[str, Any] = {"id": {"type": "long", "required": True}, "day": "date", "price": "decimal(10, 2)"}


# A store that serves tables itself drops them only with their files: test_s3tables.py has that kind's own tests.
OVER_ANY_STORE = [word for word in KINDS if not CATALOGS[word].in_store]


@pytest.mark.parametrize("kind", OVER_ANY_STORE)
def test_contents_are_planned_made_changed_and_found_again(
    kind: str, servers: Servers, root: str, tmp_path: Path
) -> None:
    connections = servers.connections(tmp_path / "cache", kind=kind)
    table = {"columns": COLUMNS, "partition_by": ["month(day)"], "doc": "prices"}
    first = lakehouse({root: {"properties": {"team": "us"}, "tables": {"t": table}}})
    assert any(f"table lake.{root}.t" in line for line in render(make_plan(first, connections)))
    assert reconcile(first, connections).exit_code == 0
    assert make_plan(first, connections).steps == ()

    wider = {**table, "columns": {**COLUMNS, "volume": "long"}}
    second = lakehouse({root: {"properties": {"team": "them"}, "tables": {"t": wider}}})
    assert reconcile(second, connections).exit_code == 0
    assert make_plan(second, connections).steps == ()
    found = catalogs.connect("lake", connections).facts({f"{root}.t"}, lambda count, of: None)
    assert [field.name for field in found.tables[f"{root}.t"].schema.fields] == [*COLUMNS, "volume"]
    assert found.namespaces[root]["team"] == "them"

    going = {**wider, "deletable": True}
    assert reconcile(lakehouse({root: {"tables": {"t": going}, "deletable": True}}), connections).exit_code == 0
    assert reconcile(lakehouse({}), connections, allow_destroy=True).exit_code == 0
    assert root not in catalogs.connect("lake", connections).facts(None, lambda count, of: None).namespaces
