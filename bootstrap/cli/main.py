"""The command line ``lakehouse``.

A command imports its modules when it runs: ``lakehouse --help`` must not wait for an engine's client.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bootstrap import output
from bootstrap.cli.access import app as access
from bootstrap.cli.aws import app as aws
from bootstrap.cli.backup import app as backup
from bootstrap.cli.deploy import app as deploying
from bootstrap.cli.diagram import app as diagram
from bootstrap.cli.doctor import app as doctor
from bootstrap.cli.generate import app as generation
from bootstrap.cli.groups import CommandGroup
from bootstrap.cli.ingest import app as ingestion
from bootstrap.cli.maintenance import app as maintenance
from bootstrap.cli.metadata import app as metadata
from bootstrap.cli.ownership import app as ownership
from bootstrap.cli.pipelines import app as pipelines
from bootstrap.cli.project import app as projects
from bootstrap.cli.reconciler import app as reconciler
from bootstrap.cli.run import app as jobs
from bootstrap.cli.schedule import app as schedule
from bootstrap.cli.secrets import app as secrets
from bootstrap.cli.services import app as services
from bootstrap.cli.sql import app as queries
from bootstrap.cli.stores import app as stores
from lakehouse.errors import LakehouseError
from lakehouse.text.terminal import shown_lines
from lakehouse.text.words import for_stack

if TYPE_CHECKING:
    from bootstrap.session.target import Target


_ONE_TOO_MANY = re.compile(r"Got unexpected extra argument(?:\(s\))? \(([a-z][a-z0-9_-]*)\)")


class _Group(CommandGroup):
    """Commands that report errors as a line for the user, never as a traceback (except with --debug)."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except LakehouseError as error:
            _complain(for_stack(str(error), ctx.params.get("stack")))
            _of_the_disk(ctx)
            code = error.exit_code
        except BrokenPipeError:
            _drop_output()
            code = 141  # as SIGPIPE would end it
        except (KeyboardInterrupt, typer.Abort):  # typer's questions make the one of the other
            if sys.stderr.isatty():
                print(file=sys.stderr)  # the shell's prompt begins a line of its own
            code = 130
        except typer.TyperException as error:
            _place(error, {name: each for each in self.params for name in each.opts})
            raise
        except RuntimeError as error:
            if type(error).__module__.startswith("typer"):  # typer's own way to exit
                raise
            code = _unexpected(error, ctx.params)
        except Exception as error:  # noqa: BLE001 - the last resort: a line instead of a traceback
            code = _unexpected(error, ctx.params)
            _of_the_disk(ctx)
        raise typer.Exit(code)


def _place(error: Any, known: Mapping[str, Any]) -> None:
    """Add that an option of all commands goes before the command, if that is what is wrong.

    As in ``status --stack aws``, or in ``diff aws``, which is how cdktf has it.
    """
    if hasattr(error, "message"):  # what only programmers call an error of a value
        error.message = _in_words(error.message)
    wrong, context = getattr(error, "option_name", ""), getattr(error, "ctx", None)
    if context is None or context.parent is None:
        return
    program, _, command = context.command_path.partition(" ")
    if extra := _ONE_TOO_MANY.fullmatch(getattr(error, "message", "")):
        error.message += f". A stack goes before the command: {program} --stack {extra[1]} {command}"
    elif (option := known.get(wrong)) is not None:
        value = "" if option.is_flag else f" {option.name.upper()}"
        error.message += f". It goes before the command: {program} {wrong}{value} {command}"


_OF_VALUES = (  # what the library that reads options says, and how a person would
    (r"^Value error, ", ""),
    (r"^Input should be greater than or equal to (\S+)$", r"the minimum is \1"),
    (r"^Input should be less than or equal to (\S+)$", r"the maximum is \1"),
    (r"^Input should be a valid integer.*", "it is no whole number"),
    (r"^Input should be a valid number.*", "it is no number"),
)


def _in_words(message: str) -> str:
    for sign, words in _OF_VALUES:
        message = re.sub(sign, words, message)
    return message


