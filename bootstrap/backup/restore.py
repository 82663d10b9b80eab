"""Puts a backup back into a running lakehouse of the same kinds.

First everything is looked at, and refused if it does not fit. Then the files are written, under the names that they
had; a file that is there already is left. Last, the catalogs get their tables, each as a whole. So a run that is killed
has changed nothing that anybody reads, or has restored some tables as a whole; the next run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bootstrap.backup import nessie
from bootstrap.backup.create import unrestorable
from bootstrap.backup.manifest import BackupManifest, CatalogCopy, StoredFile
from bootstrap.backup.pin import locations
from bootstrap.backup.plan import LiveFile, excluded
from bootstrap.backup.store_files import StoreFiles
from bootstrap.backup.vault import Vault
from bootstrap.catalogs import connect
from bootstrap.catalogs.base import HasViews, LiveCatalog, SeenView
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts
from bootstrap.iceberg.view import ViewFacts
from bootstrap.reconciler.tables.present import replaceable
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Exists
from lakehouse.errors import LakehouseError, UsageError

_PARALLEL = 4
#: Called with the number of files looked at so far, and the number of all files.
Restoring = Callable[[int, int], None]


@dataclass(frozen=True)
class Restored:
    """What a restore did: files written and found, and the names that its catalogs got or had already."""

    written: int
    found: int
    tables: tuple[str, ...]
    references: tuple[str, ...] = ()


def restore(
    vault: Vault,
    manifest: BackupManifest,
    connections: Connections,
    only: Collection[str] = (),
    restoring: Restoring = lambda count, of: None,
) -> Restored:
    """Put the backup back, or ``only`` these tables of it (or catalogs, or namespaces).

    Raises LakehouseError before anything is changed if it does not fit this lakehouse, or would replace rows.
    """
    with vault.place.held(alone=False):
        return _restored(vault, manifest, connections, only, restoring)


def _restored(
    vault: Vault, manifest: BackupManifest, connections: Connections, only: Collection[str], restoring: Restoring
) -> Restored:
    wanted = _chosen(manifest, only)
    _fits(manifest, wanted, connections, only)
    needed, store = _files(manifest, wanted), StoreFiles(connections)
    if missing := store.missing_buckets(needed):
        raise UsageError(
            f"There is no bucket {missing[0]} here, and backup {manifest.id} has files in it. `lakehouse deploy` makes "
            "the buckets of the file."
        )
    _whole(vault, manifest, needed)
    live = store.found(needed, manifest.heads)
    _unlike(manifest, needed, live)
    metadata = MetadataFiles(connections)

    def work() -> list[Callable[[], None]]:
        return [_work(name, connect(name, connections), copy, metadata, only) for name, copy in wanted.items()]

    work()
    written = _write(vault, manifest, needed, live, store, restoring)
    for each in work():  # it is looked at again: to write the files may have taken hours, in which somebody wrote rows
        each()
    return Restored(
        written,
        len(needed) - written,
        tuple(f"{name}.{table}" for name, copy in wanted.items() for table in (*copy.tables, *copy.views)),
        tuple(
            f"{each.kind} {each.name} of {name}"
            for name, copy in wanted.items()
            for each in (copy.branches.references if copy.branches else ())
        ),
    )


def _chosen(manifest: BackupManifest, only: Collection[str]) -> dict[str, CatalogCopy]:
    if not only:
        return dict(manifest.catalogs)
    found: dict[str, CatalogCopy] = {}
    for name, copy in manifest.catalogs.items():
        tables = {table: at for table, at in copy.tables.items() if excluded(f"{name}.{table}", only)}
        views = {view: of for view, of in copy.views.items() if excluded(f"{name}.{view}", only)}
        if tables or views:
            spaces = {
                of: copy.namespaces[of] for of in copy.namespaces if any(excluded(t, [of]) for t in (*tables, *views))
            }
            found[name] = replace(copy, namespaces=spaces, tables=tables, views=views, branches=None)
    known = [f"{name}.{each}" for name, copy in found.items() for each in (*copy.tables, *copy.views)]
    for each in only:
        if not any(excluded(name, [each]) for name in known):
            raise UsageError(
                f'backup {manifest.id} has no table "{each}". `lakehouse backup list` with --json names its tables.'
            )
    return found


def _files(manifest: BackupManifest, wanted: Mapping[str, CatalogCopy]) -> dict[str, StoredFile]:
    heads = [at for copy in wanted.values() for at in locations(copy)]
    return {address: manifest.files[address] for at in heads for address in manifest.heads[at]}


def _fits(
    manifest: BackupManifest, wanted: Mapping[str, CatalogCopy], connections: Connections, only: Collection[str]
) -> None:
    for name, copy in wanted.items():
        there = connections.catalogs.get(name)
        if there is None:
            raise UsageError(
                f"backup {manifest.id} has a catalog {name}, and this stack has none. Add it under `catalogs` and "
                "`stacks` and deploy, or name the tables to restore."
            )
        if why := unrestorable(there.kind):
            raise UsageError(f"catalogs.{name} is of kind {there.kind}: {why}. Nothing was changed.")
        if there.kind != copy.kind and not only:
            raise UsageError(
                f"backup {manifest.id} has {name} as a catalog of kind {copy.kind}, and here it is of kind "
                f"{there.kind}. Restore into the same kind, or name the tables to restore."
            )


def _whole(vault: Vault, manifest: BackupManifest, needed: Mapping[str, StoredFile]) -> None:
    stored = vault.stored()
    if lost := [at for at, each in needed.items() if stored.get(each.digest) != each.size]:
        raise LakehouseError(
            f"{vault.where}: backup {manifest.id} lacks {len(lost)} of its files, such as {lost[0]}. Nothing was "
            "changed. `lakehouse backup verify` names what is wrong; restore another backup, or other tables."
        )


def _unlike(manifest: BackupManifest, needed: Mapping[str, StoredFile], live: Mapping[str, LiveFile]) -> None:
    if other := [at for at, each in live.items() if each.size != needed[at].size]:
        raise _other(other[0], manifest)


def _other(address: str, manifest: BackupManifest) -> UsageError:
    return UsageError(
        f"{address} has other content here than in backup {manifest.id}, and is not replaced. No table was changed. "
        "Restore into a new lakehouse, or remove that file."
    )


def _write(
    vault: Vault,
    manifest: BackupManifest,
    needed: Mapping[str, StoredFile],
    live: Mapping[str, LiveFile],
    store: StoreFiles,
    restoring: Restoring,
) -> int:
    """Write the files that are not there. Returns how many that were."""

    def one(address: str) -> bool:
        file, there = needed[address], live.get(address)
        if there is not None:
            if there.etag != file.etag and store.digest(address) != file.digest:
                raise _other(address, manifest)
            return False
        with vault.checked(file, address) as content:
            store.put(address, content)
        return True

    written = 0
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for count, new in enumerate(pool.map(one, needed), 1):
            written += new
            restoring(count, len(needed))
    return written


def _work(
    name: str, catalog: LiveCatalog, copy: CatalogCopy, files: MetadataFiles, only: Collection[str]
) -> Callable[[], None]:
    """What gives the catalog its tables. Raises UsageError if rows would be replaced."""
    if isinstance(catalog, NessieCatalog) and copy.branches is not None:
        nessie.check(name, catalog, copy, files)
        return partial(nessie.restore, catalog, copy.branches)
    for each in (*copy.tables, *copy.views):
        if each.rpartition(".")[0] not in copy.namespaces:
            raise UsageError(
                f"{name}.{each}: the name has a dot inside, and only a restore of all of {name} brings that back. "
                "Nothing was changed. Restore without `--table`, into a new lakehouse, or name the other tables."
            )
    facts = catalog.facts(None, lambda count, of: None)
    for table, there in facts.tables.items():
        asked = table in copy.tables if only else True
        if asked and copy.tables.get(table) != there.metadata_location and not replaceable(_read(files, there)):
            fix = "Drop it first" if only else "Name the tables to restore, with `--table`"
            raise UsageError(
                f"{name}.{table} has rows here, which a restore would replace. No table was changed. {fix}, or restore "
                "into a new lakehouse."
            )
    return partial(_register, catalog, copy, facts)


def _read(files: MetadataFiles, table: TableFacts) -> Mapping[str, Any]:
    return files.read(table.metadata_location)


def _register(catalog: LiveCatalog, copy: CatalogCopy, facts: CatalogFacts) -> None:
    for space in sorted(copy.namespaces):
        wanted = copy.namespaces[space]
        if space not in facts.namespaces:
            with suppress(Exists):
                catalog.create_namespace(space, wanted)
        elif missing := {key: value for key, value in wanted.items() if facts.namespaces[space].get(key) != value}:
            catalog.update_namespace(space, missing, ())
    for table, at in copy.tables.items():
        there = facts.tables.get(table)
        if there is not None and there.metadata_location == at:
            continue
        if there is not None:
            catalog.drop_table(table, there.uuid, purge=False)
        catalog.register_table(table, at)
    for view, metadata in copy.views.items():
        _view(catalog, view, ViewFacts("", metadata), facts.views.get(view))


def _view(catalog: LiveCatalog, name: str, wanted: ViewFacts, there: ViewFacts | None) -> None:
    assert isinstance(catalog, HasViews)
    if there is not None and there.metadata["versions"] == wanted.metadata["versions"]:
        return
    if there is not None:
        catalog.drop_view(name, SeenView(there.uuid, there.version))
    version = {key: value for key, value in wanted.metadata["versions"][0].items() if key not in _GIVEN}
    definition = {"schema": wanted.metadata["schemas"][0], "version": version}
    catalog.create_view(name, wanted.location, definition, wanted.properties)


_GIVEN = ("version-id", "schema-id", "timestamp-ms")  # a new view gets its own
