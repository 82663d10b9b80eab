"""The order of checks: causes before their consequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lakehouse.runtimes.findings import Check, Finding, error, skipped
from lakehouse.text.words import for_stack


@dataclass(frozen=True)
class CheckResult:
    """A check's name and its finding."""

    check: str
    finding: Finding

    def for_stack(self, stack: str | None) -> CheckResult:
        """The same, with the stack in each command that it advises; None: the command named no stack."""
        said = self.finding
        return replace(self, finding=replace(said, found=for_stack(said.found, stack), fix=for_stack(said.fix, stack)))


def examine(checks: Sequence[Check], announce: Callable[[str], None] = lambda name: None) -> tuple[CheckResult, ...]:
    """Make the checks in order; ``announce`` is called with the name of each before it is made."""
    found: dict[str, Finding] = {}
    blamed: dict[str, str] = {}  # check that failed or was skipped -> the check that found the cause
    for each in checks:
        announce(each.name)
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
