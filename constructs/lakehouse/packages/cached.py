"""Where packages are: the user's cache folder, according to the XDG base directory specification.

``packages/NAME/`` contains a package and a stamp, written last: a package without a stamp, or with another one, does
not count. Next to the stamp is a record of its files, so that what was damaged since is fetched again.
``downloads/`` contains partial files, so that an interrupted download resumes. ``builds/`` contains the programs that
are built from source.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import catalogue, manifest, programs
from lakehouse.packages.manifest import Entry

STAMP = manifest.STAMP


def root() -> Path:
    """``$XDG_CACHE_HOME/lakehouse``, by default ``~/.cache/lakehouse``.

    Raises LakehouseError if the user has no home folder, or if Java would take the path for several.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():  # the specification: a relative path is invalid and must be ignored
        return _whole(base / "lakehouse")
    try:
        return _whole(Path.home() / ".cache" / "lakehouse")
    except RuntimeError:
        raise LakehouseError(
            f"User {os.getuid()} has no home folder: HOME is not set, and the system's list of users (/etc/passwd) has "
            "no entry for this number. Work as a user that has an entry; in a container, add one."
        ) from None


def _whole(folder: Path) -> Path:
    if os.pathsep in str(folder):  # https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html (-cp)
        raise LakehouseError(
            f'The cache folder "{folder}" has a colon in its path: Java would take the files there for two. '
            "Set XDG_CACHE_HOME to a folder without one."
        )
    return folder


def scratch() -> Path:
    """A folder for temporary files that belong to no lakehouse."""
    folder = root() / "tmp"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # a shared, read-only cache
        return Path(tempfile.gettempdir())
    return folder


def folder(name: str) -> Path:
    """The folder of a package in the cache, whether it exists or not."""
    return root() / "packages" / catalogue.package(name).folder


def location(name: str) -> Path:
    """The package's file, or its folder if it is a tree; nothing is read or fetched.

    Raises LakehouseError if the catalogue has no such package.
    """
    package = catalogue.package(name)
    if package.go:
        return program(package.go)
    if package.crate:
        return crate_root(name) / "bin" / package.crate
    return folder(name) if package.is_tree else folder(name) / package.artifacts[0].file


def program(name: str) -> Path:
    """Where a program that Go builds is or would be."""
    return root() / "builds" / programs.build_name(name) / name


def crate_root(name: str) -> Path:
    """The argument of ``cargo install --root`` for a package that is a crate."""
    return root() / "builds" / catalogue.package(name).folder


def is_present(name: str) -> bool:
    """Whether the package is in the cache, with today's pins, and each of its files has its size."""
    return not missing(name)


def missing(name: str, *, contents: bool = False) -> list[str]:
    """Why the package must be fetched or built: a sentence for each problem; nothing if all is well.

    With ``contents`` each file is read and its SHA-256 compared.
    """
    package = catalogue.package(name)
    where = location(name).parent if not package.artifacts else folder(name)
    if package.artifacts:
        try:
            stamped = (where / STAMP).read_text() == package.digest
        except OSError:
            stamped = False
        if not stamped:
            return [f"{where} is missing, or has other pins"]
    elif not location(name).is_file():
        return [f"{location(name)} is missing"]
    return manifest.damaged(where, _noted(name, where), contents=contents)


def _noted(name: str, where: Path) -> Mapping[str, Entry]:
    """The records of the package's files: from the catalogue for a single file, else from when they were fetched."""
    package = catalogue.package(name)
    if package.artifacts and not package.is_tree:
        return {each.file: Entry(each.size, each.sha256) for each in package.here}
    return manifest.read(where) or {}
