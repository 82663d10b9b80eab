"""What a backup takes of a catalog, and what it refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.backup import pin as module
from bootstrap.backup.manifest import BranchesCopy, CatalogCopy, CommitCopy, ReferenceCopy
from bootstrap.backup.pin import locations, pin
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Refused

CONNECTIONS = Connections(StoreConnection(None, "us-east-1"), {"lake": CatalogConnection("rest", "http://c", "lake")})


def facts(**more: Any) -> Any:
    none: dict[str, Any] = {"namespaces": {"n": {}}, "tables": {}, "others": (), "views": {}, "other_views": ()}
    return SimpleNamespace(**{**none, **more})


def pinned(monkeypatch: pytest.MonkeyPatch, found: Any, *without: str) -> CatalogCopy:
    monkeypatch.setattr(module, "connect", lambda *_: SimpleNamespace(facts=lambda names, read: found))
    return pin("lake", CONNECTIONS, without)


def test_tables_are_pinned_by_the_address_of_their_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    at, other = (SimpleNamespace(metadata_location=f"s3://w/{name}") for name in ("t", "u"))
    view = SimpleNamespace(metadata={"versions": []})
    found = facts(namespaces={"n": {"a": "b"}, "m": {}}, tables={"n.t": at, "m.u": other}, views={"n.v": view})
    assert pinned(monkeypatch, found, "lake.m") == CatalogCopy(
        "rest", {"n": {"a": "b"}}, {"n.t": "s3://w/t"}, {"n.v": {"versions": []}}
    )


@pytest.mark.parametrize(
    "more",
    [
        {"others": ("n.odd",)},
        {"other_views": ("n.odd",)},
        {"tables": {"n.odd": SimpleNamespace(metadata_location="")}},
    ],
)
def test_what_cannot_be_read_is_refused_unless_it_is_left_out(
    more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match=r"lake\.n\.odd: not an Iceberg table.*--except lake\.n\.odd"):
        pinned(monkeypatch, facts(**more))
    assert pinned(monkeypatch, facts(**more), "lake.n.odd").tables == {}


def test_a_name_with_a_dot_is_refused_where_it_could_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = facts(tables={"n.a.b": SimpleNamespace(metadata_location="s3://w/t")})
    with pytest.raises(Refused, match=r"lake\.n\.a\.b: its name, .*, has a dot.*--except lake\.n\.a\.b"):
        pinned(monkeypatch, found)
    assert pinned(monkeypatch, found, "lake.n.a.b").tables == {}
    nested = facts(namespaces={"n": {}, "n.a": {}}, tables=found.tables)
    assert pinned(monkeypatch, nested).tables == {"n.a.b": "s3://w/t"}


def entry(name: str, at: str, kind: str = "ICEBERG_TABLE") -> dict[str, Any]:
    return {"name": {"elements": name.split(".")}, "type": kind, "content": {"metadataLocation": at}}


def test_the_files_of_branches_and_tags_count_and_namespaces_have_none() -> None:
    space = {"name": {"elements": ["n"]}, "type": "NAMESPACE", "content": {}}
    commits = (CommitCopy(None, (space, entry("n.t", "1"))), CommitCopy(0, (entry("n.t", "2"), entry("n.u", "3"))))
    heads = (ReferenceCopy("main", "branch", 0), ReferenceCopy("v", "tag", 1), ReferenceCopy("new", "branch", None))
    copy = CatalogCopy("nessie", {}, {"n.t": "1"}, {}, BranchesCopy(commits, heads))
    assert locations(copy) == {"1": "n.t", "2": "n.t on tag v", "3": "n.u on tag v"}
