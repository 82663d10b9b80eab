"""Branches and tags of the whole catalog: write on a branch, audit there, publish by a merge."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from bootstrap import catalogs
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.references import CatalogReferences, TableReferences
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused
from tests.behaviour.conftest import lakehouse, only
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


def references(connections: Connections) -> CatalogReferences:
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)
    return catalog.references


def on(branch: str, servers: Servers) -> Catalog:
    return load_catalog("lake", **{**servers.pyiceberg(), "uri": f"{servers.catalog}/iceberg/{branch}"})


def rows(catalog: Catalog, name: str) -> int:
    return int(catalog.load_table(name).scan().to_arrow().num_rows)


def test_write_audit_publish_of_two_tables_at_once(servers: Servers, root: str) -> None:
    main = servers.connections()
    two = {root: {"tables": {name: {"columns": {"a": "long"}} for name in ("t", "u")}}}
    reconcile(lakehouse(two), main)
    refs = references(main)
    refs.create(f"{root}-etl", "branch")
    branch, published = on(f"{root}-etl", servers), on("main", servers)
    for name in ("t", "u"):
        branch.load_table(f"{root}.{name}").append(pa.table({"a": [1, 2]}))
    assert [rows(branch, f"{root}.{name}") for name in ("t", "u")] == [2, 2]
    assert [rows(published, f"{root}.{name}") for name in ("t", "u")] == [0, 0]
    merged = refs.merge(f"{root}-etl")
    assert merged.applied
    assert set(merged.changed) == {f"{root}.t", f"{root}.u"}
    assert [rows(published, f"{root}.{name}") for name in ("t", "u")] == [2, 2]
    assert not refs.merge(f"{root}-etl").applied, "there is nothing new on it"


def test_a_merge_that_conflicts_changes_nothing(servers: Servers, root: str) -> None:
    main = servers.connections()
    wanted = {root: {"tables": {name: {"columns": {"a": "long"}} for name in ("t", "u")}}}
    reconcile(lakehouse(wanted), main)
    refs = references(main)
    refs.create(f"{root}-etl", "branch")
    branch, published = on(f"{root}-etl", servers), on("main", servers)
    for name in ("t", "u"):
        branch.load_table(f"{root}.{name}").append(pa.table({"a": [1, 2]}))
    published.load_table(f"{root}.t").append(pa.table({"a": [3]}))
    with pytest.raises(Conflict, match=rf"{root}\.t.*Make the change again on a new branch of main"):
        refs.merge(f"{root}-etl")
    assert [rows(published, f"{root}.{name}") for name in ("t", "u")] == [1, 0]


def test_the_reconciler_works_on_a_branch(servers: Servers, root: str) -> None:
    main = servers.connections()
    reconcile(lakehouse({root: {}}), main)
    references(main).create(f"{root}-next", "branch")
    catalog = replace(main.catalogs["lake"], branch=f"{root}-next")
    there = replace(main, catalogs={"lake": catalog})
    assert reconcile(lakehouse({root: {"tables": {"t": {"columns": {"a": "long"}}}}}), there).exit_code == 0
    assert on(f"{root}-next", servers).table_exists(f"{root}.t")
    assert not on("main", servers).table_exists(f"{root}.t")


def test_names_that_are_taken_gone_or_protected(servers: Servers, root: str) -> None:
    refs = references(servers.connections())
    refs.create(f"{root}-b", "branch")
    made = refs.create(f"{root}-t", "tag", f"{root}-b")
    assert made in list(refs.list())
    with pytest.raises(Exists):
        refs.create(f"{root}-b", "branch")
    with pytest.raises(Missing):
        refs.create(f"{root}-c", "branch", "nowhere")
    with pytest.raises(Refused, match="lakehouse tag delete"):
        refs.delete(f"{root}-t", "branch")
    with pytest.raises(Refused, match="cannot be deleted"):
        refs.delete("main", "branch")
    refs.delete(f"{root}-t", "tag")
    refs.delete(f"{root}-b", "branch")
    with pytest.raises(Missing):
        refs.delete(f"{root}-b", "branch")


def test_a_tables_own_tag(servers: Servers, root: str) -> None:
    """With Nessie's own client the table keeps it. Its Iceberg REST endpoint accepts and forgets it: a failure."""
    main = servers.connections()
    reconcile(lakehouse({root: {"tables": {"t": {"columns": {"a": "long"}}}}}), main)
    tags = TableReferences(catalogs.connect("lake", main), f"{root}.t")
    with pytest.raises(Refused, match="no snapshot yet"):
        tags.create("v1", "tag")
    on("main", servers).load_table(f"{root}.t").append(pa.table({"a": [1]}))
    by_rest = TableReferences(catalogs.connect("lake", servers.connections(kind="nessie-rest")), f"{root}.t")
    with pytest.raises(Refused, match="does not keep it"):
        by_rest.create("v1", "tag")
    made = tags.create("v1", "tag")
    assert [each for each in tags.list() if each.kind == "tag"] == [made]
    tags.delete("v1", "tag")
    assert [each for each in tags.list() if each.kind == "tag"] == []


def test_the_file_names_branches_and_tags(servers: Servers, root: str) -> None:
    main = servers.connections()
    table = {root: {"tables": {"t": {"columns": {"a": "long"}}}}}
    etl, first = f"{root}-etl", f"{root}/first"
    entries = {"branches": {etl: {"deletable": True}}, "tags": {first: {"from": etl}}}
    wanted = lakehouse(table, references=entries)
    assert reconcile(wanted, main).exit_code == 0
    assert on(etl, servers).table_exists(f"{root}.t"), "it begins with what the same file makes"
    assert not make_plan(wanted, main).steps
    there = {each.name: each for each in references(main).list()}
    assert (there[etl].kind, there[etl].deletable, there[first].kind) == ("branch", True, "tag")
    on(etl, servers).load_table(f"{root}.t").append(pa.table({"a": [1]}))
    assert not make_plan(wanted, main).steps, "what is written on a branch is no drift"


def test_a_branch_that_the_file_names_no_more_goes_with_two_keys(servers: Servers, root: str) -> None:
    main = servers.connections()
    etl, kept = f"{root}-etl", f"{root}-kept"
    reconcile(lakehouse({root: {}}, references={"branches": {etl: {"deletable": True}, kept: {}}}), main)
    without = lakehouse({root: {}})
    plan = make_plan(without, main)
    assert not plan.steps
    assert f"branch lake.{etl}" in plan.unnamed
    plan = only(make_plan(without, main, allow_destroy=True), f"branch lake.{etl}")
    assert len(plan.steps) == 1
    catalog = on(etl, servers)
    catalog.create_namespace(f"{root}_late")
    [failure] = apply(plan, main).failed
    assert "moved in the meantime" in failure.message, "what came to it since is not lost"
    plan = only(make_plan(without, main, allow_destroy=True), f"branch lake.{etl}")
    assert apply(plan, main).exit_code == 0
    left = {each.name for each in references(main).list()}
    assert etl not in left
    assert kept in left
    references(main).create(etl, "branch")
    assert not references(main).get(etl).deletable
    assert not next(each for each in references(main).list() if each.name == etl).deletable, "the mark went with it"
