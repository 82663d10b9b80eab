"""The note on a table that existed before, and how it is found if the catalog keeps no history."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.catalogs.base import Gone
from bootstrap.reconciler.tables import lost

METADATA: dict[str, Any] = {
    "current-snapshot-id": 2,
    "snapshots": [
        {"snapshot-id": 1, "summary": {"total-records": "1"}},
        {"snapshot-id": 2, "summary": {"total-records": "3"}},
    ],
}


@pytest.mark.parametrize(
    ("gone", "metadata", "parts"),
    [
        (Gone("dropped (commit 1a)", "s3://w/m"), METADATA, ["dropped (commit 1a); it held 3 rows in 2 snapshots",
                                                             "`lakehouse undrop lake.n.t`"]),
        (Gone("dropped (commit 1a)", "s3://w/m"), {}, ["it held no rows"]),
        (Gone("dropped (commit 1a)", "s3://w/m"), None, ["s3://w/m cannot be read, so it cannot be brought back"]),
        (Gone("renamed to n.u (commit 1a)", "s3://w/m", "n.u"), METADATA,
         ["its rows are in lake.n.u", "ALTER TABLE lake.n.u RENAME TO lake.n.t"]),
        # Renamed, and then dropped under its new name.
        (Gone("renamed to n.x (commit 1a)", "s3://w/m", "n.x"), METADATA, ["`lakehouse undrop lake.n.t`"]),
    ],
)  # fmt: skip
def test_what_a_note_says(gone: Gone, metadata: dict[str, Any] | None, parts: list[str]) -> None:
    said = lost.text("lake", "n.t", gone, metadata, {"n.u"})
    assert all(part in said for part in parts)
    assert "`apply` creates a new, empty table" in said


class Folders:
    """Folders that hold the files of a table."""

    def __init__(self, *held: str) -> None:
        self._held = held

    def held(self, location: str) -> bool:
        return location in self._held

    def latest(self, location: str) -> list[str]:
        return [] if location.endswith("/noise") else [f"{location}/metadata/00003-{nth}.metadata.json" for nth in "ab"]


class Files:
    """Metadata files; the one that ends in b was written last."""

    def read(self, location: str) -> dict[str, Any]:
        if "/a_view/" in location:
            return {"view-uuid": "v"}
        return {"last-updated-ms": 2 if location.endswith("b.metadata.json") else 1}


def test_without_a_history_the_default_folder_shows_what_was_lost() -> None:
    defaults = {name: f"s3://w/n/{name}" for name in ("new", "gone", "taken", "noise", "a_view")}
    held: Any = Folders("s3://w/n/gone", "s3://w/n/taken", "s3://w/n/noise", "s3://w/n/a_view")
    catalog: Any = object()
    files: Any = Files()
    found = lost.find(catalog, defaults, {"taken"}, held, files)
    assert list(found) == ["gone"]
    assert found["gone"].metadata_location == "s3://w/n/gone/metadata/00003-b.metadata.json"


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({"total-records": "1"}, "1 row in"),
        ({"total-records": "10", "total-position-deletes": "4", "total-delete-files": "2"}, "about 6 rows in"),
        ({"total-records": "10", "total-delete-files": "0"}, "10 rows in"),
        ({}, "an unknown number of rows in"),
    ],
)
def test_rows_that_delete_files_remove_do_not_count(summary: dict[str, str], said: str) -> None:
    metadata = {"snapshots": [{"snapshot-id": 1, "summary": summary}], "current-snapshot-id": 1}
    assert lost.rows(metadata).startswith(said)
