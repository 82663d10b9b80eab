"""Metadata files of views: written once, never over another, and only over the version that was seen."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from bootstrap.catalogs.base import SeenView
from bootstrap.catalogs.view_files import ViewFiles
from bootstrap.iceberg.view import definition
from bootstrap.remote.errors import Conflict, Missing
from lakehouse.iceberg.types import Struct

PLACE = "s3://w/lake/n/v"


def select(sql: str) -> dict[str, Any]:
    return definition({"spark": sql}, Struct(()), "lake", "n")


class Files:
    """The files of a store."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}

    def read(self, location: str) -> Any:
        if location not in self.there:
            raise Missing(location)
        return json.loads(self.there[location])

    def write(self, location: str, text: str) -> None:
        assert location not in self.there, "no file is overwritten"
        self.there[location] = text


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def views(files: Files) -> ViewFiles:
    return ViewFiles(cast("Any", files), parallel=2)


def test_a_view_is_created_replaced_and_read(views: ViewFiles, files: Files) -> None:
    first = views.create(PLACE, select("SELECT 1"), {"team": "us"})
    seen = SeenView(first.metadata["view-uuid"], 1)
    change: dict[str, Any] = {"seen": seen, "updates": {"team": "them"}, "removals": ()}
    second = views.replace("view n.v", first.location, wanted=select("SELECT 2"), **change)
    assert {first.location, second.location} == files.there.keys()
    assert [location.startswith(f"{PLACE}/metadata/0000") for location in files.there] == [True, True]
    found = views.read({"n.v": second.location, "n.gone": f"{PLACE}/metadata/none"})
    assert found.keys() == {"n.v"}, "a view whose file is gone was dropped meanwhile"
    assert (found["n.v"].uuid, found["n.v"].version) == (seen.uuid, 2)
    assert (found["n.v"].sql, found["n.v"].properties) == ({"spark": "SELECT 2"}, {"team": "them"})


@pytest.mark.parametrize(("uuid", "version"), [("another", 1), ("", 2)])
def test_another_view_or_version_than_was_seen_is_a_conflict(
    views: ViewFiles, files: Files, uuid: str, version: int
) -> None:
    first = views.create(PLACE, select("SELECT 1"), {})
    seen = SeenView(uuid or first.metadata["view-uuid"], version)
    with pytest.raises(Conflict, match=r"view n\.v"):
        views.replace("view n.v", first.location, seen=seen, wanted=None, updates={}, removals=())
    assert list(files.there) == [first.location]
