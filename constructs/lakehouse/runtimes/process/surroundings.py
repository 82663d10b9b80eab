"""The environment of a service's programs if they run as processes on this machine."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import lakehouse
from lakehouse.runtimes import recording
from lakehouse.runtimes.probe import Asked
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.recording import VARIABLE
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def asked(service: Service, state: State) -> Asked:
    """How the service's readiness is probed."""
    return Asked(state.config(service.name), environment=environment(service, state) if service.probe.command else {})


PASSED = ("XDG_CACHE_HOME", "JAVA_HOME")  # by which a module of the toolkit finds the packages and Java of the deploy


def toolkit() -> tuple[tuple[str, str], ...]:
    """The variables with which a service runs a module of this toolkit."""
    sources = os.pathsep.join(map(str, Path(lakehouse.__file__).parents[1:3]))
    passed = ((name, os.environ[name]) for name in PASSED if name in os.environ)
    return (("PYTHONPATH", sources), *passed)


def later(service: Service) -> str:
    """What a service's script does at each start, for an archive that is made after the script: use it. For a shell."""
    archive = archives.path(service)
    if archive is None or archive.exists():
        return ""
    name, options = VARIABLE, shlex.quote(recording.options(service, archive))
    return f'! [ -s {shlex.quote(str(archive))} ] || export {name}="${name} "{options}'


def environment(service: Service, state: State) -> dict[str, str]:
    """The service's own variables, its class archive, and a temporary folder below the state folder.

    JVMs get the folder in a variable too, so that those that a service starts also have it, as Spark's executors.
    """
    found = archives.environment(service) | dict(service.environment)
    temporary = str(state.temporary(service.name))
    found["TMPDIR"] = temporary
    if service.java is not None:
        options = (recording.quoted(f"-Djava.io.tmpdir={temporary}"), found.get(VARIABLE, ""))
        found[VARIABLE] = " ".join(option for option in options if option)
    return found
