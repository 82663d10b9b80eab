"""Old backups go, and with them only what no other one needs."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from bootstrap.backup.delete import Deleted, delete
from bootstrap.backup.manifest import BackupManifest
from bootstrap.backup.vault import Vault, vault
from lakehouse.errors import LakehouseError, UsageError
from tests.moto import running

FILE = b"name: demo\n"


def backup(at: Vault, id_: str, *contents: bytes, stack: str = "local") -> None:
    with at.place.scratch() as folder:
        stored = at.stored()
        file = at.receive([FILE], folder, stored)
        files = {f"s3://b/{one.decode()}": at.receive([one], folder, stored) for one in contents}
    at.finish(BackupManifest(id_, "then", "demo", stack, "lakehouse.yaml", file, None, {}, {}, files))


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    made = vault(str(tmp_path / "backups"))
    backup(made, "1", b"old", b"shared")
    backup(made, "2", b"shared", b"middle")
    backup(made, "3", b"shared", b"new")
    backup(made, "0", b"other", stack="two")
    return made


def contents(at: Vault) -> set[bytes]:
    found = set()
    for digest in at.stored():
        with at.opened(digest) as file:
            found.add(file.read())
    return found


def test_the_newest_of_each_stack_stay_with_their_files(there: Vault) -> None:
    assert delete(there, [], 1) == Deleted(["1", "2"], 2, len(b"old" + b"middle"))
    assert there.ids() == ["0", "3"]
    assert contents(there) == {FILE, b"shared", b"new", b"other"}
    assert delete(there, [], 1) == Deleted([], 0, 0)


def test_the_schedule_of_one_stack_leaves_the_backups_of_others(there: Vault) -> None:
    backup(there, "4", b"theirs", stack="two")
    assert delete(there, [], 1, ("demo", "local")).ids == ["1", "2"]
    assert delete(there, [], 1, ("demo", "none")).ids == []
    assert delete(there, [], 1, ("another", "two")).ids == []
    assert there.ids() == ["0", "3", "4"]


def test_one_is_deleted_by_its_id(there: Vault) -> None:
    assert delete(there, ["2"]).ids == ["2"]
    assert contents(there) == {FILE, b"old", b"shared", b"new", b"other"}


def test_nothing_is_deleted_if_one_of_them_does_not_exist(there: Vault) -> None:
    with pytest.raises(UsageError, match='no backup "9"'):
        delete(there, ["1", "9"])
    assert there.ids() == ["0", "1", "2", "3"]


def test_it_does_not_come_between_a_backup_that_is_being_made(there: Vault) -> None:
    with there.place.held(alone=False):
        with there.place.held(alone=False):
            pass
        with pytest.raises(UsageError, match="a backup is being made or restored there"):
            delete(there, ["1"])
    assert there.ids() == ["0", "1", "2", "3"]


def test_a_kill_between_leaves_whole_backups_and_the_next_call_removes_the_rest(
    there: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "drop", lambda self, digest: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            delete(there, ["1"])
    assert there.ids() == ["0", "2", "3"]
    assert b"old" in contents(there)
    assert delete(there, [], 5) == Deleted([], 1, len(b"old"))


def test_a_backup_that_was_made_meanwhile_in_a_bucket_is_named(there: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Vault.drop

    def drop(self: Vault, digest: str) -> None:
        real(self, digest)
        if "4" not in self.ids():
            backup(self, "4", b"late")

    monkeypatch.setattr(Vault, "drop", drop)
    with pytest.raises(LakehouseError, match="Backup 4 was made meanwhile"):
        delete(there, ["1"])


def test_a_bucket_is_cleaned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with running() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        boto3.client("s3", region_name="us-east-1", endpoint_url=url).create_bucket(Bucket="backups")
        at = vault("s3://backups/lake")
        backup(at, "1", b"old")
        backup(at, "2", b"new")
        assert delete(at, [], 1).ids == ["1"]
        assert contents(at) == {FILE, b"new"}


def test_a_damaged_backup_is_deleted_only_if_it_is_named(there: Vault, tmp_path: Path) -> None:
    (tmp_path / "backups/backups/1.backup").write_bytes(b"?")
    for ids, keep in ((["2"], None), ([], 1)):
        with pytest.raises(UsageError, match=r"backup 1 in .* is damaged.*nothing was deleted.*backup delete \S* 1`"):
            delete(there, ids, keep)
    assert there.ids() == ["0", "1", "2", "3"]
    assert delete(there, ["1"]) == Deleted(["1"], 1, len(b"old"))
    assert delete(there, [], 1).ids == ["2"]
