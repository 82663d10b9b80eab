"""SQLAlchemy through Trino: https://github.com/trinodb/trino-python-client. Arguments: the address, the catalog."""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, inspect, select, text
from steps import step

address, catalog = sys.argv[1:]
engine = create_engine(f"trino://me@{address}/{catalog}")
metadata = MetaData(schema="by_sqlalchemy")
people = Table("people", metadata, Column("id", Integer), Column("name", String))


def run(statement: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(statement)


def names() -> None:
    assert inspect(engine).get_table_names("by_sqlalchemy") == ["people"]


step("schema", lambda: run(text("CREATE SCHEMA by_sqlalchemy")))
step("create", lambda: metadata.create_all(engine))
step("insert", lambda: run(insert(people).values([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])))
step("select", lambda: list(run(select(people).where(people.c.id > 1))))
step("inspect", names)
step("update", lambda: run(people.update().where(people.c.id == 2).values(name="bb")))
step("delete", lambda: run(people.delete().where(people.c.id == 1)))
step("drop", lambda: (metadata.drop_all(engine), run(text("DROP SCHEMA by_sqlalchemy"))))
