"""supervisord: runs the services' processes, restarts those that crash, and rotates the logs.

There is one configuration file per service. Its XML-RPC interface listens on a unix socket in the state folder:
http://supervisord.org/api.html
"""

from __future__ import annotations

import glob
import http.client
import os
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil

import lakehouse
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import temporary
from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.process import surroundings
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service

WATCH = "disk-watch"  # it is no service: it has no port, and no file names it

_MAIN = """\
[supervisord]
logfile=supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
loglevel=info
pidfile=supervisord.pid
childlogdir=.
umask=077
{user}
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

{watch}
[include]
files=conf.d/*.conf
"""

# The syntax of these files has comments, expansions and sections, so they contain no text of a user. Paths are relative
# to run/, where supervisord works. The command of a service and its environment are in a script for the shell.
_PROGRAM = """\
[program:{name}]
command=/bin/sh conf.d/{name}.sh
environment=LAKEHOUSE_SERVICE="{name}"
autostart=true
autorestart=true
startsecs=1
startretries=5
stopsignal={signal}
stopwaitsecs={stop}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=../logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""

# It ends by itself. If it is killed, it begins again. If it fails, or if the shell finds no Python, it does not: it
# would fail again, every second and for ever.
_JOB = f"""\
[program:{JOB}]
command=/bin/sh conf.d/{JOB}.sh
autorestart=unexpected
exitcodes=0,1,2,126,127
startsecs=0
stopwaitsecs=10
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=../logs/{JOB}.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=1
"""

_WORKING_FOLDER = Path("/proc/self/cwd")

# The questions that supervisord answers at once, and the longest time for it on a busy machine: if it hangs, no command
# may hang with it. Other calls take as long as a service takes to stop.
_QUESTIONS = {"getState", "getPID", "getProcessInfo", "getAllProcessInfo"}
_ANSWER_SECONDS = 60.0

# The variables of the caller that a service gets. Credentials that are set in a shell are never among them.
LOCALE = ("LANG", "LC_ALL", "LC_CTYPE")  # a JVM decodes the names of files by it
INHERITED = (*LOCALE, "HOME", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")


class Faults:
    """The codes of supervisord's refusals, as in ``supervisor.xmlrpc``, whose import would take as long as a step."""

    BAD_NAME, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED, STILL_RUNNING = 10, 60, 70, 90, 91


class _Connection(http.client.HTTPConnection):
    """A connection to a unix socket."""

    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    """Calls over a unix socket, each with its own connection."""

    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__()
        self._path, self._timeout = path, timeout

    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        connection = _Connection(self._path, self._timeout)
        self._connection = (host, connection)  # which closes it with the transport
        return connection


