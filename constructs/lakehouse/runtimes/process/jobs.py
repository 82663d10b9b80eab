"""One-shot jobs as processes on this machine. The step of a deploy runs them to their end, without the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import processes
from lakehouse.runtimes.probe import tail
from lakehouse.runtimes.process.supervisor import INHERITED, script
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service


def run(state: State, job: Service) -> float:
    """Run a job, whose files are already written. Returns the seconds that it took. Its output is in its log.

    Raises LakehouseError, with the end of the log, if its exit code is not 0, or if it does not end in time.
    """
    began = time.monotonic()
    shell = state.conf_d / f"{job.name}.sh"
    log = state.log(job.name)
    for folder in (shell.parent, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    processes.end(processes.belonging(state, job.name))  # of a run that was killed
    write_private(shell, script(job, state))
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    marks = {"LAKEHOUSE_STATE": str(state.root), "LAKEHOUSE_SERVICE": job.name}
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", str(shell)], env=environment | marks, cwd=state.run, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait(timeout=job.probe.patience)
        except subprocess.TimeoutExpired:
            raise _failed(state, job, f"did not end within {job.probe.patience} s and was stopped") from None
        finally:
            shell.unlink(missing_ok=True)
            _end(process)
            processes.end(processes.belonging(state, job.name), patience=0.5)
    if code:
        raise _failed(state, job, f"ended with code {code}")
    return time.monotonic() - began


def _failed(state: State, job: Service, what: str) -> LakehouseError:
    return LakehouseError(
        f"The job {job.name} {what}, so the services that need it were not started.\n"
        f"The end of {state.log(job.name)}:\n{tail(state, job.name)}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End everything that the job started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
