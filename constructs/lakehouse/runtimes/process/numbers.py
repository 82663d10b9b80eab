"""``python -m lakehouse.runtimes.process.numbers FILE``: the toolkit's own metrics, in Prometheus' text format.

Whether each service answers is asked at each request. Tables and pipelines are looked at now and then, by the command
line as a program of its own: it needs memory only while it looks. Its answer is kept in the service's data folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import owner, runs
from lakehouse.runtimes.priority import lowest
from lakehouse.runtimes.probe import Asked, ready
from lakehouse.runtimes.process import databases
from lakehouse.runtimes.process.databases import AskedDatabase
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Probe
from lakehouse.text.metrics import Family, text

NAME = "lakehouse-metrics"
_LOOKS = {"tables": ("metrics", "--prometheus"), "pipelines": ("pipelines", "status", "--prometheus")}
_LONGEST = 3600  # seconds of one look


@dataclass(frozen=True)
class AskedService:
    """A service, and how it is asked whether it is ready."""

    name: str
    role: str
    probe: Probe
    asked: Asked


@dataclass(frozen=True)
class NumbersSettings:
    """The content of the service's file."""

    address: str
    port: int
    looks: Mapping[str, int]  # what is looked at -> seconds between two looks
    seconds: float  # until a service that does not answer counts as down
    services: tuple[AskedService, ...]
    scheduled: bool = False  # the stack has a schedule
    databases: tuple[AskedDatabase, ...] = ()

    @classmethod
    def read(cls, path: Path, state: State) -> NumbersSettings:
        raw = json.loads(path.read_text())
        some = tuple(_watched(each, state) for each in raw["services"])
        asked = tuple(AskedDatabase(**each) for each in raw.get("databases", ()))
        return cls(raw["address"], raw["port"], raw["looks"], raw["seconds"], some, raw.get("scheduled", False), asked)


def _watched(raw: Mapping[str, Any], state: State) -> AskedService:
    probe = Probe(**{**raw["probe"], "command": tuple(raw["probe"]["command"])})
    return AskedService(raw["name"], raw["role"], probe, Asked(state.config(raw["name"]), raw["host"]))


def of_services(services: Sequence[AskedService], seconds: float) -> Iterator[Family]:
    """Whether each service answers as it does when it is ready, and how long that took."""

    def one(each: AskedService) -> tuple[bool, float]:
        began = time.monotonic()
        return ready(each.probe, each.asked, seconds), time.monotonic() - began

    with ThreadPoolExecutor(max(1, len(services))) as pool:
        found = list(pool.map(one, services))
    named = [({"service": each.name, "role": each.role}, *answer) for each, answer in zip(services, found, strict=True)]
    yield Family("lakehouse_service_up", "Whether the service answers", [(at, float(up)) for at, up, _ in named])
    yield Family("lakehouse_service_answer_seconds", "Seconds until its answer", [(at, took) for at, _, took in named])


def of_disk(folder: Path) -> Iterator[Family]:
    """The disk of the state folder. A file system without a limit of its files has none here."""
    room = os.statvfs(folder)
    yield Family("lakehouse_disk_free_bytes", "Free bytes of the disk", [({}, room.f_bavail * room.f_frsize)])
    yield Family("lakehouse_disk_size_bytes", "Size of the disk", [({}, room.f_blocks * room.f_frsize)])
    if room.f_files:
        yield Family("lakehouse_disk_free_inodes", "Files that can still be made", [({}, room.f_favail)])
        yield Family("lakehouse_disk_inodes", "Files that the disk can have", [({}, room.f_files)])


def of_certificates(folder: Path) -> Iterator[Family]:
    """The end of each certificate in the folder of a stack's certificates."""
    paths = sorted(folder.glob("*/certificate.pem"))
    if not paths:
        return
    from cryptography.x509 import load_pem_x509_certificate  # most stacks have none

    ends = [({"certificate": each.parent.name}, load_pem_x509_certificate(each.read_bytes())) for each in paths]
    yield Family(
        "lakehouse_certificate_end_timestamp_seconds",
        "When the certificate ends",
        [(at, each.not_valid_after_utc.timestamp()) for at, each in ends],
    )


