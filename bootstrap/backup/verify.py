"""Checks a backup without the lakehouse: every digest, and that it has every file that its metadata names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

from bootstrap.backup.manifest import BackupManifest, StoredFile
from bootstrap.backup.pin import locations
from bootstrap.backup.reach import FileReach
from bootstrap.backup.vault import Vault
from bootstrap.remote.errors import Missing, Refused, RemoteError, first_line
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from pyiceberg.io import FileIO

_PARALLEL = 4
#: Called with the number of files read so far, and the number of all files.
Checking = Callable[[int, int], None]


@dataclass(frozen=True)
class Checked:
    """What was read, and what is wrong, a sentence each."""

    files: int
    bytes: int
    tables: int
    wrong: tuple[str, ...]


def verify(vault: Vault, manifest: BackupManifest, checking: Checking = lambda count, of: None) -> Checked:
    """Read the whole backup and check it."""
    names = {file.digest: (address, file) for address, file in manifest.files.items()}
    names[manifest.file.digest] = (manifest.file_name, manifest.file)
    if manifest.secrets is not None:
        names[manifest.secrets.digest] = ("the file of secrets", manifest.secrets)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        wrong = []
        for count, said in enumerate(pool.map(lambda each: _altered(vault, *each), names.values()), 1):
            checking(count, len(names))
            wrong += said
    wrong += [] if wrong else _lacking(vault, manifest)
    return Checked(len(names), manifest.size, len(manifest.heads), tuple(wrong))


def _altered(vault: Vault, what: str, file: StoredFile) -> list[str]:
    try:
        with vault.checked(file, what):
            return []
    except LakehouseError as error:
        return [str(error)]


def _lacking(vault: Vault, manifest: BackupManifest) -> Iterator[str]:
    """Tables and views that need a file which the backup does not have."""
    reach = FileReach(BackupFiles(vault, manifest), _PARALLEL)
    for name, copy in manifest.catalogs.items():
        for at, who in locations(copy).items():
            try:
                needed = reach.of(who, at).needed
            except RemoteError as error:
                yield f"{name}.{who}: {error}"
                continue
            if lacking := sorted(needed - manifest.files.keys()):
                yield f"{name}.{who}: the backup lacks {lacking[0]}, which the metadata names"


class BackupFiles:
    """The files of a backup by their addresses in the lakehouse, for what reads metadata."""

    def __init__(self, vault: Vault, manifest: BackupManifest) -> None:
        self._vault, self._files = vault, manifest.files

    def content(self, location: str) -> bytes:
        """Raises Missing if the backup does not have the file."""
        if location not in self._files:
            raise Missing(f"the backup has no {location}")
        return self._vault.read(self._files[location], location)

    def read(self, location: str) -> dict[str, Any]:
        data = self.content(location)
        try:
            found: dict[str, Any] = json.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
        except (ValueError, OSError, EOFError) as error:
            raise Refused(f"{location} cannot be read: {first_line(error)}") from None
        return found

    @cached_property
    def io(self) -> FileIO:
        """For pyiceberg, which only reads."""
        from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile

        content = self.content

        class Input(InputFile):
            def __len__(self) -> int:
                return len(content(self.location))

            def exists(self) -> bool:
                return True

            def open(self, seekable: bool = True) -> InputStream:
                return BytesIO(content(self.location))

        class Reading(FileIO):
            def new_input(self, location: str) -> InputFile:
                return Input(location)

            def new_output(self, location: str) -> OutputFile:
                raise NotImplementedError

            def delete(self, location: str | InputFile | OutputFile) -> None:
                raise NotImplementedError

        return Reading()
