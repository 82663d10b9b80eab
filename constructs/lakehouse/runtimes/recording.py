"""How a JVM records the classes that it loads, how an archive is made of the record, and how later starts use it.

Java 24 and newer have the ahead-of-time cache (https://openjdk.org/jeps/483), older ones application class data sharing
(https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html). An archive fits one Java and one class path; a
JVM that finds it unsuitable ignores it, but not one that is damaged behind its header. Where archives are kept is a
matter of each runtime.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.services.service import Service

# JVMs that the service starts read it too, such as Spark's executors, which the workers start.
VARIABLE = "JAVA_TOOL_OPTIONS"

PATIENCE = 3600  # seconds for making one archive; Spark's takes 40 on one core, more at the lowest priority
_FIRST_WITH_CACHE = 24  # the first Java with -XX:AOTMode
_STOPPING = 120  # seconds in which a recorded service may write its record when it stops
_WHILE_RECORDING = ("-XX:TieredStopAtLevel=1",)  # the second compiler would make recording slow, and adds nothing
# At its original address, an archive's pages are shared and read when they are needed. By default the JVM moves it to
# another address, which writes to every page: 0.3 s of CPU time and 120 MB of memory for each of Spark's processes.
_WHERE_IT_WAS_MADE_FOR = ("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0")
# The same on every machine: the default heap of a large one would have no compressed pointers, and the default
# collector of a small one cannot archive objects. The services could use neither archive.
_WHILE_CREATING = ("-XX:+UseG1GC", "-Xmx1g")


def has_cache(service: Service) -> bool:
    """Whether the service's Java has the ahead-of-time cache."""
    return service.java is not None and service.java >= _FIRST_WITH_CACHE


def options(service: Service, archive: Path) -> str:
    """The options by which the service uses the archive, for the JVM's variable."""
    use = f"-XX:{'AOTCache' if has_cache(service) else 'SharedArchiveFile'}={archive}"
    return " ".join((*_WHERE_IT_WAS_MADE_FOR, quoted(use)))


def recording(service: Service, records: Path) -> Service:
    """The service with options that make it record its classes in the folder ``records``."""
    if service.java is None:
        return service
    if has_cache(service):
        record = (*_WHILE_RECORDING, "-XX:AOTMode=record", f"-XX:AOTConfiguration={records}/{service.name}.aotconf")
        # In the command, because a JVM that the service starts would write to the same file.
        command = (service.command[0], *record, *service.command[1:])
        return replace(service, command=command, stop_seconds=_STOPPING)
    # In the environment and with a list for each process, because a worker's executors record too.
    listing = (*_WHILE_RECORDING, f"-XX:DumpLoadedClassList={records}/{service.name}.%p.classlist")
    variable = (VARIABLE, " ".join(quoted(option) for option in listing))
    return replace(service, environment=(*service.environment, variable), stop_seconds=_STOPPING)


def record(services: Sequence[Service], records: Path) -> Path:
    """The record for the archive: that of one of the services, or one list of all their class lists.

    Raises LakehouseError if there is none.
    """
    found = [records / f"{each.name}.aotconf" for each in services]
    if there := next((each for each in found if each.is_file()), None):
        return there
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


def making(services: Sequence[Service], record: Path, draft: Path) -> tuple[str, ...]:
    """The command that makes the archive ``draft`` of the services' record.

    Raises LakehouseError if they do not have the same class path.
    """
    service = services[0]
    for other in services[1:]:
        if class_path(other) != class_path(service):
            raise LakehouseError(f"{service.name} and {other.name} should share an archive, but not their class path")
    how: tuple[str, ...]
    if has_cache(service):
        how = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={record}", f"-XX:AOTCache={draft}")
    else:
        how = ("-Xshare:dump", f"-XX:SharedClassListFile={record}", f"-XX:SharedArchiveFile={draft}")
    return (service.command[0], *_WHILE_CREATING, *how, "-cp", class_path(service))


def class_path(service: Service) -> str:
    """The value of ``-cp`` or ``-jar`` in the service's command. Raises LakehouseError if it has neither."""
    for option, value in zip(service.command, service.command[1:], strict=False):
        if option in ("-cp", "-jar"):
            return value
    raise LakehouseError(f"{service.name}: its command has neither -cp nor -jar")


def quoted(option: str) -> str:
    """An option, quoted for the JVM's variable.

    In it white space separates options, and quotes are taken away as a shell does; a backslash means itself.
    """
    return shlex.quote(option)
