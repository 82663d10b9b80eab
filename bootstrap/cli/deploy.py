"""``lakehouse deploy``, ``diff`` and ``destroy``: what ``cdktf`` does, with a short view and a log of all output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption
from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    from bootstrap.deploy.run import Ended
    from bootstrap.deploy.view import DeployAction
    from bootstrap.session.target import Target
    from lakehouse.runtimes.changes import PlannedChanges

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def deploy(context: typer.Context, yes: Yes = False) -> None:
    """Bring the stack up, or change only what differs from the file; then show what is there and what to do next.

    What it needs on this machine and is missing is fetched first, as by `lakehouse setup`.
    A stack in AWS costs money, so a terminal is asked first. Ctrl-C ends it cleanly, with exit code 130.
    """
    from bootstrap.deploy import log, words
    from bootstrap.deploy.run import project
    from bootstrap.operations import slots
    from bootstrap.project import set_up

    target: Target = context.obj.target(engines=True)
    project(target.path)  # a foreign one is refused before anything is fetched
    _reach(target, "Nothing was started.")
    printed = _caution(target)
    set_up.deployable(target.lakehouse, target.path, stack=target.stack)
    asked = target.in_aws and not yes
    if asked:
        _ask(target, "deploy", "deploy this", printed)
    began, (ended, path) = time.monotonic(), _run(target, "deploy")
    _stop_unless_done(target, ended, path, "lakehouse deploy")
    if not asked:
        _warn(target, printed)
    idle = log.unchanged(ended.lines) or not (ended.view.resources[1] or ended.view.counted().keys() - {"unchanged"})
    _advise(target, words.after_deploy(target, ended.view, time.monotonic() - began, idle=idle))
    _advise(target, slots.unread(target), error=True)
    if ended.view.contents is None and (why := _changes(target).failed):
        _advise(target, [words.not_compared(why)], error=True)
    _print(([] if idle else [""]) + [f"Log: {words.near(path)}"])


@app.command()
def diff(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show what a deploy would change: why a service would start again, and the plan for the contents.

    Exit code 0: nothing, 2: changes, 1: it failed, or contents were not compared and nothing else would change.
    """
    from bootstrap.deploy import log, words
    from bootstrap.deploy.run import project

    target: Target = context.obj.target(engines=True)
    project(target.path)
    _reach(target, "Nothing was compared.")
    printed = _caution(target)
    ended, path = _run(target, "diff")
    _stop_unless_done(target, ended, path, "lakehouse diff")
    _warn(target, printed)
    planned = log.planned(ended.lines)
    found = words.with_unknown(target, _changes(target), planned)
    gone = [] if target.in_aws else _gone(target)
    if as_json:
        resources = [{"address": address, "action": action} for address, action in planned]
        print(json.dumps({**asdict(found), "gone": gone, "resources": resources, "log": str(path)}, indent=2))
    elif planned:
        _print(words.comparison(target, found, planned, gone))
        _advise(target, ["", f"`lakehouse deploy` does this. Terraform's plan: {words.near(path)}"])
    elif found.failed:
        _advise(target, [words.not_compared(found.failed), f"Services: no change. Log: {words.near(path)}"], error=True)
    else:
        print(f"Nothing to do: {target.lakehouse.name}, stack {target.stack}, is as {target.path.name} says.")
    raise typer.Exit(2 if planned else 1 if found.failed else 0)