def _drop_output() -> None:
    """Nobody reads the output any more (`lakehouse sql ... | head`), or its disk is full: the rest goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complain(message: str) -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()
    print(f"Error: {shown_lines(message)}", file=sys.stderr)
    sys.stderr.flush()


def _of_the_disk(context: Any) -> None:
    """Add the disk's state to an error: what fails on a full disk seldom says so itself."""
    from bootstrap.operations.disk import explained

    try:
        if said := explained(context.obj.target()):
            print(said, file=sys.stderr)
    except (LakehouseError, AttributeError):  # no such stack, an invalid file, wrong options
        return


_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # of a file to which the output goes


def _unexpected(error: Exception, options: dict[str, Any]) -> int:
    if options.get("debug"):
        sys.stderr.write("".join(traceback.format_exception(error)))
    if isinstance(error, OSError) and error.errno in _UNWRITTEN and error.filename is None:
        _complain(f"The output cannot be written: {error.strerror}.")
        return 1
    if isinstance(error, OSError) and error.errno in _UNWRITTEN:
        _complain(f"{error.filename} cannot be written: {error.strerror}.")
        return 1
    first = str(error).strip().partition("\n")[0]
    _complain(f"{type(error).__name__}: {first}" + ("" if options.get("debug") else " (--debug shows where)"))
    return 1


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Work with a lakehouse: inspect it, query it, prove that it works.",
)


@dataclass(frozen=True)
class _Selection:
    """The global options."""

    file: Path | None
    stack: str | None

    def target(self, *, engines: bool = False) -> Target:
        """The stack that they select. From here on, secrets are blacked out in everything that is printed.

        ``engines``: a file that an engine does not support is invalid.
        """
        from bootstrap.session.target import find

        found = find(self.file, self.stack, engines=engines)
        output.guard(found.secrets)
        return found


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"lakehouse {version('lakehouse')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(
            "-f",
            "--file",
            help="The lakehouse's file [default: $LAKEHOUSE_FILE, else lakehouse.yaml here or in a folder above].",
        ),
    ] = None,
    stack: Annotated[
        str | None, typer.Option("-s", "--stack", help="Which of its stacks [default: the only local one, else local].")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    context.obj = _Selection(file, stack)


@app.command()
def validate(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="The file [default: as for every command].")] = None,
) -> None:
    """Check a lakehouse.yaml and report everything that is wrong with it; exit code 2 if there is a problem."""
    from bootstrap.operations.validate import problems, warnings
    from bootstrap.session.target import find
    from lakehouse.spec import SpecError
    from lakehouse.spec.source import read

    target = find(file or context.obj.file, None, engines=True)
    lakehouse = target.lakehouse
    if wrong := list(problems(lakehouse, target.path)):
        source = read(target.path)
        raise SpecError(target.path, [(source.line(problem.at), problem) for problem in wrong])
    output.caution(target.path, lakehouse, warnings(lakehouse, target.path))
    namespaces = [each for catalog in lakehouse.catalogs.values() for each in catalog.namespaces.values()]
    counts = {
        "bucket": len(lakehouse.buckets),
        "catalog": len(lakehouse.catalogs),
        "namespace": len(namespaces),
        "table": sum(len(each.tables) for each in namespaces),
        "stack": len(lakehouse.stacks),
    }
    print(f"{target.path} is valid: {', '.join(f'{n} {what}' + 's' * (n != 1) for what, n in counts.items())}.")


app.add_typer(services)
app.add_typer(projects)
app.add_typer(queries)
app.add_typer(jobs)
app.add_typer(generation)
app.add_typer(deploying)
app.add_typer(ownership)
app.add_typer(reconciler)
app.add_typer(maintenance)
app.add_typer(ingestion)
for group, name in (
    (stores, "store"),
    (pipelines, "pipelines"),
    (secrets, "secret"),
    (access, "access"),
    (backup, "backup"),
    (aws, "aws"),
    (metadata, "metadata"),
    (schedule, "schedule"),
):
    app.add_typer(group, name=name, cls=CommandGroup)
app.add_typer(diagram)
app.add_typer(doctor)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="lakehouse")


if __name__ == "__main__":
    main()
