"""SQL in the file: that of views by engine, and expressions of filters and masks.

https://iceberg.apache.org/view-spec/#sql-representation
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StrictStr, WithJsonSchema

from lakehouse.spec.kinds import known
from lakehouse.spec.values import Identifier

#: A name in SQL, quoted or not. What is between dots is a name of its own.
_NAME = re.compile(r"\w+")
_WORD = re.compile(r"[^\W\d]\w*")
#: Parts of an expression whose inside is text, and what an expression does not have.
_TEXT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_CLOSING = {"(": ")", "[": "]"}
#: A word that is compared, where an operand begins. In a lambda or a subquery it may be something else than a column.
_COMPARED = re.compile(
    r"(?:^|\(|\b(?:and|or|not|when)\b)\s*([^\W\d]\w*)\s*(?:=(?!>)|[<>]|!=|(?:(?:not\s+)?(?:in|like|between)|is)\b)",
    re.I,
)
_OTHER_NAMES = re.compile(r"->|\bselect\b", re.I)
#: Words of SQL that are an operand by themselves, and begin none.
_VALUES = frozenset(
    (
        *("null", "true", "false", "not", "exists", "case", "localtime", "localtimestamp", "current_date"),
        *("current_time", "current_timestamp", "current_user", "current_catalog", "current_schema", "current_path"),
    )
)


def _query(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("it is empty: write a query, as in SELECT a FROM t")
    if text.endswith(";"):
        raise ValueError("it ends with a semicolon: a view has one query. Remove the semicolon")
    return text


def _expression(value: str) -> str:
    """The text if it is one expression as far as its quotes and brackets tell.

    The engine reads the rest when it is used, and then answers no query of the table. Here it must not become more than
    one expression, because filters of several roles are joined.
    """
    text = value.strip()
    if not text:
        raise ValueError("it is empty: write an expression of SQL, as in region = 'EU'")
    bare = _TEXT.sub(lambda found: " " * len(found[0]), text)
    if quote := next((each for each in "'\"" if each in bare), None):
        raise ValueError(f"the quote {quote} in it has no end: {_shortened(text)}. Close it, or double it inside text")
    for part, what in ((";", "a semicolon"), ("--", "a comment"), ("/*", "a comment")):
        if part in bare:
            raise ValueError(f"it has {what}, which no expression has: {_shortened(text)}. Remove it")
    open_: list[str] = []
    for at, each in enumerate(bare):
        if each in _CLOSING:
            open_.append(_CLOSING[each])
        elif each in _CLOSING.values() and (not open_ or open_.pop() != each):
            raise ValueError(f'"{each}" at character {at + 1} closes nothing: {_shortened(text)}. Balance its brackets')
        elif each == "," and not open_:
            raise ValueError(f"it is more than one expression: {_shortened(text)}. Remove what is after the comma")
    if open_:
        raise ValueError(f'"{open_[-1]}" is missing: {_shortened(text)}. Balance its brackets')
    return text


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


SqlExpression = Annotated[StrictStr, AfterValidator(_expression)]


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


def columns_in(expression: str) -> list[str]:
    """Words of an expression that can only be columns: the expression itself, and what it compares.

    Not all of its columns: only a parser of the engine's SQL would find them.
    """
    bare = _TEXT.sub("''", expression)
    found = [bare] if _WORD.fullmatch(bare) else [] if _OTHER_NAMES.search(bare) else _COMPARED.findall(bare)
    return [name for name in dict.fromkeys(found) if name.lower() not in _VALUES]


def words(sql: str) -> frozenset[str]:
    """Every word of the SQL in lower case: each name that it may refer to, and others."""
    return frozenset(word.lower() for word in _NAME.findall(sql))
