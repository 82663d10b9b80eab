"""Certificates and keys of tokens that end soon. Only decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from lakehouse.runtimes.certificates import RENEWED_DAYS
from lakehouse.runtimes.findings import Finding, error, ok, warning

_DAY = 86_400


def first(ends: Mapping[str, float]) -> str:
    """Which of them ends first, and when, as text."""
    name = min(ends, key=lambda each: ends[each])
    return f"{name} ends on {datetime.fromtimestamp(ends[name], UTC):%Y-%m-%d}"


def finding(ends: Mapping[str, float], now: float) -> Finding:
    """``ends`` are in seconds since 1970, as ``now`` is."""
    if not ends:
        return ok("none is made yet")
    if min(ends.values()) - now > RENEWED_DAYS * _DAY:
        return ok(f"the first of {len(ends)}, {first(ends)}")
    fix = "`lakehouse deploy` makes another one, and restarts what uses it"
    if min(ends.values()) > now:
        return warning(first(ends), f"a deploy renews it in its last {RENEWED_DAYS} days, and there was none", fix)
    return error(first(ends), "no client trusts it any more, and there was no deploy in time", fix)
