"""The job in the background that makes the missing class archives while a lakehouse runs.

The supervisor runs it, so it ends with the lakehouse and begins again if it is killed. It is no service: no file names
it, no plan contains it, and it may be killed at any time. What it does is in ``lakehouse.runtimes.preparing``.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import xmlrpc.client
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import lakehouse
from lakehouse.runtimes import processes
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process.supervisor import JOB, Supervisor
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service

SWITCH = "LAKEHOUSE_ARCHIVES"  # "no" turns the job off, "yes" turns it on in spite of CI

_MODULE = "lakehouse.runtimes.preparing"
_PASSED = ("XDG_CACHE_HOME", "JAVA_HOME")  # by which the job finds the packages and the Java of the deploy


@dataclass(frozen=True)
class JobNote:
    """What the job does. ``text`` is empty if it has nothing left to do."""

    text: str = ""
    attempts: int = 0  # how often it began since the last deploy asked for it
    failed: bool = False  # it gave up
    folder: str = ""  # where it has its own lakehouse, for which it starts further processes


def start(state: State, service: Service, owner: Owner) -> None:
    """Start the job if the service has no class archive and the job does not run yet.

    A pipeline, in which the variable CI is set, has no use for it: its lakehouse runs for minutes.

    Raises nothing if it cannot be started: the service is ready without it.
    """
    asked = os.environ.get(SWITCH) or ("no" if os.environ.get("CI") else "yes")
    if asked == "no" or not archives.missing([service]):
        return
    sources = Path(lakehouse.__file__).parents
    values = {name: os.environ[name] for name in _PASSED if name in os.environ}
    values |= {
        "PYTHONPATH": os.pathsep.join(map(str, sources[1:3])),
        "LAKEHOUSE_STATE": str(state.root),
        "LAKEHOUSE_SERVICE": JOB,
    }
    command = (sys.executable, "-m", _MODULE, str(state.root), owner.file, owner.stack)
    exports = (f"export {name}={shlex.quote(value)}" for name, value in sorted(values.items()))
    supervisor = Supervisor(state)
    with suppress(OSError, xmlrpc.client.Error):  # a full disk, a supervisor without memory for another process
        if not supervisor.runs_job():
            note(state, JobNote("about to begin"))  # before it begins, because it writes its own
            supervisor.start_job("\n".join((*exports, f"exec {shlex.join(command)}\n")))


def note(state: State, progress: JobNote) -> None:
    """Record what the job does."""
    write_private(_note(state), json.dumps(asdict(progress)))


def noted(state: State) -> JobNote:
    """What the job recorded last."""
    try:
        return JobNote(**json.loads(_note(state).read_text()))
    except (OSError, ValueError, TypeError):
        return JobNote()


def doing(state: State) -> str:
    """What the job does now, or why it gave up, as text; empty if it has ended, or if the lakehouse is down."""
    note, supervisor = noted(state), Supervisor(state)
    if not note.text or not (supervisor.alive() if note.failed else supervisor.runs_job()):
        return ""
    return f"class archives, for faster starts: {note.text}"


def end(state: State) -> None:
    """End what the job has started, and remove its folder. The job itself must have ended, or be the caller."""
    if folder := noted(state).folder:
        processes.kill_below(Path(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _note(state: State) -> Path:
    return state.run / f"{JOB}.json"
