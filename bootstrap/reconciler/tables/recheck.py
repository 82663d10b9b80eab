"""Check again who uses a folder just before the commit that will use it: engines write while a plan is carried out.

Only the catalog's list is read, and not for each commit. A table or view is read only if it may use the folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

from bootstrap.catalogs.base import LiveCatalog, Locates
from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.errors import Conflict
from lakehouse.spec.claims import PATHS, Claim, Register, clash

_FRESH = 1.0  # a list is used for this many seconds
_SHARE = 10  # and for this many times as long as it took to read, so that a long list costs a tenth of the time


class Recheck:
    """The live tables and views of one catalog while commits to it go on. Several threads may use it."""

    def __init__(self, name: str, catalog: LiveCatalog, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._catalog, self._clock = name, catalog, clock
        self._lock = Lock()
        self._until = 0.0
        self._locations: Mapping[str, str] = {}
        self._known = Register(())
        self._read: dict[str, CatalogFacts] = {}  # by the address of the metadata file

    def before(self, table: str, commit: Mapping[str, Any]) -> None:
        """Check the folders of a commit. Raises Conflict if another table or view now uses one of them.

        A plan with fresh facts then finds another folder, or refuses the table. A catalog that does not list the
        locations of tables is not checked.
        """
        self._check(list(_claims(f"{self._name}.{table}", self._name, commit)))

    def before_view(self, view: str, location: str) -> None:
        """The same for the folder of a new view."""
        self._check([Claim(location, f"{self._name}.{view}", self._name)])

    def _check(self, wanted: Sequence[Claim]) -> None:
        if not wanted or not isinstance(self._catalog, Locates):
            return
        with self._lock:
            self._look(self._catalog)
            for claim in wanted:
                for suspect in self._known.clashing(claim):
                    if other := next((each for each in self._exactly(suspect) if clash(claim, each)), None):
                        raise Conflict(f"since the plan was made, {claims.refusal(claim, other)}")

    def _look(self, catalog: Locates) -> None:
        began = self._clock()
        if began < self._until:
            return
        self._locations = catalog.locations()
        found = self._locations.items()
        self._known = Register(Claim(claims.folder_of(at), f"{self._name}.{name}", self._name) for name, at in found)
        ended = self._clock()
        self._until = ended + max(_FRESH, _SHARE * (ended - began))

    def _exactly(self, suspect: Claim) -> Iterator[Claim]:
        """The claims of the table itself: the address of its last metadata file does not show all of its folders."""
        name = suspect.owner.removeprefix(f"{self._name}.")
        at = self._locations[name]
        if at not in self._read:
            self._read[at] = self._catalog.read({name})
        if (table := self._read[at].tables.get(name)) is not None:
            yield from claims.of_table(suspect.owner, self._name, table)
        if (view := self._read[at].views.get(name)) is not None:
            yield from claims.of_view(suspect.owner, self._name, view)


def _claims(owner: str, catalog: str, commit: Mapping[str, Any]) -> Iterator[Claim]:
    """The folders that an Iceberg REST commit gives to a table."""
    for update in commit["updates"]:
        if update["action"] == "set-location":
            yield Claim(update["location"], owner, catalog)
        elif update["action"] == "set-properties":
            yield from (
                Claim(update["updates"][key], owner, catalog, what=key) for key in PATHS if key in update["updates"]
            )
