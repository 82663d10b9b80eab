"""Facts kept between runs, by metadata location.

An Iceberg metadata file never changes once it is written. A table that changed has another location, so a kept entry is
either correct or never read again. The cache can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any


class FactsCache:
    """One file for each catalog. Without a folder, or if the file cannot be used, nothing is kept and nothing fails."""

    def __init__(self, folder: Path | None, catalog: str) -> None:
        key = hashlib.sha256(catalog.encode()).hexdigest()[:16]
        self.path = None if folder is None else folder / f"facts-{key}.sqlite"

    def load(self) -> dict[str, str]:
        """All entries: JSON text by metadata location."""
        with suppress(sqlite3.Error, OSError), self._open() as database:
            if database is not None:
                return dict(database.execute("SELECT location, metadata FROM facts"))
        return {}

    def store(self, new: Mapping[str, Mapping[str, Any]], gone: Iterable[str]) -> None:
        """Keep ``new`` and forget ``gone``."""
        with suppress(sqlite3.Error, OSError), self._open() as database:
            if database is not None:
                rows = ((location, json.dumps(metadata)) for location, metadata in new.items())
                database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
                database.executemany("DELETE FROM facts WHERE location = ?", ((location,) for location in gone))
                database.commit()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        if self.path is None:
            yield None
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            database = self._ready()
        except sqlite3.DatabaseError:
            self.path.unlink(missing_ok=True)  # damaged: its contents can be read from the store again
            database = self._ready()
        with closing(database):
            yield database

    def _ready(self) -> sqlite3.Connection:
        assert self.path is not None
        database = sqlite3.connect(self.path, timeout=5.0)
        try:
            database.execute("CREATE TABLE IF NOT EXISTS facts (location TEXT PRIMARY KEY, metadata TEXT)")
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database
