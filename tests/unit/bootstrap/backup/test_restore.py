"""A restore that does not fit changes nothing; one that does gives each catalog its tables, and each only once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.backup import restore as module
from bootstrap.backup.manifest import BackupManifest, CatalogCopy
from bootstrap.backup.plan import LiveFile
from bootstrap.backup.restore import Restored, restore
from bootstrap.backup.vault import Vault, vault
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from lakehouse.errors import LakehouseError, UsageError

T, U = "s3://w/t/metadata/1.metadata.json", "s3://w/u/metadata/1.metadata.json"


class Lake:
    """A store and a catalog that record what is changed."""

    def __init__(self) -> None:
        self.objects, self.tables, self.done, self.empty = dict[str, bytes](), dict[str, str](), list[str](), True
        self.buckets = {"w"}

    def missing_buckets(self, addresses: Collection[str]) -> list[str]:
        return sorted({each.split("/")[2] for each in addresses} - self.buckets)

    def found(self, addresses: Collection[str], heads: object) -> dict[str, LiveFile]:
        return {at: LiveFile(len(self.objects[at]), "other") for at in addresses if at in self.objects}

    def digest(self, address: str) -> str:
        import hashlib

        return hashlib.sha256(self.objects[address]).hexdigest()

    def put(self, address: str, content: Any) -> None:
        self.objects[address] = content.read()

    def facts(self, *_: Any) -> Any:
        tables = {name: SimpleNamespace(metadata_location=at, uuid=name) for name, at in self.tables.items()}
        return SimpleNamespace(tables=tables, namespaces={}, views={})

    def create_namespace(self, name: str, properties: object) -> None:
        self.done.append(f"namespace {name}")

    def drop_table(self, name: str, uuid: str, *, purge: bool) -> None:
        assert not purge
        self.done.append(f"drop {name}")

    def register_table(self, name: str, at: str) -> None:
        assert at in self.objects, "its files are there first"
        self.done.append(f"register {name}")


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Lake:
    made = Lake()
    monkeypatch.setattr(module, "StoreFiles", lambda _: made)
    monkeypatch.setattr(module, "connect", lambda *_: made)
    monkeypatch.setattr(module, "MetadataFiles", lambda _: SimpleNamespace(read=lambda at: {}))
    monkeypatch.setattr(module, "replaceable", lambda metadata: made.empty)
    return made


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    return vault(str(tmp_path / "backups"))


@pytest.fixture
def manifest(there: Vault) -> BackupManifest:
    with there.place.scratch() as folder:
        stored = there.stored()
        file = there.receive([b"name: demo"], folder, stored)
        files = {at: there.receive([at.encode()], folder, stored) for at in (T, U)}
    copy = CatalogCopy("rest", {"n": {}, "m": {}}, {"n.t": T, "m.u": U})
    heads = {at: [at] for at in (T, U)}
    return BackupManifest("1", "then", "demo", "local", "a.yaml", file, None, {"lake": copy}, heads, files)


def restored(there: Vault, manifest: BackupManifest, *only: str, kind: str = "rest", name: str = "lake") -> Restored:
    return restore(
        there, manifest, Connections(StoreConnection(None, "r"), {name: CatalogConnection(kind, "http://c", "w")}), only
    )


def test_files_come_first_and_an_empty_table_is_replaced(lake: Lake, there: Vault, manifest: BackupManifest) -> None:
    lake.tables = {"n.t": "s3://w/t/metadata/0.metadata.json"}
    assert restored(there, manifest) == Restored(2, 0, ("lake.n.t", "lake.m.u"))
    assert lake.done == ["namespace m", "namespace n", "drop n.t", "register n.t", "register m.u"]


def test_what_is_there_is_left(lake: Lake, there: Vault, manifest: BackupManifest) -> None:
    lake.objects, lake.tables = {T: T.encode(), U: U.encode()}, {"n.t": T, "m.u": U}
    assert restored(there, manifest) == Restored(0, 2, ("lake.n.t", "lake.m.u"))
    assert lake.done == ["namespace m", "namespace n"]


def test_only_what_is_asked_for_is_restored(lake: Lake, there: Vault, manifest: BackupManifest) -> None:
    lake.tables, lake.empty = {"m.u": "s3://w/other"}, False
    assert restored(there, manifest, "lake.n", kind="hive").tables == ("lake.n.t",)
    assert list(lake.objects) == [T]
    with pytest.raises(UsageError, match='no table "lake.x"'):
        restored(there, manifest, "lake.x")


@pytest.mark.parametrize(
    ("change", "given", "said"),
    [
        ({}, {"name": "pond"}, "has a catalog lake, and this stack has none"),
        ({}, {"kind": "hive"}, "as a catalog of kind rest, and here it is of kind hive"),
        ({}, {"kind": "s3tables"}, "of kind s3tables"),
        ({"buckets": set()}, {}, "There is no bucket w here"),
        ({"objects": {T: b"?"}}, {}, "has other content here than in backup 1"),
        ({"objects": {T: b"?" * len(T)}}, {}, "has other content here than in backup 1"),
        ({"tables": {"n.t": "s3://w/x"}, "empty": False}, {}, r"lake\.n\.t has rows here"),
        ({"tables": {"n.new": "s3://w/x"}, "empty": False}, {}, r"lake\.n\.new has rows here"),
    ],
)
def test_what_does_not_fit_changes_no_table(
    change: dict[str, Any], given: dict[str, str], said: str, lake: Lake, there: Vault, manifest: BackupManifest
) -> None:
    for key, value in change.items():
        setattr(lake, key, value)
    with pytest.raises(UsageError, match=said):
        restored(there, manifest, **given)
    assert lake.done == []


def test_a_backup_that_lacks_a_file_is_refused_first(lake: Lake, there: Vault, manifest: BackupManifest) -> None:
    there.drop(manifest.files[U].digest)
    with pytest.raises(LakehouseError, match=r"lacks 1 of its files.*Nothing was changed"):
        restored(there, manifest)
    assert (lake.objects, lake.done) == ({}, [])


def test_a_file_that_was_altered_is_not_restored(
    lake: Lake, there: Vault, manifest: BackupManifest, tmp_path: Path
) -> None:
    digest = manifest.files[T].digest
    (tmp_path / "backups/objects" / digest[:2] / digest).write_bytes(b"?" * len(T))
    with pytest.raises(LakehouseError, match="was altered"):
        restored(there, replace(manifest))
    assert lake.done == []


def test_a_name_with_a_dot_is_refused_before_anything_is_changed(
    lake: Lake, there: Vault, manifest: BackupManifest
) -> None:
    catalogs = {"lake": replace(manifest.catalogs["lake"], tables={"n.a.b": T, "m.u": U})}
    with pytest.raises(UsageError, match=r"lake\.n\.a\.b: the name has a dot inside.*or name the other tables"):
        restored(there, replace(manifest, catalogs=catalogs), "lake.n")
    assert (lake.objects, lake.done) == ({}, [])
    assert restored(there, replace(manifest, catalogs=catalogs), "lake.m").tables == ("lake.m.u",)


def test_rows_that_somebody_wrote_while_files_were_written_are_not_replaced(
    lake: Lake, there: Vault, manifest: BackupManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.tables, put = {"n.t": "s3://w/t/metadata/0.metadata.json"}, lake.put

    def writing(address: str, content: Any) -> None:
        put(address, content)
        lake.empty = False

    monkeypatch.setattr(lake, "put", writing)
    with pytest.raises(UsageError, match=r"lake\.n\.t has rows here.*No table was changed"):
        restored(there, manifest)
    assert (sorted(lake.objects), lake.done) == ([T, U], [])
