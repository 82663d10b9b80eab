"""Each pair of a store and a catalog under both engines, one lakehouse a pair. The features are those of the matrix.

What a kind can is read from the kind, as `lakehouse validate` does: a test that fails here says that a kind's data are
wrong. LAKEHOUSE_CELLS=minio-hive,seaweedfs-rest chooses pairs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from lakehouse.kinds import CATALOGS, STORES
from lakehouse.kinds.catalog import CatalogKind
from lakehouse.kinds.store import StoreKind
from lakehouse.spec.kinds import Feature
from tests.behaviour.servers import KINDS
from tests.integration.deployment import Deployment, up
from tests.integration.findings import doctor, errors
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

OWN = ("glue", "s3tables")  # each has a server of its own, and tests that deploy it
CATALOGS_HERE = [word for word in KINDS if word not in OWN]
CELLS = {f"{store}-{each}": (store, each) for store in ("s3proxy", "minio", "seaweedfs") for each in CATALOGS_HERE}
CHOSEN = os.environ.get("LAKEHOUSE_CELLS", ",".join(CELLS)).split(",")
SPARK = {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m"}


@dataclass(frozen=True)
class Cell:
    """A pair of kinds, deployed."""

    store: StoreKind
    catalog: CatalogKind
    deployed: Deployment

    def spark(self, statements: str, code: int | None = 0) -> list[str]:
        """The last statement's rows as lines of CSV, without its heading."""
        made = self.deployed.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", statements, code=code)
        return made.strip().splitlines()[1:]

    def adds_column_with_default(self, table: str, value: int) -> None:
        """Add the column ``b`` to a table of format 3 by Iceberg REST: neither engine has SQL for a default."""
        url = f"http://127.0.0.1:{self.deployed.port('rest')}/v1/namespaces/plain/tables/{table}"
        there = requests.get(url, timeout=30).json()["metadata"]
        default = {"initial-default": value, "write-default": value}
        column = {"id": there["last-column-id"] + 1, "name": "b", "required": False, "type": "int", **default}
        schema = {"type": "struct", "fields": [*there["schemas"][-1]["fields"], column]}
        updates = [{"action": "add-schema", "schema": schema}, {"action": "set-current-schema", "schema-id": -1}]
        requests.post(url, json={"requirements": [], "updates": updates}, timeout=30).raise_for_status()

    def trino_sees(self, feature: Feature) -> bool:
        limits = (*self.catalog.limits, *self.store.limits)
        return not any(each.feature == feature and each.engine == "trino" for each in limits)


@pytest.fixture(scope="module", params=CHOSEN)
def cell(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Cell]:
    store, catalog = CELLS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    kind = CATALOGS[catalog]
    layout = {"partition_by": ["s.x"]} if kind.can.nested_partitions else {}
    columns = {"Id": "long", "UPPER": "string", "s": "struct<x: int, y: string>"}
    namespaces: dict[str, Any] = {"plain": {"tables": {"names": {"columns": columns, **layout}}}}
    if kind.can.nested_namespaces:
        namespaces |= {"outer": {}, "outer.inner": {"tables": {"t": {"columns": {"a": "int"}}}}}
    made = Deployment.make(
        folder / "a lakehouse",
        {
            ("engines",): {"spark": SPARK, "trino": {"memory": "800m"}},
            ("catalogs", "lake", "namespaces"): namespaces,
            ("access", "roles", "analyst", "grants"): {"lake.plain": ["read"]},
            ("stacks", "local", "store"): store,
            ("stacks", "local", "catalogs"): {"lake": entry(catalog, folder)},
        },
    )
    with up(made):
        yield Cell(STORES[store], kind, made)


def entry(catalog: str, folder: Path) -> Any:
    return {"kind": "polaris", "home": str(home(folder))} if catalog == "polaris" else catalog


def test_every_engine_reads_what_every_engine_wrote(cell: Cell) -> None:
    assert "checks passed" in cell.deployed.lakehouse("verify")
    assert "No changes." in cell.deployed.lakehouse("plan")
    assert errors(doctor(cell.deployed, code=0)) == set()


def test_principals_may_do_what_the_file_says(cell: Cell) -> None:
    known = bool(cell.store.users) or cell.catalog.word == "polaris"  # else no server here knows any
    said = cell.deployed.lakehouse("access", "test", code=0 if known else 2)
    assert ("all answered as the file says" if known else "has no store with users") in said


