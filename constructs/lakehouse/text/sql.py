"""Names and values in SQL. Spark has names in backquotes and backslashes in strings; Trino follows the standard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Dialect = Literal["spark", "trino"]


def name(text: str, dialect: Dialect) -> str:
    """A name, quoted."""
    quote = "`" if dialect == "spark" else '"'
    return f"{quote}{text.replace(quote, quote * 2)}{quote}"


def path(parts: Iterable[str], dialect: Dialect) -> str:
    """Quoted names with dots between them: a catalog, its namespaces, a table."""
    return ".".join(name(part, dialect) for part in parts)


def string(text: str, dialect: Dialect) -> str:
    """A string, quoted."""
    if dialect == "spark":
        # \u first: Spark has it in strings, and a doubled backslash begins no escape.
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + text.replace("'", "''") + "'"
