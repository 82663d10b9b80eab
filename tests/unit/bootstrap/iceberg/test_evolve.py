from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.reconciler.changes import Diff
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

CASES = yaml.safe_load(Path(__file__).with_name("evolutions.yaml").read_text())
PRIMITIVES = [
    *("boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "string", "uuid"),
    *("binary", "fixed[4]", "fixed[8]", "decimal(9, 2)", "decimal(10, 2)", "decimal(10, 3)"),
]


def of(table: dict[str, Any], managed: str = "shared") -> Lakehouse:
    return lakehouse({"ns": {"tables": {"t": table}}}, managed=managed)


def lines(found: Diff) -> list[str]:
    return [f"{detail.symbol} {detail.text}" for change in found.changes for detail in change.details]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_evolution(case: dict[str, Any]) -> None:
    managed, allow_destroy = case.get("managed", "shared"), case.get("allow_destroy", False)
    there = Simulation()
    there.apply(of(case["from"], managed))
    before = there.facts()
    wanted = of(case["to"], managed)
    found = there.apply(wanted, allow_destroy=allow_destroy)
    if "refused" in case:
        reported = "\n".join(str(note) for note in found.refused)
        assert all(words in reported for words in case["refused"]), reported
        assert not found.changes
        assert there.facts() == before, "a refused table is not touched, not even in part"
    else:
        assert not found.refused, found.refused
        assert lines(found) == [line if line[:2] in ("+ ", "~ ", "- ") else f"~ {line}" for line in case["lines"]]
        assert len(found.changes) == bool(case["lines"]), "one commit a table"
        assert not there.diff(wanted, allow_destroy=allow_destroy), "a second plan is empty"


# https://iceberg.apache.org/spec/#schema-evolution, "Valid type promotions" of format versions 1 and 2
WIDENED = {("int", "long"), ("float", "double"), ("decimal(9, 2)", "decimal(10, 2)")}


@pytest.mark.parametrize(("have", "want"), itertools.product(PRIMITIVES, PRIMITIVES))
def test_a_type_widens_exactly_where_the_format_says_so(have: str, want: str) -> None:
    there = Simulation()
    there.apply(of({"columns": {"a": have}}))
    found = there.diff(of({"columns": {"a": want}}))
    assert bool(found.changes) == ((have, want) in WIDENED)
    assert bool(found.refused) == (have != want and (have, want) not in WIDENED)


def test_ids_are_never_used_again() -> None:
    there = Simulation()
    there.apply(of({"columns": {"a": "long", "x": {"type": "struct<p: int, q: int>", "deletable": True}}}))
    there.apply(of({"columns": {"a": "long"}}), allow_destroy=True)
    there.apply(of({"columns": {"a": "long", "x": "struct<p: int>"}}))
    schema = there.facts().catalogs["lake"].tables["ns.t"].schema
    struct = schema.fields[1].type
    assert [schema.fields[0].id, schema.fields[1].id, struct.fields[0].id] == [1, 5, 6]  # type: ignore[union-attr]


def test_a_partition_field_that_comes_back_has_its_id_and_the_spec_its_number() -> None:
    there = Simulation()
    columns = {"ts": "timestamp", "id": "long"}
    for partition in (["day(ts)"], ["id"], ["day(ts)", "id"], ["day(ts)"]):
        there.apply(of({"columns": columns, "partition_by": partition}))
    table = there.facts().catalogs["lake"].tables["ns.t"]
    assert [[field.field_id for field in spec.fields] for spec in table.specs] == [[1000], [1001], [1000, 1001]]
    assert table.spec.id == 0


def test_a_schema_that_comes_back_is_the_former_one() -> None:
    there = Simulation()
    for doc in ("x", "y", "x"):
        there.apply(of({"columns": {"a": {"type": "long", "doc": doc}}}))
    table = there.facts().catalogs["lake"].tables["ns.t"]
    assert (len(table.schemas), table.schema_id) == (2, 0)