def test_upper_case_and_partitions_by_a_field(cell: Cell) -> None:
    rows = "(1, 'a', named_struct('x', 7, 'y', 'b')), (2, 'c', named_struct('x', 8, 'y', 'd'))"
    assert cell.spark(
        f"INSERT INTO lake.plain.names VALUES {rows}; SELECT Id, UPPER FROM lake.plain.names WHERE s.x = 7"
    )
    assert cell.deployed.trino('SELECT "id", "upper", s.y FROM lake.plain.names WHERE s.x = 8') == [[2, "c", "d"]]
    cell.deployed.trino("INSERT INTO lake.plain.names VALUES (3, 'e', ROW(9, 'f'))")
    assert cell.spark("SELECT Id, UPPER, s.y FROM lake.plain.names WHERE s.x = 9") == ["3,e,f"]


def test_nested_namespaces(cell: Cell) -> None:
    if not cell.catalog.can.nested_namespaces:
        pytest.skip(f"{cell.catalog.label} has one level")
    assert cell.spark("INSERT INTO lake.outer.inner.t VALUES (1); SELECT a FROM lake.outer.inner.t") == ["1"]
    if cell.trino_sees(Feature.NESTED):
        assert cell.deployed.trino('SELECT a FROM lake."outer.inner".t') == [[1]]
    else:
        with pytest.raises(Exception, match="does not exist"):
            cell.deployed.trino('SELECT a FROM lake."outer.inner".t')


def test_a_time_column_is_for_trino_only(cell: Cell) -> None:
    cell.deployed.trino("CREATE TABLE lake.plain.clock (t time(6))")
    cell.deployed.trino("INSERT INTO lake.plain.clock VALUES TIME '12:34:56.000000'")
    assert cell.deployed.trino("SELECT count(*) FROM lake.plain.clock WHERE t > TIME '12:00:00'") == [[1]]
    cell.spark("SELECT * FROM lake.plain.clock", code=1)
    cell.deployed.trino("DROP TABLE lake.plain.clock")


def test_format_3_is_for_spark_only(cell: Cell) -> None:
    if cell.catalog.can.format_version < 3:
        pytest.skip(f"{cell.catalog.label} has format {cell.catalog.can.format_version}")
    settings = "'format-version' = '3', 'write.delete.mode' = 'merge-on-read'"
    third = f"CREATE TABLE lake.plain.third (a int) USING iceberg TBLPROPERTIES ({settings})"
    one_file = "INSERT INTO lake.plain.third SELECT /*+ COALESCE(1) */ * FROM VALUES (1), (2), (3)"
    cell.spark(f"{third}; {one_file}")
    assert len(cell.deployed.trino("SELECT a FROM lake.plain.third")) == 3
    if cell.catalog.word == "rest":  # others ask who it is
        cell.adds_column_with_default("third", 5)
        assert cell.spark("SELECT DISTINCT b FROM lake.plain.third") == ["5"]
        seen = cell.deployed.trino("SELECT DISTINCT b FROM lake.plain.third")
        assert seen == [[None]], "it is wrong, and there is no error"
    left = cell.spark("DELETE FROM lake.plain.third WHERE a = 1; SELECT a FROM lake.plain.third ORDER BY a")
    assert left == ["2", "3"]
    with pytest.raises(Exception, match="Unexpected PUFFIN file format"):
        cell.deployed.trino("SELECT a FROM lake.plain.third")
    cell.spark("DROP TABLE lake.plain.third")


def test_branches_of_a_table(cell: Cell) -> None:
    if cell.catalog.can.references:
        pytest.skip(f"{cell.catalog.label} has branches of the whole catalog")
    cell.spark(
        "CREATE TABLE lake.plain.forked USING iceberg AS SELECT 1 AS a; "
        "ALTER TABLE lake.plain.forked CREATE BRANCH audit; "
        "INSERT INTO lake.plain.forked.branch_audit VALUES (2)"
    )
    assert cell.deployed.trino("SELECT count(*) FROM lake.plain.forked FOR VERSION AS OF 'audit'") == [[2]]
    assert cell.deployed.trino("SELECT count(*) FROM lake.plain.forked") == [[1]]
    cell.spark("DROP TABLE lake.plain.forked")


def test_views(cell: Cell) -> None:
    if not cell.catalog.can.views:
        pytest.skip(f"{cell.catalog.label} keeps no views")
    view = "CREATE VIEW lake.plain.seen AS SELECT 41 + 1 AS answer"
    assert cell.spark(f"{view}; SELECT answer FROM lake.plain.seen") == ["42"]
    cell.spark("DROP VIEW lake.plain.seen")


def test_engines_get_keys_from_the_catalog_where_the_store_makes_some(cell: Cell) -> None:
    settings = (cell.deployed.local.state.config("trino") / "catalog" / "lake.properties").read_text()
    vended = "vended-credentials-enabled=true" in settings
    assert vended == (cell.catalog.word == "polaris" and cell.store.can.sts)
    assert vended != ("s3.aws-secret-key" in settings)
