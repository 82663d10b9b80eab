"""Makes a backup: pin what each catalog has, find the files of it, copy those that the target lacks.

A table that loses files meanwhile (`maintain` expires snapshots) is pinned again.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bootstrap.backup.bundle import Bundle
from bootstrap.backup.manifest import BackupManifest, CatalogCopy, StoredFile, UnreadableBackup
from bootstrap.backup.pin import locations, pin
from bootstrap.backup.plan import excluded, incremental
from bootstrap.backup.reach import FileReach, Reached, known
from bootstrap.backup.sealing import sealed
from bootstrap.backup.store_files import StoreFiles
from bootstrap.backup.vault import Vault
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds import CATALOGS

_TRIES = 3  # if `maintain` or an engine removes files meanwhile
#: Called with the number of files copied so far, and the number of all files to copy.
Copying = Callable[[int, int], None]


@dataclass(frozen=True)
class BackupDone:
    """A finished backup, and how many files and bytes had to be copied for it."""

    manifest: BackupManifest
    copied: int
    copied_bytes: int


def create(
    bundle: Bundle,
    connections: Connections,
    vault: Vault,
    without: Collection[str],
    passphrase: bytes | None,
    copying: Copying = lambda count, of: None,
) -> BackupDone:
    """Make a backup of everything except the names in ``without``; ``passphrase`` None: without secrets.

    Raises UsageError, before anything is read, if a catalog's kind cannot be restored.
    """
    names = [name for name in connections.catalogs if not excluded(name, without)]
    _refuse(connections, names)
    with vault.place.held(alone=False):
        return _made(bundle, connections, vault, without, passphrase, copying, names)


def _made(
    bundle: Bundle,
    connections: Connections,
    vault: Vault,
    without: Collection[str],
    passphrase: bytes | None,
    copying: Copying,
    names: Collection[str],
) -> BackupDone:
    now = datetime.now(UTC)
    id_ = next_id(now, vault.ids())
    maker = _Maker(connections, vault, without, copying)
    catalogs, heads, files = maker.made(names)
    with vault.place.scratch() as folder:
        file = vault.receive([bundle.file], folder, maker.stored)
        secrets = None
        if passphrase is not None:
            secrets = vault.receive([sealed(bundle.beside, passphrase)], folder, maker.stored)
    manifest = BackupManifest(
        id=id_,
        created=now.isoformat(timespec="seconds"),
        lakehouse=bundle.lakehouse,
        stack=bundle.stack,
        file_name=bundle.file_name,
        file=file,
        secrets=secrets,
        catalogs=catalogs,
        heads=heads,
        files=files,
        excluded=tuple(without),
    )
    vault.finish(manifest)
    new = maker.new(files.values())
    return BackupDone(manifest, len(new), sum(new.values()))


_ID = "%Y%m%dT%H%M%S.%fZ"


def next_id(now: datetime, known: Sequence[str]) -> str:
    """The id of a backup that is made now. It comes after all ``known``, also if a clock was set back since. Pure.

    The newest backup is the one with the last id: it is what is restored, and what `--keep` leaves.
    """
    own = now.strftime(_ID)
    if not known or own > known[-1]:
        return own
    try:
        last = datetime.strptime(known[-1], _ID).replace(tzinfo=UTC)
    except ValueError:  # no backup of this program
        return own
    return (last + timedelta(microseconds=1 + now.microsecond)).strftime(_ID)


def unrestorable(kind: str) -> str:
    """Why catalogs of that kind cannot be restored; empty if they can."""
    if CATALOGS[kind].in_store:
        return "such a server makes tables in places of its own, and takes none over by their metadata files"
    return ""


def _refuse(connections: Connections, names: Collection[str]) -> None:
    for name in names:
        kind = connections.catalogs[name].kind
        if why := unrestorable(kind):
            raise UsageError(
                f"catalogs.{name} is of kind {kind}: {why}. So a backup of it could not be restored. Nothing was "
                f"copied. Leave it out with `--except {name}`, and copy its tables with an engine."
            )


class _Maker:
    def __init__(self, connections: Connections, vault: Vault, without: Collection[str], copying: Copying) -> None:
        self._connections, self._vault, self._without, self._copying = connections, vault, without, copying
        self._source = StoreFiles(connections)
        self._last = _newest(vault)
        self.stored = vault.stored()
        self._known: dict[str, StoredFile] = dict(self._last.files) if self._last else {}
        self._before = frozenset(self.stored)

    def made(
        self, names: Collection[str]
    ) -> tuple[dict[str, CatalogCopy], dict[str, list[str]], dict[str, StoredFile]]:
        """What the catalogs have, the files of each metadata file, and all files, which the target has then."""
        for left in reversed(range(_TRIES)):
            catalogs = {name: pin(name, self._connections, self._without) for name in names}
            try:
                heads = self._reached(catalogs)
                return catalogs, *self._stored(catalogs, heads)
            except Missing as error:
                if not left:
                    raise LakehouseError(
                        f"{error}. If `lakehouse doctor` or a query says so too, and no backup has it, drop the table "
                        "that needs it or roll it back, or leave it out with `--except CATALOG.NAMESPACE.TABLE`."
                    ) from None
        raise AssertionError

    def new(self, files: Iterable[StoredFile]) -> dict[str, int]:
        """The sizes of those files that the target did not have before, by their digests."""
        return {each.digest: each.size for each in files if each.digest not in self._before}

    def _reached(self, catalogs: Mapping[str, CatalogCopy]) -> dict[str, Reached]:
        """What each metadata file needs. That of a former backup needs what it needed then."""
        wanted = {at: f"{name}.{who}" for name, of in catalogs.items() for at, who in locations(of).items()}
        last = self._last.heads if self._last else {}
        found = {at: known(at, last[at]) for at in wanted if at in last}
        reach = FileReach(MetadataFiles(self._connections), self._connections.parallel)
        new = [at for at in wanted if at not in found]
        with ThreadPoolExecutor(self._connections.parallel) as pool:
            found.update(zip(new, pool.map(lambda at: reach.of(wanted[at], at), new), strict=True))
        return found

    def _stored(
        self, catalogs: Mapping[str, CatalogCopy], heads: Mapping[str, Reached]
    ) -> tuple[dict[str, list[str]], dict[str, StoredFile]]:
        needed = {address for each in heads.values() for address in each.needed}
        logged = {address for each in heads.values() for address in each.logged} - needed
        live = self._source.found({*needed, *logged}, heads)
        if gone := sorted(needed - live.keys()):
            raise Missing(self._lost(gone[0], catalogs, heads))
        plan = incremental(live, self._known, self.stored)
        files = dict(plan.kept)
        with self._vault.place.scratch() as folder, ThreadPoolExecutor(self._connections.parallel) as pool:
            copies = pool.map(lambda at: self._copy(at, folder), plan.copied)
            for count, (address, file) in enumerate(zip(plan.copied, copies, strict=True), 1):
                files[address] = self._known[address] = file
                self._copying(count, len(plan.copied))
        return {at: sorted((each.needed | each.logged) & files.keys()) for at, each in heads.items()}, files

    def _lost(self, address: str, catalogs: Mapping[str, CatalogCopy], heads: Mapping[str, Reached]) -> str:
        """Who needs a file that is gone, and what puts it back if the last backup has the table as it is now."""
        head = next(at for at, each in heads.items() if address in each.needed)
        catalog, who = next((name, there[head]) for name, of in catalogs.items() if head in (there := locations(of)))
        said, last = f"{address} does not exist, and {catalog}.{who} needs it", self._last
        if (
            last
            and address in last.files
            and catalog in last.catalogs
            and last.catalogs[catalog].tables.get(who) == head
        ):
            restore = shlex.join(["lakehouse", "backup", "restore", self._vault.where, last.id, "--table"])
            said += f". Backup {last.id} has it, and puts it back: `{restore} {shlex.quote(f'{catalog}.{who}')}`"
        return said

    def _copy(self, address: str, folder: Path) -> StoredFile:
        with self._source.opened(address) as (etag, parts):
            file = self._vault.receive(parts, folder, self.stored)
        return StoredFile(file.digest, file.size, etag)


def _newest(vault: Vault) -> BackupManifest | None:
    """The newest backup that can be read: it only saves work, so a damaged one keeps nobody from making another."""
    for each in reversed(vault.ids()):
        with suppress(UnreadableBackup):
            return vault.manifest(each)
    return None
