"""The command line ``lakehouse``.

A command imports its modules when it runs: ``lakehouse --help`` must not wait for an engine's client.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from bootstrap import output
from bootstrap.cli import in_aws
from bootstrap.cli.access import app as access
from bootstrap.cli.aws import app as aws
from bootstrap.cli.backup import app as backup
from bootstrap.cli.deploy import app as deploying
from bootstrap.cli.diagram import app as diagram
from bootstrap.cli.doctor import app as doctor
from bootstrap.cli.generate import app as generation
from bootstrap.cli.ingest import app as ingestion
from bootstrap.cli.maintenance import app as maintenance
from bootstrap.cli.metadata import app as metadata
from bootstrap.cli.options import JsonOption, print_json
from bootstrap.cli.ownership import app as ownership
from bootstrap.cli.pipelines import app as pipelines
from bootstrap.cli.project import app as projects
from bootstrap.cli.reconciler import app as reconciler
from bootstrap.cli.run import app as jobs
from bootstrap.cli.schedule import app as schedule
from bootstrap.cli.secrets import app as secrets
from bootstrap.cli.sql import app as queries
from bootstrap.cli.stores import app as stores
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.text.terminal import shown_lines
from lakehouse.text.words import for_stack

if TYPE_CHECKING:
    from bootstrap.session.target import Target


class _Group(TyperGroup):
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
            code = 130
        except typer.TyperException:
            raise
        except RuntimeError as error:
            if type(error).__module__.startswith("typer"):  # typer's own way to exit
                raise
            code = _unexpected(error, ctx.params)
        except Exception as error:  # noqa: BLE001 - the last resort: a line instead of a traceback
            code = _unexpected(error, ctx.params)
        raise typer.Exit(code)


def _drop_output() -> None:
    """Nobody reads the output any more (`lakehouse sql ... | head`): what is left of it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complain(message: str) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
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


def _unexpected(error: Exception, options: dict[str, Any]) -> int:
    if options.get("debug"):
        sys.stderr.write("".join(traceback.format_exception(error)))
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


