"""Tables of the file that existed before: how each was lost, what it held, and how to restore it.

Nessie's log says which commit removed a table and where the table was before. Other catalogs keep no history: there,
the remaining files in the table's folder show it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bootstrap.catalogs.base import Gone, LiveCatalog, Remembers
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import RemoteError
from bootstrap.stores.folders import Folders


def find(
    catalog: LiveCatalog, missing: Mapping[str, str], claimed: Collection[str], folders: Folders, files: MetadataFiles
) -> dict[str, Gone]:
    """How missing tables were lost, by name; tables that never existed are left out.

    ``missing`` are their folders by name; ``claimed`` are the names whose folder belongs to another live table.
    """
    if isinstance(catalog, Remembers):
        return dict(catalog.gone(missing))
    found: dict[str, Gone] = {}
    for name, folder in missing.items():
        if name not in claimed and folders.held(folder) and (newest := _of_tables(files, folders.latest(folder))):
            at = max(newest, key=lambda each: _updated(files, each)) if len(newest) > 1 else newest[0]
            found[name] = Gone("removed from the catalog, which keeps no history, but its files still exist", at)
    return found


def formerly(catalog: LiveCatalog, name: str, folder: str, folders: Folders, files: MetadataFiles) -> Iterator[Gone]:
    """All tables of that name that were lost and are known, the last one first."""
    if isinstance(catalog, Remembers):
        yield from catalog.formerly(name)
    else:
        yield from find(catalog, {name: folder}, (), folders, files).values()


def _of_tables(files: MetadataFiles, found: Collection[str]) -> list[str]:
    """Without the metadata files of views, which may have had the folder."""
    return [each for each in found if "view-uuid" not in (held(files, each) or {})]


def _updated(files: MetadataFiles, at: str) -> int:
    metadata = held(files, at)
    return int(metadata.get("last-updated-ms", 0)) if metadata else 0


def describe(catalog: str, gone: Mapping[str, Gone], live: Collection[str], world: World) -> dict[str, str]:
    """A note on each table, by its full name: how it was lost, what it held, and the command that restores it."""
    files = world.files()
    with ThreadPoolExecutor(world.connections.parallel) as pool:
        read = dict(zip(gone, pool.map(lambda each: held(files, each.metadata_location), gone.values()), strict=True))
    return {f"{catalog}.{name}": text(catalog, name, each, read[name], live) for name, each in gone.items()}


def held(files: MetadataFiles, at: str) -> dict[str, Any] | None:
    """What a metadata file says; None if it cannot be read."""
    try:
        return files.read(at)
    except RemoteError:
        return None


def text(catalog: str, name: str, gone: Gone, metadata: Mapping[str, Any] | None, live: Collection[str]) -> str:
    """One sentence on what existed, and one on how to restore it."""
    full, new = f"{catalog}.{name}", "`apply` creates a new, empty table"
    if gone.renamed_to in live:
        return (
            f"it was {gone.how}, and its rows are in {catalog}.{gone.renamed_to}. {new}. If the new name is right, "
            f"write it in the file; `renamed_from: {gone.renamed_to}` on this table takes it back, and so does "
            f"ALTER TABLE {catalog}.{gone.renamed_to} RENAME TO {full} in an engine"
        )
    if metadata is None:
        lost = f"its metadata file {gone.metadata_location} cannot be read, so it cannot be brought back"
        return f"it was {gone.how}; {lost}. {new}"
    return f"it was {gone.how}; it held {rows(metadata)}. `lakehouse undrop {full}` brings it back; {new}"


def rows(metadata: Mapping[str, Any]) -> str:
    """How many rows the current snapshot has, and how many snapshots the table has, as text."""
    snapshots = metadata.get("snapshots") or []
    current = next((each for each in snapshots if each["snapshot-id"] == metadata.get("current-snapshot-id")), None)
    if current is None:
        return "no rows"
    count = _counted(current.get("summary", {}))
    return f"{count} row{'s' if count != '1' else ''} in {len(snapshots)} snapshot{'s' if len(snapshots) > 1 else ''}"


def _counted(summary: Mapping[str, Any]) -> str:
    """The rows of a snapshot. With delete files it is an estimate, which may count a deletion twice or not at all."""
    try:
        rows, removed = int(summary["total-records"]), int(summary.get("total-position-deletes", 0))
    except (KeyError, ValueError):
        return "an unknown number of"
    exact = summary.get("total-delete-files", "0") == "0"
    return str(rows) if exact else f"about {max(rows - removed, 0)}"
