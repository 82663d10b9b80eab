"""`lakehouse branch` and `lakehouse tag` as a user runs them, against a real catalog."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from bootstrap.remote.errors import Conflict, Exists, Missing, Refused
from lakehouse.errors import UsageError
from tests.behaviour.project import Project

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture
def applied(project: Project) -> Project:
    project.write(more="          u: {columns: {a: long}}")
    assert project.run("apply").exit_code == 0
    return project


def on(project: Project, branch: str) -> Catalog:
    settings = project.servers.pyiceberg()
    return load_catalog("lake", **{**settings, "uri": f"{project.servers.catalog}/iceberg/{branch}"})


def write(catalog: Catalog, name: str) -> None:
    table = catalog.load_table(name)
    values = {column: [1, 2] for column in table.schema().column_names}
    table.append(pa.table(values, schema=table.schema().as_arrow()))


def rows(catalog: Catalog, name: str) -> int:
    return int(catalog.load_table(name).scan().to_arrow().num_rows)


def named(project: Project, kind: str) -> dict[str, str]:
    listed = json.loads(project.run(kind, "list", "--json").stdout)
    assert {each["kind"] for each in listed} <= {kind}
    return {each["name"]: each["points_to"] for each in listed}


def test_write_audit_publish(applied: Project) -> None:
    etl, tables = f"{applied.root}-etl", (f"{applied.root}.t", f"{applied.root}.u")
    made = applied.run("branch", "create", etl)
    assert made.exit_code == 0, made.output
    assert made.stdout == f"branch {etl} at {named(applied, 'branch')['main']}\n"
    for table in tables:
        write(on(applied, etl), table)
    assert [rows(on(applied, "main"), table) for table in tables] == [0, 0]
    merged = applied.run("branch", "merge", etl)
    assert merged.exit_code == 0, merged.output
    assert all(table in merged.stdout for table in tables)
    assert [rows(on(applied, "main"), table) for table in tables] == [2, 2]
    assert "nothing to merge" in applied.run("branch", "merge", etl).stdout
    assert f"{etl}\t" in applied.run("branch", "list").stdout
    assert applied.run("branch", "delete", etl, "--allow-destroy").exit_code == 0
    assert etl not in named(applied, "branch")


def test_a_merge_that_conflicts_says_which_table_and_publishes_nothing(applied: Project) -> None:
    etl, tables = f"{applied.root}-etl", (f"{applied.root}.t", f"{applied.root}.u")
    applied.run("branch", "create", etl)
    for table in tables:
        write(on(applied, etl), table)
    write(on(applied, "main"), tables[0])
    failed = applied.run("branch", "merge", etl)
    assert isinstance(failed.exception, Conflict)
    assert tables[0] in str(failed.exception)
    assert [rows(on(applied, "main"), table) for table in tables] == [2, 0]


def test_a_merge_into_another_branch(applied: Project) -> None:
    etl, stage, table = f"{applied.root}-etl", f"{applied.root}/stage", f"{applied.root}.t"
    assert applied.run("branch", "create", stage).exit_code == 0
    assert applied.run("branch", "create", etl, "--from", stage).exit_code == 0
    write(on(applied, etl), table)
    assert table in applied.run("branch", "merge", etl, "--into", stage).stdout
    assert named(applied, "branch")[stage] != named(applied, "branch")["main"]
    assert rows(on(applied, "main"), table) == 0


def test_tags_of_the_catalog(applied: Project) -> None:
    tag, table = f"{applied.root}-v1", f"{applied.root}.t"
    assert applied.run("tag", "create", tag).exit_code == 0
    before = named(applied, "tag")[tag]
    write(on(applied, "main"), table)
    assert named(applied, "tag")[tag] == before, "a tag stays where it is"
    assert tag not in named(applied, "branch")
    assert applied.run("tag", "delete", tag, "--allow-destroy").exit_code == 0
    assert tag not in named(applied, "tag")


def test_tags_and_branches_of_a_table(applied: Project) -> None:
    table = f"lake.{applied.root}.t"
    assert isinstance(applied.run("tag", "create", "v1", "--table", table).exception, Refused), "no snapshot yet"
    write(on(applied, "main"), f"{applied.root}.t")
    for kind, name in (("tag", "v1"), ("branch", "audit")):
        made = applied.run(kind, "create", name, "--table", table)
        assert made.exit_code == 0, made.output
        [snapshot] = [each for each in applied.run(kind, "list", "--table", table).stdout.split("\n") if name in each]
        assert (
            applied.run(kind, "create", f"{name}2", "--from", snapshot.split("\t")[1], "--table", table).exit_code == 0
        )
        deleted = applied.run(kind, "delete", name, "--table", table, "--allow-destroy")
        assert deleted.stdout == f"{kind} {name} deleted\n"
        left = json.loads(applied.run(kind, "list", "--table", table, "--json").stdout)
        assert {each["name"] for each in left} - {"main"} == {f"{name}2"}


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("branch", "delete", "ROOT-b"), UsageError, "--allow-destroy"),
        (("tag", "delete", "ROOT-b", "--allow-destroy"), Refused, "lakehouse branch delete"),
        (("branch", "delete", "main", "--allow-destroy"), Refused, "cannot be deleted"),
        (("branch", "create", "ROOT-b"), Exists, "ROOT-b"),
        (("branch", "create", "ROOT-c", "--from", "nowhere"), Missing, "nowhere"),
        (("branch", "merge", "nowhere"), Missing, "nowhere"),
        (("branch", "list", "--catalog", "other"), UsageError, "not one of the catalogs lake"),
        (("tag", "create", "v", "--table", "other.n.t"), UsageError, "not one of the catalogs lake"),
        (("tag", "create", "v", "--table", "lake.ROOT.gone"), Missing, "there is no table"),
        (("tag", "create", "v", "--table", "lake.ROOT.t", "--from", "main"), UsageError, "is not a snapshot"),
        (("tag", "delete", "v", "--table", "lake.ROOT.t", "--allow-destroy"), Missing, 'no tag "v"'),
    ],
)
def test_what_cannot_be_done(applied: Project, words: tuple[str, ...], error: type[Exception], message: str) -> None:
    applied.run("branch", "create", f"{applied.root}-b")
    failed = applied.run(*(word.replace("ROOT", applied.root) for word in words))
    assert isinstance(failed.exception, error), failed.output
    assert message.replace("ROOT", applied.root) in str(failed.exception)
    assert f"{applied.root}-b" in named(applied, "branch")