class Looks:
    """What the command line said last of the tables, or of the pipelines."""

    def __init__(self, state: State, name: str, seconds: float) -> None:
        self._state, self._name, self._seconds = state, name, seconds
        self._file = state.data(NAME) / f"{name}.prom"
        self._well: bool | None = None
        self._took = 0.0

    def families(self) -> Iterator[Family]:
        """Whether the last look went well, and when it was."""
        name = self._name
        if self._well is not None:
            yield Family(f"lakehouse_{name}_read_success", f"Whether the last look at all {name} went well",
                         [({}, float(self._well))])  # fmt: skip
            yield Family(f"lakehouse_{name}_read_seconds", "Seconds of the last look", [({}, self._took)])
        try:
            at = self._file.stat().st_mtime
        except OSError:
            return
        yield Family(f"lakehouse_{name}_read_timestamp_seconds", f"When {name} were read", [({}, at)])

    def text(self) -> str:
        """The metrics; empty if there never were any."""
        try:
            return self._file.read_text()
        except OSError:
            return ""

    def look(self) -> None:
        """Look at all. Those that cannot be read are named in the log, and the others have new metrics."""
        began = time.monotonic()
        try:
            mark = owner.read(self._state.root)
            if mark is None:
                return  # the first deploy has not ended
            command = (sys.executable, "-P", "-m", "bootstrap", "--file", mark.file, "--stack", mark.stack)
            done = subprocess.run(
                (*command, *_LOOKS[self._name]), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=_LONGEST, check=False, preexec_fn=lowest,
            )  # fmt: skip
        except (OSError, LakehouseError, subprocess.TimeoutExpired) as error:
            self._well = False
            print(f"{self._name}: {error}", flush=True)
            return
        self._well, self._took = done.returncode == 0, time.monotonic() - began
        if done.stderr:
            print(done.stderr.strip()[-4000:], flush=True)
        if done.stdout:
            write_private(self._file, done.stdout)

    def run(self) -> None:
        while True:
            self.look()
            time.sleep(self._seconds)


class _Handler(BaseHTTPRequestHandler):
    state: ClassVar[State]
    settings: ClassVar[NumbersSettings]
    looks: ClassVar[Sequence[Looks]]

    def do_GET(self) -> None:
        match self.path:
            case "/metrics":
                families = chain(
                    of_services(self.settings.services, self.settings.seconds),
                    of_disk(self.state.root),
                    of_certificates(self.state.root / "certificates"),
                    *(each.families() for each in self.looks),
                    databases.families(self.settings.databases, self.state.secret, self.settings.seconds)
                    if self.settings.databases
                    else (),
                    runs.families(self.state) if self.settings.scheduled else (),
                )
                self._answer("\n".join((*text(families), *(each.text() for each in self.looks))))
            case "/health":
                self._answer("OK\n")
            case _:
                self.send_error(404)

    def _answer(self, content: str) -> None:
        body = content.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing of each request."""


def serve(state: State, settings: NumbersSettings, looks: Sequence[Looks]) -> ThreadingHTTPServer:
    """The server, which listens from now on."""
    handler = type("Handler", (_Handler,), {"state": state, "settings": settings, "looks": looks})
    return ThreadingHTTPServer((settings.address, settings.port), handler)


def main(arguments: Sequence[str] | None = None) -> None:
    (path,) = sys.argv[1:] if arguments is None else arguments
    state = State(Path(os.environ["LAKEHOUSE_STATE"]))
    settings = NumbersSettings.read(Path(path), state)
    looks = [Looks(state, name, seconds) for name, seconds in settings.looks.items()]
    for each in looks:
        threading.Thread(target=each.run, daemon=True).start()
    serve(state, settings, looks).serve_forever()


if __name__ == "__main__":
    main()
