"""The way back from Polaris's privileges to the verbs of `access`: what grants that others made mean here.

A privilege of Polaris includes others on the same place, and one on a catalog or namespace holds for what is in it.
https://github.com/apache/polaris/blob/main/polaris-core/src/main/java/org/apache/polaris/core/auth/PolarisAuthorizerImpl.java
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lakehouse.access.grants import VERBS
from lakehouse.access.polaris import PolarisGrant, PolarisPlace, grants_on
from lakehouse.spec import Verb

#: By which other privileges of the same kind of object each one is given too.
_GIVEN_BY: Mapping[str, tuple[str, ...]] = {
    "LIST": ("CREATE", "READ_PROPERTIES", "WRITE_PROPERTIES", "READ_DATA", "WRITE_DATA", "FULL_METADATA"),
    "READ_PROPERTIES": ("WRITE_PROPERTIES", "READ_DATA", "WRITE_DATA", "FULL_METADATA"),
    "WRITE_PROPERTIES": ("WRITE_DATA", "FULL_METADATA"),
    "READ_DATA": ("WRITE_DATA",),
    "CREATE": ("FULL_METADATA",),
    "DROP": ("FULL_METADATA",),
}
_CONTENT, _METADATA = "CATALOG_MANAGE_CONTENT", "CATALOG_MANAGE_METADATA"
_VERBS = tuple(reversed(VERBS))
_INSIDE = {"catalog": 0, "namespace": 1, "table": 2, "view": 2}  # the outermost first


@dataclass(frozen=True)
class Expressed:
    """Grants in verbs by their target in a catalog (empty: the catalog), and those that no verb says."""

    verbs: Mapping[str, Verb]
    rest: tuple[PolarisGrant, ...]


def lacking(wanted: Collection[PolarisGrant], have: Collection[PolarisGrant]) -> frozenset[PolarisGrant]:
    """The wanted grants that those that are there do not give."""
    return frozenset(each for each in wanted if not any(_gives(other, each) for other in have))


def expressed(have: Collection[PolarisGrant]) -> Expressed:
    """What grants in one catalog are in verbs: at each place the most that they give there."""
    said: dict[PolarisPlace, Verb] = {}
    given: set[PolarisGrant] = set()
    for place in sorted({each.place for each in have}, key=lambda each: (_INSIDE.get(each[2], 3), each)):
        verb = next((each for each in _known(place) if not lacking(grants_on(place, each), have)), None)
        if verb is not None and lacking(grants_on(place, verb), given):
            said[place] = verb
            given |= grants_on(place, verb)
    verbs = {".".join((*namespace, *filter(None, (name,)))): verb for (namespace, name, _), verb in said.items()}
    return Expressed(verbs, tuple(sorted(lacking(have, given))))


def _known(place: PolarisPlace) -> Iterator[Verb]:
    """The verbs that the file may say of a place, the highest first: a view has no rows, and dots are for levels."""
    namespace, name, kind = place
    if kind in _INSIDE and not any("." in level for level in (*namespace, name)):
        yield from (verb for verb in _VERBS if kind != "view" or verb != "write")


def _gives(other: PolarisGrant, wanted: PolarisGrant) -> bool:
    return _covers(other, wanted) and other.privilege in _givers(wanted.privilege)


def _covers(other: PolarisGrant, wanted: PolarisGrant) -> bool:
    if other.type == "catalog":
        return True
    if other.type == "namespace":
        return wanted.namespace[: len(other.namespace)] == other.namespace
    return other.place == wanted.place


def _givers(privilege: str) -> set[str]:
    thing, _, what = privilege.partition("_")
    if thing not in ("NAMESPACE", "TABLE", "VIEW") or what not in {*_GIVEN_BY, "WRITE_DATA", "FULL_METADATA"}:
        return {privilege}
    managing = {_CONTENT} if what.endswith("_DATA") else {_CONTENT, _METADATA}
    return {privilege, *(f"{thing}_{each}" for each in _GIVEN_BY.get(what, ())), *managing}
