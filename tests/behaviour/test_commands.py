"""plan, apply, drift, import and export as a user runs them, against a real catalog."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType

from lakehouse.errors import LakehouseError
from lakehouse.spec import load
from tests.behaviour.project import Project

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


def test_plan_apply_and_nothing_left(project: Project) -> None:
    planned = project.run("plan")
    assert planned.exit_code == 2
    assert f"+ table lake.{project.root}.t" in planned.stdout
    assert "Plan: " in planned.stdout
    applied = project.run("apply")
    assert applied.exit_code == 0, applied.output
    assert f"done: table lake.{project.root}.t" in applied.stdout
    again = project.run("plan")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "No changes.")


def test_what_cannot_be_done_names_the_line_and_the_fix(project: Project) -> None:
    project.run("apply")
    project.write(b="string")
    planned = project.run("plan")
    assert planned.exit_code == 1
    assert f"! refused: lakehouse.yaml:12: column lake.{project.root}.t.b: int cannot become string" in planned.stdout
    applied = project.run("apply")
    assert applied.exit_code == 1
    assert "add a new column" in applied.stderr


def test_a_saved_plan_is_what_is_applied_and_is_refused_when_stale(project: Project, tmp_path: Path) -> None:
    project.run("apply")
    project.write(b="long")
    plan = tmp_path / "plan.json"
    assert project.run("plan", "--out", str(plan)).exit_code == 2
    assert json.loads(plan.read_text())["counts"] == {"create": 0, "update": 1, "destroy": 0}
    project.write(b="long", more="          u: {columns: {x: string}}")
    stale = project.run("apply", str(plan))
    assert isinstance(stale.exception, LakehouseError)
    assert "stale" in str(stale.exception)
    project.write(b="long")
    applied = project.run("apply", str(plan), "--json")
    assert json.loads(applied.stdout)["done"] == [{"address": f"table lake.{project.root}.t", "remark": ""}]


@pytest.mark.parametrize("content", ["", "no json", "[]", "{}", '{"format": 99}'])
def test_a_file_that_is_no_plan(project: Project, tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    failed = project.run("apply", str(tmp_path / "plan.json"))
    assert isinstance(failed.exception, LakehouseError)
    assert "plan" in str(failed.exception)


def test_drift_reports_what_others_did(project: Project) -> None:
    project.run("apply")
    theirs = load_catalog("lake", **project.servers.pyiceberg())
    table = theirs.load_table(f"{project.root}.t")
    project.write(b="long", more="              c: string")  # pyiceberg 0.11 cannot: Nessie wants its last-column-id
    assert project.run("apply").exit_code == 0
    project.write()
    theirs.create_table(f"{project.root}.theirs", table.schema())
    found = project.run("drift", "--json")
    assert found.exit_code == 2
    reported = json.loads(found.stdout)
    assert {f"table lake.{project.root}.theirs", f"column lake.{project.root}.t.c"} <= set(reported["unnamed"])
    assert "long cannot become int" in reported["differs"][f"column lake.{project.root}.t.b"][0]
    text = project.run("drift").stdout
    assert f"+ table lake.{project.root}.theirs exists, but is not in the file" in text


def test_import_writes_what_makes_the_next_plan_empty(project: Project) -> None:
    project.run("apply")
    theirs = load_catalog("lake", **project.servers.pyiceberg())
    schema = Schema(
        NestedField(1, "id", LongType(), required=True, doc="which"),
        NestedField(2, "name", StringType()),
        identifier_field_ids=[1],
    )
    theirs.create_namespace(f"{project.root}.deep")
    theirs.create_table(f"{project.root}.deep.theirs", schema, properties={"comment": "of others", "x": "y"})
    printed = project.run("import")
    assert printed.exit_code == 0
    assert "of others" in printed.stdout
    written = project.run("import", "--write")
    assert written.exit_code == 0, written.output
    text = project.path.read_text()
    assert "# a comment that stays" in text
    entry = load(project.path).catalogs["lake"].namespaces[f"{project.root}.deep"].tables["theirs"]
    assert (entry.doc, entry.identifier, entry.properties["x"], entry.columns["id"].doc) == (
        "of others",
        ["id"],
        "y",
        "which",
    )
    planned = project.run("plan")
    assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout


def test_export_says_everything(project: Project) -> None:
    project.run("apply")
    reported = json.loads(project.run("export", "--json").stdout)
    table = reported["catalogs"]["lake"]["namespaces"][project.root]["tables"]["t"]
    assert table == {"columns": {"a": {"type": "long", "required": True}, "b": "int"}}
