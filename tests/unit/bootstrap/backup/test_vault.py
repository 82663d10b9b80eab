"""Files in a folder: taken in once, checked when they are read, and named if something is wrong with them."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from bootstrap.backup.manifest import BackupManifest, StoredFile
from bootstrap.backup.vault import Vault, vault
from bootstrap.remote.errors import Missing
from lakehouse.errors import LakehouseError, UsageError

CONTENT = b"some bytes"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"objects/{DIGEST[:2]}/{DIGEST}"


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    return vault(str(tmp_path / "backups"))


def receive(there: Vault, *parts: bytes) -> StoredFile:
    with there.place.scratch() as folder:
        return there.receive(parts, folder, there.stored())


def manifest(id_: str) -> BackupManifest:
    return BackupManifest(id_, "then", "demo", "local", "lakehouse.yaml", StoredFile(DIGEST, 10), None, {}, {}, {})


def test_a_file_is_taken_in_once_under_its_digest(there: Vault, tmp_path: Path) -> None:
    file = receive(there, b"some ", b"bytes")
    assert file == receive(there, CONTENT) == StoredFile(DIGEST, 10)
    assert there.stored() == {DIGEST: 10}
    assert [each.name for each in (tmp_path / "backups").iterdir()] == ["objects"], "nothing is left on the way"
    assert (tmp_path / "backups" / NAME).stat().st_mode & 0o777 == 0o600
    assert there.read(file, "it") == CONTENT


def test_half_a_file_is_taken_in_again(there: Vault, tmp_path: Path) -> None:
    receive(there, CONTENT)
    (tmp_path / "backups" / NAME).write_bytes(b"some")
    receive(there, CONTENT)
    assert there.read(StoredFile(DIGEST, 10), "it") == CONTENT


def test_what_is_missing_or_altered_is_named(there: Vault, tmp_path: Path) -> None:
    with pytest.raises(LakehouseError, match=rf"backups: s3://w/a is missing \({NAME}\)"):
        there.read(StoredFile(DIGEST, 10), "s3://w/a")
    with pytest.raises(Missing):
        there.opened(DIGEST)
    receive(there, CONTENT)
    (tmp_path / "backups" / NAME).write_bytes(b"some bytez")
    with pytest.raises(LakehouseError, match=rf"s3://w/a was altered \({NAME} has another digest\)"):
        there.read(StoredFile(DIGEST, 10), "s3://w/a")


def test_a_full_disk_is_named_and_leaves_nothing(there: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LakehouseError, match="No space left on device. Free space or name another place; the same"):
        receive(there, CONTENT)
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_newest_backup_is_the_default(there: Vault) -> None:
    with pytest.raises(UsageError, match="has no backups. `lakehouse backup create .*` makes one"):
        there.manifest()
    for id_ in ("2", "1"):
        there.finish(manifest(id_))
    assert there.ids() == ["1", "2"]
    assert there.manifest().id == "2"
    assert there.manifest("1") == manifest("1")
    with pytest.raises(UsageError, match='has no backup "3". It has 1, 2'):
        there.manifest("3")


def test_a_damaged_manifest_is_named(there: Vault, tmp_path: Path) -> None:
    there.finish(manifest("1"))
    (tmp_path / "backups/backups/1.backup").write_bytes(b"")
    with pytest.raises(LakehouseError, match=r"backup 1 in .*backups: it is damaged"):
        there.manifest()


@pytest.mark.parametrize("where", ["http://x/y", "s3:/x/y", "s3://", "s3:///x", "s3://b/x?y"])
def test_another_place_is_refused(where: str) -> None:
    with pytest.raises(UsageError, match="is neither a folder nor a URL like"):
        vault(where)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/x cannot be written: Not a directory\. Name another folder"):
        receive(vault(str(tmp_path / "file" / "x")), CONTENT)


def test_what_a_killed_backup_left_goes_with_the_next_one(there: Vault, tmp_path: Path) -> None:
    left = tmp_path / "backups/.incoming-left"
    left.mkdir(parents=True)
    (left / "half").write_text("half a file")
    with there.place.scratch() as ours:
        assert not left.exists()
        with there.place.scratch():
            assert ours.exists(), "another one at the same time goes on"
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_folder_that_cannot_be_read_has_not_no_backups(tmp_path: Path) -> None:
    (tmp_path / "backups").touch()
    with pytest.raises(UsageError, match=r"backups cannot be read: Not a directory\. Name another folder"):
        vault(str(tmp_path / "backups")).ids()
    assert vault(str(tmp_path / "none")).ids() == []


def test_a_disk_that_is_full_at_the_end_is_named(there: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LakehouseError, match=r"backups: a file cannot be written: No space left on device\. Free"):
        there.finish(manifest("1"))
    assert there.ids() == []
