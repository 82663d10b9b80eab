"""What is particular about tables that the store serves; the answers of the server are a script."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bootstrap.catalogs.s3tables import S3TablesCatalog
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Missing, Refused, UnknownState

METADATA = {
    "table-uuid": "theirs",
    "location": "s3://tables/n/t",
    "schemas": [{"type": "struct", "schema-id": 0, "fields": []}],
    "current-schema-id": 0,
    "properties": {"schema.name-mapping.default": "[]", "owner": "us"},
}


class Scripted:
    """Answers by path; an error is raised. Notes what is written."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers, self.written = answers, list[str]()

    def get(self, path: str, **query: Any) -> Any:
        answer = {"/v1/config": {}, **self._answers}[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, path: str, body: Any) -> Any:
        self.written.append(path)

    def request(self, method: str, path: str, query: Any = None) -> Any:
        self.written.append(f"{method} {path}")


def catalog(**answers: Any) -> tuple[S3TablesCatalog, Scripted]:
    store = StoreConnection("http://127.0.0.1:1", "us-east-1", "key", "secret")
    made = S3TablesCatalog(
        "lake", CatalogConnection("s3tables", "http://127.0.0.1:1", "tables"), Connections(store, {})
    )
    paths = {"namespaces": "/v1/namespaces", "table": "/v1/namespaces/n/tables/t"}
    scripted = Scripted({paths[name]: answer for name, answer in answers.items()})
    made.http = scripted  # type: ignore[assignment]
    return made, scripted


COMMIT = {"updates": [{"action": "assign-uuid", "uuid": "ours"}], "requirements": [{"type": "assert-create"}]}


def test_a_new_table_that_is_somebody_elses_is_a_conflict() -> None:
    made, _ = catalog(table={"metadata": METADATA})
    with pytest.raises(Conflict, match="somebody else created n.t at the same time"):
        made.commit_table("n.t", COMMIT)
    made, scripted = catalog(table={"metadata": {**METADATA, "table-uuid": "ours"}})
    made.commit_table("n.t", COMMIT)
    assert scripted.written == ["/v1/namespaces/n/tables/t"]


def test_a_change_of_a_table_is_one_request() -> None:
    made, scripted = catalog(table=AssertionError("asked again"))
    made.commit_table("n.t", {"updates": [{"action": "set-properties", "updates": {}}], "requirements": []})
    assert scripted.written == ["/v1/namespaces/n/tables/t"]


def test_a_drop_without_its_files_is_refused_before_any_request() -> None:
    made, scripted = catalog(table={"metadata": METADATA})
    with pytest.raises(Refused, match="drops a table only with its files. `--purge` deletes them"):
        made.drop_table("n.t", "theirs", purge=False)
    assert scripted.written == []
    made.drop_table("n.t", "theirs", purge=True)
    assert scripted.written == ["DELETE /v1/namespaces/n/tables/t"]


def test_the_property_that_the_server_writes_is_not_seen() -> None:
    made, _ = catalog(table={"metadata": METADATA, "metadata-location": "s3://tables/n/t/m.json"})
    found = made._table("n.t")
    assert found is not None
    assert dict(found.properties) == {"owner": "us"}


def test_namespaces_are_listed_once_though_the_server_repeats_them() -> None:
    made, _ = catalog(namespaces={"namespaces": [["n"], ["n", "deep"], ["n"]]})
    with ThreadPoolExecutor(1) as pool:
        assert made._namespaces(pool) == ["n", "n.deep"]


@pytest.mark.parametrize(
    "answer", [Missing("no bucket"), UnknownState("HTTP 500: attribute not found: s3tables.metadata")]
)
def test_a_bucket_that_is_missing_or_ordinary_has_no_tables(answer: Exception) -> None:
    made, _ = catalog(namespaces=answer)
    found = made.facts(None, lambda count, of: None)
    assert (dict(found.namespaces), dict(found.tables)) == ({}, {})


def test_another_error_of_the_server_is_not_taken_for_an_empty_bucket() -> None:
    made, _ = catalog(namespaces=UnknownState("HTTP 500: the disk is full"))
    with pytest.raises(UnknownState, match="the disk is full"):
        made.facts(None, lambda count, of: None)
