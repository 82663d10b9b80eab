"""``lakehouse plan``, ``apply``, ``drift``, ``import`` and ``export``: the reconciler on the command line.

:data:`app` is mounted into the ``lakehouse`` program, whose global options select the file and the stack.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bootstrap import output
from bootstrap.cli import in_aws
from bootstrap.cli import references as branching
from bootstrap.cli.bringing_back import app as bringing_back
from bootstrap.cli.groups import CommandGroup
from bootstrap.cli.options import JsonOption
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import events

if TYPE_CHECKING:
    from bootstrap.catalogs.base import Reading
    from bootstrap.iceberg.metadata import Facts
    from bootstrap.reconciler.apply import Done, Failed, Outcome
    from bootstrap.reconciler.changes import Diff
    from bootstrap.reconciler.importing import Described
    from bootstrap.reconciler.plan import Plan
    from bootstrap.reconciler.world import World
    from lakehouse.spec import Lakehouse

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

app.add_typer(branching.branches, name="branch", cls=CommandGroup)
app.add_typer(branching.tags, name="tag", cls=CommandGroup)
app.add_typer(bringing_back)

AllowDestroy = Annotated[
    bool, typer.Option("--allow-destroy", help="Also drop what was `deletable: true` and is no longer in the file.")
]


def _connect(context: typer.Context, *, engines: bool = False) -> tuple[Path, Lakehouse, World]:
    from bootstrap.reconciler.world import World
    from bootstrap.session.connect import connect

    target = context.obj.target(engines=engines)
    lakehouse, connections = connect(target.path, target.stack)
    return target.path, lakehouse, World.of(connections)


def where_in(path: Path) -> Callable[[tuple[str, ...]], str]:
    """Finds the line of a location in the file. The file is read at the first call."""

    @cache
    def source() -> Any:
        from lakehouse.spec.source import read

        return read(path)

    return lambda at: f"{path.name}:{source().line(at)}"


@contextmanager
def _reading() -> Iterator[Reading]:
    """A progress bar of the tables read; silent if there is no terminal."""
    with output.progress() as bar:
        task = bar.add_task("Reading tables", total=None)
        yield lambda count, of: bar.update(task, completed=count, total=of)


@app.command()
def plan(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[show FILE]", help="Show a plan that was saved, by --out or by the pipeline."),
    ] = None,
    as_json: JsonOption = False,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for `lakehouse apply FILE`.")] = None,
    allow_destroy: AllowDestroy = False,
) -> None:
    """Show what `apply` would do. Exit code 0: nothing, 2: changes, 1: failure, or something that cannot be done."""
    from bootstrap.reconciler.plan import render
    from bootstrap.reconciler.reconcile import make_plan

    if words:
        if len(words) != 2 or words[0] != "show":
            raise UsageError(f"`lakehouse plan {' '.join(words)}` is not a command. Write `lakehouse plan show FILE`")
        show(Path(words[1]))
        return
    path, lakehouse, world = _connect(context, engines=True)
    output.caution(path, lakehouse)
    with _reading() as reading:
        made = make_plan(lakehouse, world, allow_destroy=allow_destroy, where=where_in(path), reading=reading)
    text = json.dumps(made.to_json(), indent=2) if as_json or out else ""
    if out is not None:
        try:
            out.write_text(text + "\n")
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}. Name another file") from None
    print(text if as_json else "\n".join(render(made)))
    raise typer.Exit(made.exit_code)


def show(file: Path) -> None:
    """Print a saved plan for people: of `lakehouse plan --out`, or `.pipeline/STACK/plan.json` of the pipeline.

    Raises UsageError if the file is neither.
    """
    from bootstrap.pipeline import looked
    from bootstrap.reconciler import plan as plans

    try:
        data = json.loads(file.read_text())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        data = None
    try:
        if isinstance(data, dict) and "infrastructure" in data:
            print("\n".join(looked.lines(looked.from_json(data))))
            return
        made = plans.from_json(data)
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{file} is not a saved plan. `lakehouse plan --out {file}` writes one, and `make pipeline-plan`"
        ) from None
    print("\n".join(plans.render(made, most=sys.maxsize)))


@app.command()
def apply(
    context: typer.Context,
    saved: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A file that `plan --out` wrote; refused if it is stale.")
    ] = None,
    as_json: JsonOption = False,
    allow_destroy: AllowDestroy = False,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Also delete dropped tables' files (not on Nessie) and buckets' objects."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a terminal before something is destroyed.")] = False,
) -> None:
    """Make the running lakehouse match the file. Exit code 1 if something failed; the rest is still done.

    On a terminal, a plan that destroys something is carried out only after you have typed the lakehouse's name.
    """
    from bootstrap.reconciler import plan as plans
    from bootstrap.reconciler.reconcile import reconcile

    path, lakehouse, world = _connect(context, engines=True)
    if context.obj.target().in_aws:
        in_aws.open_databases(context.obj.target())
    given = None
    if saved is not None:
        try:
            given = plans.from_json(json.loads(saved.read_text()))
        except OSError as error:
            raise UsageError(f"{saved} cannot be read: {error.strerror}") from None
        except ValueError:
            raise UsageError(f"{saved} is not a saved plan. `lakehouse plan --out {saved}` writes one") from None
    with output.progress() as bar:
        task = bar.add_task("Applying", total=None)

        told = [0, 0]  # changes that are applied, and all

        def advance(fate: Done | Failed) -> None:
            bar.update(task, advance=1, description=fate.address)
            told[0] += 1
            events.tell("contents", fate.address, done=told[0], of=max(told))

        def ask(agreed: Plan) -> None:
            told[1] = len(agreed.steps)
            events.tell("contents", of=told[1])
            if not yes:
                bar.stop()  # it would overwrite the question
                confirm(agreed, lakehouse.name, purge=purge)
                bar.start()

        outcome = reconcile(
            lakehouse,
            world,
            allow_destroy=allow_destroy,
            purge=purge,
            saved=given,
            where=where_in(path),
            progress=advance,
            confirm=ask,
        )
    if wrong := [f"{each.address}: {each.message}" for each in outcome.failed] + [
        str(each) for each in outcome.refused
    ]:
        events.tell("failed", "contents", "\n".join(wrong))
    if as_json:
        print(json.dumps(outcome.to_json(), indent=2))
    else:
        report(outcome)
    if outcome.failed:
        from bootstrap.operations.disk import explained

        if said := explained(context.obj.target()):
            print(said, file=sys.stderr)
    raise typer.Exit(outcome.exit_code)


def confirm(agreed: Plan, name: str, *, purge: bool) -> None:
    """Ask on a terminal before a plan destroys something; without a terminal the keys in the file have to do.

    Raises LakehouseError if the answer is not the lakehouse's name.
    """
    if not agreed.destroyed or not sys.stdin.isatty():
        return
    print("This will be destroyed" + (", with its files:" if purge else ":"), file=sys.stderr)
    for each in agreed.destroyed:
        print(f"- {each}", file=sys.stderr)
    if output.answer(f"Type the lakehouse's name ({name}) to continue: ") != name:
        raise LakehouseError("The name does not match: nothing was changed.")


def report(outcome: Outcome, most: int = 50) -> None:
    """Print what was done to standard output, and what was not to standard error."""
    for done in outcome.done[:most]:
        print(f"done: {done.address}{f' ({done.remark})' if done.remark else ''}")
    if len(outcome.done) > most:
        print(f"  ... and {len(outcome.done) - most} more")
    for failed in outcome.failed:
        print(f"failed: {failed.address}: {failed.message}", file=sys.stderr)
    for address in outcome.skipped:
        print(f"skipped: {address}: something that it needs failed", file=sys.stderr)
    for note in outcome.refused:
        print(f"refused: {note}", file=sys.stderr)
    for note in outcome.stays[:most]:
        print(f"! {note}", file=sys.stderr)
    if len(outcome.stays) > most:
        print(f"! ... and {len(outcome.stays) - most} more that stay", file=sys.stderr)
    print(
        f"Applied: {len(outcome.done)} done, {len(outcome.failed)} failed, "
        f"{len(outcome.skipped)} skipped, {len(outcome.refused)} refused."
    )


@app.command()
def seed(
    context: typer.Context,
    table: Annotated[str, typer.Argument(metavar="CATALOG.NAMESPACE.TABLE", help="A table with a `seed`.")],
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="Replace every row of the table, not only those that its seed loaded.")
    ] = False,
) -> None:
    """Replace the rows that a table's seed loaded with those that the file has now, in one commit."""
    from bootstrap.reconciler import seeds

    path, lakehouse, world = _connect(context, engines=True)
    catalog, _, name = table.partition(".")
    namespace, _, short = name.rpartition(".")
    spaces = lakehouse.catalogs[catalog].namespaces if catalog in lakehouse.catalogs else {}
    said = spaces[namespace].tables.get(short) if namespace in spaces else None
    if said is None or said.seed is None:
        raise UsageError(f"{path.name}: there is no table {table} with a `seed`.")
    done = seeds.replace(world.catalog(catalog), name, said.seed, world.connections, all_rows=all_rows)
    print(f"{table}: {done.removed} rows replaced by {done.added} of {said.seed}.")


