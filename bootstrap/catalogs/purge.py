"""The files of a dropped table, deleted for catalogs that keep only the location of its metadata file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bootstrap.remote.errors import Refused, first_line

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table.metadata import TableMetadata

_GC = "gc.enabled"


def purgeable(what: str, properties: Mapping[str, str]) -> None:
    """Check that a table's files are its own; ``what`` names it in the error. To be called before the drop.

    Raises Refused if Iceberg's garbage collection is off for the table, as for a copy that Spark's ``snapshot`` made.
    """
    value = properties.get(_GC, "true")
    if value.lower() != "true":
        rule = f"its property {_GC} is {value}: its files may belong to another table, so --purge must not delete them"
        raise Refused(f"{what}: {rule}. Drop the table without --purge")


def purged(io: FileIO, metadata: TableMetadata, location: str) -> str:
    """Delete the files of a table that was dropped; ``location`` is that of its last metadata file.

    Returns what is left as text, and raises nothing: the table is gone either way.
    """
    failures: list[str] = []
    try:
        for path in _paths(io, metadata, location):
            try:
                io.delete(path)
            except FileNotFoundError:
                continue
            except OSError as error:  # Arrow raises it for all failures of the store
                failures.append(f"{path}: {first_line(error)}")
    except Exception as error:  # noqa: BLE001 - a damaged manifest raises all kinds of errors
        failures.append(first_line(error))
    if not failures:
        return ""
    more = f" (and {len(failures) - 1} more)" if failures[1:] else ""
    return f"dropped, but the files at {metadata.location} are not all deleted: {failures[0]}{more}"


def _paths(io: FileIO, metadata: TableMetadata, location: str) -> Iterator[str]:
    """All files of a table, each once. Those that name others come after them."""
    manifests = {each.manifest_path: each for snapshot in metadata.snapshots for each in snapshot.manifests(io)}
    seen: set[str] = set()
    for manifest in manifests.values():
        for entry in manifest.fetch_manifest_entry(io, discard_deleted=False):
            if (path := entry.data_file.file_path) not in seen:
                seen.add(path)
                yield path
    yield from {each.statistics_path for each in (*metadata.statistics, *metadata.partition_statistics)}
    yield from manifests
    yield from {each.manifest_list for each in metadata.snapshots}
    yield from {each.metadata_file for each in metadata.metadata_log} - {location}
    yield location