def _target(context: typer.Context) -> Target:
    selection: _Selection = context.obj
    return selection.target()


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show each service: healthy or not, pid, memory, uptime, addresses. Exit code 1 unless all are healthy."""
    from bootstrap.doctor import probes
    from bootstrap.doctor.endings import first
    from bootstrap.operations import disk
    from bootstrap.operations.status import duration, look, scheduled

    target = _target(context)
    if target.in_aws:
        in_aws.status(target, as_json=as_json)
        return
    services, room, job = look(target), disk.look(target), target.local.runtime.background()
    ends, timed = probes.endings(target.local), scheduled(target)
    well = all(each.healthy for each in services) and room.writes
    if as_json:
        found = {
            "services": [asdict(each) for each in services],
            "disk": asdict(room),
            "background": job,
            "schedule": timed,
            "endings": {name: each.end for name, each in ends.items()},
        }
        print_json({"stack": target.stack, "healthy": well, **found})
    else:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for heading in ("SERVICE", "HEALTH", "PID", "MEMORY", "UPTIME", "ADDRESS"):
            table.add_column(
                heading, justify="right" if heading in ("PID", "MEMORY", "UPTIME") else "left", no_wrap=True
            )
        for each in services:
            health = "[green]healthy[/]" if each.healthy else f"[red]{each.state.lower()}, not ready[/]"
            memory = "-" if each.memory_mb is None else f"{each.memory_mb} MiB"
            address = each.endpoints[0].external if each.endpoints else ""
            table.add_row(each.name, health, str(each.pid or "-"), memory, duration(each.uptime_seconds), address)
        output.console(width=200).print(table)
        total = sum(each.memory_mb or 0 for each in services)
        print(f"\n{sum(each.healthy for each in services)} of {len(services)} services healthy, {total} MiB resident.")
        files = "" if room.inodes_free is None else f", room for {room.inodes_free} more files"
        print(room.problem or f"Disk: {room.free_mb} MB free at {room.folder}{files}.")
        if ends:
            print(f"Of certificates and keys of tokens, {first(ends)}.")
        if job:
            print(f"In the background: {job}.")
        if timed:
            print(target.advice(f"Schedule: {timed}."))
        if not any(each.pid for each in services):
            print(target.advice("The stack is not up: `lakehouse deploy` starts it."))
        elif not all(each.healthy for each in services):
            advice = "`lakehouse logs SERVICE` shows why; `lakehouse deploy` repairs what is down."
            print(target.advice(advice))
    if not well:
        raise typer.Exit(1)


@app.command()
def endpoints(
    context: typer.Context,
    as_json: JsonOption = False,
    tool: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TOOL",
            help="Print a configuration to paste instead: pyiceberg, dlt, dbt, sqlmesh, spark, trino, duckdb, datahub "
            "or env.",
        ),
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option(help="With --for: the catalog of a tool that knows one [default: the first of the file]."),
    ] = None,
) -> None:
    """List the addresses of user interfaces and APIs: as seen from here, and as the services see each other."""
    target = _target(context)
    if target.in_aws:
        in_aws.endpoints(target, as_json=as_json, tool=tool)
        return
    if tool is not None:
        from bootstrap.tools import reach
        from bootstrap.tools.writers import writer

        write = writer(tool)
        print(write(reach.of(target).choose(catalog)))
        return
    from bootstrap.operations.endpoints import of_stack

    found = of_stack(target.local)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    same = all(each.internal == each.external for each in found)
    for heading in ("NAME", "ADDRESS", *(() if same else ("INTERNAL",)), "WHAT IT IS"):
        table.add_column(heading, no_wrap=True)
    for each in found:
        table.add_row(each.name, each.external, *(() if same else (each.internal,)), each.meaning)
    output.console(width=240).print(table)
    if same:
        print("\nServices see each other at the same addresses.")


@app.command()
def logs(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="Its name, as `lakehouse status` shows it [default: all services].")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Print new lines as they come, until Ctrl-C.")] = False,
    lines: Annotated[
        int | None,
        typer.Option("-n", "--lines", min=0, help="How many of the last lines [default: 50; of all services 10 each]."),
    ] = None,
) -> None:
    """Show the end of a service's log, or of all logs with the service's name before each line. In AWS: of a job."""
    target = _target(context)
    if target.in_aws:
        in_aws.logs(target, service, follow=follow)
        return
    if service is None:
        _all_logs(target, 10 if lines is None else lines, follow=follow)
        return
    name = service if service in target.local.runtime.further_logs() else target.service(service).name
    runtime = target.local.runtime
    sys.stdout.write(runtime.log(name, 50 if lines is None else lines))
    sys.stdout.flush()
    if follow:
        for added in runtime.follow(name):
            sys.stdout.write(added)
            sys.stdout.flush()


def _all_logs(target: Target, lines: int, *, follow: bool) -> None:
    from bootstrap.operations import logs as every

    runtime, names = target.local.runtime, [each.name for each in target.local.services]
    for line in every.last(runtime, names, lines):
        print(line)
    if follow:
        for line in every.follow(runtime, names):
            print(line, flush=True)


@app.command()
def verify(context: typer.Context, as_json: JsonOption = False) -> None:
    """Prove that it works: each engine writes rows that all the others read, now and as of a snapshot.

    Uses a temporary namespace in each catalog and removes it. Exit code 1 if a check fails.
    """
    from bootstrap.verify import run
    from bootstrap.verify.report import show

    report = run(_target(context))
    if as_json:
        print_json({"ok": report.ok, "seconds": report.seconds, "checks": [asdict(each) for each in report.checks]})
    else:
        show(report)
    if not report.ok:
        raise typer.Exit(1)


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


@app.command()
def restart(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Its name, as `lakehouse status` shows it.")],
) -> None:
    """Restart a service and the services that depend on it; wait until they are ready."""
    target = _target(context)
    in_aws.refuse(target, "restart", "AWS runs the services there, and starts an engine for each piece of work.")
    first = target.service(service)
    if first.is_job:
        raise UsageError(f"{service} is a job: it has ended, so there is nothing to restart.")
    for each in (first, *(other for other in target.local.services if first.name in other.restarts_with)):
        took = target.local.runtime.restart(each)
        print(f"{each.name} is ready after {took:.1f} s")


app.add_typer(projects)
app.add_typer(queries)
app.add_typer(jobs)
app.add_typer(generation)
app.add_typer(deploying)
app.add_typer(ownership)
app.add_typer(reconciler)
app.add_typer(maintenance)
app.add_typer(ingestion)
app.add_typer(stores, name="store")
app.add_typer(pipelines, name="pipelines")
app.add_typer(secrets, name="secret")
app.add_typer(access, name="access")
app.add_typer(backup, name="backup")
app.add_typer(aws, name="aws")
app.add_typer(metadata, name="metadata")
app.add_typer(schedule, name="schedule")
app.add_typer(diagram)
app.add_typer(doctor)


def main() -> None:
    """The console script."""
    app(prog_name="lakehouse")


if __name__ == "__main__":
    main()
