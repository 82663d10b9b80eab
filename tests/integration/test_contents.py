"""Contents that change under a running lakehouse: the engines and the bootstrap see the same tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.deployment import Deployment
from tests.integration.terminal import CTRL_C, CTRL_D, terminal

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

COLUMNS = {"id": "long", "name": "string"}


@pytest.fixture
def table(deployed: Deployment) -> Iterator[str]:
    """A table that the file names, with two snapshots written by Trino."""
    before = deployed.file.read_text()
    namespaces = ("catalogs", "lake", "namespaces")
    deployed.change(*namespaces, "contents", to={"tables": {"people": {"columns": dict(COLUMNS)}}})
    deployed.lakehouse("apply")
    for row in ("(1, 'one')", "(2, 'two')"):
        deployed.trino(f"INSERT INTO lake.contents.people VALUES {row}")
    yield "lake.contents.people"
    for name in ("people", "persons", "stray"):
        deployed.trino(f"DROP TABLE IF EXISTS lake.contents.{name}")
    deployed.trino("DROP SCHEMA lake.contents")
    deployed.file.write_text(before)


def test_an_evolved_table_keeps_its_history(deployed: Deployment, table: str) -> None:
    snapshots = deployed.trino('SELECT snapshot_id FROM lake.contents."people$snapshots" ORDER BY committed_at')
    first, last = (row[0] for row in snapshots)
    deployed.change(
        *("catalogs", "lake", "namespaces", "contents", "tables", "people", "columns"),
        to={"id": "long", "full_name": {"type": "string", "renamed_from": "name"}, "born": "date"},
    )
    assert "1 to change" in deployed.lakehouse("plan", code=2)
    deployed.lakehouse("apply")
    assert "No changes." in deployed.lakehouse("plan")
    assert deployed.trino("SELECT id, full_name, born FROM lake.contents.people ORDER BY id") == [
        [1, "one", None],
        [2, "two", None],
    ]
    assert deployed.trino('SELECT count(*) FROM lake.contents."people$snapshots"') == [[2]]
    assert deployed.trino(f"SELECT name FROM lake.contents.people FOR VERSION AS OF {first}") == [["one"]]
    # The snapshot before the change has the old schema too, in both engines.
    assert deployed.trino(f"SELECT name FROM lake.contents.people FOR VERSION AS OF {last} ORDER BY id") == [
        ["one"], ["two"]
    ]  # fmt: skip
    query = f"SELECT count(name), (SELECT count(*) FROM {table}) FROM {table} VERSION AS OF {last}"
    rows = deployed.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", query)
    assert rows.split()[-1] == "2,2"


def test_a_table_and_a_field_that_are_renamed_keep_their_rows_in_both_engines(deployed: Deployment, table: str) -> None:
    place = {"struct": {"town": {"type": "string", "doc": "where"}, "number": "int"}}
    namespace, columns = ("catalogs", "lake", "namespaces", "contents"), {"id": "long", "place": {"type": place}}
    deployed.change(*namespace, to={"tables": {"people": {"columns": {**COLUMNS, **columns}}}})
    deployed.lakehouse("apply")
    deployed.trino(f"INSERT INTO {table} VALUES (3, 'three', ROW('Köln', 7))")
    place["struct"] = {"number": "long", "city": {"type": "string", "doc": "which city", "renamed_from": "town"}}
    persons = {"renamed_from": "people", "columns": {**COLUMNS, **columns}}
    deployed.change(*namespace, to={"tables": {"persons": persons}})
    assert "~ rename lake.contents.persons" in deployed.lakehouse("plan", code=2)
    deployed.lakehouse("apply")
    assert "No changes." in deployed.lakehouse("plan")
    query = "SELECT id, place.city, place.number FROM lake.contents.persons WHERE place.city = 'Köln'"
    assert deployed.trino(query) == [[3, "Köln", 7]]
    assert deployed.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", query).split()[-1] == "3,Köln,7"
    assert deployed.trino('SELECT count(*) FROM lake.contents."persons$snapshots"') == [[3]]
    assert deployed.trino("SHOW TABLES FROM lake.contents") == [["persons"]]
    deployed.lakehouse("sql", "--engine", "spark", "-e", "INSERT INTO lake.contents.persons SELECT 4, 'four', NULL")
    assert deployed.trino("SELECT count(*) FROM lake.contents.persons") == [[4]]


def test_what_an_engine_altered_shows_as_drift(deployed: Deployment, table: str, tmp_path: Path) -> None:
    deployed.trino(f"ALTER TABLE {table} ADD COLUMN surprise varchar")
    deployed.trino("CREATE TABLE lake.contents.stray (a int)")
    drift = deployed.lakehouse("drift", code=None)
    assert "surprise" in drift
    assert "lake.contents.stray" in drift
    assert "No changes." in deployed.lakehouse("plan"), "what the file does not name is left alone"
    deployed.trino(f"ALTER TABLE {table} DROP COLUMN name")
    assert "name" in deployed.lakehouse("plan", code=2)
    deployed.lakehouse("apply")
    assert "No changes." in deployed.lakehouse("plan")


def test_names_of_columns_and_an_upgrade_of_the_format(deployed: Deployment) -> None:
    before = deployed.file.read_text()
    table = ("catalogs", "lake", "namespaces", "odd", "tables", "t")
    columns = {"order-id": "long", "größe": "double", "2024_total": "int", "with space": "string"}
    layout = {"partition_by": ["bucket(4, order-id)", "2024_total"], "sort_by": ["größe desc"]}
    content = {"columns": columns, "format_version": 1, **layout}
    deployed.change(*table[:4], to={"tables": {"t": content}})
    try:
        deployed.lakehouse("apply")
        deployed.trino("INSERT INTO lake.odd.t VALUES (1, 1.5, 3, 'x')")
        deployed.change(*table, "format_version", to=2)
        assert "format_version 1 -> 2" in deployed.lakehouse("plan", code=2)
        deployed.lakehouse("apply")
        assert "No changes." in deployed.lakehouse("plan")
        deployed.trino('UPDATE lake.odd.t SET "größe" = 2.5 WHERE "order-id" = 1')  # format version 1 knows no UPDATE
        update = "UPDATE lake.odd.t SET `with space` = 'y' WHERE `2024_total` = 3"
        deployed.lakehouse("sql", "--engine", "spark", "-e", update)
        assert deployed.trino("SELECT * FROM lake.odd.t") == [[1, 2.5, 3, "y"]]
        assert deployed.trino('SELECT count(*) FROM lake.odd."t$snapshots"') == [[3]], "history stays"
        deployed.change(*table, "format_version", to=1)
        assert "a version never goes back" in deployed.lakehouse("plan", code=None)
    finally:
        deployed.trino("DROP TABLE IF EXISTS lake.odd.t")
        deployed.trino("DROP SCHEMA IF EXISTS lake.odd")
        deployed.file.write_text(before)


QUESTION = "Type the lakehouse's name (demo) to continue: "
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"  # the cursor


def test_a_person_at_a_terminal_is_asked_before_a_table_is_dropped(deployed: Deployment, table: str) -> None:
    at = ("catalogs", "lake", "namespaces", "contents", "tables")
    deployed.change(*at, "people", "deletable", to=True)
    deployed.lakehouse("apply")
    deployed.change(*at, to={})
    command = ("apply", "--allow-destroy")
    for keys, ends, says in (
        (b"no\n", 1, "The name does not match: nothing was changed."),
        (b"\n", 1, "The name does not match: nothing was changed."),
        (CTRL_D, 1, "The name does not match: nothing was changed."),
        (CTRL_C, 130, ""),
        (b"dem" + CTRL_C, 130, ""),
    ):
        shown, code = terminal(deployed.folder, *command, until=QUESTION, keys=keys)
        asked, _, after = shown.partition(QUESTION)
        assert f"This will be destroyed:\r\n- table {table}\r\n" in asked
        assert (code, says in after, "Traceback" in shown, "done" in after) == (ends, True, False, False), shown
        assert shown.rfind(SHOW) >= shown.rfind(HIDE), "the cursor is there again"
        assert deployed.trino(f"SELECT count(*) FROM {table}") == [[2]]
    shown, code = terminal(deployed.folder, *command, until=QUESTION, keys=b"demo\n")
    assert (code, "done: table lake.contents.people" in shown) == (0, True), shown
    assert deployed.trino("SHOW TABLES FROM lake.contents") == []
