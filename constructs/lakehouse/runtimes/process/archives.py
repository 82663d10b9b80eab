"""Class archives: classes that a JVM has parsed, verified and linked, kept so that later starts need not do it again.

Java 24 and newer have the ahead-of-time cache (https://openjdk.org/jeps/483), older ones application class data sharing
(https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html). A service runs once with the options of
:func:`recording`, then :func:`create` makes the archive. With :func:`environment` every later start uses it.

An archive fits one Java and one class path, so its name contains a digest of both. Without an archive, or with one that
does not fit, a service starts as usual, only more slowly.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, manifest, uses
from lakehouse.packages.manifest import Entry
from lakehouse.services.service import Service

# JVMs that the service starts read it too, such as Spark's executors, which the workers start.
VARIABLE = "JAVA_TOOL_OPTIONS"

_FIRST_WITH_CACHE = 24  # the first Java with -XX:AOTMode
_PATIENCE = 3600  # seconds for making one archive; Spark's takes 40 on one core, more at the lowest priority
_STOPPING = 120  # seconds in which a recorded service may write its record when it stops
_WHILE_RECORDING = ("-XX:TieredStopAtLevel=1",)  # the second compiler would make recording slow, and adds nothing
# At its original address, an archive's pages are shared and read when they are needed. By default the JVM moves it to
# another address, which writes to every page: 0.3 s of CPU time and 120 MB of memory for each of Spark's processes.
_WHERE_IT_WAS_MADE_FOR = ("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0")
# The same on every machine: the default heap of a large one would have no compressed pointers, and the default
# collector of a small one cannot archive objects. The services could use neither archive.
_WHILE_CREATING = ("-XX:+UseG1GC", "-Xmx1g")


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
    return folder() / f"{_family(service)}{digest}{'.aot' if _has_cache(service) else '.jsa'}"


def folder() -> Path:
    """The folder of the archives."""
    return cached.root() / "archives"


def environment(service: Service) -> dict[str, str]:
    """The variables with which the service uses its archive; empty if it has none."""
    archive = path(service)
    if archive is None or not _is_whole(archive):
        return {}
    uses.note(archive)
    return {VARIABLE: options(service, archive)}


def options(service: Service, archive: Path) -> str:
    """The options by which the service uses the archive, for the JVM's variable."""
    use = f"-XX:{'AOTCache' if _has_cache(service) else 'SharedArchiveFile'}={archive}"
    return " ".join((*_WHERE_IT_WAS_MADE_FOR, quoted(use)))


def missing(services: Iterable[Service]) -> dict[Path, tuple[Service, ...]]:
    """The missing archives, each with the services that share it."""
    found: dict[Path, tuple[Service, ...]] = {}
    for service in services:
        archive = path(service)
        if archive is not None and not _is_whole(archive):
            found[archive] = (*found.get(archive, ()), service)
    return found


def recording(service: Service, records: Path) -> Service:
    """The service with options that make it record its classes in the folder ``records``."""
    if service.java is None:
        return service
    if _has_cache(service):
        record = (*_WHILE_RECORDING, "-XX:AOTMode=record", f"-XX:AOTConfiguration={records}/{service.name}.aotconf")
        # In the command, because a JVM that the service starts would write to the same file.
        command = (service.command[0], *record, *service.command[1:])
        return replace(service, command=command, stop_seconds=_STOPPING)
    # In the environment and with a list for each process, because a worker's executors record too.
    listing = (*_WHILE_RECORDING, f"-XX:DumpLoadedClassList={records}/{service.name}.%p.classlist")
    variable = (VARIABLE, " ".join(quoted(option) for option in listing))
    return replace(service, environment=(*service.environment, variable), stop_seconds=_STOPPING)


def create(archive: Path, services: Sequence[Service], records: Path) -> None:
    """Make the archive from what its services recorded; remove those of its family that nobody used for 30 days.

    Another lakehouse of this user, with other packages, may use another one of the family.
    It appears whole. ``records`` must be on its file system, and has everything that is left if this is killed.

    Raises LakehouseError if there is no record, or if the JVM that makes the archive fails.
    """
    service = services[0]
    for other in services[1:]:
        if _class_path(other) != _class_path(service):
            raise LakehouseError(f"{service.name} and {other.name} should share an archive, but not their class path")
    archive.parent.mkdir(parents=True, exist_ok=True)
    record = _record(services, records)
    with tempfile.TemporaryDirectory(dir=records) as scratch:
        draft = Path(scratch) / archive.name
        how: tuple[str, ...]
        if _has_cache(service):
            how = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={record}", f"-XX:AOTCache={draft}")
        else:
            how = ("-Xshare:dump", f"-XX:SharedClassListFile={record}", f"-XX:SharedArchiveFile={draft}")
        output = _run((service.command[0], *_WHILE_CREATING, *how, "-cp", _class_path(service)), scratch)
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


def _has_cache(service: Service) -> bool:
    return service.java is not None and service.java >= _FIRST_WITH_CACHE


def _class_path(service: Service) -> str:
    """The value of ``-cp`` or ``-jar`` in the service's command. Raises LakehouseError if it has neither."""
    for option, value in zip(service.command, service.command[1:], strict=False):
        if option in ("-cp", "-jar"):
            return value
    raise LakehouseError(f"{service.name}: its command has neither -cp nor -jar")


def _record(services: Sequence[Service], records: Path) -> Path:
    """The record for the archive: the record of one of the services, or one list of all their class lists."""
    found = [records / f"{each.name}.aotconf" for each in services]
    if record := next((each for each in found if each.is_file()), None):
        return record
    lines: dict[str, None] = {}
    for service in services:
        for each in sorted(records.glob(f"{service.name}.*.classlist")):
            # A killed process may leave half a line.
            whole = each.read_text(errors="replace").rpartition("\n")[0].splitlines()
            # Java 21 numbers the classes of each list. Only classes of custom loaders need that; they are left out.
            lines |= dict.fromkeys(line.partition(" id: ")[0] for line in whole if " source: " not in line)
    if not lines:
        raise LakehouseError(f"{', '.join(each.name for each in services)} recorded nothing in {records}")
    merged = records / f"{services[0].name}.classlist"
    merged.write_text("\n".join(lines) + "\n")
    return merged


def _run(command: Sequence[str], directory: str) -> str:
    """The command's output, for any exit code."""
    environment = {key: value for key, value in os.environ.items() if key not in (VARIABLE, "JDK_JAVA_OPTIONS")}
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout


def quoted(option: str) -> str:
    """An option, quoted for the JVM's variable.

    In it white space separates options, and quotes are taken away as a shell does; a backslash means itself.
    """
    return shlex.quote(option)
