"""The files to load: each with its format, the columns from its path, and a digest that identifies it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from bootstrap.files import delta
from bootstrap.files.places import FilePlace
from lakehouse.errors import UsageError

FileFormat = Literal["parquet", "csv", "delta"]
_ENDINGS: Mapping[str, FileFormat] = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}


@dataclass(frozen=True)
class Item:
    """A file. ``columns`` are values from outside the file: Hive folders (``date=2026-01-14``) or Delta's log.

    An empty ``digest`` means that of the content, which is known once the file is on this machine.
    """

    place: FilePlace
    name: str
    format: Literal["parquet", "csv"]
    columns: Mapping[str, str | None] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)  # Delta's, of ``columns``
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.place.address.rstrip('/')}: {self.name}"


def items(place: FilePlace, form: FileFormat | None, scratch: Path) -> Iterator[Item]:
    """The files of a place. Raises UsageError if the format cannot be recognised, or if there are none."""
    names = place.names()
    if form == "delta" or (form is None and delta.is_delta(names)):
        if not delta.is_delta(names):
            raise UsageError(f"{place.address}: not a Delta table: it has no folder _delta_log.")
        yield from _of_delta(place, names, scratch)
        return
    data = [name for name in names if not any(part[0] in "._" for part in name.split("/"))]
    found = [(name, form or _format(name)) for name in data]
    if not found or None in dict(found).values():
        odd = next((name for name, each in found if each is None), "no data file")
        raise UsageError(f"{place.address}: {odd}: files are recognised by .parquet, .csv or .csv.gz; or set --format.")
    for name, each in found:
        assert each == "parquet" or each == "csv"
        yield Item(place, name, each, in_path(name))


def _format(name: str) -> FileFormat | None:
    return next((form for ending, form in _ENDINGS.items() if name.lower().endswith(ending)), None)


def in_path(name: str) -> dict[str, str | None]:
    """The columns in a path: ``date=2026-01-14/part-0.parquet`` gives the column date."""
    pairs = (part.split("=", 1) for part in name.split("/")[:-1] if "=" in part)
    return {key: None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value) for key, value in pairs}


def _of_delta(place: FilePlace, names: list[str], scratch: Path) -> Iterator[Item]:
    table = delta.read(place.address, names, partial(place.fetch, into=scratch))
    for name, columns in sorted(table.files.items()):
        types = {key: table.types[key] for key in columns}
        yield Item(place, name, "parquet", columns, types, delta_digest(table.id, name))


def digest(path: Path, columns: Mapping[str, str | None]) -> str:
    """The digest of a file's content, and of the columns from its path."""
    said = hashlib.sha256(json.dumps(dict(columns), sort_keys=True).encode() if columns else b"")
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            said.update(block)
    return said.hexdigest()[:32]


def delta_prefix(table: str) -> str:
    return f"delta-{hashlib.sha256(table.encode()).hexdigest()[:10]}-"


def delta_digest(table: str, name: str) -> str:
    """The digest of a Delta file, from its name: Delta never writes a file of the same name again."""
    return delta_prefix(table) + hashlib.sha256(name.encode()).hexdigest()[:16]


def rewritten(active: Iterable[Item], loaded: Iterable[str]) -> str | None:
    """The place of a Delta table that has since replaced loaded files, so that its new files would double rows."""
    by_prefix: dict[str, list[Item]] = {}
    for item in active:
        if item.digest.startswith("delta-"):
            by_prefix.setdefault(item.digest.rpartition("-")[0] + "-", []).append(item)
    known = set(loaded)
    for prefix, mine in by_prefix.items():
        if any(each.startswith(prefix) for each in known - {item.digest for item in mine}):
            return mine[0].place.address
    return None
