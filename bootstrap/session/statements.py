"""SQL text split into statements."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A semicolon in comments, strings and quoted names ends nothing. Spark escapes quotes with a backslash.
_COMMENT = r"--[^\n]*|/\*.*?(?:\*/|\Z)"
_QUOTED = {
    "trino": r"'(?:[^']|'')*(?:'|\Z)|\"(?:[^\"]|\"\")*(?:\"|\Z)",
    "spark": r"'(?:[^'\\]|\\.)*(?:'|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z)|`(?:[^`]|``)*(?:`|\Z)",
}


@dataclass(frozen=True)
class SqlStatement:
    """A statement and the line of the text it begins on, counted from 1."""

    text: str
    line: int


def split(sql: str, dialect: str) -> list[SqlStatement]:
    """The statements between semicolons, in order; those that contain only comments are left out."""
    token = re.compile(f"(?P<comment>{_COMMENT})|(?P<quoted>{_QUOTED[dialect]})|(?P<end>;)|(?P<other>.)", re.DOTALL)
    found: list[SqlStatement] = []
    start: int | None = None  # where the statement's first word is
    for match in token.finditer(sql):
        if match["end"]:
            found += _statement(sql, start, match.start())
            start = None
        elif start is None and not match["comment"] and not match[0].isspace():
            start = match.start()
    return found + _statement(sql, start, len(sql))


def _statement(sql: str, start: int | None, end: int) -> list[SqlStatement]:
    return [] if start is None else [SqlStatement(sql[start:end].rstrip(), sql.count("\n", 0, start) + 1)]


def is_complete(sql: str, dialect: str) -> bool:
    """Whether nothing is open at the end of the text, so that a prompt does not ask for more."""
    return len(split(f"{sql}\nx", dialect)) > len(split(sql, dialect))
