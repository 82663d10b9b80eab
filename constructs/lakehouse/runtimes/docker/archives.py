"""Class archives of containers: where they are, and how a container's JVM finds its own.

Each archive has a folder ``CLASS-PATH/IMAGE`` below one folder of the user's cache, which containers mount read-only. A
container's command begins with a line for the shell that adds the options in that folder, if they are there. So an
archive that appears changes no definition, and an image that was built or pulled again has no stale one.

The folder appears whole. If the image's Java cannot make an archive, it has only a note that says why.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, manifest, uses
from lakehouse.runtimes import archiving, recording
from lakehouse.runtimes.docker.images import image
from lakehouse.runtimes.recording import VARIABLE
from lakehouse.services.service import Service

TARGET = "/opt/lakehouse/archives"  # where containers see the folder
IMAGE = "LAKEHOUSE_IMAGE"  # the variable with the id of a container's image

_ARCHIVE, _OPTIONS, _NOTE = "classes", "options", "made.json"


@dataclass(frozen=True)
class Made:
    """What is noted of an archive when it is made. ``impossible`` says why there is none."""

    impossible: str = ""
    size: int = 0
    sha256: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)  # those that are mounted, with their stamps


def folder() -> Path:
    """The folder of all archives."""
    return archiving.folder() / "containers"


def name(service: Service) -> str:
    """The name of the archive's family: its first package, or itself, and a digest of the class path. Empty: none.

    A program's own entry point gets no line for the shell, and a one-shot job runs only once.
    """
    if service.java is None or service.is_job or service.keeps_entrypoint or service.command[0] != "java":
        return ""
    try:
        path = recording.class_path(service)
    except LakehouseError:
        return ""
    first = next(iter(service.packages), service.name)  # a server that is only in its image has no package
    return f"{first}-{hashlib.sha256(path.encode()).hexdigest()[:12]}"


def line(service: Service) -> str:
    """The line for the shell by which a container's JVM finds its archive; empty if it can have none.

    An archive that was written to since its options were is not used: a JVM does not notice a damage, and crashes.
    """
    if not (family := name(service)):
        return ""
    found = f'archive="{TARGET}/{family}/${{{IMAGE}#*:}}"'
    unfit = f'[ ! -r "$archive/{_OPTIONS}" ] || [ "$archive/{_ARCHIVE}" -nt "$archive/{_OPTIONS}" ]'
    return f'{found} && {{ {unfit} || export {VARIABLE}="${VARIABLE} $(cat "$archive/{_OPTIONS}")"; }}'


def path(service: Service, image_id: str) -> Path | None:
    """The folder of the service's archive in containers of that image; None if it can have none."""
    family = name(service)
    return folder() / family / image_id.rpartition(":")[2] if family and image_id else None


def missing(services: Iterable[Service], images: Mapping[str, str]) -> dict[Path, tuple[Service, ...]]:
    """The missing archives, each with the services that share it. ``images``: the ids of those that Docker has."""
    found: dict[Path, tuple[Service, ...]] = {}
    for service in services:
        archive = path(service, images.get(image(service.image).reference, ""))
        if archive is not None and _why(archive, service):
            found[archive] = (*found.get(archive, ()), service)
    return found


def use(services: Iterable[Service], images: Mapping[str, str]) -> None:
    """Prepare the use of the archives that are there: note it, and remove those that no longer fit."""
    folder().mkdir(parents=True, exist_ok=True)
    for service in services:
        archive = path(service, images.get(image(service.image).reference, ""))
        if archive is None or not archive.exists():
            continue
        if _why(archive, service):
            remove(archive)
        else:
            uses.note(archive)


def damaged(services: Iterable[Service], images: Mapping[str, str]) -> dict[Path, str]:
    """The archives that have changed since they were made, each with what is wrong, as text. All are read."""
    found: dict[Path, str] = {}
    for service in services:
        archive = path(service, images.get(image(service.image).reference, ""))
        if archive is None or archive in found or not archive.exists():
            continue
        made = _made(archive)
        if why := _damage(archive, made):
            found[archive] = why
        elif not made.impossible and manifest.sha256(archive / _ARCHIVE) != made.sha256:
            found[archive] = f"{archive / _ARCHIVE} has another content"
    return found


def keep(draft: Path, archive: Path, service: Service) -> int:
    """Make the file ``draft`` the archive, on the same file system. Returns its bytes.

    Those of its family that nobody used for 30 days are removed.
    """
    inside = Path(TARGET) / archive.relative_to(folder()) / _ARCHIVE
    size = draft.stat().st_size
    made = Made("", size, manifest.sha256(draft), _stamps(service))
    with tempfile.TemporaryDirectory(dir=draft.parent) as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        draft.replace(whole / _ARCHIVE)
        with (whole / _ARCHIVE).open("rb") as file:
            os.fsync(file.fileno())  # a loss of power must not leave the name of a file that was not written
        (whole / _OPTIONS).write_text(recording.options(service, inside))
        _appear(whole, archive, made)
    uses.remove_former(archive.parent, "*", {archive.name})
    return size


def note_impossible(archive: Path, why: str) -> None:
    """Note that there can be no archive, so that nobody tries again."""
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archiving.folder()) as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        _appear(whole, archive, Made(why))


def remove(archive: Path) -> None:
    """Remove an archive. It disappears whole; JVMs that have mapped it are not affected."""
    with tempfile.TemporaryDirectory(dir=archiving.folder(), ignore_cleanup_errors=True) as scratch:
        try:
            archive.rename(Path(scratch) / "removed")
        except FileNotFoundError:
            return


def _appear(whole: Path, archive: Path, made: Made) -> None:
    (whole / _NOTE).write_text(json.dumps(vars(made)))
    for each in whole.iterdir():
        each.chmod(0o644)  # the containers' users read them
    whole.chmod(0o755)
    archive.parent.mkdir(parents=True, exist_ok=True)
    for each in (archive.parent, folder()):
        each.chmod(0o755)
    remove(archive)
    whole.rename(archive)


def _why(archive: Path, service: Service) -> str:
    """Why the archive cannot be used, as text; empty if it can, or if there can be none."""
    made = _made(archive)
    if why := _damage(archive, made):
        return why
    if not made.impossible and made.packages != _stamps(service):
        return f"{archive} was made for packages that were fetched again since"
    return ""


def _damage(archive: Path, made: Made) -> str:
    if made.impossible:
        return ""
    try:
        classes, options = (archive / _ARCHIVE).stat(), (archive / _OPTIONS).stat()
    except OSError:
        return f"{archive} is not complete"
    if classes.st_size != made.size:
        return f"{archive / _ARCHIVE} has {classes.st_size} bytes instead of {made.size}"
    if classes.st_mtime_ns > options.st_mtime_ns:
        return f"{archive / _ARCHIVE} was changed since it was made"
    return ""


def _made(archive: Path) -> Made:
    try:
        raw: dict[str, Any] = json.loads((archive / _NOTE).read_text())
        return Made(**raw)
    except (OSError, ValueError, TypeError):
        return Made()


def _stamps(service: Service) -> dict[str, str]:
    """The stamps of the packages that are mounted, whose jars' times the JVM compares."""
    found = {}
    for package in service.packages:
        if package not in image(service.image).packages:
            stamp = cached.folder(package) / cached.STAMP
            try:
                found[package] = f"{stamp.read_text()} {stamp.stat().st_mtime_ns}"
            except OSError:
                found[package] = ""
    return found
