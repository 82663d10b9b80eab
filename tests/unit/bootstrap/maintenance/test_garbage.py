"""What is deleted on Nessie and what is not, with doubles of the catalog and of the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import MagicMock

import pytest

from bootstrap.catalogs.base import Head
from bootstrap.catalogs.manifest_files import FileEntry
from bootstrap.catalogs.metrics import TableReader
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.catalogs.stored_names import StoredNames
from bootstrap.maintenance.garbage import Garbage
from bootstrap.maintenance.plan import MaintenanceStep
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Conflict, Missing, Refused

HOME = "s3://w/t"
M1, M2 = f"{HOME}/metadata/m1", f"{HOME}/metadata/m2"
LONG_AGO, CUTOFF, TODAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
EXPIRE = MaintenanceStep("expire snapshots", "", older_than=CUTOFF, retain_last=1)
ORPHANS = MaintenanceStep("remove orphans", "", older_than=CUTOFF, location=HOME)


def metadata(*numbers: int, uuid: str = "u", current: int = 2) -> dict[str, Any]:
    snapshots = [
        {"snapshot-id": n, "timestamp-ms": 1000 * n, "manifest-list": f"{HOME}/metadata/list{n}"} for n in numbers
    ]
    return {"table-uuid": uuid, "location": HOME, "snapshots": snapshots, "current-snapshot-id": current}


#: The first snapshot has the files a and, outside the table's folder, b; the second replaced a by c.
LISTS = {f"{HOME}/metadata/list1": [M1], f"{HOME}/metadata/list2": [M2]}
ENTRIES = {
    M1: [FileEntry(f"{HOME}/data/a", True), FileEntry("s3://w/other/b", True)],
    M2: [FileEntry(f"{HOME}/data/a", False), FileEntry(f"{HOME}/data/c", True)],
}


class Doubled(Garbage):
    """``files`` are metadata files by their addresses; ``elsewhere`` names those of other branches and tags."""

    def __init__(self, files: Mapping[str, Any], elsewhere: Mapping[str, str], objects: Mapping[str, datetime]) -> None:
        super().__init__(MagicMock(spec=TableReader), Connections(StoreConnection("http://127.0.0.1:1", "r"), {}))
        catalog = self._reader.catalog = MagicMock(spec=NessieCatalog)
        catalog.tables_elsewhere.return_value = elsewhere
        self.committed, self._reader.names = catalog.commit_table, lambda: {"n.t": Head("now", 2)}  # type: ignore[method-assign]
        self._reader.read_now = MagicMock(return_value=MagicMock(metadata=metadata(1, 2)))  # type: ignore[method-assign]
        self._files = MagicMock()
        self._files.read.side_effect = lambda at: self._content(files, at)
        self._names = StoredNames.__new__(StoredNames)
        self._names._lists, self._names._entries, self._names._parallel = dict(LISTS), dict(ENTRIES), 2
        self._names._files = MagicMock()
        self._names._files.manifests.side_effect = self._names._files.entries.side_effect = Missing("gone")
        self._s3: Any = MagicMock()
        page = {"Contents": [{"Key": key, "LastModified": when} for key, when in objects.items()]}
        self._s3.get_paginator().paginate.return_value = [page]

    @staticmethod
    def _content(files: Mapping[str, Any], at: str) -> Any:
        if at not in files:
            raise Missing(f"{at} is gone")
        return files[at]

    @property
    def deleted(self) -> set[str]:
        return {call.kwargs["Key"] for call in self._s3.delete_object.call_args_list}


def test_expiry_commits_and_deletes_what_no_head_needs_in_the_tables_own_folder() -> None:
    garbage = Doubled({"now": metadata(2)}, {}, {})
    answer = garbage.expire("n.t", EXPIRE)
    assert answer == {"expired_snapshots": 1, "deleted_files": 3, "left_outside_its_folder": 1}
    assert garbage.deleted == {"t/metadata/list1", "t/metadata/m1", "t/data/a"}
    (_, commit), _ = garbage.committed.call_args
    assert commit["updates"] == [{"action": "remove-snapshots", "snapshot-ids": [1]}]


def test_what_a_tag_needs_stays_under_whatever_name_unless_references_are_ignored() -> None:
    elsewhere, files = {"n.former on tag v": "then"}, {"now": metadata(2), "then": metadata(1, current=1)}
    garbage = Doubled(files, elsewhere, {})
    assert garbage.expire("n.t", EXPIRE)["deleted_files"] == 0
    assert garbage.deleted == set()
    alone = MaintenanceStep("expire snapshots", "", older_than=CUTOFF, retain_last=1, alone=True)
    assert garbage.expire("n.t", alone)["deleted_files"] == 3


def test_another_table_on_a_branch_needs_nothing_of_this_one() -> None:
    files = {"now": metadata(2), "then": metadata(1, uuid="another", current=1)}
    assert Doubled(files, {"n.t on branch b": "then"}, {}).expire("n.t", EXPIRE)["deleted_files"] == 3


@pytest.mark.parametrize(
    ("where", "at", "refused"),
    [
        ("n.t on branch b", "s3://w/elsewhere/metadata/1.json", True),
        ("n.former on branch b", f"{HOME}/metadata/1.json", True),
        ("n.other on branch b", "s3://w/other/metadata/1.json", False),
    ],
)
def test_what_cannot_be_read_on_a_branch_stops_it_if_it_may_be_the_table(where: str, at: str, refused: bool) -> None:
    garbage = Doubled({"now": metadata(2)}, {where: at}, {})
    if not refused:
        assert len(garbage.heads("n.t", metadata(2), garbage.named())) == 1
        return
    with pytest.raises(Refused, match=rf"what {where} needs is not known: {at} is gone\. Delete that branch or tag"):
        garbage.expire("n.t", EXPIRE)
    assert garbage.deleted == set()


def test_a_live_manifest_that_is_gone_stops_it() -> None:
    garbage = Doubled({"now": metadata(2, 3, current=3)}, {}, {})
    with pytest.raises(Refused, match="list3 does not exist, so what it named is not known"):
        garbage.expire("n.t", EXPIRE)
    assert garbage.deleted == set()


@pytest.mark.parametrize(("conflicts", "done"), [(2, True), (3, False)])
def test_a_writer_that_is_faster_is_followed_at_most_three_times(conflicts: int, done: bool) -> None:
    garbage = Doubled({"now": metadata(2)}, {}, {})
    garbage.committed.side_effect = [Conflict("it changed")] * conflicts + [None]
    if done:
        assert garbage.expire("n.t", EXPIRE)["deleted_files"] == 3
        return
    with pytest.raises(Conflict, match="it changed"):
        garbage.expire("n.t", EXPIRE)
    assert garbage.deleted == set()


def test_orphans_are_old_visible_files_that_no_head_needs() -> None:
    old = ("data/a", "data/orphan", "data/_temporary/x", "data/.hidden", "_day=1/x", "data/", "metadata/list2")
    objects = {f"t/{key}": LONG_AGO for key in old} | {"t/data/young": TODAY, "t/data/c": LONG_AGO}
    garbage = Doubled({"now": metadata(2), "then": metadata(1, current=1)}, {"n.t on tag v": "then"}, objects)
    assert garbage.orphans("n.t", ORPHANS) == {"deleted_files_count": 2}
    assert garbage.deleted == {"t/data/orphan", "t/_day=1/x"}


def test_nothing_is_an_orphan_if_the_table_needs_nothing_where_it_is() -> None:
    garbage = Doubled({"now": metadata()}, {}, {"t/data/a": LONG_AGO})
    with pytest.raises(Refused, match="has files, but the table needs none of them"):
        garbage.orphans("n.t", ORPHANS)
    assert garbage.deleted == set()
