"""What Nessie's log says about lost tables: dropped, renamed, dropped and created again; page by page."""

from __future__ import annotations

from typing import Any

from bootstrap.catalogs.nessie_history import formerly, gone

TABLE = {"type": "ICEBERG_TABLE", "id": "t", "metadataLocation": "s3://w/n/t/metadata/7.json"}


def commit(hash_: str, *operations: dict[str, Any]) -> dict[str, Any]:
    meta = {"hash": hash_, "commitTime": "2026-11-25T18:58:37.123Z", "authors": ["ann"], "message": "DROP\n\nmore"}
    return {"commitMeta": meta, "parentCommitHash": f"before-{hash_}", "operations": list(operations)}


def drop(name: str) -> dict[str, Any]:
    return {"type": "DELETE", "key": {"elements": name.split(".")}}


def put(name: str, content_id: str) -> dict[str, Any]:
    return {"type": "PUT", "key": {"elements": name.split(".")}, "content": {"id": content_id}}


class Api:
    """A log with one commit per page, and the tables before some of the commits."""

    def __init__(self, log: list[dict[str, Any]], before: dict[str, dict[str, Any]]) -> None:
        self.log, self.before, self.pages = log, before, 0

    def get(self, path: str, **query: Any) -> Any:
        self.pages += 1
        nth = int(query["page-token"] or 0)
        return {"logEntries": self.log[nth : nth + 1], "hasMore": nth + 1 < len(self.log), "token": str(nth + 1)}

    def post(self, path: str, body: Any) -> Any:
        content = self.before.get(path.partition("@")[2].partition("/")[0])
        return {"contents": [{"content": content}] if content else []}


def found(log: list[dict[str, Any]], before: dict[str, dict[str, Any]], *names: str) -> tuple[dict[str, Any], Api]:
    api: Any = Api(log, before)
    return gone(api, "main", names), api


def test_the_newest_commit_that_dropped_it_and_where_it_was_before() -> None:
    log = [commit("c3", drop("n.other")), commit("c2", drop("n.t")), commit("c1", drop("n.t"))]
    history, api = found(log, {"before-c2": TABLE}, "n.t")
    assert history["n.t"].how == 'dropped (commit c2 of 2026-11-25T18:58:37 by ann: "DROP")'
    assert history["n.t"].metadata_location == TABLE["metadataLocation"]
    assert api.pages == 2, "the rest of the log is not asked for"


def test_a_rename_gives_the_same_content_another_name() -> None:
    history, _ = found([commit("c1", drop("n.t"), put("n.u", "x"), put("n.t_old", "t"))], {"before-c1": TABLE}, "n.t")
    assert history["n.t"].renamed_to == "n.t_old"
    assert history["n.t"].how.startswith("renamed to n.t_old (commit c1 ")


def test_what_was_never_there_and_what_was_no_table_is_left_out() -> None:
    log = [commit("c1", drop("n.v"))]
    assert found(log, {"before-c1": {"type": "ICEBERG_VIEW"}}, "n.t", "n.v")[0] == {}
    assert found(log, {})[1].pages == 0, "nothing is missing, nothing is asked"


def test_each_table_that_had_the_name_comes_once_the_last_one_first() -> None:
    log = [commit(each, drop("n.t")) for each in ("c4", "c3", "c2", "c1")]
    before = {
        "before-c4": {**TABLE, "id": "new", "metadataLocation": "new"},
        "before-c3": {**TABLE, "id": "old", "metadataLocation": "old, renamed back"},
        "before-c2": {**TABLE, "id": "old", "metadataLocation": "old"},
        "before-c1": {"type": "ICEBERG_VIEW", "id": "view"},
    }
    api: Any = Api(log, before)
    assert [each.metadata_location for each in formerly(api, "main", "n.t")] == ["new", "old, renamed back"]
