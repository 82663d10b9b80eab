"""Ports and services of a local stack: whether they run, and if not, why. Only decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bootstrap.doctor import logs
from lakehouse import toolkit
from lakehouse.runtimes.findings import Finding, PortHolder, error, ok, skipped, warning
from lakehouse.runtimes.runtime import UNWATCHED, Process

_SHOWN = 3  # ports named in one line


def ports(holders: Sequence[PortHolder], count: int, stack: str) -> Finding:
    """``count`` ports belong to the stack; ``holders`` have some of them and are not part of it."""
    if not holders:
        return ok(f"{count} ports, none taken by others")
    first = holders[0]
    other = f"`stacks.{stack}.ports` in lakehouse.yaml, then `lakehouse deploy`"
    if first.container:
        cause = f"container {first.container} publishes it"
        cause += f", of the lakehouse in {first.lakehouse}" if first.lakehouse else ""
        fix = f"`docker stop {first.container}`, or choose another number under {other}"
    elif first.lakehouse:
        cause = f"the lakehouse in {first.lakehouse} has the same ports"
        fix = f"destroy that one, or give this one other numbers under {other}"
    else:
        cause = "a program outside this lakehouse listens there"
        stop = f"`kill {first.pid}`" if first.pid else "stop that program (its user or root may)"
        fix = f"{stop}, or choose another number under {other}"
    more = f"; and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
    return error("; ".join(each.sentence for each in holders[:_SHOWN]) + more, cause, fix)


def running(processes: Mapping[str, Process], named: Sequence[str], left: bool, stack: str) -> Finding:
    """Whether anything of the stack runs. ``left``: there are traces that a destroyed stack would not have left."""
    up = [name for name in named if name in processes and processes[name].up]
    if up:
        return ok(f"{len(up)} of {len(named)} services run")
    if any(name in processes and processes[name].state == UNWATCHED for name in named):
        return error(
            "its services run, but nothing watches them: one that ends is not started again",
            "somebody killed their supervisor",
            "`lakehouse deploy`, which starts all of them again",
        )
    if left:
        return error(
            "none of its services runs any more",
            "everything was killed: this machine or Docker was restarted, or somebody did it",
            "`lakehouse deploy` (the data is still there)",
        )
    return error("is not up", "it was never deployed, or was destroyed", "`lakehouse deploy`")


def undefined(why: str) -> Finding:
    """The stack's services could not even be defined."""
    return error(
        f"its services cannot be defined: {why}", "something that they need is missing", f"`{toolkit.command('setup')}`"
    )


@dataclass(frozen=True)
class ServiceSeen:
    """A service as its runtime shows it, with the end of its log if it is not healthy."""

    name: str
    healthy: bool
    process: Process | None
    patience: int  # seconds that it may take to get ready
    log: Sequence[str] = ()
    out_of_memory: bool = False  # the system ended its container for lack of memory
    former: bool = False  # it runs as an earlier file defined it


def service(seen: ServiceSeen, taken: Sequence[str], stack: str) -> Finding:
    """Whether it is ready, and if not, why. ``taken`` are the names of ports that somebody else holds."""
    name, process = seen.name, seen.process
    if seen.healthy:
        return ok(f"ready, up {process.uptime} s" if process else "ready")
    own = [port for port in taken if port == name or port.startswith(f"{name}-")]
    if own:
        return skipped("ports")
    if process is None:
        return error("was not started, or was stopped", "it has no process", "`lakehouse deploy`")
    word = f"is {process.state.lower()}" + (f" ({process.note})" if process.note else "")
    if seen.out_of_memory:
        return error(
            word,
            "Docker ended it: it needed more memory than its limit",
            "set more `memory` for it under `engines` in lakehouse.yaml, then `lakehouse deploy`",
        )
    why = logs.reason(seen.log, name, stack)
    if why is not None:
        return error(f"{word}, not ready", f"{why.cause}. Its log: {why.line}", why.fix)
    if process.up and seen.former:
        return error(
            f"{word}, and not ready as the file defines it",
            "it runs as an earlier file defined it, so it may not answer where the file says",
            "`lakehouse diff` shows the change, `lakehouse deploy` makes it",
        )
    if process.up and process.uptime < seen.patience:
        return error(
            f"has been starting for {process.uptime} s",
            "it is not ready yet, and its log shows no error",
            f"wait; `lakehouse logs {name} -f` shows its progress",
        )
    end = logs.last(seen.log)
    return error(
        f"{word}, not ready",
        f"the end of its log: {end}" if end else "its log is empty",
        f"`lakehouse logs {name}`, then `lakehouse restart {name}` or `lakehouse deploy`",
    )


def definitions(changed: Sequence[str], edited: Sequence[str], unnamed: Sequence[str], stack: str) -> Finding:
    """What runs, compared with the file: started from another definition, edited by hand, or no longer named."""
    parts = [
        f"{', '.join(names)} {what}"
        for names, what in (
            (changed, "run as an earlier file defined them"),
            (edited, "changed by hand since"),
            (unnamed, "run, but are not in the file"),
        )
        if names
    ]
    if not parts:
        return ok("what runs matches the file")
    return warning(
        "; ".join(parts),
        "lakehouse.yaml or this project changed after the last deploy, or a deploy was interrupted",
        "`lakehouse diff` shows the changes, `lakehouse deploy` makes them",
    )
