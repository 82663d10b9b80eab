"""The register of claims: who keeps files where. It is pure and knows neither the file nor a catalog.

Two owners of one folder delete each other's files, because a clean-up treats unknown files as orphans. So everything
that places, expires, publishes or deletes objects by path asks the register first. The claims of the file come from
:mod:`lakehouse.spec.locations`, those of the live catalogs from :mod:`bootstrap.iceberg.claims`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lakehouse.spec.problems import KeyPath

Parts = tuple[str, ...]

#: The folder for the bootstrap's own marks in every bucket. The location of any catalog may contain it.
MARKS = ".lakehouse"
#: The bucket and the prefix of the files that `lakehouse ingest` writes for Spark.
STAGING, STAGED = "staging", "ingest"
#: Table properties that set where an engine writes: https://iceberg.apache.org/docs/latest/configuration/
PATHS = ("write.data.path", "write.metadata.path", "write.object-storage.path", "write.folder-storage.path")
_ANY = "*"


def parts(location: str) -> Parts:
    """The bucket, then the levels of the prefix. So s3://b/lake2 is not in s3://b/lake."""
    return tuple(location.partition("://")[2].rstrip("/").split("/"))  # s3, s3a and s3n mean the same place


@dataclass(frozen=True)
class Claim:
    """A folder of the store and who keeps files there.

    ``holds`` is the catalog whose tables may be in the folder, for the claim of a catalog itself; empty if only the
    owner may use the folder. ``catalog`` is the catalog that the owner belongs to. ``what`` describes the folder's use
    by the owner. ``at`` is its place in the file. ``explicit`` is false if the file does not name the folder, because
    it is the default.
    """

    location: str
    owner: str
    catalog: str = ""
    holds: str = ""
    what: str = "location"
    at: KeyPath = ()
    explicit: bool = True

    @cached_property
    def parts(self) -> Parts:
        return parts(self.location)


def marks(bucket: str) -> Claim:
    """The claim of the bootstrap's own marks."""
    return Claim(f"s3://{bucket}/{MARKS}", "the marks of the bootstrap", catalog=_ANY, what="folder")


def staged() -> Claim:
    """The claim of the files that `lakehouse ingest` stages."""
    return Claim(f"s3://{STAGING}/{STAGED}", "`lakehouse ingest`", what="folder")


def overlaps(one: Parts, other: Parts) -> bool:
    """Whether the folders are the same or one is in the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def clash(one: Claim, other: Claim) -> bool:
    """Whether two owners have overlapping folders, and neither is a catalog that contains its own table."""
    if one.owner == other.owner or not overlaps(one.parts, other.parts):
        return False
    outer, inner = sorted((one, other), key=lambda claim: len(claim.parts))
    if one.holds and one.holds == other.holds:
        return False
    around = outer.parts != inner.parts and outer.holds and inner.catalog in (outer.holds, _ANY)
    return not around


class Register:
    """Claims, and which of them clash. They are sorted, so that ten thousand take milliseconds."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        listed = [(claim.parts, claim) for claim in claims]
        listed.sort(key=lambda item: (item[0], item[1].owner, item[1].what))
        self._keys = [key for key, _ in listed]
        self._claims = [claim for _, claim in listed]

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._claims)

    def within(self, location: str) -> Iterator[Claim]:
        """Claims on the folder or bucket ``location`` and on folders in it."""
        key = parts(location)
        for nth in range(bisect_left(self._keys, key), len(self._keys)):
            if self._keys[nth][: len(key)] != key:
                return
            yield self._claims[nth]

    def around(self, location: str) -> Iterator[Claim]:
        """Claims on folders that contain ``location``, innermost first."""
        key = parts(location)
        for depth in range(len(key) - 1, 0, -1):
            nth = bisect_left(self._keys, key[:depth])
            while nth < len(self._keys) and self._keys[nth] == key[:depth]:
                yield self._claims[nth]
                nth += 1

    def clashing(self, claim: Claim) -> Iterator[Claim]:
        """The claims that clash with this one: those in its folder, then those around it, innermost first."""
        for found in (self.within, self.around):
            yield from (other for other in found(claim.location) if clash(claim, other))

    def clash(self, claim: Claim) -> Claim | None:
        """The first claim that clashes with this one."""
        return next(self.clashing(claim), None)

    def clashes(self) -> Iterator[tuple[Claim, Claim]]:
        """Pairs (outer, inner): each claim that clashes with one at or around it, and the innermost of those."""
        around: list[tuple[Parts, Claim]] = []
        for key, claim in zip(self._keys, self._claims, strict=True):
            while around and key[: len(around[-1][0])] != around[-1][0]:
                around.pop()
            outer = next((other for _, other in reversed(around) if clash(other, claim)), None)
            if outer is not None:
                yield outer, claim
            around.append((key, claim))
