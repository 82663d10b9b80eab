"""The files of a dropped table: which tables are spared, and what is reported of files that stay."""

from __future__ import annotations

from types import SimpleNamespace as Some
from typing import Any

import pytest

from bootstrap.catalogs.purge import purgeable, purged
from bootstrap.remote.errors import Refused


@pytest.mark.parametrize("value", ["false", "FALSE", "no"])
def test_files_that_may_belong_to_another_table_are_not_purged(value: str) -> None:
    with pytest.raises(Refused) as refused:
        purgeable('catalog "lake": n.t', {"gc.enabled": value})
    said = str(refused.value)
    assert said.startswith(f'catalog "lake": n.t: its property gc.enabled is {value}: ')
    assert said.endswith("Drop the table without --purge")


@pytest.mark.parametrize("properties", [{}, {"gc.enabled": "true"}, {"gc.enabled": "True", "a": "false"}])
def test_other_tables_are_purged(properties: dict[str, str]) -> None:
    purgeable("n.t", properties)


class Store:
    """Deletes files, except those that it fails for."""

    def __init__(self, **failing: Exception) -> None:
        self.deleted: list[str] = []
        self._failing = failing

    def delete(self, path: str) -> None:
        if error := self._failing.get(path):
            raise error
        self.deleted.append(path)


def manifest(path: str, *files: str) -> Any:
    entries = [Some(data_file=Some(file_path=each)) for each in files]
    return Some(manifest_path=path, fetch_manifest_entry=lambda io, discard_deleted: entries)


def metadata(*manifests: Any) -> Any:
    """Two snapshots with the same manifests."""
    snapshots = [Some(manifest_list=each, manifests=lambda io: list(manifests)) for each in ("list1", "list2")]
    statistics = [Some(statistics_path="puffin")]
    return Some(
        location="s3://b/t",
        snapshots=snapshots,
        statistics=statistics,
        partition_statistics=(),
        metadata_log=[Some(metadata_file="v1"), Some(metadata_file="v2")],
    )


TABLE = metadata(manifest("m1", "a", "b"), manifest("m2", "b", "c"))
FILES = ["a", "b", "c", "list1", "list2", "m1", "m2", "puffin", "v1", "v2", "v3"]


def test_every_file_is_deleted_once_and_the_last_metadata_file_at_the_end() -> None:
    store: Any = Store()
    assert purged(store, TABLE, "v3") == ""
    assert sorted(store.deleted) == FILES
    assert store.deleted[:3] == ["a", "b", "c"]
    assert store.deleted[-1] == "v3"


def test_a_file_that_is_gone_already_is_no_failure() -> None:
    store: Any = Store(b=FileNotFoundError("no such file"))
    assert purged(store, TABLE, "v3") == ""


def test_failures_are_counted_and_the_other_files_deleted() -> None:
    store: Any = Store(a=OSError("no answer\nat all"), m1=PermissionError("not yours"), v1=OSError("x"))
    left = "dropped, but the files at s3://b/t are not all deleted: a: no answer (and 2 more)"
    assert purged(store, TABLE, "v3") == left
    assert sorted(store.deleted) == [each for each in FILES if each not in ("a", "m1", "v1")]


@pytest.mark.parametrize("error", [OSError("no answer"), ValueError("damaged"), KeyError("status")])
def test_a_manifest_that_cannot_be_read_leaves_what_names_the_files(error: Exception) -> None:
    def fails(io: Any, discard_deleted: bool) -> Any:
        raise error

    store: Any = Store()
    table = metadata(manifest("m1", "a"), Some(manifest_path="m2", fetch_manifest_entry=fails))
    left = f"dropped, but the files at s3://b/t are not all deleted: {error}"
    assert purged(store, table, "v3") == left
    assert store.deleted == ["a"]
