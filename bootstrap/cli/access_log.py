"""``lakehouse access log``: who did what, as far as the layers of a stack know."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption, print_json
from bootstrap.cli.tables import table
from lakehouse.errors import UsageError
from lakehouse.text.terminal import shown

if TYPE_CHECKING:
    from bootstrap.audit.event import AccessEvent
    from bootstrap.session.target import Target

app = typer.Typer()


@app.command()
def log(
    context: typer.Context,
    principal: Annotated[str | None, typer.Option(help="Only what was done by this name, as WHO shows it.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was done since then: 30m, 1h, 2d ago, or at 2026-11-26T10:00.")
    ] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many of the newest.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, by the records of Trino, Nessie and Polaris, the newest last.

    Each record has its own limits, which are named below the table. Text in quotes in a statement is not shown, because
    it may be a secret. Exit code 1 if a layer could not be read.
    """
    from bootstrap.audit.readers import readers, silent
    from bootstrap.audit.recent import moment, recent

    target: Target = context.obj.target()
    if target.in_aws:
        raise UsageError(
            f"{target.path.name}: stacks.{target.stack} is in AWS, where a trail of CloudTrail records who did what."
        )
    start = None if since is None else moment(since, datetime.now(UTC))
    layers = list(readers(target, output.Redactor(target.secrets)))
    found = recent(layers, start, principal, limit)
    notes = {each.layer: each.note for each in layers if each.layer not in found.unread}
    without = silent(target)
    if as_json:
        events = [{**asdict(each), "time": each.time.astimezone(UTC).isoformat()} for each in found.events]
        print_json({"events": events, "notes": notes, "unread": dict(found.unread), "without_record": without})
    else:
        headings = ("TIME", "LAYER", "WHO", "WHAT", "ON", "RESULT")
        output.show(table(headings, map(_row, found.events), wraps=("WHAT", "ON")), width=240)
        print()
        for name, note in notes.items():
            print(f"{name}: {note}.")
        print(f"No record of who did what: {', '.join(without)}.")
    for name, why in found.unread.items():
        print(f"{name} could not be read: {shown(why)}", file=sys.stderr)
    if found.unread:
        raise typer.Exit(1)


def _row(event: AccessEvent) -> tuple[str, ...]:
    """Text of others is shown without what would move the cursor; the time is this machine's."""
    time = f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}"
    return (time, event.layer, *(shown(each) or "-" for each in (event.who, event.what, event.on)), event.result)
