"""``lakehouse diagram``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import UsageError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def diagram(
    context: typer.Context,
    stack: Annotated[str | None, typer.Option("-s", "--stack", help="Which stack of the file.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Where to [default: STACK.svg].")] = None,
) -> None:
    """Draw a stack from its own synthesised JSON, as SVG."""
    from bootstrap.diagram import aws, local
    from bootstrap.diagram.svg import draw
    from bootstrap.session.synthesised import synthesise
    from bootstrap.session.target import find

    target = find(context.obj.file, stack or context.obj.stack)
    found = synthesise(target.path, target.stack)
    picture = aws.picture(found) if "aws" in found.document.get("provider", {}) else local.picture(found)
    path = out or Path(f"{target.stack}.svg")
    try:
        path.write_text(draw(picture))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Name another file with --out") from None
    print(f"{path}: {picture.title}, {picture.subtitle}")
