"""Deletes backups, and the files that no other backup needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.backup.manifest import BackupManifest
from bootstrap.backup.vault import Vault
from lakehouse.errors import LakehouseError, UsageError


@dataclass(frozen=True)
class Deleted:
    """The backups that are gone, and how many files and bytes went with them."""

    ids: Sequence[str]
    files: int
    bytes: int


def superfluous(manifests: Collection[BackupManifest], keep: int, of: tuple[str, str] | None = None) -> list[str]:
    """The ids of all but the newest ``keep`` backups of each stack of each lakehouse.

    ``of``: a lakehouse and a stack; all backups of others stay.
    """
    of_stack: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in sorted(manifests, key=lambda one: one.id):
        if of in (None, (each.lakehouse, each.stack)):
            of_stack[each.lakehouse, each.stack].append(each.id)
    return sorted(id_ for ids in of_stack.values() for id_ in ids[:-keep])


def unneeded(stored: Mapping[str, int], left: Collection[BackupManifest]) -> dict[str, int]:
    """The files that none of the backups that are ``left`` has, with their sizes."""
    needed = {file.digest for each in left for file in each.everything}
    return {digest: size for digest, size in stored.items() if digest not in needed}


def delete(vault: Vault, ids: Collection[str], keep: int | None = None, of: tuple[str, str] | None = None) -> Deleted:
    """Delete backups by their ids, or as :func:`superfluous` says, and then the files that none needs.

    A backup goes before its files, so whatever is left after a kill is whole; the next call removes the rest.
    Raises UsageError, before anything is deleted, if a backup does not exist or one is being made; and if one that
    would stay cannot be read, as nobody knows which files it needs.
    """
    with vault.place.held(alone=True):
        manifests, unreadable = vault.manifests()
        known = {each.id for each in manifests} | unreadable.keys()
        if unknown := sorted(set(ids) - known):
            raise UsageError(f'{vault.where} has no backup "{unknown[0]}". `lakehouse backup list` shows them.')
        for id_, error in unreadable.items():
            if id_ not in ids:
                raise UsageError(
                    f"{error} Nobody knows which files it needs, so nothing was deleted. "
                    f"`lakehouse backup delete {vault.where} {id_}` deletes it and what only it needs."
                )
        gone = sorted({*ids, *(superfluous(manifests, keep, of) if keep is not None else ())})
        left = [each for each in manifests if each.id not in gone]
        files = unneeded(vault.stored(), left)
        for each in gone:
            vault.forget(each)
        for digest in files:
            vault.drop(digest)
        if made := sorted(set(vault.ids()) - known):  # in a bucket nothing keeps another from it
            raise LakehouseError(
                f"Backup {made[0]} was made meanwhile, and may lack files that were deleted: "
                f"`lakehouse backup verify {vault.where} {made[0]}`. Make another one if it does."
            )
    return Deleted(gone, len(files), sum(files.values()))