@app.command()
def destroy(
    context: typer.Context,
    data: Annotated[
        bool, typer.Option("--data", help="Instead, delete the data of a stack that is down: tables, logs, secrets.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Stop the stack and remove its services; its data stays, unless a second command with --data deletes it.

    On a terminal it asks first.
    """
    from bootstrap.deploy import log, words
    from bootstrap.deploy.run import project
    from bootstrap.operations import slots

    target: Target = context.obj.target()
    if data:
        from bootstrap.operations.destroy import destroy_data

        root = target.local.state.root
        there = root.exists()
        freed = destroy_data(target, yes=yes)
        for each in log.kept(target.path, target.stack):
            each.unlink(missing_ok=True)
        print(
            f"{root} is deleted: {freed / 1e6:.1f} MB freed."
            if there or freed
            else f"{root} is not there: nothing to delete."
        )
        return
    project(target.path)
    _reach(target, "Nothing was stopped.")
    if not yes:
        _ask_before_destroy(target)
    began, (ended, path) = time.monotonic(), _run(target, "destroy")
    _stop_unless_done(target, ended, path, "lakehouse destroy")
    idle = not ended.view.resources[1]
    _advise(target, words.after_destroy(target, time.monotonic() - began, idle=idle))
    _advise(target, slots.left(target))
    print(f"Log: {words.near(path)}")


def _reach(target: Target, so: str) -> None:
    """Raise LakehouseError if nothing can be started or stopped from here, as without Docker or AWS's credentials.

    Terraform would say it too, after seconds, and first what is no cause: that it lacks a provider, or that this is no
    instance.
    """
    if target.unable:
        raise LakehouseError(f"{target.unable} {so}")
    if target.in_aws:
        from bootstrap.session import aws

        try:
            aws.account(target.region, target.stack)
        except LakehouseError as error:
            raise type(error)(f"{str(error).removesuffix('.')}. {so}") from None


def _run(target: Target, action: DeployAction) -> tuple[Ended, Path]:
    """Run the app and Terraform, and show what happens. Returns the end and the log, which has no secret."""
    from bootstrap.deploy import log
    from bootstrap.deploy.run import command, project, run
    from bootstrap.deploy.screen import screen
    from bootstrap.deploy.view import DeployView

    project(target.path)
    redact = output.Redactor(target.secrets)
    log.clean_former(target.path, target.stack, redact)
    path = log.create(target.path, target.stack, action)
    services = [] if target.in_aws or action == "diff" else [each.name for each in target.located.everything]
    view = DeployView.of(action, target.lakehouse.name, target.stack, services, time.time())
    try:
        with screen() as shown:
            only = target.stack if target.in_aws else None
            ended = run(command(action, target.stack), target.path, path, view, shown, only=only)
    finally:
        log.clean(path, redact)
    return ended, path


def _stop_unless_done(target: Target, ended: Ended, path: Path, again: str) -> None:
    """End the command if the run failed or was interrupted, with what it says about that."""
    from bootstrap.deploy import log, words
    from bootstrap.operations import disk

    if ended.code == 0:
        return
    if ended.signal:
        _advise(target, words.interruption(target, ended, again), error=True)
    else:
        _advise(target, words.failure(ended, log.errors(ended.lines), again), error=True)
        _advise(target, filter(None, [disk.explained(target)]), error=True)
    print(f"Log: {words.near(path)}", file=sys.stderr)
    raise typer.Exit(128 + ended.signal if ended.signal else 1)


def _changes(target: Target) -> PlannedChanges:
    """What the last synth of the stack found."""
    from bootstrap.deploy.run import project
    from lakehouse.runtimes.changes import read

    return read(project(target.path) / "cdktf.out" / "stacks" / target.stack)


def _caution(target: Target) -> list[str]:
    from bootstrap.operations.validate import warnings

    return output.caution(target.path, target.lakehouse, warnings(target.lakehouse, target.path))


def _warn(target: Target, printed: Sequence[str]) -> None:
    """Print what the app warns of besides what was ``printed`` before, as of machines that it has asked."""
    from bootstrap.deploy import warned
    from bootstrap.deploy.run import project

    for each in warned.new(warned.warnings(project(target.path) / "cdktf.out", target.stack), printed):
        print(f"warning: {each}", file=sys.stderr)


def _gone(target: Target) -> list[str]:
    """The services that run and that the file no longer names."""
    return sorted(target.located.runtime.processes().keys() - {each.name for each in target.located.everything})


def _ask(target: Target, action: DeployAction, what: str, printed: Sequence[str] = ()) -> None:
    """Show what would be done, and ask. Raises UsageError without a terminal, LakehouseError without a yes."""
    from bootstrap.deploy import log, words

    if not sys.stdin.isatty():
        raise UsageError("Standard input is not a terminal, so nobody can agree to this: add --yes.")
    if action == "deploy":
        ended, path = _run(target, "diff")
        _stop_unless_done(target, ended, path, "lakehouse deploy")
        _warn(target, printed)
        planned = log.planned(ended.lines)
        if not planned:
            return
        from lakehouse.runtimes.changes import PlannedChanges

        _print(words.comparison(target, PlannedChanges(), planned, ()))
    name = target.lakehouse.name
    if output.answer(f"Type the lakehouse's name ({name}) to {what}: ") != name:
        raise LakehouseError("The name does not match: nothing was changed.")


def _ask_before_destroy(target: Target) -> None:
    if target.in_aws:
        _ask(target, "destroy", f"destroy the resources of stack {target.stack}")
        return
    if not sys.stdin.isatty():
        raise UsageError("Standard input is not a terminal, so nobody can agree to this: add --yes.")
    question = f"Stop the services of {target.lakehouse.name}, stack {target.stack}? Their data stays. [y/N] "
    if output.answer(question).lower() not in ("y", "yes"):
        raise LakehouseError("Nothing was stopped.")


def _advise(target: Target, lines: Iterable[str], *, error: bool = False) -> None:
    """Print lines whose commands are about this stack."""
    _print(map(target.advice, lines), error=error)


def _print(lines: Iterable[str], *, error: bool = False) -> None:
    if text := "\n".join(lines):
        print(text, file=sys.stderr if error else sys.stdout, flush=True)
