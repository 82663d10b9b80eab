"""What a view's entry shows of the engines that can read it, and of columns that have another name now."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.spec import Lakehouse
from lakehouse.spec.problems import dotted
from lakehouse.spec.views import warnings

TABLE: dict[str, Any] = {
    "renamed_from": "minute_bars",
    "columns": {"a": "long", "price": {"type": "double", "renamed_from": "cost"}},
}


def warned(sql: Any, **engines: Any) -> list[str]:
    view = {"sql": sql, "columns": {"a": "long"}}
    lakehouse = Lakehouse.model_validate(
        {
            "name": "unit",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {"n": {"tables": {"bars": TABLE}, "views": {"v": view}}},
                }
            },
            "engines": engines,
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}},
        }
    )
    at = "catalogs.lake.namespaces.n.views.v.sql"
    return [f"{dotted(each.at).removeprefix(at)}: {each.message}" for each in warnings(lakehouse)]


@pytest.mark.parametrize(
    ("sql", "engines", "said"),
    [
        ({"spark": "SELECT 1"}, {"spark": {}}, []),
        ("SELECT 1", {"spark": {}, "trino": {}}, []),
        ({"spark": "SELECT 1"}, {}, []),
        ({"spark": "SELECT 1"}, {"spark": {}, "trino": {}}, []),
        ({"trino": "SELECT 1"}, {"spark": {}}, [": no engine of the file can read the view. Add the SQL of spark"]),
        (
            {"spark": "SELECT 1", "spakr": "SELECT 1"},
            {"spark": {}},
            ['.spakr: no engine of a lakehouse reads SQL of "spakr". Did you mean "spark"?'],
        ),
        ({"spark": "SELECT a, price FROM bars"}, {}, []),
        ({"spark": "SELECT cost FROM other"}, {}, []),
        (
            {"spark": "SELECT price FROM n.minute_bars"},
            {},
            [
                '.spark: it says "minute_bars", the former name of the table n.bars. If it means that, write n.bars; '
                "else remove `renamed_from` once it is applied"
            ],
        ),
        (
            {"spark": "SELECT a, `Cost` FROM n.bars"},
            {},
            [
                '.spark: it says "cost", the former name of n.bars.price. If it means that, write price; '
                "else remove `renamed_from` once it is applied"
            ],
        ),
    ],
)
def test_warnings(sql: Any, engines: dict[str, Any], said: list[str]) -> None:
    assert warned(sql, **engines) == said
