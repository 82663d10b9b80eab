"""Tables in a real catalog: what is applied exists, a second plan is empty, evolution keeps every row."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError

from bootstrap import catalogs
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.reconciler.plan import Plan, render
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing
from bootstrap.remote.s3 import client
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse, table_of
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

BARS: dict[str, Any] = {
    "columns": {
        "ticker": {"type": "string", "required": True, "doc": "symbol"},
        "window_start": {"type": "timestamptz", "required": True},
        "close": "float",
        "volume": "int",
        "price": "decimal(10, 2)",
        "venue": "struct<code: required string, rank: int>",
        "tags": "list<string>",
        "attributes": "map<string, struct<a: int>>",
    },
    "partition_by": ["day(window_start)"],
    "sort_by": ["ticker", "close desc nulls last"],
    "identifier": ["ticker"],
    "properties": {"write.parquet.compression-codec": "zstd"},
    "doc": "bars",
}
ROW = {
    "ticker": "A",
    "window_start": datetime.datetime(2026, 1, 14, tzinfo=datetime.UTC),
    "close": 1.5,
    "volume": 7,
    "price": None,
    "venue": {"code": "X", "rank": 1},
    "tags": ["t"],
    "attributes": [("k", {"a": 1})],
}


def applied(wanted: Lakehouse, connections: Connections, **options: Any) -> None:
    outcome = reconcile(wanted, connections, **options)
    assert outcome.exit_code == 0, outcome
    left = make_plan(wanted, connections, allow_destroy=options.get("allow_destroy", False))
    assert not left.steps, list(render(left))


def described(plan: Plan) -> list[str]:
    return [f"{detail.symbol} {detail.text}" for step in plan.steps for detail in step.change.details]


@pytest.fixture
def witness(servers: Servers) -> Catalog:
    return load_catalog("lake", **servers.pyiceberg())


def test_every_type_comes_back_as_it_was_asked_for(connections: Connections, root: str, witness: Catalog) -> None:
    primitives = ["boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "string"]
    primitives += ["uuid", "binary", "fixed[16]", "decimal(38, 10)"]
    columns: dict[str, Any] = {f"c{n}": kind for n, kind in enumerate(primitives)}
    columns["nested"] = "struct<a: list<map<string, struct<b: required long, c: list<required date>>>>, d: fixed[3]>"
    terms = ["identity", "bucket(8, c9)", "truncate(4, c9)", "year(c7)", "hour(c8)", "void(c1)", "month(c5)"]
    table = {
        "columns": columns,
        "partition_by": ["c0", *terms[1:]],
        "sort_by": ["bucket(4, c2) desc", "c13 nulls last"],
    }
    wanted = lakehouse({root: {"tables": {"t": table}}})
    applied(wanted, connections)
    loaded = witness.load_table(f"{root}.t")
    assert [field.name for field in loaded.schema().fields] == list(columns)
    assert [str(field.transform) for field in loaded.spec().fields] == [
        *("identity", "bucket[8]", "truncate[4]", "year", "hour", "void", "month")
    ]


def test_a_table_lies_where_the_file_says(
    connections: Connections, root: str, below: Callable[[str], str], witness: Catalog
) -> None:
    inner, elsewhere = below("inner"), {**BARS, "location": f"s3://warehouse/lake/elsewhere/{root}"}
    applied(lakehouse({inner: {"tables": {"t": BARS, "u": elsewhere}}}), connections)
    assert witness.load_table(f"{inner}.t").location() == f"s3://warehouse/lake/{inner.replace('.', '/')}/t"
    assert witness.load_table(f"{inner}.u").location() == f"s3://warehouse/lake/elsewhere/{root}"


def test_everything_that_may_evolve_does_so_in_one_commit_and_old_rows_stay(
    connections: Connections, servers: Servers, root: str, witness: Catalog
) -> None:
    applied(lakehouse({root: {"tables": {"t": BARS}}}), connections)
    before = witness.load_table(f"{root}.t")
    before.append(pa.Table.from_pylist([ROW], schema=before.schema().as_arrow()))
    evolved = {
        "columns": {
            "window_start": {"type": "timestamptz", "required": True},
            "ticker": {"type": "string", "required": True, "doc": "the symbol"},
            "vwap": "double",
            "last": {"type": "double", "renamed_from": "close"},
            "volume": "long",
            "price": "decimal(18, 2)",
            "venue": "struct<code: string, country: string, rank: long>",
            "tags": "list<string>",
            "attributes": "map<string, struct<b: string, a: long>>",
        },
        "partition_by": ["day(window_start)", "bucket(4, ticker)"],
        "sort_by": ["window_start desc"],
        "properties": {"write.parquet.compression-codec": "snappy", "owner.team": "x"},
        "doc": "minute bars",
    }
    wanted = lakehouse({root: {"tables": {"t": evolved}}})
    plan = make_plan(wanted, connections)
    assert len(plan.steps) == 1
    assert described(plan) == [
        '~ column ticker: doc "symbol" -> "the symbol"',
        "+ column vwap double",
        "~ column close -> last (renamed)",
        "~ column last: float -> double",
        "~ column volume: int -> long",
        "~ column price: decimal(10, 2) -> decimal(18, 2)",
        "~ column venue.code: required -> optional",
        "+ column venue.country string",
        "~ column venue.rank: int -> long",
        "+ column attributes.value.b string",
        "~ column attributes.value.a: int -> long",
        "~ order of columns: window_start, ticker, vwap, last, volume, price, venue, tags, attributes",
        "~ identifier [ticker] -> []",
        "~ partition_by [day(window_start)] -> [day(window_start), bucket(4, ticker)]",
        "~ sort_by [ticker asc nulls first, close desc nulls last] -> [window_start desc nulls last]",
        "~ property write.parquet.compression-codec: zstd -> snappy",
        "+ property owner.team = x",
        "~ property comment: bars -> minute bars",
    ]
    applied(wanted, connections)
    after = table_of(servers, f"{root}.t")
    [row] = after.scan().to_arrow().to_pylist()
    assert (row["last"], row["volume"], row["venue"]) == (1.5, 7, {"code": "X", "country": None, "rank": 1})
    assert row["attributes"] == [("k", {"b": None, "a": 1})]


def test_fields_of_structs_are_renamed_and_described_and_keep_their_values(
    connections: Connections, servers: Servers, root: str, witness: Catalog
) -> None:
    columns: dict[str, Any] = {
        "venue": "struct<mic: string, rank: int>",
        "fills": "list<struct<price: float>>",
        "books": "map<string, struct<levels: int>>",
    }
    applied(lakehouse({root: {"tables": {"t": {"columns": columns}}}}), connections)
    before = witness.load_table(f"{root}.t")
    row = {"venue": {"mic": "X", "rank": 1}, "fills": [{"price": 1.5}], "books": [("bid", {"levels": 3})]}
    before.append(pa.Table.from_pylist([row], schema=before.schema().as_arrow()))
    venue = {"rank": "int", "code": {"type": "string", "doc": "the exchange", "renamed_from": "mic"}}
    columns = {
        "venue": {"type": {"struct": venue}},
        "fills": {"type": {"list": {"struct": {"dollars": {"type": "double", "renamed_from": "price"}}}}},
        "books": {"type": {"map": {"key": "string", "value": {"struct": {"levels": {"type": "int", "doc": "depth"}}}}}},
    }
    wanted = lakehouse({root: {"tables": {"t": {"columns": columns}}}})
    assert described(make_plan(wanted, connections)) == [
        "~ column venue.mic -> venue.code (renamed)",
        '~ column venue.code: doc none -> "the exchange"',
        "~ order of venue: rank, code",
        "~ column fills.element.price -> fills.element.dollars (renamed)",
        "~ column fills.element.dollars: float -> double",
        '~ column books.value.levels: doc none -> "depth"',
    ]
    applied(wanted, connections)
    after = table_of(servers, f"{root}.t")
    [row] = after.scan().to_arrow().to_pylist()
    assert row == {"venue": {"rank": 1, "code": "X"}, "fills": [{"dollars": 1.5}], "books": [("bid", {"levels": 3})]}
    docs = {after.schema().find_field(name).doc for name in ("venue.code", "books.value.levels")}
    assert docs == {"the exchange", "depth"}


def test_layouts_come_and_go(connections: Connections, root: str) -> None:
    plain = {"columns": {"a": "long", "ts": "timestamptz"}}
    laid_out = {**plain, "partition_by": ["day(ts)", "bucket(4, a)"], "sort_by": ["a desc", "ts"]}
    finer = {**plain, "partition_by": ["hour(ts)"], "sort_by": ["ts nulls last"]}
    for table in (plain, laid_out, finer, plain, laid_out, plain):
        applied(lakehouse({root: {"tables": {"t": table}}}), connections)


def test_columns_are_dropped_with_two_keys_and_the_others_keep_their_rows(
    connections: Connections, servers: Servers, root: str, witness: Catalog
) -> None:
    marked = {**BARS, "columns": {**BARS["columns"], "close": {"type": "float", "deletable": True}}}
    applied(lakehouse({root: {"tables": {"t": marked}}}), connections)
    table = witness.load_table(f"{root}.t")
    table.append(pa.Table.from_pylist([ROW], schema=table.schema().as_arrow()))
    columns = {name: of for name, of in BARS["columns"].items() if name != "close"}
    without = lakehouse({root: {"tables": {"t": {**BARS, "columns": columns, "sort_by": ["ticker"]}}}})
    applied(without, connections)
    assert "close" in table_of(servers, f"{root}.t").schema().column_names, "one key drops nothing"
    applied(without, connections, allow_destroy=True)
    after = table_of(servers, f"{root}.t")
    assert "close" not in after.schema().column_names
    assert [row["volume"] for row in after.scan().to_arrow().to_pylist()] == [7]


def test_what_the_file_names_no_more_goes_with_two_keys_and_from_the_inside_out(
    connections: Connections, root: str, below: Callable[[str], str], witness: Catalog
) -> None:
    table = {"columns": {"a": "long"}, "deletable": True}
    inner, gone, foreign = below("inner"), below("gone"), below("kept")
    full = {
        inner: {"deletable": True, "tables": {"t": table, "u": {"columns": {"a": "long"}}}},
        gone: {"deletable": True, "tables": {"t": table}},
    }
    applied(lakehouse({root: {}, **full}), connections)
    witness.create_namespace(foreign)
    witness.create_table(f"{foreign}.theirs", witness.load_table(f"{gone}.t").schema())
    empty = lakehouse({root: {}})
    assert not make_plan(empty, connections).steps, "one key destroys nothing"
    applied(empty, connections, allow_destroy=True)
    assert witness.table_exists(f"{inner}.u"), "it was never called deletable"
    assert witness.table_exists(f"{foreign}.theirs"), "it is somebody else's"
    assert not witness.table_exists(f"{inner}.t")
    with pytest.raises(NoSuchNamespaceError):
        witness.load_namespace_properties(gone)


def test_one_property_of_a_namespace_goes_while_another_changes(
    connections: Connections, root: str, witness: Catalog
) -> None:
    def wanted(**properties: str) -> Lakehouse:
        return lakehouse({root: {"properties": properties}})

    assert reconcile(wanted(gone="1", kept="1"), connections).exit_code == 0
    assert reconcile(wanted(kept="2"), connections).exit_code == 0
    left = witness.load_namespace_properties(root)
    assert left["kept"] == "2"
    assert "gone" not in left
    assert make_plan(wanted(kept="2"), connections).steps == ()


def test_evolution_keeps_the_history(servers: Servers, root: str, witness: Catalog) -> None:
    """Only through Nessie's own API: its REST endpoint rebuilds the metadata from the current snapshot."""
    connections = servers.connections()
    applied(lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}}), connections)
    name = f"{root}.t"
    witness.load_table(name).append(pa.table({"a": pa.array([1], pa.int32())}))
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)
    first = witness.load_table(name).metadata.snapshots[0]
    second = {**first.model_dump(by_alias=True, mode="json", exclude_none=True), "snapshot-id": 7, "sequence-number": 2}
    second["parent-snapshot-id"] = first.snapshot_id
    written = [  # as an engine with Nessie's native client writes
        {"action": "add-snapshot", "snapshot": second},
        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 7},
    ]
    catalog.commit_table(name, {"requirements": [], "updates": written})
    evolved = lakehouse({root: {"tables": {"t": {"columns": {"b": "string", "a": "long"}, "sort_by": ["a"]}}}})
    applied(evolved, connections)
    table = table_of(servers, name)
    assert [snapshot.snapshot_id for snapshot in table.metadata.snapshots] == [first.snapshot_id, 7]
    assert table.schema().column_names == ["b", "a"]
    for snapshot in (first.snapshot_id, 7):  # history stays as it was written, the last snapshot too
        assert table.scan(snapshot_id=snapshot).to_arrow().to_pylist() == [{"a": 1}]
    assert table.scan().to_arrow().to_pylist() == [{"b": None, "a": 1}]
    # docs/contents.md: Nessie's REST endpoint shows the schema of the last rows until somebody writes others.
    assert witness.load_table(name).schema().column_names == ["a"]
    table.append(pa.table({"b": ["new"], "a": [2]}))
    assert witness.load_table(name).schema().column_names == ["b", "a"]
    assert sorted(row["a"] for row in witness.load_table(name).scan().to_arrow().to_pylist()) == [1, 2]


