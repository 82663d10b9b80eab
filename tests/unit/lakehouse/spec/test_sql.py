from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from lakehouse.spec.sql import ViewSql, words

ADAPTER: TypeAdapter[dict[str, str]] = TypeAdapter(ViewSql)


@pytest.mark.parametrize(
    ("said", "read", "written"),
    [
        ("SELECT 1", {"spark": "SELECT 1", "trino": "SELECT 1"}, "SELECT 1"),
        ("\n  SELECT 1\n", {"spark": "SELECT 1", "trino": "SELECT 1"}, "SELECT 1"),
        ({"spark": "SELECT 1"}, {"spark": "SELECT 1"}, {"spark": "SELECT 1"}),
        ({"trino": "a", "spark": "b"}, {"trino": "a", "spark": "b"}, {"trino": "a", "spark": "b"}),
    ],
)
def test_text_is_the_sql_of_every_engine(said: Any, read: Any, written: Any) -> None:
    value = ADAPTER.validate_python(said)
    assert value == read
    assert ADAPTER.dump_python(value) == written
    assert ADAPTER.validate_python(written) == read


def test_words_are_the_names_in_the_sql_however_they_are_quoted() -> None:
    assert words('SELECT `A`, "b" FROM lake.bronze.größe -- of x_1') >= {"a", "b", "lake", "bronze", "größe", "x_1"}
