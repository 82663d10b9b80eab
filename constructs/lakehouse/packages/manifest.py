"""The contents of a cache folder, file by file, so that removed, truncated or changed files are noticed.

Sizes are compared whenever a package is asked for, which costs one stat per file; contents only on request,
because reading them all takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

STAMP = ".complete"
_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Entry:
    """A file as it was when it was fetched; ``sha256`` is empty if only its size is known."""

    size: int
    sha256: str


def write(folder: Path, *, contents: bool = True, to: Path | None = None) -> None:
    """Record the present files of the folder, which will become ``to``; without ``contents`` only their sizes."""
    files = list(_files(folder))
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        digests = list(pool.map(sha256, files)) if contents else [""] * len(files)
    content = {
        str(path.relative_to(folder)): [path.stat().st_size, digest]
        for path, digest in zip(files, digests, strict=True)
    }
    note = _note(to or folder)
    note.parent.mkdir(exist_ok=True)
    draft = note.with_name(f"{note.name}.{os.getpid()}")
    draft.write_text(json.dumps(content))
    draft.replace(note)


def read(folder: Path) -> Mapping[str, Entry] | None:
    """The record; None if there is none, or if the record itself is damaged."""
    try:
        return {path: Entry(*entry) for path, entry in json.loads(_note(folder).read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def damaged(folder: Path, entries: Mapping[str, Entry], *, contents: bool = False) -> list[str]:
    """A sentence for each file that differs from its record: missing, of another size, or with other content."""
    found = [why for path, entry in entries.items() if (why := _other_size(folder / path, entry))]
    if found or not contents:
        return found
    known = [(folder / path, entry.sha256) for path, entry in entries.items() if entry.sha256]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return [why for why in pool.map(lambda each: _other_content(*each), known) if why]


def broken_archives(folder: Path) -> list[str]:
    """A sentence for each truncated jar; for a folder without a record."""
    jars = (path for path in _files(folder) if path.suffix == ".jar")
    return [f"{path} is truncated" for path in jars if not zipfile.is_zipfile(path)]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _other_size(path: Path, entry: Entry) -> str:
    try:
        size = path.stat().st_size
    except OSError:
        return f"{path} is missing"
    return f"{path} has {size:,} of {entry.size:,} bytes" if size != entry.size else ""


def _other_content(path: Path, digest: str) -> str:
    try:
        return f"{path} has changed since it was fetched" if sha256(path) != digest else ""
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"


def _files(folder: Path) -> Iterator[Path]:
    """The files that were fetched: Python compiles some modules there later."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / STAMP and "__pycache__" not in path.parts:
            yield path


def _note(folder: Path) -> Path:
    """Records are in a separate folder of the cache: a package's folder contains only the package."""
    return noted(folder, "files")


def noted(path: Path, kind: str) -> Path:
    """The record of something in one of the cache's folders (packages, builds, archives)."""
    return path.parent.parent / "noted" / f"{path.name}.{kind}"
