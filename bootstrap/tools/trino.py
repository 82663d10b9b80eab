"""Trino's drivers: JDBC, Python's DB-API and SQLAlchemy. https://trino.io/docs/current/client.html"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.tools.reach import Reach
from lakehouse.kinds.engines import trino


def write(stack: Reach) -> str:
    """A program for SQLAlchemy, with the addresses of the other drivers as comments."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at = stack.address(trino.NAME, "engines.trino", "a driver of Trino")
    name = stack.catalog.name
    yield "# Any user's name, no password. Catalogs: " + ", ".join(each.name for each in stack.catalogs)
    yield f"# JDBC (io.trino:trino-jdbc): jdbc:trino://{at}/{name}?user=me"
    yield f"# Trino's shell: trino --server http://{at} --catalog {name}"
    yield "from sqlalchemy import create_engine, text  # pip install 'trino[sqlalchemy]'"
    yield ""
    yield f'engine = create_engine("trino://me@{at}/{name}")'
    yield "with engine.connect() as connection:"
    yield '    print(connection.execute(text("SHOW SCHEMAS")).fetchall())'
