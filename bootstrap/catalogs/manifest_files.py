"""What manifests, and lists of manifests, name. https://iceberg.apache.org/spec/#manifests"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from bootstrap.remote.errors import Missing, Refused, UnknownState, first_line

if TYPE_CHECKING:
    from pyiceberg.io import FileIO


class Opens(Protocol):
    """What has the files: the store (:class:`bootstrap.catalogs.metadata_files.MetadataFiles`), or a backup of it."""

    @property
    def io(self) -> FileIO: ...


class FileEntry(NamedTuple):
    """A data or delete file that a manifest names; ``live`` is false if the entry records its removal."""

    path: str
    live: bool


class ManifestFiles:
    """Raises Missing if a file is gone, Refused if it cannot be read, UnknownState if the store does not answer."""

    def __init__(self, files: Opens) -> None:
        self._files = files

    def manifests(self, at: str) -> list[str]:
        """The addresses of the manifests in a list."""
        from pyiceberg.manifest import read_manifest_list

        try:
            return [each.manifest_path for each in read_manifest_list(self._files.io.new_input(at))]
        except Exception as error:
            raise _typed(at, error) from error

    def entries(self, at: str) -> list[FileEntry]:
        """The files in a manifest."""
        from pyiceberg.avro.file import AvroFile
        from pyiceberg.manifest import DEFAULT_READ_VERSION, MANIFEST_ENTRY_SCHEMAS, DataFile, ManifestEntry
        from pyiceberg.manifest import ManifestEntryStatus as Status

        schema = MANIFEST_ENTRY_SCHEMAS[DEFAULT_READ_VERSION]
        try:
            with AvroFile[ManifestEntry](
                self._files.io.new_input(at), schema, read_types={-1: ManifestEntry, 2: DataFile}
            ) as entries:
                return [FileEntry(each.data_file.file_path, each.status != Status.DELETED) for each in entries]
        except Exception as error:
            raise _typed(at, error) from error


def _typed(at: str, error: Exception) -> Missing | Refused | UnknownState:
    if isinstance(error, FileNotFoundError):
        return Missing(f"{at} does not exist")
    if isinstance(error, OSError):  # Arrow raises it for any failure of the store
        return UnknownState(f"the object store: {at}: {first_line(error)}")
    return Refused(f"{at} cannot be read: {first_line(error)}")
