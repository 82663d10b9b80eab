"""Tables that get another name on real catalogs: they keep their rows, history and place. For every kind that can."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, RESTError

from bootstrap import catalogs
from bootstrap.catalogs.base import RenamesNamespaces
from bootstrap.reconciler.marks import RENAMED_FROM
from bootstrap.reconciler.plan import render
from bootstrap.remote.connections import Connections
from lakehouse.spec.kinds import known
from tests.behaviour.conftest import lakehouse, table_of
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import KINDS, Servers
from tests.behaviour.test_tables import applied

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]
ABLE = [word for word in KINDS if known().catalogs[word].can.renames]


@pytest.fixture(params=ABLE)
def chosen(servers: Servers, request: pytest.FixtureRequest) -> Servers:
    """The servers with one kind of catalog that can rename."""
    return servers.of(str(request.param))


@pytest.fixture
def connections(chosen: Servers) -> Connections:
    return chosen.connections()


@pytest.fixture
def witness(chosen: Servers, connections: Connections) -> Catalog:
    assert reconcile(lakehouse({}), connections).exit_code == 0  # a server that makes catalogs has none before
    return load_catalog("lake", **chosen.pyiceberg())


T: dict[str, Any] = {"columns": {"a": "int"}}
ONE = pa.table({"a": pa.array([1], pa.int32())})


def test_a_table_gets_another_name_and_namespace_and_keeps_its_rows_and_history(
    connections: Connections, chosen: Servers, root: str, below: Callable[[str], str], witness: Catalog
) -> None:
    inner = below("inner")
    applied(lakehouse({root: {"tables": {"old": T}}, inner: {}}), connections)
    before = witness.load_table(f"{root}.old")
    before.append(ONE)
    history = [each.snapshot_id for each in witness.load_table(f"{root}.old").metadata.snapshots]
    columns = {"b": {"type": "long", "renamed_from": "a"}}
    wanted = lakehouse({root: {}, inner: {"tables": {"new": {"columns": columns, "renamed_from": f"{root}.old"}}}})
    lines = list(render(make_plan(wanted, connections)))
    first = f"~ rename lake.{inner}.new"
    assert lines[lines.index(first) :][:4] == [
        first,
        f"    ~ table {root}.old -> {inner}.new: it keeps its rows, history and folder",
        f"~ table lake.{inner}.new",
        "    ~ column a -> b (renamed)",
    ]
    applied(wanted, connections)
    after = table_of(chosen, f"{inner}.new")
    assert not witness.table_exists(f"{root}.old")
    assert after.metadata.table_uuid == before.metadata.table_uuid
    assert after.location() == before.location()
    assert [each.snapshot_id for each in after.metadata.snapshots] == history
    assert after.scan().to_arrow().to_pylist() == [{"b": 1}]
    if known().catalogs[chosen.default].can.history:  # else PyIceberg does not see the column's new name
        witness.load_table(f"{inner}.new").append(pa.table({"b": pa.array([2], pa.int64())}))
        assert not make_plan(wanted, connections).steps


def test_two_that_rename_at_once_and_a_writer_lose_nothing(
    connections: Connections, chosen: Servers, root: str, witness: Catalog
) -> None:
    applied(lakehouse({root: {"tables": {"old": T}}}), connections)
    writer = witness.load_table(f"{root}.old")
    writer.append(ONE)
    wanted = lakehouse({root: {"tables": {"new": {**T, "renamed_from": "old"}}}})
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: reconcile(wanted, connections), range(2)))
    assert [(outcome.exit_code, outcome.failed) for outcome in both] == [(0, ())] * 2
    with pytest.raises((CommitFailedException, NoSuchTableError, RESTError)):
        writer.append(ONE)  # it still has the former name
    assert not witness.table_exists(f"{root}.old")
    assert len(table_of(chosen, f"{root}.new").scan().to_arrow()) == 1


def test_a_table_that_has_the_new_name_already_is_left_alone(
    connections: Connections, root: str, witness: Catalog
) -> None:
    applied(lakehouse({root: {"tables": {"old": T, "new": T}}}), connections)
    outcome = reconcile(lakehouse({root: {"tables": {"new": {**T, "renamed_from": "old"}}}}), connections)
    assert "both exist" in outcome.refused[0].message
    assert sorted(name for _, name in witness.list_tables(root)) == ["new", "old"]


def test_a_namespace_gets_another_name_with_all_of_its_tables_also_after_an_interruption(
    connections: Connections, chosen: Servers, root: str, below: Callable[[str], str], witness: Catalog
) -> None:
    nested = {f"{root}.deep": {"tables": {"t": T}}} if below("") == f"{root}." else {}
    applied(lakehouse({root: {"tables": {"t": T, "unnamed": T}, "properties": {"team": "us"}}, **nested}), connections)
    witness.load_table(f"{root}.t").append(ONE)
    wanted = lakehouse({f"{root}x": {"tables": {"t": T}, "renamed_from": root}})
    if not isinstance(catalogs.connect("lake", connections), RenamesNamespaces):
        witness.create_namespace(f"{root}x", {RENAMED_FROM: root})  # an apply was killed after its second request
        witness.rename_table(f"{root}.unnamed", f"{root}x.unnamed")
    applied(wanted, connections)
    found = catalogs.connect("lake", connections).facts(None, lambda count, of: None)
    assert root not in found.namespaces
    assert RENAMED_FROM not in found.namespaces[f"{root}x"]
    tables = {name for name in found.tables if name.startswith(root)}
    assert tables == {f"{root}x.t", f"{root}x.unnamed", *([f"{root}x.deep.t"] if nested else [])}
    assert len(table_of(chosen, f"{root}x.t").scan().to_arrow()) == 1
