"""The SQL of a view, by the engine that runs it: https://iceberg.apache.org/view-spec/#sql-representation"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StrictStr, WithJsonSchema

from lakehouse.spec.kinds import known
from lakehouse.spec.values import Identifier

#: A name in SQL, quoted or not. What is between dots is a name of its own.
_NAME = re.compile(r"\w+")


def _query(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("it is empty: write a query, as in SELECT a FROM t")
    if text.endswith(";"):
        raise ValueError("it ends with a semicolon: a view has one query. Remove the semicolon")
    return text


def _by_engine(value: Any) -> Any:
    """Text is the SQL of every engine."""
    return dict.fromkeys(known().engines, value) if isinstance(value, str) else value


def as_said(sql: Mapping[str, str]) -> Any:
    """Text if every engine has the same, as in the file."""
    same = sql.keys() == known().engines.keys() and len(set(sql.values())) == 1
    return next(iter(sql.values())) if same else dict(sql)


_Query = Annotated[StrictStr, AfterValidator(_query)]
ViewSql = Annotated[
    dict[Identifier, _Query],
    Field(min_length=1),
    BeforeValidator(_by_engine),
    PlainSerializer(as_said),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]


def words(sql: str) -> frozenset[str]:
    """Every word of the SQL in lower case: each name that it may refer to, and others."""
    return frozenset(word.lower() for word in _NAME.findall(sql))