def test_a_dropped_column_is_reached_by_the_snapshot_before(servers: Servers, root: str) -> None:
    connections = servers.connections()
    columns = {"a": "long", "b": {"type": "string", "deletable": True}}
    applied(lakehouse({root: {"tables": {"t": {"columns": columns}}}}), connections)
    name = f"{root}.t"
    table_of(servers, name).append(pa.table({"a": [1], "b": ["kept"]}))
    without = lakehouse({root: {"tables": {"t": {"columns": {"a": "long"}}}}})
    applied(without, connections, allow_destroy=True)
    table = table_of(servers, name)
    [snapshot] = table.metadata.snapshots
    assert table.schema().column_names == ["a"]
    assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist() == [{"a": 1, "b": "kept"}]


def test_another_table_of_the_same_name_is_not_dropped(connections: Connections, root: str, witness: Catalog) -> None:
    name = f"{root}.t"
    applied(lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}}), connections)
    catalog = catalogs.connect("lake", connections)
    first = str(witness.load_table(name).metadata.table_uuid)
    witness.drop_table(name)
    with pytest.raises(Missing):
        catalog.drop_table(name, first, purge=False)
    applied(lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}}), connections)
    with pytest.raises(Conflict, match="is another table"):
        catalog.drop_table(name, first, purge=False)
    second = str(witness.load_table(name).metadata.table_uuid)
    catalog.drop_table(name, second, purge=False)
    assert not witness.table_exists(name)