class Supervisor:
    """A client of the supervisord of one state folder."""

    def __init__(self, state: State) -> None:
        self._state = state

    def alive(self) -> bool:
        """Whether supervisord answers."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def start(self, *, watched: bool = True) -> None:
        """Start supervisord if it does not run, and wait until it answers. ``watched``: it also watches the disk.

        Raises LakehouseError if it does not answer within 5 seconds.
        """
        if self.alive():
            return
        state = self._state
        state.socket.unlink(missing_ok=True)
        state.pid_file.unlink(missing_ok=True)
        user = f"user={os.getuid()}\n" if os.getuid() == 0 else ""  # supervisord warns if root does not set it
        near = state.socket.parent == state.run
        socket = state.socket.name if near else str(state.socket).replace("%", "%%")
        write_private(state.conf_d / f"{WATCH}.sh", _watch())
        watch = _PROGRAM.format(name=WATCH, signal="TERM", stop=5) if watched else ""
        write_private(state.supervisor_conf, _MAIN.format(socket=socket, user=user, watch=watch))
        environment = {key: os.environ[key] for key in INHERITED if key in os.environ}
        if temporary.within():  # that folder is removed after the run of cdktf to which this step belongs
            environment |= temporary.named(state.temporary("supervisord"))
        conf = state.supervisor_conf
        if glob.escape(str(conf)) != str(conf) and _WORKING_FOLDER.exists():
            conf = _WORKING_FOLDER / conf.name  # [include] is relative to this path, which is read as a pattern
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(conf)]
        done = subprocess.run(
            command, cwd=state.run, env=environment | {"LAKEHOUSE_STATE": str(state.root)}, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        for _ in range(100):
            if self.alive():
                return
            time.sleep(0.05)
        raise LakehouseError(
            f"supervisord did not start: {(done.stderr or done.stdout).strip() or 'no answer within 5 s'}. "
            f"Its log is {state.run}/supervisord.log."
        )

    def stop(self) -> None:
        """Shut supervisord down, with all of its processes."""
        try:
            pid = self.pid()
            self._call("shutdown")
        except (OSError, xmlrpc.client.Error):
            return
        while _exists(pid):
            time.sleep(0.05)

    def processes(self) -> dict[str, Process]:
        """The processes of all services by name; empty if supervisord is down."""
        try:
            answer: Any = self._call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            return {}
        return {
            each["name"]: Process(
                each["name"], each["statename"], each["pid"], each["now"] - each["start"], each["spawnerr"]
            )
            for each in answer
            if each["name"] not in (WATCH, JOB)
        }

    def pid(self) -> int:
        """The pid of supervisord. Raises OSError if it is down."""
        return int(self._call("getPID"))

    def start_job(self, script: str) -> bool:
        """Start the job in the background by a script for the shell. Returns False if it runs already.

        Raises OSError if supervisord is down.
        """
        if self.runs_job():
            return False
        write_private(self._state.conf_d / f"{JOB}.sh", script)
        write_private(self._state.conf_d / f"{JOB}.conf", _JOB)
        self._call("reloadConfig")
        if self._unless(Faults.ALREADY_ADDED, "addProcessGroup", JOB):
            return True
        return self._unless(Faults.ALREADY_STARTED, "startProcess", JOB, False)

    def runs_job(self) -> bool:
        """Whether the job in the background runs, or is about to run again."""
        try:
            return bool(self._call("getProcessInfo", JOB)["statename"] in ("STARTING", "RUNNING", "BACKOFF"))
        except (OSError, xmlrpc.client.Error):
            return False

    def add(self, service: Service) -> None:
        """Start a service under the supervisor. A running one of the same name is stopped first."""
        write_private(self._state.conf_d / f"{service.name}.sh", script(service, self._state))
        write_private(self._state.conf_d / f"{service.name}.conf", program(service))
        self._forget(service.name)
        if service.forgets:  # by its script too, but a file by which the former one was ready must be gone at once
            subprocess.run(["/bin/sh", "-c", service.forgetting], check=True)
        self._call("reloadConfig")
        self._unless(Faults.ALREADY_ADDED, "addProcessGroup", service.name)

    def remove(self, name: str) -> None:
        """Stop a service and remove it from the supervisor. Does nothing if there is no such service."""
        (self._state.conf_d / f"{name}.conf").unlink(missing_ok=True)
        with suppress(OSError):  # supervisord is gone
            self._forget(name)
        (self._state.conf_d / f"{name}.sh").unlink(missing_ok=True)

    def restart(self, name: str) -> None:
        """Stop and start a service. Raises LakehouseError if supervisord is down or has no such service."""
        try:
            self._unless(Faults.NOT_RUNNING, "stopProcess", name, True)
            self._call("startProcess", name, True)
        except OSError as error:
            raise LakehouseError("The lakehouse does not run. `lakehouse deploy` starts it.") from error
        except xmlrpc.client.Fault as fault:
            raise LakehouseError(f"{name} could not be restarted: {fault.faultString}") from fault

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a service. Raises LakehouseError if it does not run."""
        try:
            self._call("signalProcess", name, signal)
        except (OSError, xmlrpc.client.Fault) as error:
            raise LakehouseError(f"{name} does not run. `lakehouse deploy` starts it.") from error

    def halt(self, name: str) -> None:
        """Stop a service. Only :meth:`restart` starts it again."""
        self._unless(Faults.NOT_RUNNING, "stopProcess", name, True)

    def _forget(self, name: str) -> None:
        # A process that has just ended is not stopped, and may start again before it is removed: then once more.
        while self._unless(Faults.BAD_NAME, "stopProcessGroup", name, True):
            if self._unless(Faults.STILL_RUNNING, "removeProcessGroup", name):
                return

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call the supervisor's interface.

        Raises OSError if it is down or hangs, xmlrpc.client.Fault if it refuses.
        """
        transport = _Transport(str(self._state.socket), _ANSWER_SECONDS if method in _QUESTIONS else None)
        with closing(transport):
            proxy = xmlrpc.client.ServerProxy("http://localhost", transport)
            return getattr(proxy.supervisor, method)(*arguments)

    def _unless(self, expected: int, method: str, *arguments: Any) -> bool:
        """As :meth:`_call`. Returns False if the supervisor refuses with the ``expected`` fault, else True."""
        try:
            self._call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != expected:
                raise
            return False
        return True


def program(service: Service) -> str:
    """supervisord's configuration of a service."""
    return _PROGRAM.format(name=service.name, signal=service.stop_signal, stop=service.stop_seconds)


def _watch() -> str:
    """The script that starts the watcher of the disk."""
    sources = shlex.quote(str(Path(lakehouse.__file__).parents[1]))
    return f"export PYTHONPATH={sources}\nexec {shlex.quote(sys.executable)} -m lakehouse.runtimes.process.watch\n"


def script(service: Service, state: State) -> str:
    """The script that starts the service: its folder, its environment and its command, which replaces the shell."""
    environment = surroundings.environment(service, state)
    environment |= {"LAKEHOUSE_STATE": str(state.root), "LAKEHOUSE_SERVICE": service.name}
    folder = service.directory or str(state.config(service.name))
    return "\n".join(
        (
            f"cd {shlex.quote(folder)} || exit",
            *(f"export {key}={shlex.quote(value)}" for key, value in sorted(environment.items())),
            *filter(None, (surroundings.later(service),)),
            *((service.forgetting,) if service.forgets else ()),
            f"exec {shlex.join(service.command)}\n",
        )
    )


def _exists(pid: int) -> bool:
    """Whether the process runs. A zombie has stopped, although nothing has reaped it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
