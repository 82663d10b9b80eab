"""Class archives: classes that a JVM has parsed, verified and linked, kept so that later starts need not do it again.

A service runs once with the options of :func:`lakehouse.runtimes.recording.recording`, then :func:`create` makes the
archive. With :func:`environment` every later start uses it.

An archive fits one Java and one class path, so its name contains a digest of both. Without an archive, or with one that
does not fit, a service starts as usual, only more slowly.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, manifest, uses
from lakehouse.packages.manifest import Entry
from lakehouse.runtimes import archiving, recording
from lakehouse.runtimes.recording import PATIENCE, VARIABLE, has_cache
from lakehouse.services.service import Service


def path(service: Service) -> Path | None:
    """The path of the service's archive, which need not exist; None if it is no Java service or packages are missing.

    Services with the same Java and the same packages share one archive: a cluster's master, workers and drivers.
    """
    if service.java is None:
        return None
    java = Path(service.command[0])
    try:
        # A Java of another build or at another path does not accept the archive, even if its version is the same.
        parts = [str(java), (java.parent.parent / "release").read_text()]
        for name in service.packages:
            # The JVM compares the jars' times, so a package that was fetched again needs a new archive.
            stamp = cached.folder(name) / cached.STAMP
            parts += [str(stamp), stamp.read_text(), str(stamp.stat().st_mtime_ns)]
    except (OSError, LakehouseError):
        return None
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return archiving.folder() / f"{_family(service)}{digest}{'.aot' if has_cache(service) else '.jsa'}"


def environment(service: Service) -> dict[str, str]:
    """The variables with which the service uses its archive; empty if it has none."""
    archive = path(service)
    if archive is None or not _is_whole(archive):
        return {}
    uses.note(archive)
    return {VARIABLE: recording.options(service, archive)}


def missing(services: Iterable[Service]) -> dict[Path, tuple[Service, ...]]:
    """The missing archives, each with the services that share it."""
    found: dict[Path, tuple[Service, ...]] = {}
    for service in services:
        archive = path(service)
        if archive is not None and not _is_whole(archive):
            found[archive] = (*found.get(archive, ()), service)
    return found


def create(archive: Path, services: Sequence[Service], records: Path) -> None:
    """Make the archive from what its services recorded; remove those of its family that nobody used for 30 days.

    Another lakehouse of this user, with other packages, may use another one of the family.
    It appears whole. ``records`` must be on its file system, and has everything that is left if this is killed.

    Raises LakehouseError if there is no record, or if the JVM that makes the archive fails.
    """
    service = services[0]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=records) as scratch:
        draft = Path(scratch) / archive.name
        record = recording.record(services, records)
        output = _run(recording.making(services, record, draft), scratch)
        if not draft.is_file():
            end = " ".join(output.split())[-300:]
            raise LakehouseError(f"{service.command[0]} made no {archive.name} from {record}. Its output: {end}")
        made = f"{draft.stat().st_size} {manifest.sha256(draft)}"
        draft.replace(archive)
        _note(archive).parent.mkdir(exist_ok=True)
        _note(archive).write_text(made)
    for old in archive.parent.glob(f"{_family(service)}*"):
        if old != archive and uses.is_over(old):
            remove(old)


def damaged(services: Iterable[Service]) -> dict[Path, str]:
    """The archives that have changed since they were made, each with what is wrong, as text. All are read."""
    there = {archive for each in services if (archive := path(each)) is not None and archive.is_file()}
    found: dict[Path, str] = {}
    for archive in sorted(there):
        known = {archive.name: entry} if (entry := _noted(archive)) is not None else {}
        for why in manifest.damaged(archive.parent, known, contents=True):
            found[archive] = why
    return found


def remove(archive: Path) -> None:
    """Remove an archive. Processes that have mapped it are not affected."""
    archive.unlink(missing_ok=True)
    _note(archive).unlink(missing_ok=True)


def _note(archive: Path) -> Path:
    """The file with the archive's size and SHA-256, by which a truncated or changed archive is found."""
    return manifest.noted(archive, "size")


def _noted(archive: Path) -> Entry | None:
    """The archive's recorded size and SHA-256. An earlier version recorded no SHA-256, and before that nothing."""
    try:
        size, *digest = _note(archive).read_text().split()
        return Entry(int(size), "".join(digest))
    except (OSError, ValueError):
        return None


def _is_whole(archive: Path) -> bool:
    """Whether the archive exists and has its recorded size. Without a record, any size above 0 counts."""
    if not archive.is_file():
        return False
    size, entry = archive.stat().st_size, _noted(archive)
    return size > 0 if entry is None else size == entry.size


def _family(service: Service) -> str:
    """The prefix of the names of all archives of a service, for all versions of its packages."""
    return f"{service.packages[0]}-java-{service.java}-"


def _run(command: Sequence[str], directory: str) -> str:
    """The command's output, for any exit code."""
    environment = {key: value for key, value in os.environ.items() if key not in (VARIABLE, "JDK_JAVA_OPTIONS")}
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout
