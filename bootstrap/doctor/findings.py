"""What a check is, what it finds, and the order of checks: causes before their consequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "warning", "error", "skipped"]


@dataclass(frozen=True)
class Finding:
    """``found`` is what was seen, ``cause`` why it is so, ``fix`` what to do, commands between backticks."""

    severity: Severity
    found: str
    cause: str = ""
    fix: str = ""


def ok(found: str) -> Finding:
    return Finding("ok", found)


def warning(found: str, cause: str, fix: str) -> Finding:
    return Finding("warning", found, cause, fix)


def error(found: str, cause: str, fix: str) -> Finding:
    return Finding("error", found, cause, fix)


def skipped(check: str) -> Finding:
    """The check was skipped: it would find again what that check found. The check's name is the cause."""
    return Finding("skipped", f"not checked until `{check}` is fixed", check)


@dataclass(frozen=True)
class Check:
    """One check. It is skipped if one of the checks named by ``after`` failed: it would find the same cause again.

    Unknown names have no effect, so a check need not know which others its stack has.
    """

    name: str
    look: Callable[[], Finding]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """A check's name and its finding."""

    check: str
    finding: Finding


def examine(checks: Sequence[Check], told: Callable[[str], None] = lambda name: None) -> tuple[CheckResult, ...]:
    """Makes the checks in order; ``told`` gets the name of each before it is made."""
    found: dict[str, Finding] = {}
    blamed: dict[str, str] = {}  # check that failed or was skipped -> the check that found the cause
    for each in checks:
        told(each.name)
        cause = next((blamed[name] for name in each.after if name in blamed), None)
        finding = _looked(each) if cause is None else skipped(cause)
        found[each.name] = finding
        if finding.severity in ("error", "skipped"):
            blamed[each.name] = each.name if finding.severity == "error" else finding.cause
    return tuple(CheckResult(name, finding) for name, finding in found.items())


def failed(results: Sequence[CheckResult]) -> bool:
    """Whether there is an error among them."""
    return any(each.finding.severity == "error" for each in results)


def _looked(check: Check) -> Finding:
    try:
        return check.look()
    except Exception as failure:  # noqa: BLE001 - one check that fails must not hide what the others find
        why = str(failure).strip() or type(failure).__name__
        return error(
            f"could not be checked: {why}", "the check itself failed", "`lakehouse verify` shows whether it matters"
        )
