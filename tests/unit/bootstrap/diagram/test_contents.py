"""The part of the file that is in the picture of every stack, and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.diagram import contents
from bootstrap.diagram.picture import Arrow
from lakehouse.spec import Lakehouse, load

TABLE = {"columns": {"id": "long"}}


def lakehouse(tmp_path: Path, namespaces: dict[str, Any], access: dict[str, Any] | None = None) -> Lakehouse:
    file = tmp_path / "lakehouse.yaml"
    said = {
        "name": "demo",
        "buckets": {"warehouse": {}, "archive": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": namespaces}},
        "access": access or {},
        "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
    }
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    return load(file)


@pytest.mark.parametrize(("number", "last"), [(8, "t7"), (9, "and 2 more tables"), (1_200, "and 1,193 more tables")])
def test_many_tables_are_counted(tmp_path: Path, number: int, last: str) -> None:
    found = lakehouse(tmp_path, {"a": {"tables": {f"t{nth}": TABLE for nth in range(number)}}})
    [node] = contents.catalog("lake", found.catalogs["lake"], "nessie").nodes()
    assert (node.lines[:2], node.lines[-1], len(node.lines)) == (("a", "t0"), last, 9)


def test_many_namespaces_are_counted(tmp_path: Path) -> None:
    names = {f"n{nth}": {"tables": {"t": TABLE}} for nth in range(15)}
    found = lakehouse(tmp_path, names)
    nodes = list(contents.catalog("lake", found.catalogs["lake"], "nessie").nodes())
    assert len(nodes) == 13
    assert nodes[-1].lines == ("3 more namespaces", "3 tables")
    assert [contents.place(found, f"lake.n{nth}") for nth in (11, 12)] == [nodes[11].id, nodes[12].id]


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("lake", "catalog lake"),
        ("lake.a", "lake.a"),
        ("lake.a.t", "lake.a"),
        ("lake.a.b", "lake.a.b"),
        ("lake.a.b.t", "lake.a.b"),
    ],
)
def test_where_something_is_shown(tmp_path: Path, target: str, place: str) -> None:
    found = lakehouse(tmp_path, {"a": {"tables": {"t": TABLE}}, "a.b": {"tables": {"t": TABLE}}})
    assert contents.place(found, target) == place


def test_the_highest_verb_of_each_grant_is_shown(tmp_path: Path) -> None:
    grants = {"lake": ["manage"], "lake.a": ["read", "write"], "lake.b.t": ["read"], "lake.b.u": ["write"]}
    access = {
        "roles": {"r": {"grants": grants}, "s": {"grants": {"lake.a": ["read"]}}},
        "principals": {"p": {"roles": ["r", "s"]}, "q": {}},
    }
    found = lakehouse(tmp_path, {"a": {}, "b": {"tables": {"t": TABLE, "u": TABLE}}}, access)
    assert [node.lines for node in contents.principals(found).nodes()] == [("p",), ("q",)]
    assert list(contents.granted(found)) == [
        Arrow("principal p", "catalog lake", "manages"),
        Arrow("principal p", "lake.a", "writes"),
        Arrow("principal p", "lake.b", "reads t, writes u"),
    ]


@pytest.mark.parametrize(("number", "arrows"), [(20, 40), (21, 0)])
def test_very_many_grants_are_left_to_another_command(tmp_path: Path, number: int, arrows: int) -> None:
    names = [f"p{nth}" for nth in range(number)]
    access = {
        "roles": {"r": {"grants": {"lake.a": ["read"], "lake.b": ["read"]}}},
        "principals": {name: {"roles": ["r"]} for name in names},
    }
    assert len(list(contents.granted(lakehouse(tmp_path, {"a": {}, "b": {}}, access)))) == arrows


def test_the_buckets_of_a_catalog(tmp_path: Path) -> None:
    found = lakehouse(tmp_path, {"a": {"tables": {"t": TABLE, "u": {**TABLE, "location": "s3://archive/u"}}}})
    assert contents.buckets(found) == {"lake": ["warehouse", "archive"]}


def test_views_are_shown_after_the_tables(tmp_path: Path) -> None:
    views = {"v": {"sql": {"spark": "SELECT 1"}, "columns": {"a": "int"}}}
    found = lakehouse(tmp_path, {"a": {"tables": {"t": TABLE}, "views": views}})
    [node] = contents.catalog("lake", found.catalogs["lake"], "nessie").nodes()
    assert node.lines == ("a", "t", "v (view)")
