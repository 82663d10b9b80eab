"""Import: the file's section for what is there, such that the next plan has nothing to do."""

from __future__ import annotations

import pytest

from bootstrap.reconciler.importing import section
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

TABLE = {
    "doc": "which",
    "columns": {"id": {"type": "long", "required": True, "doc": "the number"}, "day": "date"},
    "partition_by": ["month(day)"],
    "sort_by": ["id desc nulls last"],
    "identifier": ["id"],
    "properties": {"x": "y"},
}


@pytest.mark.parametrize("deletable", [False, True])
def test_what_is_imported_is_what_is_there(deletable: bool) -> None:
    """The mark of what a file called deletable is imported too: it is the file's word, and would be taken off else."""
    there = Simulation()
    key = {"deletable": True} if deletable else {}
    there.apply(lakehouse({"a": {"tables": {"t": {**TABLE, **key}}, "properties": {"k": "v"}, **key}}))
    nothing = lakehouse({})
    found, left = section(nothing.catalogs["lake"], there.facts().catalogs["lake"])
    assert left == []
    assert not there.diff(lakehouse(found)).changes
