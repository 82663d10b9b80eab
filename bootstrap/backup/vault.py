"""The target of backups: a folder, or a prefix in a bucket. Its files have the names of their contents' digests.

``objects/AB/ABCD…`` are the files, ``backups/ID.backup`` the manifests, each written last and in one step.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlparse

from bootstrap.backup.manifest import BackupManifest, StoredFile, UnreadableBackup, from_bytes, to_bytes
from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Missing
from bootstrap.remote.s3 import client, typed
from lakehouse.errors import LakehouseError, UsageError

PART = 1 << 20  # bytes that are read at a time
_OBJECTS, _BACKUPS, _END = "objects", "backups", ".backup"
_INCOMING = ".incoming-"  # folders of files on their way in


class VaultPlace(Protocol):
    """Files by their names, which have slashes."""

    where: str  # as the user named it

    def opened(self, name: str) -> IO[bytes]:
        """A file to read from any place in it. Raises Missing if there is none."""
        ...

    def put(self, name: str, file: Path) -> None:
        """Take the file over under this name, in one step. The file is gone afterwards, or is left to the caller."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """The files in a folder and below, by their names."""
        ...

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for files that :meth:`put` takes."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is fine."""
        ...

    @contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        """Keep others from deleting, and with ``alone`` also from adding. A bucket has no such thing.

        Raises UsageError if others hold it.
        """
        ...


class Vault:
    """The backups in one place."""

    def __init__(self, place: VaultPlace) -> None:
        self.place, self.where = place, place.where

    def ids(self) -> list[str]:
        """The ids of its backups, the oldest first."""
        names = self.place.sizes(_BACKUPS)
        return sorted(name.removeprefix(f"{_BACKUPS}/").removesuffix(_END) for name in names if name.endswith(_END))

    def manifest(self, id_: str | None = None) -> BackupManifest:
        """A backup's manifest; None: of the newest one. Raises UsageError if there is none."""
        known = self.ids()
        if not known:
            raise UsageError(f"{self.where} has no backups. `lakehouse backup create {self.where}` makes one.")
        chosen = known[-1] if id_ is None else id_
        if chosen not in known:
            raise UsageError(f'{self.where} has no backup "{chosen}". It has {", ".join(known[-5:])}.')
        with self.place.opened(f"{_BACKUPS}/{chosen}{_END}") as file:
            return from_bytes(f"backup {chosen} in {self.where}", file.read())

    def manifests(self) -> tuple[list[BackupManifest], dict[str, UnreadableBackup]]:
        """The manifests of its backups, the oldest first; and what is wrong with those that cannot be read, by id."""
        found, unreadable = [], {}
        for each in self.ids():
            try:
                found.append(self.manifest(each))
            except UnreadableBackup as error:
                unreadable[each] = error
        return found, unreadable

    def finish(self, manifest: BackupManifest) -> None:
        """Write the manifest: from here on there is this backup."""
        with self.place.scratch() as folder, self._writing():
            path = folder / secrets.token_hex(8)
            _written(path, [to_bytes(manifest)])
            self.place.put(f"{_BACKUPS}/{manifest.id}{_END}", path)

    def forget(self, id_: str) -> None:
        """Remove a backup's manifest: from here on there is no such backup."""
        self.place.remove(f"{_BACKUPS}/{id_}{_END}")

    def drop(self, digest: str) -> None:
        """Remove a file that no backup has."""
        self.place.remove(_name(digest))

    def stored(self) -> dict[str, int]:
        """The sizes of its files by their digests."""
        return {name.rpartition("/")[2]: size for name, size in self.place.sizes(_OBJECTS).items()}

    def opened(self, digest: str) -> IO[bytes]:
        """A file's content. Raises Missing if there is none of that digest."""
        return self.place.opened(_name(digest))

    def read(self, file: StoredFile, what: str) -> bytes:
        """A small file's content, checked; ``what`` names it in errors."""
        with self.checked(file, what) as content:
            return content.read()

    @contextmanager
    def checked(self, file: StoredFile, what: str) -> Iterator[IO[bytes]]:
        """A file's content, from its beginning. Raises LakehouseError if it is missing or is not what was written."""
        try:
            content = self.opened(file.digest)
        except Missing:
            raise LakehouseError(f"{self.where}: {what} is missing ({_name(file.digest)}).") from None
        with content:
            found = hashlib.sha256()
            while part := content.read(PART):
                found.update(part)
            if found.hexdigest() != file.digest:
                raise LakehouseError(f"{self.where}: {what} was altered ({_name(file.digest)} has another digest).")
            content.seek(0)
            yield content

    def receive(self, parts: Iterable[bytes], folder: Path, stored: dict[str, int]) -> StoredFile:
        """Take a file in, unless it is among those that are ``stored``, to which it is added."""
        path = folder / secrets.token_hex(8)
        try:
            with self._writing():
                file = _written(path, parts)
                if stored.get(file.digest) != file.size:
                    self.place.put(_name(file.digest), path)
                    stored[file.digest] = file.size
        finally:
            path.unlink(missing_ok=True)
        return file

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LakehouseError(
                f"{self.where}: a file cannot be written: {error.strerror}. Free space or name another place; "
                "the same command then goes on with what is missing."
            ) from error


