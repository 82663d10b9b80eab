from __future__ import annotations

import pytest

from bootstrap.session.misspelt import hint, names
from bootstrap.session.results import SqlFailure
from bootstrap.session.sql import explained
from bootstrap.session.statements import split
from bootstrap.session.target import Target

TABLE = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `lake`.`bronze`.`minute_agg` cannot be found. Verify"


def test_the_names_of_the_file(target: Target) -> None:
    assert names(target.lakehouse)[:3] == ("lake", "lake.bronze", "lake.bronze.minute_aggs")


def test_it_is_said_after_the_engines_message() -> None:
    [statement] = split("SELECT * FROM lake.b.ordrs", "trino")
    error = SqlFailure("Table 'lake.b.ordrs' does not exist (TABLE_NOT_FOUND)", (1, 15))
    said = explained(error, statement, "-e", known=("lake", "lake.b", "lake.b.orders")).splitlines()[0]
    assert said == "-e:1:15: Table 'lake.b.ordrs' does not exist (TABLE_NOT_FOUND). Did you mean \"lake.b.orders\"?"


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("Table 'lake.bronze.minute_agg' does not exist (TABLE_NOT_FOUND)", "lake.bronze.minute_aggs"),
        (TABLE, "lake.bronze.minute_aggs"),
        ("Schema 'bronz' does not exist (SCHEMA_NOT_FOUND)", "bronze"),
        ("Catalog 'lakee' not found (CATALOG_NOT_FOUND)", "lake"),
        ("Table 'lake.bronze.minute_aggs' does not exist (TABLE_NOT_FOUND)", ""),
        ("Table 'lake.bronze.nope' does not exist (TABLE_NOT_FOUND)", ""),
        ("Table 'lake.x.y' does not exist (TABLE_NOT_FOUND)", ""),
        ("mismatched input 'SELEC'", ""),
    ],
)
def test_a_name_that_is_not_there(message: str, meant: str, target: Target) -> None:
    assert hint(message, names(target.lakehouse)) == (f'. Did you mean "{meant}"?' if meant else "")
