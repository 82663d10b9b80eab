"""Extracts the folders that a package needs from an archive, to the places where it needs them."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO

from lakehouse.errors import LakehouseError
from lakehouse.packages.package import Artifact

_IN_MEMORY = 16 << 20  # bytes of a file with several names


def unpack(artifact: Artifact, archive: Path, tree: Path) -> None:
    """Write the files that the artifact's rules name below ``tree``. A hard link in an archive becomes a file; symbolic
    links and special files are left out.

    Raises LakehouseError if it is not an archive, if a path in it leads outside, or if a rule names nothing in it;
    OSError if the disk fails.
    """
    empty = {source for source, _ in artifact.unpack}

    def wanted(path: PurePosixPath) -> bool:
        return any(path.is_relative_to(source) for source, _ in artifact.unpack)

    try:
        with _opened(archive, artifact.within) as opened:
            for path, mode, content in _files(opened, wanted):
                for source, target in artifact.unpack:
                    if path.is_relative_to(source):
                        empty.discard(source)
                        _write(tree / target / path.relative_to(source), mode, content)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise LakehouseError(f"{artifact.coordinates}: {artifact.file} cannot be unpacked ({error}).") from error
    if empty:
        raise LakehouseError(
            f"{artifact.coordinates}: {artifact.file} has no {', '.join(sorted(empty))}. "
            "Correct its rules in the folder constructs/lakehouse/packages/catalogue."
        )


@contextmanager
def _opened(archive: Path, within: str) -> Iterator[IO[bytes]]:
    """The archive, or the one that a zip has at the path ``within``."""
    with archive.open("rb") as file:
        if not within:
            yield file
            return
        with zipfile.ZipFile(file) as bundle, bundle.open(within) as inner:
            yield inner


def _files(
    archive: IO[bytes], wanted: Callable[[PurePosixPath], bool]
) -> Iterator[tuple[PurePosixPath, int, IO[bytes]]]:
    """Path, mode and content of each plain file, and of the ``wanted`` hard links.

    Read the content before you ask for the next file.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as bundle:
            for entry in bundle.infolist():
                if not entry.is_dir():
                    with bundle.open(entry) as content:
                        yield _safe(entry.filename), entry.external_attr >> 16, content
        return
    links: dict[str, list[PurePosixPath]] = {}  # by the file that they share
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tape:
        for member in tape:
            if member.islnk() and wanted(path := _safe(member.name)):
                links.setdefault(member.linkname, []).append(path)
            elif (content_or_none := _content(tape, member)) is not None:
                yield _safe(member.name), member.mode, content_or_none
    if links:  # once more from the beginning: a jump back to each file would unpack all that is before it
        missing = dict(links)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tape:
            for member in tape:
                if member.name not in links or (content_or_none := _content(tape, member)) is None:
                    continue
                missing.pop(member.name, None)
                with SpooledTemporaryFile(_IN_MEMORY) as copy:  # a jump back for the next path would, too
                    shutil.copyfileobj(content_or_none, copy, 1 << 20)
                    for path in links[member.name]:
                        copy.seek(0)
                        yield path, member.mode, copy
        for target, paths in missing.items():
            raise tarfile.TarError(f"{paths[0]} is a hard link to {target}, which is no file in it")


def _content(tape: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """The content of a plain file, from its beginning; None for what is not one."""
    return tape.extractfile(member) if member.isfile() else None


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise LakehouseError(f"an archive has the path {name!r}, which leads out of its folder; it was not unpacked.")
    return path


def _write(path: Path, mode: int, content: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
    path.chmod(0o755 if mode & 0o100 else 0o644)
