"""Metadata files of views, for catalogs that keep only their locations. https://iceberg.apache.org/view-spec/"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from bootstrap.catalogs.base import SeenView, unchanged_view
from bootstrap.catalogs.metadata_files import MetadataFiles, next_location
from bootstrap.iceberg.view import ViewFacts, compact_view, new_metadata, next_metadata
from bootstrap.remote.errors import Missing, Refused


class ViewFile(NamedTuple):
    """A metadata file that was written, and its content."""

    location: str
    metadata: Mapping[str, Any]


class ViewFiles:
    """Reads the files of views, ``parallel`` at a time, and writes their next ones. No file is ever overwritten."""

    def __init__(self, files: MetadataFiles, parallel: int) -> None:
        self._files, self._parallel = files, parallel

    def read(self, locations: Mapping[str, str]) -> dict[str, ViewFacts]:
        """The views at these locations, by their names, without those whose files are gone."""
        with ThreadPoolExecutor(self._parallel) as pool:
            found = zip(locations, pool.map(self._compact, locations.values()), strict=True)
            return {name: view for name, view in found if view is not None}

    def _compact(self, location: str) -> ViewFacts | None:
        try:
            return ViewFacts(location, compact_view(self._files.read(location)))
        except Missing:
            return None  # dropped since it was listed, with its files
        except ValueError as error:
            raise Refused(f"{location}: {error}") from None

    def check(self, what: str, location: str, seen: SeenView) -> Mapping[str, Any]:
        """The metadata at ``location``. Raises Conflict if that is not what was ``seen``."""
        metadata = self._files.read(location)
        unchanged_view(what, seen, ViewFacts(location, metadata))
        return metadata

    def create(self, location: str, wanted: Mapping[str, Any], properties: Mapping[str, str]) -> ViewFile:
        """Write the first file of a view in the folder ``location``."""
        return self._write(None, new_metadata(wanted, location, properties, _now()))

    def replace(
        self,
        what: str,
        at: str,
        *,
        seen: SeenView,
        wanted: Mapping[str, Any] | None,
        updates: Mapping[str, str],
        removals: Collection[str],
    ) -> ViewFile:
        """Write the file after the one ``at`` this location. Raises Conflict if that is not what was ``seen``."""
        before = self.check(what, at, seen)
        return self._write(at, next_metadata(before, wanted, updates, removals, _now()))

    def _write(self, former: str | None, metadata: Mapping[str, Any]) -> ViewFile:
        location = next_location(former, metadata["location"])
        self._files.write(location, json.dumps(metadata))
        return ViewFile(location, metadata)


def _now() -> int:
    return time.time_ns() // 1_000_000
