"""Starts the job that makes class archives under the supervisor, and ends it.

The supervisor runs it, so it ends with the lakehouse and begins again if it is killed.
"""

from __future__ import annotations

import shlex
import shutil
import xmlrpc.client
from contextlib import suppress
from pathlib import Path

from lakehouse.runtimes import archiving, processes
from lakehouse.runtimes.archiving import JobNote
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def start(state: State, service: Service, owner: Owner) -> None:
    """Start the job if the service has no class archive and the job does not run yet.

    Raises nothing if it cannot be started: the service is ready without it.
    """
    if not archiving.wanted() or not archives.missing([service]):
        return
    exports = (f"export {name}={shlex.quote(value)}" for name, value in sorted(archiving.environment(state).items()))
    command = archiving.command(state, owner, "process")
    supervisor = Supervisor(state)
    with suppress(OSError, xmlrpc.client.Error):  # a full disk, a supervisor without memory for another process
        if not supervisor.runs_job():
            archiving.note(state, JobNote("about to begin"))  # before it begins, because it writes its own
            supervisor.start_job("\n".join((*exports, f"exec {shlex.join(command)}\n")))


def doing(state: State) -> str:
    """What the job does now, or why it gave up, as text; empty if it has ended, or if the lakehouse is down."""
    note, supervisor = archiving.noted(state), Supervisor(state)
    if not note.text or not (supervisor.alive() if note.failed else supervisor.runs_job()):
        return ""
    return archiving.said(note)


def end(state: State) -> None:
    """End what the job has started, and remove its folder. The job itself must have ended, or be the caller."""
    if folder := archiving.noted(state).folder:
        processes.kill_below(Path(folder))
        shutil.rmtree(folder, ignore_errors=True)
