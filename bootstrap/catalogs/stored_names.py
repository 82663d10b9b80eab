"""What the files of many tables name. Manifests and their lists never change, so each is read once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bootstrap.catalogs.manifest_files import ManifestFiles, Opens
from bootstrap.remote.errors import Missing, Refused

T = TypeVar("T")


class StoredNames:
    """What these files name: a :class:`bootstrap.iceberg.reachable.FileNames`."""

    def __init__(self, opens: Opens, parallel: int) -> None:
        self._files, self._parallel = ManifestFiles(opens), parallel
        self._lists: dict[str, Sequence[str]] = {}
        self._entries: dict[str, Sequence[Any]] = {}

    def manifests(self, lists: Collection[str], *, lenient: bool = False) -> set[str]:
        return {at for named in self._read(lists, self._lists, self._files.manifests, lenient) for at in named}

    def files(self, manifests: Collection[str], *, removed: bool = False, lenient: bool = False) -> set[str]:
        read = self._read(manifests, self._entries, self._files.entries, lenient)
        return {entry.path for entries in read for entry in entries if entry.live or removed}

    def _read(
        self, names: Collection[str], known: dict[str, Sequence[T]], read: Callable[[str], Sequence[T]], lenient: bool
    ) -> list[Sequence[T]]:
        def one(at: str) -> Sequence[T] | None:
            try:
                return known[at] if at in known else read(at)
            except Missing:
                if not lenient:
                    fix = "Roll the table back or delete the branch or tag that needs it"
                    raise Refused(f"{at} does not exist, so what it named is not known. {fix}") from None
                return None

        with ThreadPoolExecutor(self._parallel) as pool:
            found = dict(zip(names, pool.map(one, names), strict=True))
        known.update({at: named for at, named in found.items() if named is not None})
        return [named for named in found.values() if named is not None]
