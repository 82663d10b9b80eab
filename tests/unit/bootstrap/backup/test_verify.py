"""Damage is found without a lakehouse: other bytes, missing files, and files that nobody copied."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bootstrap.backup.manifest import BackupManifest, CatalogCopy
from bootstrap.backup.reach import Reached
from bootstrap.backup.vault import Vault, vault
from bootstrap.backup.verify import BackupFiles, verify
from bootstrap.remote.errors import Missing, Refused

HEAD, DATA = "s3://w/t/metadata/1.metadata.json", "s3://w/t/data/a"


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    return vault(str(tmp_path / "backups"))


def manifest(there: Vault, **contents: bytes) -> BackupManifest:
    with there.place.scratch() as folder:
        stored = there.stored()
        file, secrets = (there.receive([data], folder, stored) for data in (b"name: demo", b"sealed"))
        files = {at: there.receive([contents[key]], folder, stored) for at, key in ((HEAD, "head"), (DATA, "data"))}
    catalogs = {"lake": CatalogCopy("rest", {"n": {}}, {"n.t": HEAD})}
    return BackupManifest("1", "then", "demo", "local", "a.yaml", file, secrets, catalogs, {HEAD: [HEAD, DATA]}, files)


def reaches(monkeypatch: pytest.MonkeyPatch, *needed: str) -> None:
    monkeypatch.setattr("bootstrap.backup.reach.FileReach.of", lambda *_: Reached(frozenset(needed), frozenset()))


def test_a_whole_backup_has_nothing_wrong(there: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    reaches(monkeypatch, HEAD, DATA)
    seen: list[tuple[int, int]] = []
    checked = verify(there, manifest(there, head=b"h", data=b"d"), lambda *count: seen.append(count))
    assert (checked.files, checked.wrong, seen[-1]) == (4, (), (4, 4))


def test_a_file_that_the_metadata_names_and_nobody_copied_is_named(
    there: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaches(monkeypatch, HEAD, DATA, "s3://w/t/data/b")
    (wrong,) = verify(there, manifest(there, head=b"h", data=b"d")).wrong
    assert wrong == "lake.n.t: the backup lacks s3://w/t/data/b, which the metadata names"


@pytest.mark.parametrize(("left", "said"), [(b"?", "was altered"), (None, "is missing")])
def test_each_file_is_read(left: bytes | None, said: str, there: Vault, tmp_path: Path) -> None:
    found = manifest(there, head=b"h", data=b"d")
    assert found.secrets is not None
    for digest, what in ((found.files[DATA].digest, DATA), (found.secrets.digest, "the file of secrets")):
        path = tmp_path / "backups/objects" / digest[:2] / digest
        path.unlink() if left is None else path.write_bytes(left)
        assert any(f"{what} {said}" in each for each in verify(there, found).wrong)


def test_metadata_may_be_compressed_and_must_be_json(there: Vault) -> None:
    content = gzip.compress(json.dumps({"a": 1}).encode())
    assert BackupFiles(there, manifest(there, head=content, data=b"d")).read(HEAD) == {"a": 1}
    files = BackupFiles(there, manifest(there, head=b"{", data=b"d"))
    with pytest.raises(Refused, match=r"1\.metadata\.json cannot be read"):
        files.read(HEAD)
    with pytest.raises(Missing, match="the backup has no s3://w/other"):
        files.content("s3://w/other")
    with files.io.new_input(DATA).open() as stream:
        assert stream.read() == b"d"
