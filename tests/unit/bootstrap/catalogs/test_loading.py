"""Metadata files are read once, by the addresses that a catalog lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bootstrap.catalogs.cache import FactsCache
from bootstrap.catalogs.loading import FileFacts, loaded
from bootstrap.catalogs.view_files import ViewFiles
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.errors import Missing

TABLE: dict[str, Any] = {"table-uuid": "u", "schemas": [], "current-schema-id": 0, "partition-specs": []}
VIEW: dict[str, Any] = {"view-uuid": "u", "location": "", "current-version-id": 1,
                        "schemas": [{"type": "struct", "schema-id": 0, "fields": []}],
                        "versions": [{"version-id": 1, "schema-id": 0, "representations": []}]}  # fmt: skip


class Files:
    """Files by their addresses; ``asked`` are the reads."""

    def __init__(self, **contents: Any) -> None:
        self.contents, self.asked = contents, list[str]()

    def read(self, location: str) -> Any:
        self.asked.append(location)
        if location not in self.contents:
            raise Missing(location)
        return self.contents[location]


def facts_of(files: Any, folder: Path) -> FileFacts:
    return FileFacts(files, ViewFiles(files, 2), FactsCache(folder, "lake"), 2)


LISTED = CatalogFacts(
    {},
    {},
    frozenset({"n.a", "n.b", "n.odd"}),
    other_views=frozenset({"n.v"}),
    unread={"n.a": "a1", "n.b": "b1", "n.v": "v1"},
)


def quiet(count: int, of: int) -> None:
    pass


def test_the_chosen_first_and_the_rest_later_and_each_file_once(tmp_path: Path) -> None:
    files = Files(a1=TABLE, b1=TABLE, v1=VIEW)
    of = facts_of(files, tmp_path)
    some = of.read(LISTED, {"n.a"}, quiet)
    assert (set(some.tables), set(some.others), set(some.other_views)) == ({"n.a"}, {"n.b", "n.odd"}, {"n.v"})
    every = of.read(some, None, quiet)
    assert (set(every.tables), set(every.others), set(every.views)) == ({"n.a", "n.b"}, {"n.odd"}, {"n.v"})
    assert (sorted(files.asked), every.unread) == (["a1", "b1", "v1"], {})


def test_tables_are_kept_for_the_next_run_until_they_change(tmp_path: Path) -> None:
    files = Files(a1=TABLE, b1=TABLE, b2=TABLE, v1=VIEW)
    facts_of(files, tmp_path).read(LISTED, None, quiet)
    assert set(FactsCache(tmp_path, "lake").load()) == {"a1", "b1"}
    files.asked.clear()
    now = {**LISTED.unread, "n.b": "b2"}
    listed = CatalogFacts({}, {}, LISTED.others, other_views=LISTED.other_views, unread=now)
    found = facts_of(files, tmp_path).read(listed, {"n.a", "n.b"}, quiet)
    assert (files.asked, found.tables["n.b"].metadata_location) == (["b2"], "b2")
    assert set(FactsCache(tmp_path, "lake").load()) == {"a1", "b2"}


def test_a_file_that_is_gone_leaves_its_table_among_those_that_were_only_listed(tmp_path: Path) -> None:
    found = facts_of(Files(a1=TABLE, v1=VIEW), tmp_path).read(LISTED, None, quiet)
    assert (set(found.tables), set(found.others)) == ({"n.a"}, {"n.b", "n.odd"})


def test_progress_counts_also_what_has_vanished() -> None:
    seen: list[tuple[int, int]] = []
    found = loaded({"a": "1", "b": "2"}, lambda at: at if at == "1" else None, lambda *count: seen.append(count), 2)
    assert (found, seen) == ({"a": "1"}, [(1, 2), (2, 2)])