@app.command()
def drift(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show what differs from the file, and what exists but is not in it. Exit code 0: nothing, 2: drift."""
    from bootstrap.reconciler.diff import diff
    from bootstrap.reconciler.facts import gather

    path, lakehouse, world = _connect(context)
    with _reading() as reading:
        facts = gather(lakehouse, world, everything=True, reading=reading)
    found = diff(lakehouse, facts, where=where_in(path))
    if as_json:
        print(json.dumps(drift_json(found), indent=2))
    else:
        print("\n".join(drift_text(found)))
    raise typer.Exit(2 if found or found.unnamed else 0)


#: A plan has ``-`` for what exists and goes; here that is what exists and is not in the file, as in the other lines.
_OPPOSITE = {"+": "-", "-": "+", "~": "~"}


def drift_json(found: Diff) -> dict[str, Any]:
    """The three kinds of drift: ``missing``, ``differs`` (with details), ``unnamed``; ``lost``: what existed before."""
    return {
        "missing": [change.address for change in found.changes if change.op == "create"],
        "differs": {
            **{c.address: [detail.text for detail in c.details] for c in found.changes if c.op == "update"},
            **{note.address: [note.message] for note in found.refused},
        },
        "unnamed": list(found.unnamed),
        "lost": {note.address: note.message for note in found.lost},
    }


def drift_text(found: Diff) -> Iterable[str]:
    """The same as lines of text: what exists, compared with the file. The first line explains the signs."""
    drift = drift_json(found)
    if not any(drift.values()):
        yield "No drift."
        return
    yield "Compared with the file: + exists only in the lakehouse, - only in the file, ~ differs (lakehouse -> file)."
    lines = {c.address: [f"{_OPPOSITE[each.symbol]} {each.text}" for each in c.details] for c in found.changes}
    yield from (f"- {address} is in the file, but does not exist" for address in drift["missing"])
    for address, details in drift["differs"].items():
        yield f"~ {address} differs:"
        yield from (f"    {detail}" for detail in lines.get(address, details))
    yield from (f"! {address}: {message}" for address, message in drift["lost"].items())
    yield from (f"+ {address} exists, but is not in the file" for address in drift["unnamed"])
    if found:
        yield "`lakehouse plan` shows what `lakehouse apply` would do about it."
    if drift["unnamed"]:
        yield (
            "An apply leaves alone what the file does not name, unless it has both keys to deletion: "
            "`lakehouse import` prints new objects as entries for the file, `lakehouse export` everything."
        )


@app.command("import")
def import_(
    context: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Add it to the file and keep all other lines.")] = False,
) -> None:
    """Print, as a section for the file, what exists but is not in the file."""
    from bootstrap.reconciler.importing import imported

    path, lakehouse, world = _connect(context)
    sections, _, entries = _described(lakehouse, world, imported)
    if not sections:
        print("Everything that exists is in the file.", file=sys.stderr)
    elif write:
        from bootstrap.reconciler.adding import add_to

        add_to(path, sections)
        print(f"{path}: {entries} entries added.")
    else:
        _print_yaml(sections)


@app.command()
def export(context: typer.Context, as_json: JsonOption = False) -> None:
    """Print a complete file for what exists: the file's own settings, the contents as they are."""
    from bootstrap.reconciler.importing import exported

    _, lakehouse, world = _connect(context)
    data, _, _ = _described(lakehouse, world, exported)
    if as_json:
        print(json.dumps(data, indent=2))
    else:
        _print_yaml(data)


def _described(lakehouse: Lakehouse, world: World, by: Callable[[Lakehouse, Facts], Described]) -> Described:
    from bootstrap.reconciler.facts import gather

    with _reading() as reading:
        facts = gather(lakehouse, world, everything=True, reading=reading)
    found = by(lakehouse, facts)
    for each in found.left:
        print(f"left out: {each}", file=sys.stderr)
    return found


def _print_yaml(data: dict[str, Any]) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 10_000  # a long location stays in the line of its key
    yaml.dump(data, sys.stdout)
