"""Certificates and keys of tokens that end soon. Only decisions."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, datetime

from lakehouse.runtimes.endings import Lifetime
from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.services.certificate import Given

_NONE: Set[str] = frozenset()


def first(lives: Mapping[str, Lifetime]) -> str:
    """Which of them ends first, and when, as text."""
    name = min(lives, key=lambda each: lives[each].end)
    return f"{name} ends on {datetime.fromtimestamp(lives[name].end, UTC):%Y-%m-%d}"


def finding(lives: Mapping[str, Lifetime], now: float, given: Given | None = None, theirs: Set[str] = _NONE) -> Finding:
    """``now`` is in seconds since 1970. ``theirs`` are copies of the certificate that the user gives, ``given``."""
    if not lives:
        return ok("none is made yet")
    late = {name: each for name, each in lives.items() if each.late <= now}
    if not late:
        said = f"the first of {len(lives)}, {first(lives)}"
        if given is not None and (yours := {name: lives[name] for name in lives.keys() & theirs}):
            said += f"; of yours, in {given.certificate}, {first(yours)}"
        return ok(said)
    fix = (
        "`lakehouse secret renew` renews what its service can take while it runs; `lakehouse deploy` all, and restarts "
        "the other services"
    )
    if given is not None and late.keys() & theirs:
        fix = (
            f"have another one issued, and put it into {given.certificate} with its key in {given.key} (or the "
            f"authority's into {given.authority}). Then: {fix}"
        )
    if min(each.end for each in late.values()) > now:
        return warning(first(late), "it ends soon, and nobody has renewed it yet", fix)
    return error(first(late), "no client trusts it any more, and nobody renewed it in time", fix)
