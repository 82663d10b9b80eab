"""Nessie's commits. Their forms are those of a real Nessie 0.99."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from bootstrap.audit.event import AccessEvent
from bootstrap.audit.nessie import NessieCommits, event
from bootstrap.catalogs.references import CatalogReferences


def commit(hash_: str, second: int, **meta: Any) -> dict[str, Any]:
    found = {
        "hash": hash_,
        "committer": "",
        "authors": ["root"],
        "message": "Iceberg append against silver.orders",
        "commitTime": f"2026-11-26T17:45:{second:02}.442131773Z",
    }
    put = {"type": "PUT", "key": {"elements": ["silver", "orders"]}, "content": {"type": "ICEBERG_TABLE"}}
    return {"commitMeta": found | meta, "operations": [put]}


def seen(entry: dict[str, Any], on: str = "") -> AccessEvent:
    return event(entry, "lake", on, "nessie lake", lambda text: text.replace("hunter2", "********"))


def test_a_commit_has_its_author_its_message_and_its_tables() -> None:
    found = seen(commit("c1", 34))
    assert found.time == datetime(2026, 11, 26, 17, 45, 34, 442_131, UTC)
    assert (found.layer, found.who, found.result) == ("nessie lake", "root", "ok")
    assert (found.what, found.on) == ("Iceberg append against silver.orders", "lake.silver.orders")


@pytest.mark.parametrize(
    ("meta", "who"),
    [
        ({"authors": ["ann", "bob"]}, "ann, bob"),
        ({"authors": [""]}, ""),
        ({"authors": [], "author": None}, ""),
        ({"authors": None, "author": "ann"}, "ann"),
        ({"authors": ["somebody"], "committer": "known by its token"}, "known by its token"),
    ],
)
def test_who(meta: dict[str, Any], who: str) -> None:
    assert seen(commit("c1", 1, **meta)).who == who


def test_what_and_on_are_short_and_without_secrets() -> None:
    entry = commit("c1", 1, message="use hunter2\nmore")
    keys = [{"elements": ["n", f"t{nth}"]} for nth in range(5)]
    operations = [{"type": "PUT", "key": keys[0]}, *({"type": "DELETE", "key": each} for each in keys[1:])]
    found = seen({**entry, "operations": [{"type": "UNCHANGED", "key": {"elements": ["x"]}}, *operations]}, " on dev")
    assert found.what == "use ********"
    assert found.on == "lake.n.t0, lake.n.t1, lake.n.t2 and 2 more on dev"


def test_a_commit_without_message_and_operations() -> None:
    found = seen({**commit("c1", 1, message=""), "operations": None}, " on dev")
    assert (found.what, found.on) == ("commit", "lake on dev")


class Api:
    """Nessie with two branches and a tag. A page has one commit."""

    def __init__(self, logs: dict[str, list[dict[str, Any]]]) -> None:
        self.logs = logs
        self.asked: list[tuple[str, Any]] = []

    def get(self, path: str, **query: Any) -> Any:
        if path == "/trees":
            of = [("TAG", "v1"), *(("BRANCH", name) for name in sorted(self.logs))]
            return {"references": [{"type": kind, "name": name, "hash": "h"} for kind, name in of]}
        branch = path.removeprefix("/trees/").removesuffix("/history")
        self.asked.append((branch, query["filter"]))
        nth, log = int(query["page-token"] or 0), self.logs[branch]
        return {"logEntries": log[nth : nth + 1], "hasMore": nth + 1 < len(log), "token": str(nth + 1)}


def reader(api: Api) -> NessieCommits:
    found: Any = api
    return NessieCommits("lake", CatalogReferences(found, "main"), str)


def test_all_branches_by_time_and_each_commit_once() -> None:
    first, merged = commit("c1", 1), commit("c3", 3)
    api = Api({"dev": [commit("c4", 4), merged, first], "main": [commit("c5", 5), merged, commit("c2", 2), first]})
    found = [(each.time.second, each.on) for each in reader(api).read(None)]
    table = "lake.silver.orders"
    assert found == [(5, table), (4, f"{table} on dev"), (3, table), (2, table), (1, table)]


def test_it_reads_only_as_far_as_it_is_asked() -> None:
    api = Api({"main": [commit(f"c{nth}", nth) for nth in range(50, 0, -1)]})
    assert len(list(islice(reader(api).read(datetime(2026, 11, 26, 17, tzinfo=UTC)), 3))) == 3
    assert api.asked == [("main", "timestamp(commit.commitTime) >= timestamp('2026-11-26T17:00:00Z')")] * 3


def test_what_its_names_are_worth_depends_on_whether_it_asks_for_tokens() -> None:
    found: Any = Api({})
    there = CatalogReferences(found, "main")
    assert "asks nobody for a name" in NessieCommits("lake", there, str).note
    assert "the name in the token" in NessieCommits("lake", there, str, named=True).note
