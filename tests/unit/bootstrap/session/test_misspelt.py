from __future__ import annotations

import pytest

from bootstrap.session.misspelt import hint, names
from bootstrap.session.target import Target

TABLE = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `lake`.`bronze`.`minute_agg` cannot be found. Verify"


def test_the_names_of_the_file(target: Target) -> None:
    assert names(target.lakehouse)[:3] == ("lake", "lake.bronze", "lake.bronze.minute_aggs")


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("Table 'lake.bronze.minute_agg' does not exist (TABLE_NOT_FOUND)", "lake.bronze.minute_aggs"),
        (TABLE, "lake.bronze.minute_aggs"),
        ("Schema 'bronz' does not exist (SCHEMA_NOT_FOUND)", "bronze"),
        ("Catalog 'lakee' not found (CATALOG_NOT_FOUND)", "lake"),
        ("Table 'lake.bronze.minute_aggs' does not exist (TABLE_NOT_FOUND)", ""),
        ("Table 'lake.x.y' does not exist (TABLE_NOT_FOUND)", ""),
        ("mismatched input 'SELEC'", ""),
    ],
)
def test_a_name_that_is_not_there(message: str, meant: str, target: Target) -> None:
    assert hint(message, names(target.lakehouse)) == (f'. Did you mean "{meant}"?' if meant else "")
