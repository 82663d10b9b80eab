"""``lakehouse diagram``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from bootstrap.diagram.picture import Picture
    from bootstrap.session.target import Target

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def diagram(
    context: typer.Context,
    stack: Annotated[str | None, typer.Option("-s", "--stack", help="Which stack of the file.")] = None,
    form: Annotated[Literal["mermaid", "dot"], typer.Option("--format", help="The language.")] = "mermaid",
) -> None:
    """Print a stack as Mermaid or DOT: services, catalogs, tables, buckets, and who reads and writes what."""
    from bootstrap.diagram.dot import dot
    from bootstrap.diagram.mermaid import mermaid
    from bootstrap.session.target import find

    found = picture(find(context.obj.file, stack or context.obj.stack))
    print((mermaid if form == "mermaid" else dot)(found), end="")


def picture(target: Target) -> Picture:
    """The stack as text. Raises UsageError if the file has no such stack, LakehouseError if its synth fails."""
    from bootstrap.diagram import aws, local
    from bootstrap.session.synthesised import synthesise

    if target.in_aws:
        return aws.picture(target.lakehouse, synthesise(target.path, target.stack))
    return local.picture(target.lakehouse, target.stack, target.located)
