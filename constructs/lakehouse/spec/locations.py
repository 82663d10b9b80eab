"""Where catalogs and tables keep their files: in known buckets, and never one inside another.

Two owners of one prefix delete each other's files: a catalog's clean-up takes what it does not know for an orphan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import Location, Problem, dotted, suggest


@dataclass(frozen=True)
class Claim:
    """A prefix of the object store and who keeps files there; ``said``: the file names it, else it is the default."""

    prefix: str
    at: Location
    owner: Location
    catalog: str
    said: bool = True

    @property
    def parts(self) -> tuple[str, ...]:
        """Bucket, then the levels of the prefix: s3://b/lake2 does not lie in s3://b/lake."""
        return tuple(self.prefix.removeprefix("s3://").split("/"))


def claims(lakehouse: Lakehouse) -> Iterator[Claim]:
    """Every catalog's location and every table's, said or by default."""
    for name, catalog in lakehouse.catalogs.items():
        owner: Location = ("catalogs", name)
        yield Claim(catalog.location, (*owner, "location"), owner, name)
        for namespace, content in catalog.namespaces.items():
            for table, definition in content.tables.items():
                inner = (*owner, "namespaces", namespace, "tables", table)
                if definition.location:
                    yield Claim(definition.location, (*inner, "location"), inner, name)
                else:
                    default = "/".join([catalog.location, *namespace.split("."), table])
                    yield Claim(default, inner, inner, name, said=False)


def check_locations(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Locations in unknown buckets, and locations that overlap."""
    ordered = sorted(claims(lakehouse), key=lambda claim: (claim.parts, claim.owner))
    around: list[Claim] = []  # the claims whose prefix holds the current one, outermost first
    for claim in ordered:
        if claim.said and claim.parts[0] not in lakehouse.buckets:
            mend = suggest(claim.parts[0], lakehouse.buckets) or f" Add `{claim.parts[0]}: {{}}` to `buckets`."
            message = f'"{claim.prefix}" is in the bucket "{claim.parts[0]}", which is not one of `buckets`.{mend}'
            yield Problem(claim.at, message, about=(("buckets", claim.parts[0]),))
        while around and claim.parts[: len(around[-1].parts)] != around[-1].parts:
            around.pop()
        for outer in reversed(around):
            if _clash(outer, claim):
                yield _overlap(outer, claim)
                break
        around.append(claim)


def _clash(outer: Claim, inner: Claim) -> bool:
    own = outer.owner == ("catalogs", inner.catalog) and outer.parts != inner.parts
    return (outer.said or inner.said) and not own


def _overlap(outer: Claim, inner: Claim) -> Problem:
    """Reported where the file says a location; where it says both, at the inner one."""
    here, there = (inner, outer) if inner.said else (outer, inner)
    if here.parts == there.parts:
        how = f"is also the location of {dotted(there.owner)}"
    else:
        how = f'{"lies inside" if here is inner else "holds"} the location of {dotted(there.owner)}, "{there.prefix}"'
    message = f'"{here.prefix}" {how}: locations must not overlap. Move one of them.'
    return Problem(here.at, message, about=(there.at,), beside=there.at)
