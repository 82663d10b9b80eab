"""DuckDB: https://duckdb.org/docs/stable/core_extensions/iceberg/overview. Arguments: its statements, the catalog."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
from duckdb_extensions import import_extension
from steps import step

script, catalog = sys.argv[1:]
for each in ("httpfs", "avro", "iceberg"):  # as INSTALL does, from the packages of PyPI
    import_extension(each)
connection = duckdb.connect()
connection.execute(Path(script).read_text())
schema, table = f'"{catalog}".by_duckdb', f'"{catalog}".by_duckdb.t'

for name, statement in {
    "schema": f"CREATE SCHEMA {schema}",
    "create": f"CREATE TABLE {table} (id BIGINT, name VARCHAR)",
    "insert": f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')",
    "select": f"SELECT * FROM {table} WHERE id > 1",
    "update": f"UPDATE {table} SET name = 'bb' WHERE id = 2",
    "delete": f"DELETE FROM {table} WHERE id = 1",
    "drop": f"DROP TABLE {table}; DROP SCHEMA {schema}",
}.items():
    step(name, lambda statement=statement: connection.execute(statement).fetchall())
