"""Packages of the cache as archives, which are brought to hosts without a way to any registry."""

from __future__ import annotations

import fcntl
import json
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse import packages
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, manifest
from lakehouse.packages.catalogue import package
from lakehouse.packages.download import disk_error

_LONG_AGO = 315532800  # 1980-01-01, before which no zip file can be


@dataclass(frozen=True)
class Upload:
    """An archive with one folder, ``folder``, and the SHA-256 of the archive. ``stamp`` changes with its contents."""

    name: str
    folder: str
    archive: str
    sha256: str
    stamp: str


def made(names: Iterable[str]) -> dict[str, Upload]:
    """An archive of each package, made once for each set of pins.

    Raises LakehouseError if a package is not in the cache, or if there is no room for its archive.
    """
    return {name: _made(name) for name in names}


def publish(names: Iterable[str], folder: Path) -> list[str]:
    """Write the archive of each package to a folder, and give the names of those that were not there.

    Raises as :func:`made`, and LakehouseError if the folder cannot be written to.
    """
    found = [Path(each.archive) for each in made(names).values()]
    new = [each for each in found if not _same(each, folder / each.name)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in new:
            draft = folder / f"{each.name}.part"
            shutil.copyfile(each, draft)
            draft.replace(folder / each.name)
    except OSError as error:
        raise LakehouseError(f"Cannot write {error.filename or folder}: {error.strerror or error}.") from error
    return [each.name for each in new]


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and manifest.sha256(one) == manifest.sha256(other)


def stamp(name: str) -> str:
    """What identifies the contents of a package."""
    return package(name).digest[:16]


def _made(name: str) -> Upload:
    source = cached.folder(name)
    target = cached.root() / "uploads" / f"{source.name}-{stamp(name)}.tar"
    note = target.with_suffix(".json")
    if why := packages.missing(name):
        raise LakehouseError(f"Missing or damaged: {why[0]}. `lakehouse setup` fetches it again.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (note.is_file() and target.is_file()):
                _write(source, target)
                found = Upload(name, source.name, str(target), manifest.sha256(target), stamp(name))
                note.write_text(json.dumps(asdict(found)))
    except OSError as error:
        raise disk_error(error, Path(error.filename or target)) from error
    return Upload(**json.loads(note.read_text()))


def _write(source: Path, target: Path) -> None:
    """The folder as an archive whose files belong to root, and which others may read.

    Every machine makes the same one, because what it serves others is known by its SHA-256.
    """
    draft = target.with_suffix(".part")
    with tarfile.open(draft, "w") as tar:
        tar.add(source, arcname=source.name, filter=_of_any_machine)
    draft.replace(target)


def _of_any_machine(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = _LONG_AGO
    return of_root(entry)


def of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
