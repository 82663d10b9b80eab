"""A verification on the screen."""

from __future__ import annotations

from bootstrap import output
from bootstrap.verify.checks import VerifyReport


def show(report: VerifyReport) -> None:
    """Prints a table of the checks, then what went wrong in full."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("CATALOG", "CHECK", "RESULT", "SECONDS", ""):
        table.add_column(heading, justify="right" if heading == "SECONDS" else "left", no_wrap=True)
    for each in report.checks:
        result = "[green]ok[/]" if each.ok else "[red]FAILED[/]"
        table.add_row(each.catalog, each.what, result, f"{each.seconds:.1f}", escape(each.note) if each.ok else "")
    output.show(table, width=160)
    failed = [each for each in report.checks if not each.ok]
    for each in failed:
        print(f"\n{each.catalog}: {each.what}: FAILED\n  {each.note}")
    if failed:
        print(f"\n{len(failed)} of {len(report.checks)} checks failed after {report.seconds:.1f} s.")
    else:
        print(f"\nAll {len(report.checks)} checks passed in {report.seconds:.1f} s.")