def _name(digest: str) -> str:
    return f"{_OBJECTS}/{digest[:2]}/{digest}"


def _written(path: Path, parts: Iterable[bytes]) -> StoredFile:
    found, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in parts:
            file.write(part)
            found.update(part)
            size += len(part)
        file.flush()
        os.fsync(file.fileno())
    return StoredFile(found.hexdigest(), size)


class FolderPlace:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root, self.where = root, str(root)

    def opened(self, name: str) -> IO[bytes]:
        try:
            return (self.root / name).open("rb")
        except FileNotFoundError:
            raise Missing(f"{self.root / name} does not exist") from None
        except OSError as error:
            raise LakehouseError(f"{self.root / name} cannot be read: {error.strerror}.") from None

    def put(self, name: str, file: Path) -> None:
        path = self.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.replace(path)

    def sizes(self, folder: str) -> dict[str, int]:
        try:
            os.scandir(self.root / folder).close()  # rglob takes a folder that it may not read for an empty one
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be read: {error.strerror}. Name another folder.") from None
        files = (path for path in (self.root / folder).rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in files}

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self.root.glob(f"{_INCOMING}*"):
                with _held(left) as ours:
                    if ours:  # of a process that was killed
                        shutil.rmtree(left, ignore_errors=True)
            folder = tempfile.TemporaryDirectory(prefix=_INCOMING, dir=self.root)
        except OSError as error:
            raise UsageError(f"{self.root} cannot be written: {error.strerror}. Name another folder.") from None
        with folder as name, _held(Path(name)):
            yield Path(name)

    def remove(self, name: str) -> None:
        try:
            (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            raise LakehouseError(f"{self.root / name} cannot be removed: {error.strerror}.") from None

    @contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise UsageError(f"{self.root} cannot be written: {error.strerror}. Name another folder.") from None
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            doing = "a backup is being made or restored there" if alone else "backups are being deleted there"
            raise UsageError(f"{self.root}: {doing}. Nothing was changed. Try again when that has ended.") from None
        finally:
            os.close(descriptor)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock, which ends with the process. Yields whether nobody else holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # removed by its owner meanwhile
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


class BucketPlace:
    """A prefix in a bucket of S3, or of another store whose address $AWS_ENDPOINT_URL_S3 has."""

    def __init__(self, url: str, scratch: Path | None) -> None:
        at = urlparse(url)
        self.where, self._bucket = url, at.netloc
        self._scratch = str(scratch) if scratch else None
        self._prefix = f"{at.path.strip('/')}/".removeprefix("/")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._s3 = client(StoreConnection(None, region))

    def opened(self, name: str) -> IO[bytes]:
        found = tempfile.SpooledTemporaryFile(max_size=8 * PART, dir=self._scratch)  # noqa: SIM115 - the caller's
        try:
            with typed(self.where):
                body = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
                for part in body.iter_chunks(PART):
                    found.write(part)
            found.seek(0)
        except OSError as error:
            folder = self._scratch or tempfile.gettempdir()
            raise LakehouseError(
                f"{self.where}: {name} cannot be kept in {folder} while it is read: {error.strerror}. Free space there."
            ) from error
        return found

    def put(self, name: str, file: Path) -> None:
        with typed(self.where):
            self._s3.upload_file(str(file), self._bucket, self._prefix + name)

    def sizes(self, folder: str) -> dict[str, int]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{folder}/"
        )
        try:
            with typed(self.where):
                files = [each for page in pages for each in page.get("Contents", ())]
        except Missing:
            raise UsageError(f"{self.where}: there is no bucket {self._bucket}. Make it, or name another.") from None
        return {each["Key"].removeprefix(self._prefix): each["Size"] for each in files}

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            yield Path(name)

    def remove(self, name: str) -> None:
        with typed(self.where):
            self._s3.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    @contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        yield


def vault(where: str, scratch: Path | None = None) -> Vault:
    """The backups in a folder or at an ``s3://`` URL. ``scratch`` is for files on their way to and from a bucket."""
    if "://" not in where and not where.startswith("s3:"):  # s3:/bucket is a slip, and no folder
        return Vault(FolderPlace(Path(where).expanduser().absolute()))
    at = urlparse(where)
    if at.scheme != "s3" or not at.netloc or at.query or at.fragment:
        raise UsageError(f'"{where}" is neither a folder nor a URL like s3://BUCKET/PREFIX.')
    return Vault(BucketPlace(where, scratch))
