"""The results, on the screen and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bootstrap import output
from bootstrap.doctor.findings import CheckResult, failed

_WORDS = {
    "ok": "[green]ok[/]",
    "warning": "[yellow]warning[/]",
    "error": "[red]ERROR[/]",
}


def show(stack: str, results: Sequence[CheckResult]) -> None:
    """Prints a line for each check, and below each problem its cause and its fix."""
    from rich.markup import escape

    console = output.console()
    width = max(len(each.check) for each in results)
    seen = [each for each in results if each.finding.severity != "skipped"]
    for each in seen:
        finding = each.finding
        word = _WORDS[finding.severity]
        gap = " " * (9 - len(word.partition("]")[2].removesuffix("[/]")))
        console.print(f"{each.check:{width}}  {word}{gap}{escape(finding.found)}")
        for label, text in (("cause", finding.cause), ("fix", finding.fix)):
            if text:
                console.print(f"{'':{width}}  {label:>7}  {escape(text)}")
    _show_skipped(results)
    errors, warnings = (sum(each.finding.severity == kind for each in results) for kind in ("error", "warning"))
    if failed(results):
        print(f"\n{_count(errors, 'error')}, {_count(warnings, 'warning')} in stack {stack}. Fix the first one first.")
    else:
        print(f"\nNo error in stack {stack}, {_count(warnings, 'warning')}.")


def _show_skipped(results: Sequence[CheckResult]) -> None:
    """Names the skipped checks, once for each reason: a stack that is down would fill the screen otherwise."""
    reasons: dict[str, list[str]] = {}
    for each in results:
        if each.finding.severity == "skipped":
            reasons.setdefault(each.finding.found, []).append(each.check)
    for why, names in reasons.items():
        print(f"\n{why[0].upper()}{why[1:]}: {', '.join(names)}.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def as_json(stack: str, results: Sequence[CheckResult]) -> dict[str, Any]:
    """For programs: ``ok``, and each check with its severity, finding, cause and fix."""
    findings = [{"check": each.check, **asdict(each.finding)} for each in results]
    return {"stack": stack, "ok": not failed(results), "checks": findings}
