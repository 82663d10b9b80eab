"""The last check of who uses a folder, before the commit that will use it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from bootstrap.iceberg.metadata import CatalogFacts, TableFacts
from bootstrap.iceberg.view import ViewFacts
from bootstrap.reconciler.tables.recheck import Recheck
from bootstrap.remote.errors import Conflict

AT = "s3://b/lake/n/t"


class Lake:
    """A catalog whose tables are folders, by name; ``asked`` records the calls."""

    def __init__(self, **tables: str) -> None:
        self.tables, self.properties, self.asked = tables, dict[str, str](), list[str]()

    def locations(self) -> Mapping[str, str]:
        self.asked.append("list")
        return {f"n.{name}": f"{folder}/metadata/00000-x.metadata.json" for name, folder in self.tables.items()}

    def read(self, names: Collection[str]) -> CatalogFacts:
        [name] = names
        self.asked.append(name)
        metadata = {"location": self.tables[name.removeprefix("n.")], "properties": self.properties}
        if name.startswith("n.view"):
            return CatalogFacts({}, {}, views={name: ViewFacts("", metadata)})
        return CatalogFacts({}, {name: TableFacts("", metadata)})


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def recheck(lake: Any, clock: Clock | None = None) -> Recheck:
    return Recheck("lake", lake, clock or Clock())


def creation(location: str = AT, **properties: str) -> dict[str, Any]:
    updates: list[dict[str, Any]] = [{"action": "set-location", "location": location}]
    return {"updates": [*updates, {"action": "set-properties", "updates": properties}]}


@pytest.mark.parametrize(
    ("commit", "reported"),
    [
        (creation(), f"{AT} is the location of lake.n.other"),
        (creation(f"{AT}/in"), f"{AT}/in is in the location of lake.n.other"),
        (creation("s3://b/lake/n"), "s3://b/lake/n holds the location of lake.n.other"),
        (creation("s3://b/elsewhere", **{"write.data.path": f"{AT}/data"}), f"write.data.path {AT}/data is in"),
    ],
)
def test_a_folder_that_another_table_has_taken_since_is_refused_with_both_names(
    commit: Mapping[str, Any], reported: str
) -> None:
    with pytest.raises(Conflict, match="since the plan was made") as caught:
        recheck(Lake(other=AT)).before("n.t", commit)
    assert reported in str(caught.value)


def test_a_view_neither_takes_a_folder_nor_loses_its_own() -> None:
    with pytest.raises(Conflict, match=f"since the plan was made, {AT} is the location of lake.n.other"):
        recheck(Lake(other=AT)).before_view("n.v", AT)
    with pytest.raises(Conflict, match=f"{AT} is the location of lake.n.view1"):
        recheck(Lake(view1=AT)).before("n.t", creation())
    recheck(Lake(other="s3://b/lake/n/other")).before_view("n.v", AT)


def test_a_free_folder_costs_one_look_at_the_list() -> None:
    lake = Lake(other="s3://b/lake/n/other", t=AT)
    recheck(lake).before("n.t", creation())
    assert lake.asked == ["list"]


def test_a_commit_that_gives_no_folder_asks_nothing() -> None:
    lake = Lake(other=AT)
    recheck(lake).before("n.t", {"updates": [{"action": "set-properties", "updates": {"a": "b"}}]})
    assert lake.asked == []


def test_a_catalog_whose_list_does_not_tell_is_not_asked() -> None:
    recheck(object()).before("n.t", creation())


def test_only_what_the_table_itself_says_counts() -> None:
    """Its last metadata file may be in the folder of an earlier property."""

    class Moved(Lake):
        def locations(self) -> Mapping[str, str]:
            return {**super().locations(), "n.moved": f"{AT}/metadata/00001-x.metadata.json"}

    lake = Moved(moved="s3://b/elsewhere")
    one = recheck(lake)
    for _ in range(3):
        one.before("n.t", creation())
    assert lake.asked == ["list", "n.moved"], "it is read once"


def test_a_list_is_good_for_a_second_or_ten_times_as_long_as_it_took() -> None:
    clock = Clock()

    class Slow(Lake):
        took = 0.0

        def locations(self) -> Mapping[str, str]:
            clock.now += self.took
            return super().locations()

    lake = Slow()
    one = recheck(lake, clock)

    def looks(after: float) -> int:
        clock.now += after
        one.before("n.t", creation())
        return lake.asked.count("list")

    assert [looks(each) for each in (0, 0.9, 0.2)] == [1, 1, 2]
    lake.took = 3.0
    assert [looks(each) for each in (1.1, 29, 2)] == [3, 3, 4]
    lake.tables["other"] = AT
    with pytest.raises(Conflict):
        looks(31)
