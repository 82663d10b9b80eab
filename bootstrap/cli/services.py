"""Commands for what runs: status, endpoints, logs, verify, restart; :data:`app` is mounted into ``lakehouse``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli import in_aws
from bootstrap.cli.options import JsonOption, print_json
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from bootstrap.session.target import Target

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show each service: healthy or not, pid, memory, uptime, addresses. Exit code 1 unless all are healthy."""
    from bootstrap.doctor import probes
    from bootstrap.doctor.endings import first
    from bootstrap.operations import disk
    from bootstrap.operations.status import duration, look, scheduled
    from lakehouse.runtimes import lock
    from lakehouse.runtimes.runtime import UNWATCHED
    from lakehouse.runtimes.state import terraform_state

    target = context.obj.target()
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
        output.show(table, width=200)
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
        if why := target.unable:
            print(why)
        elif (holder := lock.holder(terraform_state(target.path, target.stack))) is not None:
            print(f"A command works on this stack ({holder}): what is down may be starting or stopping.")
        elif any(each.state == UNWATCHED for each in services):
            what = "Its services run, but their supervisor was killed, so nothing starts one again that ends"
            print(target.advice(f"{what}: `lakehouse deploy` starts all of them again."))
        elif not any(each.pid for each in services):
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
    target = context.obj.target()
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
    output.show(table, width=240)
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
    target = context.obj.target()
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

    report = run(context.obj.target())
    if as_json:
        print_json({"ok": report.ok, "seconds": report.seconds, "checks": [asdict(each) for each in report.checks]})
    else:
        show(report)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def restart(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Its name, as `lakehouse status` shows it.")],
) -> None:
    """Restart a service and the services that depend on it; wait until they are ready."""
    target = context.obj.target()
    in_aws.refuse(target, "restart", "AWS runs the services there, and starts an engine for each piece of work.")
    first = target.service(service)
    if first.is_job:
        raise UsageError(f"{service} is a job: it has ended, so there is nothing to restart.")
    for each in (first, *(other for other in target.local.services if first.name in other.restarts_with)):
        took = target.local.runtime.restart(each)
        print(f"{each.name} is ready after {took:.1f} s")
