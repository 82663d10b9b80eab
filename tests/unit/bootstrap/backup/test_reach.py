"""What a metadata file needs, and what may be gone."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

from bootstrap.backup.reach import FileReach, Reached, is_view, known

NOW, FORMER = "s3://w/t/metadata/2.metadata.json", "s3://w/t/metadata/1.metadata.json"


def reach(metadata: dict[str, Any]) -> FileReach:
    files = MagicMock()
    files.read.return_value = metadata
    made = FileReach(files, 1)
    made._names = MagicMock()
    made._names.manifests.return_value = {"m"}
    made._names.files.return_value = {"data"}
    return made


def test_only_former_metadata_files_may_be_gone() -> None:
    metadata = {
        "snapshots": [{"snapshot-id": 1, "manifest-list": "list"}],
        "metadata-log": [{"metadata-file": FORMER}],
        "statistics": [{"snapshot-id": 1, "statistics-path": "stats"}],
    }
    found = reach(metadata).of("lake.n.t", NOW)
    assert found == Reached(frozenset({NOW, "list", "m", "data", "stats"}), frozenset({FORMER}))
    assert known(NOW, [*found.needed, *found.logged]) == found, "as a former backup has it"


def test_a_view_needs_only_its_own_file() -> None:
    assert is_view({"view-uuid": "u"})
    assert reach({"view-uuid": "u", "metadata-log": []}).of("v", NOW) == Reached(frozenset({NOW}), frozenset())
