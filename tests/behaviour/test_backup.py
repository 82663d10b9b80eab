"""Backup and restore on real stores and catalogs: rows, snapshots, branches; incremental; after kills and damage."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.table import Table

from bootstrap import catalogs
from bootstrap.backup import create as creating
from bootstrap.backup.bundle import Bundle
from bootstrap.backup.create import BackupDone
from bootstrap.backup.delete import delete
from bootstrap.backup.restore import restore
from bootstrap.backup.vault import Vault, vault
from bootstrap.backup.verify import verify
from bootstrap.catalogs import tables
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.remote.connections import Connections
from bootstrap.remote.s3 import client
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds import CATALOGS
from lakehouse.spec.claims import parts
from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import KINDS, Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

BUNDLE = Bundle("behaviour", "local", "lakehouse.yaml", b"name: behaviour", {"state/secrets/key": b"hidden"})
OVER_ANY_STORE = [word for word in KINDS if not CATALOGS[word].in_store]


@pytest.fixture
def there(tmp_path: Path) -> Vault:
    return vault(str(tmp_path / "backups"))


def backup(connections: Connections, there: Vault, root: str) -> BackupDone:
    """A backup of what this test made: others use the servers too."""
    listed = catalogs.connect("lake", connections).facts((), lambda *_: None)
    others = [f"lake.{name}" for name in listed.namespaces if not name.startswith(root)]
    return creating.create(BUNDLE, connections, there, others, b"a passphrase")


def content(root: str) -> Any:
    return lakehouse({root: {"properties": {"team": "us"}, "tables": {"t": {"columns": {"i": "int"}}}}})


def table(connections: Connections, name: str) -> Table:
    return tables.load(catalogs.connect("lake", connections), name, connections)


def append(connections: Connections, name: str, *numbers: int) -> None:
    table(connections, name).append(pa.table({"i": pa.array(numbers, pa.int32())}))


def rows(connections: Connections, name: str, snapshot: int | None = None) -> list[int]:
    return sorted(table(connections, name).scan(snapshot_id=snapshot).to_arrow().column("i").to_pylist())


def states(connections: Connections, name: str) -> dict[int, list[int]]:
    """The rows of each snapshot."""
    return {s.snapshot_id: rows(connections, name, s.snapshot_id) for s in table(connections, name).snapshots()}


def lose(connections: Connections, name: str) -> None:
    """Drop the table and delete all its files, as a lost disk would."""
    catalog = catalogs.connect("lake", connections)
    facts = catalog.read({name}).tables[name]
    catalog.drop_table(name, facts.uuid, purge=False)
    bucket, *key = parts(facts.location)
    s3 = client(connections.store)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="/".join(key) + "/"):
        for each in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=each["Key"])


@pytest.mark.parametrize("kind", OVER_ANY_STORE)
def test_a_lost_table_is_back_with_every_snapshot(
    kind: str, servers: Servers, root: str, tmp_path: Path, there: Vault
) -> None:
    connections = servers.connections(kind=kind)
    name = f"{root}.t"
    assert reconcile(content(root), connections).exit_code == 0
    append(connections, name, 1, 2)
    append(connections, name, 3)
    first = backup(connections, there, root)
    table(connections, name).overwrite(pa.table({"i": pa.array([9], pa.int32())}))
    before = states(connections, name)
    second = backup(connections, there, root)
    assert 0 < second.copied < first.copied, "only what is new"
    assert backup(connections, there, root).copied == 0
    assert verify(there, there.manifest()).wrong == ()

    lose(connections, name)
    assert reconcile(content(root), connections).exit_code == 0, "as a deploy does: an empty table"
    done = restore(there, there.manifest(), connections, [f"lake.{root}"])
    assert done.tables == (f"lake.{name}",)
    assert states(connections, name) == before
    assert rows(connections, name) == [9]
    assert make_plan(content(root), connections).steps == ()
    append(connections, name, 10)
    assert rows(connections, name) == [9, 10]
    with pytest.raises(UsageError, match=rf"lake\.{root}\.t has rows here, which a restore would replace"):
        restore(there, first.manifest, connections, [f"lake.{root}"])


@pytest.fixture
def nessie(servers: Servers, root: str) -> Iterator[NessieCatalog]:
    catalog = catalogs.connect("lake", servers.connections())
    assert isinstance(catalog, NessieCatalog)
    yield catalog
    for each in catalog.references.list():
        if each.name.startswith(("b", "v")) and each.name[1:] == root:
            catalog.references.delete(each.name, each.kind)


def test_branches_and_tags_are_back_and_merge_as_before(
    servers: Servers, nessie: NessieCatalog, root: str, there: Vault
) -> None:
    connections, name, tag, branch = servers.connections(), f"{root}.t", f"v{root}", f"b{root}"
    at_tag, on_branch = servers.connections(branch=tag), servers.connections(branch=branch)
    both = {each: {"columns": {"i": "int"}} for each in ("t", "u")}
    assert reconcile(lakehouse({root: {"tables": both}}), connections).exit_code == 0
    append(connections, name, 1)
    nessie.references.create(tag, "tag")
    append(connections, name, 2)
    append(connections, f"{root}.u", 7)
    nessie.references.create(branch, "branch")
    append(on_branch, name, 3)
    nessie.rename_table(f"{root}.u", f"{root}.renamed", nessie.read({f"{root}.u"}).tables[f"{root}.u"].uuid)
    made = creating.create(BUNDLE, connections, there, [], b"a passphrase").manifest

    nessie.references.delete(tag, "tag")
    nessie.references.delete(branch, "branch")
    lose(connections, name)
    lose(connections, f"{root}.renamed")
    restore(there, made, connections)
    assert rows(connections, name) == [1, 2]
    assert rows(connections, f"{root}.renamed") == [7]
    assert (rows(on_branch, name), rows(on_branch, f"{root}.u")) == ([1, 2, 3], [7])
    assert rows(at_tag, name) == [1]
    assert {each.kind for each in nessie.references.list() if each.name == tag} == {"tag"}
    assert "lakehouse-restore" not in nessie.other_references()
    assert restore(there, made, connections).written == 0, "a second time changes nothing"
    assert rows(connections, name) == [1, 2]
    assert nessie.references.merge(branch).applied, "the tables are the same ones, and so is where they parted"
    assert rows(connections, name) == [1, 2, 3]
    append(connections, f"{root}.renamed", 4)
    with pytest.raises(UsageError, match=rf"lake\.{root}\.renamed has rows here"):
        restore(there, made, connections)


def test_a_restore_that_was_cut_off_goes_on(
    servers: Servers, root: str, there: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, name = servers.connections(), f"{root}.t"
    assert reconcile(content(root), connections).exit_code == 0
    append(connections, name, 1, 2)
    manifest = backup(connections, there, root).manifest
    lose(connections, name)
    read, count = Vault.checked, []

    def cut(self: Vault, *arguments: Any) -> Any:
        count.append(arguments)
        if len(count) > 2:
            raise KeyboardInterrupt
        return read(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "checked", cut)
        with pytest.raises(KeyboardInterrupt):
            restore(there, manifest, connections, [f"lake.{root}"])
    assert name not in catalogs.connect("lake", connections).facts((), lambda *_: None).others, "nothing half-made"
    done = restore(there, manifest, connections, [f"lake.{root}"])
    assert (done.found > 0, rows(connections, name)) == (True, [1, 2])


@pytest.mark.parametrize("after", [1, 4])
def test_a_process_that_is_killed_leaves_no_half_backup_and_no_half_table(
    after: int, servers: Servers, root: str, there: Vault, tmp_path: Path
) -> None:
    connections, name = servers.connections(), f"{root}.t"
    assert reconcile(content(root), connections).exit_code == 0
    append(connections, name, 1, 2)
    killed("receive", after, lambda: backup(connections, there, root))
    assert there.ids() == []
    manifest = backup(connections, there, root).manifest
    assert verify(there, manifest).wrong == ()
    assert list((tmp_path / "backups").glob(".incoming-*")) == [], "of the one that was killed"
    lose(connections, name)
    killed("checked", after, lambda: restore(there, manifest, connections, [f"lake.{root}"]))
    left = catalogs.connect("lake", connections).facts((), lambda *_: None)
    assert name not in left.tables.keys() | left.others
    restore(there, manifest, connections, [f"lake.{root}"])
    assert rows(connections, name) == [1, 2]


def killed(step: str, after: int, do: Callable[[], object]) -> None:
    """Do it in a process of its own, which SIGKILL ends at its call number ``after`` of that step of the vault."""

    def child() -> None:
        real, calls = getattr(Vault, step), []

        def counting(self: Vault, *arguments: Any) -> Any:
            calls.append(arguments)
            if len(calls) >= after:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(self, *arguments)

        setattr(Vault, step, counting)
        do()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


def test_a_bucket_is_as_good_as_a_folder(servers: Servers, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connections, name = servers.connections(), f"{root}.t"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", servers.store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", servers.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", servers.secret_key)
    bucket = f"backups-{root.replace('_', '-')}"
    client(connections.store).create_bucket(Bucket=bucket)
    there = vault(f"s3://{bucket}/of/lake")
    assert reconcile(content(root), connections).exit_code == 0
    append(connections, name, 1, 2)
    first = backup(connections, there, root).manifest
    append(connections, name, 3)
    manifest = backup(connections, there, root).manifest
    assert delete(there, [], 1).ids == [first.id]
    assert there.ids() == [manifest.id]
    assert verify(there, manifest).wrong == ()
    before = states(connections, name)
    lose(connections, name)
    restore(there, manifest, connections, [f"lake.{root}"])
    assert states(connections, name) == before


def test_damage_is_found_by_verify_and_stops_a_restore(
    servers: Servers, root: str, there: Vault, tmp_path: Path
) -> None:
    connections, name = servers.connections(), f"{root}.t"
    assert reconcile(content(root), connections).exit_code == 0
    append(connections, name, 1)
    manifest = backup(connections, there, root).manifest
    (data,) = [at for at in manifest.files if at.endswith(".parquet")]
    digest = manifest.files[data].digest
    path = tmp_path / "backups/objects" / digest[:2] / digest
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    assert [f"{data} was altered" in each for each in verify(there, manifest).wrong] == [True]
    lose(connections, name)
    with pytest.raises(LakehouseError, match="was altered"):
        restore(there, manifest, connections, [f"lake.{root}"])
    path.unlink()
    assert [f"{data} is missing" in each for each in verify(there, manifest).wrong] == [True]
    with pytest.raises(LakehouseError, match="lacks 1 of its files.*Nothing was changed"):
        restore(there, manifest, connections, [f"lake.{root}"])
    assert name not in catalogs.connect("lake", connections).facts((), lambda *_: None).others
    path.write_bytes(whole)
    restore(there, manifest, connections, [f"lake.{root}"])
    assert rows(connections, name) == [1]
