"""``lakehouse backup``: places, passphrases, and what needs no running lakehouse."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.backup import sealing
from bootstrap.backup.manifest import BackupManifest
from bootstrap.backup.vault import Vault, vault
from tests.unit.bootstrap.cli.test_main import lakehouse

FILE = b"""name: demo
buckets: {warehouse: {}}
catalogs: {lake: {location: s3://warehouse/lake}}
stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: rest}}}
"""
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)
    monkeypatch.setattr(sealing, "_COST", 2)
    monkeypatch.delenv("LAKEHOUSE_BACKUP_PASSPHRASE", raising=False)


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    """A backup with the file and a secret, and no tables."""
    made = vault(str(tmp_path / "backups"))
    with made.place.scratch() as folder:
        sealed = sealing.sealed({"state/secrets/key": b"hidden"}, PASSPHRASE.encode())
        file, secrets = (made.receive([data], folder, made.stored()) for data in (FILE, sealed))
    made.finish(BackupManifest("1", "then", "demo", "local", "lakehouse.yaml", file, secrets, {}, {}, {}))
    return made


def test_they_are_listed(there: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("backup", "list", there.where)
    assert "demo" in capsys.readouterr().out
    lakehouse("backup", "list", there.where, "--json")
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["id"], found["secrets"], found["tables"]) == ("1", True, [])
    lakehouse("backup", "list", f"{there.where}/none")
    assert "has no backups" in capsys.readouterr().out


def test_they_are_deleted_by_id_or_by_how_many_stay(there: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("backup", "delete", there.where, "--keep", "1", "--of", "demo/local")
    assert "Deleted 0 backups" in capsys.readouterr().out
    for words in ((), ("1", "--keep", "1"), ("1", "--of", "demo/local"), ("--keep", "1", "--of", "demo")):
        lakehouse("backup", "delete", there.where, *words, expect=2)
    assert there.ids() == ["1"]
    lakehouse("backup", "delete", there.where, "1")
    assert there.ids() == []


def test_a_whole_one_and_a_damaged_one(there: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("backup", "verify", there.where)
    assert "Backup 1 is whole: 2 files" in capsys.readouterr().out
    digest = there.manifest().file.digest
    (Path(there.where) / "objects" / digest[:2] / digest).unlink()
    lakehouse("backup", "verify", there.where, expect=1)
    assert "lakehouse.yaml is missing" in capsys.readouterr().err
    lakehouse("backup", "verify", there.where, "--json", expect=1)
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_folder_is_made_from_it(there: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_text(PASSPHRASE + "\n")
    lakehouse("backup", "restore", there.where, "--into", str(tmp_path / "new"), "--key-file", str(key))
    assert (tmp_path / "new/lakehouse.yaml").read_bytes() == FILE
    assert (tmp_path / "new/.lakehouse/local/secrets/key").read_text() == "hidden"
    assert f"lakehouse backup restore {there.where} 1" in capsys.readouterr().out


def test_another_passphrase_writes_nothing(
    there: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_BACKUP_PASSPHRASE", "another one")
    lakehouse("backup", "restore", there.where, "--into", str(tmp_path / "new"), expect=1)
    said = capsys.readouterr().err
    assert "The secrets of backup 1 were sealed with another passphrase" in said
    assert "another one" not in said
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup", "create", "BACKUPS"), "The secrets need a passphrase: name its file with --key-file, or set"),
        (("backup", "create", "BACKUPS", "--key-file", "none"), "none cannot be read: No such file"),
        (("backup", "create", "ftp://x", "--no-secrets"), "is neither a folder nor a URL"),
        (("backup", "verify", "BACKUPS", "7"), 'has no backup "7"'),
        (("backup", "restore", "BACKUPS", "--into", "x", "--table", "lake"), "Use it without --table"),
        (("backup", "restore", "BACKUPS", "--into", "x"), "The secrets need a passphrase"),
    ],
)
def test_what_does_not_fit_is_refused(
    words: tuple[str, ...], said: str, file: Path, there: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [there.where if each == "BACKUPS" else each for each in words]
    lakehouse("-f", str(file), *given, expect=2)
    assert said in capsys.readouterr().err


def test_a_short_passphrase_is_refused(
    file: Path, there: Vault, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_BACKUP_PASSPHRASE", "short")
    lakehouse("-f", str(file), "backup", "create", there.where, expect=2)
    said = capsys.readouterr().err
    assert "too short: it needs at least 12 bytes" in said
    assert "short\n" not in said


def test_a_lakehouse_that_is_down_is_named(file: Path, there: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(file), "backup", "create", there.where, "--no-secrets", expect=1)
    assert "cannot be reached" in capsys.readouterr().err
    assert there.ids() == ["1"]


def test_none_is_made_where_it_would_be_lost_with_the_lakehouse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_bytes(FILE)
    inside = tmp_path / ".lakehouse" / "local" / "backups"
    lakehouse("--file", str(path), "backup", "create", str(inside), "--no-secrets", expect=2)
    assert f"{inside} is in the state folder of the stack" in capsys.readouterr().err


def test_a_damaged_one_is_named_beside_the_others(there: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    there.finish(replace(there.manifest(), id="2"))
    (Path(there.where) / "backups/2.backup").write_bytes(b"?")
    lakehouse("backup", "list", there.where, expect=1)
    said = capsys.readouterr()
    assert "demo" in said.out
    assert "wrong: backup 2 in" in said.err


def test_what_comes_next_names_the_file_and_the_stack(
    there: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_BACKUP_PASSPHRASE", PASSPHRASE)
    there.finish(replace(there.manifest(), id="2", file_name="lake 1.yaml", stack="dev"))
    lakehouse("backup", "restore", there.where, "--into", str(tmp_path / "new folder"))
    deploy = "lakehouse --file 'lake 1.yaml' --stack dev"
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"  cd '{tmp_path}/new folder'",
        f"  {deploy} deploy",
        f"  {deploy} backup restore {there.where} 2",
    ]
