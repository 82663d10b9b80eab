"""What a backup holds, as a value and as text. Pure. The format is documented in docs/backup.md."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lakehouse.errors import LakehouseError

FORMAT = 1
_KEY = "lakehouse-backup"
_DAMAGED = "it is damaged: what it says is not what was written. Use another backup"


class UnreadableBackup(LakehouseError):
    """A backup's manifest is damaged, or of a newer format."""


@dataclass(frozen=True)
class StoredFile:
    """A file in a backup: the SHA-256 of its bytes, which is its name there, and what the lakehouse's store said."""

    digest: str
    size: int
    etag: str = ""


@dataclass(frozen=True)
class CommitCopy:
    """A commit of a catalog with branches: its whole contents, and the number of the commit before it.

    ``parent`` is a number in :attr:`BranchesCopy.commits`; None: it begins with nothing.
    """

    parent: int | None
    entries: Sequence[Mapping[str, Any]]  # as the catalog's server gives them


@dataclass(frozen=True)
class ReferenceCopy:
    """A branch or tag. ``commit`` is a number in :attr:`BranchesCopy.commits`; None: nothing was committed yet."""

    name: str
    kind: Literal["branch", "tag"]
    commit: int | None
    deletable: bool = False


@dataclass(frozen=True)
class BranchesCopy:
    """The branches and tags of a catalog, and the commits that they need: each after the one before it."""

    commits: Sequence[CommitCopy]
    references: Sequence[ReferenceCopy]


@dataclass(frozen=True)
class CatalogCopy:
    """The contents of a catalog: properties of namespaces, the addresses of tables' metadata files, views.

    ``views`` are their metadata, at least the current version. With ``branches``, the rest is what its own branch has.
    """

    kind: str
    namespaces: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, str]
    views: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    branches: BranchesCopy | None = None


@dataclass(frozen=True)
class BackupManifest:
    """A backup. ``files`` are by their addresses in the store, ``heads`` the files that each metadata file needs.

    ``excluded`` are the names that its user left out. ``secrets`` is None if the backup has none.
    """

    id: str
    created: str
    lakehouse: str
    stack: str
    file_name: str
    file: StoredFile
    secrets: StoredFile | None
    catalogs: Mapping[str, CatalogCopy]
    heads: Mapping[str, Sequence[str]]
    files: Mapping[str, StoredFile] = field(repr=False)
    excluded: Sequence[str] = ()

    @property
    def tables(self) -> list[str]:
        """The tables' full names, without those that only other branches have."""
        return [f"{name}.{table}" for name, each in self.catalogs.items() for table in each.tables]

    @property
    def size(self) -> int:
        """The bytes of all its files. Those that several addresses share count once."""
        return sum({each.digest: each.size for each in self.everything}.values())

    @property
    def everything(self) -> list[StoredFile]:
        """All files, with the lakehouse's own and the secrets."""
        return [*self.files.values(), self.file, *([self.secrets] if self.secrets else [])]


def to_bytes(manifest: BackupManifest) -> bytes:
    """A line with the format and the digest of the rest, and the rest, compressed."""
    numbers = {address: number for number, address in enumerate(sorted(manifest.files))}
    content = {
        "id": manifest.id,
        "created": manifest.created,
        "lakehouse": manifest.lakehouse,
        "stack": manifest.stack,
        "file": {"name": manifest.file_name, **_file(manifest.file)},
        "secrets": _file(manifest.secrets) if manifest.secrets else None,
        "excluded": list(manifest.excluded),
        "catalogs": {name: _catalog(each) for name, each in manifest.catalogs.items()},
        "files": [{"address": at, **_file(manifest.files[at])} for at in numbers],
        "heads": {head: sorted(numbers[at] for at in of) for head, of in manifest.heads.items()},
    }
    rest = gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)
    head = json.dumps({_KEY: FORMAT, "sha256": hashlib.sha256(rest).hexdigest()})
    return head.encode() + b"\n" + rest


def from_bytes(what: str, data: bytes) -> BackupManifest:
    """The manifest in ``data``; ``what`` names it in errors.

    Raises UnreadableBackup if it is damaged or of a newer format.
    """
    head, _, rest = data.partition(b"\n")
    try:
        said = json.loads(head)
        version = said[_KEY]
    except (ValueError, KeyError, TypeError):
        raise UnreadableBackup(f"{what}: {_DAMAGED}.") from None
    if not isinstance(version, int) or version > FORMAT:
        raise UnreadableBackup(
            f"{what} has format {version}, and this version of lakehouse reads up to {FORMAT}. Use a newer one."
        )
    try:
        if hashlib.sha256(rest).hexdigest() != said["sha256"]:
            raise UnreadableBackup(f"{what}: {_DAMAGED}.")
        return _manifest(json.loads(gzip.decompress(rest)))
    except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zlib.error):
        raise UnreadableBackup(f"{what}: {_DAMAGED}.") from None


def _file(of: StoredFile) -> dict[str, Any]:
    return {"digest": of.digest, "size": of.size, **({"etag": of.etag} if of.etag else {})}


def _read(of: Mapping[str, Any]) -> StoredFile:
    return StoredFile(str(of["digest"]), int(of["size"]), str(of.get("etag", "")))


def _catalog(of: CatalogCopy) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": of.kind,
        "namespaces": {name: dict(each) for name, each in of.namespaces.items()},
        "tables": dict(of.tables),
        "views": dict(of.views),
    }
    if of.branches is not None:
        found["branches"] = {
            "commits": [{"parent": each.parent, "entries": list(each.entries)} for each in of.branches.commits],
            "references": [
                {"name": each.name, "kind": each.kind, "commit": each.commit, "deletable": each.deletable}
                for each in of.branches.references
            ],
        }
    return found


def _manifest(content: Mapping[str, Any]) -> BackupManifest:
    addresses = [each["address"] for each in content["files"]]
    return BackupManifest(
        id=content["id"],
        created=content["created"],
        lakehouse=content["lakehouse"],
        stack=content["stack"],
        file_name=content["file"]["name"],
        file=_read(content["file"]),
        secrets=_read(content["secrets"]) if content["secrets"] else None,
        catalogs={name: _catalog_of(each) for name, each in content["catalogs"].items()},
        heads={head: tuple(addresses[number] for number in of) for head, of in content["heads"].items()},
        files={each["address"]: _read(each) for each in content["files"]},
        excluded=tuple(content["excluded"]),
    )


def _catalog_of(content: Mapping[str, Any]) -> CatalogCopy:
    branches = content.get("branches")
    return CatalogCopy(
        content["kind"],
        content["namespaces"],
        content["tables"],
        content["views"],
        None
        if branches is None
        else BranchesCopy(
            tuple(CommitCopy(each["parent"], tuple(each["entries"])) for each in branches["commits"]),
            tuple(ReferenceCopy(**each) for each in branches["references"]),
        ),
    )
