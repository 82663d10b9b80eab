"""Tables of the file that were there once: how each went, what was in it, and what brings it back.

Nessie's log says which commit took a table away and where it was before. Other catalogs keep no history: there the
files that still lie in the table's default folder say it, as far as they are left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bootstrap.catalogs.base import Catalog, Gone, Remembers
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.connections import Connections
from bootstrap.errors import Missing, RemoteError
from bootstrap.stores.folders import Folders


def find(catalog: Catalog, defaults: Mapping[str, str], claimed: Collection[str], folders: Folders) -> dict[str, Gone]:
    """How tables that are not there went, by name; those that never were there are left out.

    ``defaults`` are their default folders by name; ``claimed`` are those names whose folder is another live table's.
    """
    if isinstance(catalog, Remembers):
        return dict(catalog.gone(defaults))
    found: dict[str, Gone] = {}
    for name, folder in defaults.items():
        if name not in claimed and folders.held(folder) and (at := folders.latest(folder)) is not None:
            found[name] = Gone("taken out of the catalog, which keeps no history, and its files are still there", at)
    return found


def describe(catalog: str, gone: Mapping[str, Gone], live: Collection[str], connections: Connections) -> dict[str, str]:
    """What is said of each by its full name: how it went, what it held, and the command that brings it back."""
    files = MetadataFiles(connections)
    with ThreadPoolExecutor(connections.parallel) as pool:
        held = dict(zip(gone, pool.map(lambda each: _held(files, each), gone.values()), strict=True))
    return {f"{catalog}.{name}": text(catalog, name, each, held[name], live) for name, each in gone.items()}


def _held(files: MetadataFiles, gone: Gone) -> dict[str, Any] | None:
    try:
        return files.read(gone.metadata_location)
    except (Missing, RemoteError):
        return None


def text(catalog: str, name: str, gone: Gone, metadata: Mapping[str, Any] | None, live: Collection[str]) -> str:
    """One sentence on what was there, one on the way back."""
    full, new = f"{catalog}.{name}", "`apply` makes a new, empty table"
    if gone.renamed_to in live:
        return (
            f"it was {gone.how}, and its rows are in {catalog}.{gone.renamed_to}. {new}. If the new name is right, "
            f"write it in the file; ALTER TABLE {catalog}.{gone.renamed_to} RENAME TO {full} in an engine takes it back"
        )
    if metadata is None:
        lost = f"its metadata file {gone.metadata_location} cannot be read, so nothing brings it back"
        return f"it was {gone.how}; {lost}. {new}"
    return f"it was {gone.how}; it held {rows(metadata)}. `lakehouse restore {full}` brings it back; {new}"


def rows(metadata: Mapping[str, Any]) -> str:
    """How many rows the current snapshot has, and how many snapshots there are."""
    snapshots = metadata.get("snapshots") or []
    current = next((each for each in snapshots if each["snapshot-id"] == metadata.get("current-snapshot-id")), None)
    if current is None:
        return "no rows"
    count = current.get("summary", {}).get("total-records", "an unknown number of")
    return f"{count} rows in {len(snapshots)} snapshot{'s' if len(snapshots) > 1 else ''}"
