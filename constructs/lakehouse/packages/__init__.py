"""Everything a lakehouse runs on: pinned, checked, in the user's cache folder.

``location`` and ``java`` answer at once and fetch nothing; ``set_up`` fetches what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lakehouse.packages.cached import is_present, location, missing
from lakehouse.packages.jvm import java

__all__ = ["is_present", "java", "location", "missing", "set_up"]


def set_up(
    names: Iterable[str],
    features: Iterable[int] = (),
    *,
    progress: bool = True,
    verify: bool = False,
    build: Callable[[str], Path] | None = None,
) -> None:
    """Fetch the packages and find, or fetch, a Java of each feature version. Complete packages are left as they are.

    With ``verify`` every file is read: a file whose SHA-256 has changed since it was fetched is fetched again.
    ``build`` makes a program from its Go modules (:func:`offline.go.build`).

    Raises LakehouseError if a package cannot be fetched; the message says why and what to do.
    """
    from lakehouse.packages import fetch  # requests and rich would cost every synth 0.2 s

    fetch.set_up(names, features, progress=progress, verify=verify, build=build)
