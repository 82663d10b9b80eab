from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from lakehouse import packages
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached
from lakehouse.runtimes.hosts import uploads

NAME = "nessie-0.99.0"


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package of an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "missing", lambda _: [])
    return written(1_000_000_000)


def written(when: int) -> Path:
    folder = cached.folder(NAME)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "runner.jar").write_bytes(b"classes")
    os.utime(folder / "runner.jar", (when, when))
    return folder


def test_an_archive_is_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = uploads.made([NAME])[NAME]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    written(1_700_000_000)
    other = uploads.made([NAME])[NAME]
    assert one.archive != other.archive
    assert one.sha256 == other.sha256
    with tarfile.open(one.archive) as tar:
        found = {each.name: (each.uname, oct(each.mode)) for each in tar}
    assert found == {one.folder: ("root", "0o755"), f"{one.folder}/runner.jar": ("root", "0o644")}


def test_only_archives_that_a_folder_lacks_are_written_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mirror"
    (name,) = uploads.publish([NAME], folder)
    assert (folder / name).read_bytes() == Path(uploads.made([NAME])[NAME].archive).read_bytes()
    assert uploads.publish([NAME], folder) == []
    (folder / name).write_bytes(b"half")
    assert uploads.publish([NAME], folder) == [name]
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "mirror").write_text("a file")
    with pytest.raises(LakehouseError, match=f"Cannot write {tmp_path / 'mirror'}: File exists"):
        uploads.publish([NAME], tmp_path / "mirror")
