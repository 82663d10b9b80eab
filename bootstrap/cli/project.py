"""``lakehouse init``, ``setup`` and ``synth``: a project's folder, what it needs, and its CDK app."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from bootstrap.project.init import NewProject
    from bootstrap.project.templates import Template

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="The project's folder; it need not exist.")
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="What it begins with; `--template list` lists them.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The lakehouse's name [default: from the folder's name].")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write a new project: lakehouse.yaml, cdktf.json, .gitignore. On a terminal it asks what no option says."""
    from bootstrap.project.init import check, checked, planned, suggested, write
    from bootstrap.project.templates import DEFAULT, named, templates

    if template == "list":
        _list(templates())
        return
    if folder is None:
        raise UsageError("FOLDER is missing: the project's folder, as in `lakehouse init mine`.")
    check(folder)
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    chosen = _ask_template(templates()) if template is None and asks else named(template or DEFAULT)
    if name is None and asks:
        name = _asked("Name of the lakehouse", suggested(folder) or None, checked)
    project = planned(folder, chosen, suggested(folder) if name is None else name)
    replace = project.existing
    if replace and not force:
        replace = replace if asks and typer.confirm(f"{folder} has {', '.join(replace)}. Replace?") else []
    _show(project, chosen, write(project, replace=replace))


def _ask_template(known: tuple[Template, ...]) -> Template:
    from bootstrap.project.templates import named

    _list(known)
    return _asked("Template", known[0].name, named)


def _asked(question: str, default: str | None, read: Callable[[str], T]) -> T:
    """The answer on a terminal. One that cannot be taken is followed by its error and the question again."""
    while True:
        try:
            return read(typer.prompt(question, default=default))
        except UsageError as error:
            print(f"Error: {error}", file=sys.stderr)


def _list(known: tuple[Template, ...]) -> None:
    for each in known:
        print(f"{each.name:18} {each.about}")


def _show(project: NewProject, template: Template, written: list[Path]) -> None:
    names = ", ".join(str(path.relative_to(project.folder)) for path in written)
    print(f"{project.name}, from the template {template.name}, is in {project.folder}: {names}.")
    if project.moved:
        numbers = ", ".join(f"{name} {number}" for name, number in project.moved.items())
        print(f"The usual ports are taken on this machine, so it has others: {numbers}.")
    deploy = "lakehouse deploy"
    if template.name == "aws":
        deploy = "lakehouse --stack aws deploy"
        print("Put your region, the bucket of Terraform's state, owner and addresses into the file first.")
    there = "" if project.folder == Path() else f"cd {shlex.quote(str(project.folder))} && "
    print(f"Next: {there}{deploy}")


@app.command()
def setup(
    context: typer.Context,
    images: Annotated[
        bool, typer.Option("--images", help="Also build the stacks' images, for a machine that reaches no registry.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also read every file that is there, and fetch damaged ones again.")
    ] = False,
    providers: Annotated[
        bool, typer.Option("--providers", help="Also build Terraform's Docker provider, if no registry has it.")
    ] = False,
    archives: Annotated[
        Path | None,
        typer.Option("--archives", metavar="FOLDER", help="Also write there what hosts fetch from `packages`."),
    ] = None,
) -> None:
    """Fetch what a deploy needs into your cache folder: cdktf-cli and the packages of the file's services.

    With `--stack NAME` only what that stack needs; a stack in AWS needs no packages.
    """
    from bootstrap.project import set_up
    from lakehouse import project
    from lakehouse.packages import cdktf_cli
    from lakehouse.spec import load

    file = project.file(context.obj.file)
    lakehouse = load(file)
    set_up.deployable(lakehouse, file, stack=context.obj.stack, verify=verify)
    cdktf_cli.set_up()
    if images:
        set_up.built_images(lakehouse)
    if providers:
        set_up.built_provider()
    if archives is not None:
        new = set_up.archives(lakehouse, archives, stack=context.obj.stack)
        print(f"{archives} has the packages of the hosts: {len(new)} were added or replaced.")
    print(f"All that {file} needs on this machine is there.")


@app.command()
def synth(context: typer.Context) -> None:
    """The CDK app, which cdktf runs: declare the file's stacks. `app` of a project's cdktf.json names it."""
    import os
    import runpy

    from lakehouse import toolkit

    if context.obj.file:
        os.environ["LAKEHOUSE_FILE"] = str(context.obj.file.resolve())
    runpy.run_path(str(toolkit.root() / "main.py"), run_name="__main__")
