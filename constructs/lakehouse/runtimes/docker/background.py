"""Starts the job that makes class archives beside containers, and ends it.

No supervisor runs it: it is a process of this machine, which the preflight of a deploy starts and a destroy ends. If it
is killed, the next deploy that starts a container starts it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lakehouse.runtimes import archiving, processes
from lakehouse.runtimes.archiving import JOB, JobNote
from lakehouse.runtimes.docker import archives
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service

_INHERITED = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TZ", "USER")  # without TMPDIR, which a deploy removes


def start(state: State, services: Sequence[Service], images: Mapping[str, str], owner: Owner) -> None:
    """Start the job if a service has no class archive and the job does not run yet. It waits until the deploy ends.

    Raises nothing if it cannot be started: containers start without archives too.
    """
    if not archiving.wanted() or not archives.missing(services, images) or _runs(state):
        return
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with suppress(OSError):  # a full disk, no memory for another process
        archiving.note(state, JobNote("about to begin"))
        with state.log(JOB).open("wb") as log:
            subprocess.run(
                # The shell ends at once, so the job is nobody's child and goes on after this step.
                ["/bin/sh", "-c", '"$@" &', "sh", *archiving.command(state, owner, "docker")],
                cwd=state.root, env=environment | archiving.environment(state), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip


def doing(state: State) -> str:
    """What the job does now, or why it gave up, as text; empty if it has ended."""
    note = archiving.noted(state)
    return archiving.said(note) if note.text and (note.failed or _runs(state)) else ""


def stop(state: State) -> None:
    """End the job and what it has started."""
    processes.kill(processes.belonging(state, JOB))
    end(state)


def end(state: State) -> None:
    """End what the job has started, and remove its folder. The job itself must have ended, or be the caller."""
    if folder := archiving.noted(state).folder:
        with errors_reported():
            DockerEngine().remove_below(Path(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _runs(state: State) -> bool:
    return any(processes.belonging(state, JOB))
