"""``lakehouse metadata``; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Publish what the lakehouse knows of its tables.",
)


@app.callback()
def metadata() -> None:
    """Publish what the lakehouse knows of its tables."""


@app.command()
def publish(
    context: typer.Context,
    to_file: Annotated[
        Path | None,
        typer.Option(help="Write a file that `datahub ingest` reads, instead of what the stack's `metadata` names."),
    ] = None,
) -> None:
    """Publish tables, columns, docs, owners, tags and upstreams to DataHub.

    DataHub's own command line reads the catalogs; it is installed at the first use. Tables that are gone since the
    last run are hidden in DataHub. Exit code 1 if DataHub failed.
    """
    from bootstrap.metadata.destination import chosen
    from bootstrap.metadata.publish import Publisher

    target = context.obj.target()
    if target.stack not in target.lakehouse.stacks:
        target.local  # noqa: B018 - raises, with the stacks that there are
    to = chosen(target.lakehouse.stacks[target.stack].metadata, target.path, target.stack, to_file)
    done = Publisher(target, to, lambda what: print(what, file=sys.stderr, flush=True)).publish()
    gone = f", {done.removed} that are gone hidden" if done.removed else ""
    print(f"{to}: {done.tables} tables{gone}.")
    if done.unseen:
        print("Not published, because DataHub did not find them: " + ", ".join(done.unseen) + ".")
        print("DataHub lists no nested namespaces; other tables may not be there yet (`lakehouse plan`).")
    for each in done.warnings:
        print(f"DataHub warns: {each}")
