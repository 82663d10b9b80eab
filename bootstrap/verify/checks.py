"""What a verification found, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VerifyCheck:
    """One thing that was tried. ``note`` says what was seen or, if it failed, why and where to look."""

    catalog: str
    what: str
    ok: bool
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class VerifyReport:
    """All checks in the order they were planned, and the total seconds (some run in parallel)."""

    checks: tuple[VerifyCheck, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(each.ok for each in self.checks)
