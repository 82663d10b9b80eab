"""``python -m lakehouse.runtimes.process.numbers FILE``: the toolkit's own metrics, in Prometheus' text format.

Whether each service answers is asked at each request. The tables are read now and then, by `lakehouse metrics` as a
program of its own: it needs memory only while it reads. Its answer is kept in the service's data folder.
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
from lakehouse.runtimes.probe import Asked, ready
from lakehouse.runtimes.process.priority import lowest
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Probe
from lakehouse.text.metrics import Family, text

NAME = "lakehouse-metrics"
_TABLES = "tables.prom"
_LONGEST = 3600  # seconds of one look at the tables


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
    minutes: int
    seconds: float  # until a service that does not answer counts as down
    services: tuple[AskedService, ...]
    scheduled: bool = False  # the stack has a schedule

    @classmethod
    def read(cls, path: Path, state: State) -> NumbersSettings:
        raw = json.loads(path.read_text())
        some = tuple(_watched(each, state) for each in raw["services"])
        return cls(raw["address"], raw["port"], raw["minutes"], raw["seconds"], some, raw.get("scheduled", False))


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


class TableNumbers:
    """What `lakehouse metrics` said last."""

    def __init__(self, state: State, seconds: float) -> None:
        self._state, self._seconds = state, seconds
        self._file = state.data(NAME) / _TABLES
        self._well: bool | None = None
        self._took = 0.0

    def families(self) -> Iterator[Family]:
        """Whether the last look went well, and when it was."""
        if self._well is not None:
            yield Family("lakehouse_tables_read_success", "Whether the last look at all tables went well",
                         [({}, float(self._well))])  # fmt: skip
            yield Family("lakehouse_tables_read_seconds", "Seconds of the last look", [({}, self._took)])
        try:
            at = self._file.stat().st_mtime
        except OSError:
            return
        yield Family("lakehouse_tables_read_timestamp_seconds", "When tables were read", [({}, at)])

    def text(self) -> str:
        """The metrics of the tables; empty if they were never read."""
        try:
            return self._file.read_text()
        except OSError:
            return ""

    def look(self) -> None:
        """Read all tables. Those that cannot be read are named in the log, and the others have new metrics."""
        began = time.monotonic()
        try:
            mark = owner.read(self._state.root)
            if mark is None:
                return  # the first deploy has not ended
            command = (sys.executable, "-P", "-m", "bootstrap", "--file", mark.file, "--stack", mark.stack)
            done = subprocess.run(
                (*command, "metrics", "--prometheus"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=_LONGEST, check=False, preexec_fn=lowest,
            )  # fmt: skip
        except (OSError, LakehouseError, subprocess.TimeoutExpired) as error:
            self._well = False
            print(f"tables: {error}", flush=True)
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
    tables: ClassVar[TableNumbers]

    def do_GET(self) -> None:
        match self.path:
            case "/metrics":
                families = chain(
                    of_services(self.settings.services, self.settings.seconds),
                    of_disk(self.state.root),
                    of_certificates(self.state.root / "certificates"),
                    self.tables.families(),
                    runs.families(self.state) if self.settings.scheduled else (),
                )
                self._answer("\n".join((*text(families), self.tables.text())))
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


def serve(state: State, settings: NumbersSettings, tables: TableNumbers) -> ThreadingHTTPServer:
    """The server, which listens from now on."""
    handler = type("Handler", (_Handler,), {"state": state, "settings": settings, "tables": tables})
    return ThreadingHTTPServer((settings.address, settings.port), handler)


def main(arguments: Sequence[str] | None = None) -> None:
    (path,) = sys.argv[1:] if arguments is None else arguments
    state = State(Path(os.environ["LAKEHOUSE_STATE"]))
    settings = NumbersSettings.read(Path(path), state)
    tables = TableNumbers(state, settings.minutes * 60)
    threading.Thread(target=tables.run, daemon=True).start()
    serve(state, settings, tables).serve_forever()


if __name__ == "__main__":
    main()