def test_on_nessie_a_table_that_changes_while_it_is_dropped_stays(
    servers: Servers, root: str, witness: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = servers.connections()
    applied(lakehouse({root: {"tables": {"t": {"columns": {"a": "int"}}}}}), connections)
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)
    read = catalog.commits.files.read

    def somebody_writes(location: str) -> dict[str, Any]:
        content = read(location)
        witness.load_table(f"{root}.t").append(pa.table({"a": pa.array([1], pa.int32())}))
        return content

    monkeypatch.setattr(catalog.commits.files, "read", somebody_writes)
    identity = str(witness.load_table(f"{root}.t").metadata.table_uuid)
    with pytest.raises(Conflict):
        catalog.drop_table(f"{root}.t", identity, purge=True)
    assert witness.load_table(f"{root}.t").scan().to_arrow().num_rows == 1


def test_on_nessie_purge_says_that_the_files_stay(servers: Servers, root: str) -> None:
    connections = servers.connections()
    marked = {"tables": {"t": {"columns": {"a": "int"}, "deletable": True}}}
    applied(lakehouse({root: marked}), connections)
    outcome = reconcile(lakehouse({root: {}}), connections, allow_destroy=True, purge=True)
    [dropped] = [done for done in outcome.done if done.address == f"table lake.{root}.t"]
    assert dropped.remark == f"Nessie deletes no files: those of the table are still at s3://warehouse/lake/{root}/t"
    found = client(connections.store).list_objects_v2(Bucket="warehouse", Prefix=f"lake/{root}/t/")
    assert found["KeyCount"] > 0
