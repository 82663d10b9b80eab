"""A backup that meets files which vanish, kinds that cannot be restored, and a target that has most of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bootstrap.backup import create as module
from bootstrap.backup import sealing
from bootstrap.backup.bundle import Bundle
from bootstrap.backup.create import BackupDone, create, next_id
from bootstrap.backup.manifest import CatalogCopy
from bootstrap.backup.plan import LiveFile
from bootstrap.backup.reach import Reached
from bootstrap.backup.vault import Vault, vault
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from lakehouse.errors import LakehouseError, UsageError

BUNDLE = Bundle("demo", "local", "lakehouse.yaml", b"name: demo", {"state/secrets/key": b"hidden"})


class Lake:
    """A table whose metadata file needs a data file; ``lost`` looks at the store do not find that."""

    def __init__(self) -> None:
        self.head, self.objects, self.lost, self.pinned = "s3://w/t/metadata/1.metadata.json", dict[str, bytes](), 0, 0
        self.objects = {self.head: b"metadata", "s3://w/t/data/a": b"rows"}
        self.reads = list[str]()

    def pin(self, *_: Any) -> CatalogCopy:
        self.pinned += 1
        return CatalogCopy("rest", {"n": {}}, {"n.t": self.head})

    def of(self, what: str, location: str) -> Reached:
        return Reached(frozenset(self.objects) - {"s3://w/t/data/b"} | {location}, frozenset({"s3://w/t/former"}))

    def found(self, addresses: Collection[str], heads: object) -> dict[str, LiveFile]:
        self.lost -= 1
        gone = {"s3://w/t/data/a"} if self.lost >= 0 else set()
        return {at: LiveFile(len(self.objects[at]), at) for at in addresses if at in self.objects and at not in gone}

    @contextmanager
    def opened(self, address: str) -> Iterator[tuple[str, list[bytes]]]:
        self.reads.append(address)
        yield address, [self.objects[address]]


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Lake:
    made = Lake()
    monkeypatch.setattr(sealing, "_COST", 2)
    monkeypatch.setattr(module, "pin", made.pin)
    monkeypatch.setattr(module, "StoreFiles", lambda _: made)
    monkeypatch.setattr(module, "FileReach", lambda *_: made)
    monkeypatch.setattr(module, "MetadataFiles", lambda _: None)
    return made


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    return vault(str(tmp_path / "backups"))


def made(there: Vault, *without: str, kind: str = "rest", passphrase: bytes | None = None) -> BackupDone:
    connections = Connections(StoreConnection(None, "r"), {"lake": CatalogConnection(kind, "http://c", "lake")})
    return create(BUNDLE, connections, there, without, passphrase)


def test_a_backup_has_the_table_the_file_and_sealed_secrets_if_there_is_a_passphrase(lake: Lake, there: Vault) -> None:
    done = made(there, passphrase=b"a passphrase")
    assert (done.copied, done.copied_bytes) == (2, len(b"metadata" + b"rows"))
    assert sorted(done.manifest.files) == ["s3://w/t/data/a", lake.head]
    assert done.manifest.secrets is not None
    assert b"hidden" not in there.read(done.manifest.secrets, "secrets")
    assert (there.manifest().files, there.manifest().id) == (done.manifest.files, done.manifest.id)
    assert made(there).manifest.secrets is None


def test_what_the_target_has_is_not_read_again(lake: Lake, there: Vault) -> None:
    made(there)
    lake.reads.clear()
    again = made(there)
    assert (again.copied, lake.reads) == (0, [])
    there.drop(again.manifest.files["s3://w/t/data/a"].digest)
    assert made(there).copied == 1, "unless the target has lost it"


def test_files_that_vanish_are_looked_for_again_three_times(lake: Lake, there: Vault) -> None:
    lake.lost = 2
    made(there)
    assert lake.pinned == 3
    lake.lost = 3
    (id_,) = there.ids()
    said = (
        rf"s3://w/t/data/a does not exist, and lake\.n\.t needs it\. Backup {id_} has it, .*{id_} --table lake\.n\.t`"
    )
    with pytest.raises(LakehouseError, match=said):
        made(there)
    lake.lost, empty = 3, vault(f"{there.where}/another")
    with pytest.raises(LakehouseError, match=r"and lake\.n\.t needs it\. If `lakehouse doctor`"):
        made(empty)
    assert (there.ids(), empty.ids()) == ([id_], [])


def test_a_kind_that_cannot_be_restored_is_refused_before_anything_is_read(lake: Lake, there: Vault) -> None:
    with pytest.raises(UsageError, match=r"catalogs\.lake is of kind s3tables.*--except lake"):
        made(there, kind="s3tables")
    assert lake.pinned == 0
    assert made(there, "lake", kind="s3tables").manifest.catalogs == {}


def test_it_does_not_run_while_backups_are_deleted(lake: Lake, there: Vault) -> None:
    with there.place.held(alone=True), pytest.raises(UsageError, match="backups are being deleted there"):
        made(there)


def test_a_damaged_backup_keeps_nobody_from_making_another(lake: Lake, there: Vault, tmp_path: Path) -> None:
    first = made(there).manifest.id
    path = tmp_path / "backups/backups" / f"{made(there).manifest.id}.backup"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    lake.reads.clear()
    assert made(there).copied == 0, "and the one before it saves the work"
    assert lake.reads == []
    assert there.ids()[0] == first


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize("last", ["20261128T120000.000000Z", "20991231T235959.999999Z", "20261128T115959.000000Z"])
def test_the_newest_is_the_last_also_if_the_clock_was_set_back(last: str) -> None:
    assert last < next_id(NOW, [last]) < next_id(NOW, [last, next_id(NOW, [last])])
    assert next_id(NOW, []) == next_id(NOW, ["20261128T115959.000000Z"]) == "20261128T120000.000000Z"
    assert next_id(NOW, ["by hand"]) == "20261128T120000.000000Z"
