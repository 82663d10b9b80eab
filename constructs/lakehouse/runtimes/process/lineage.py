"""``python -m lakehouse.runtimes.process.lineage FILE``: takes the events of engines, and sends them on.

Each event gets the names that `lakehouse metadata` publishes (:mod:`lakehouse.text.openlineage`). Then it is a line of
a file, or it waits in a database of the service's data folder until the server has taken it, in the order of arrival:
engines send each event once, and do not wait.
"""

from __future__ import annotations

import hmac
import json
import os
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Protocol

from lakehouse.errors import LakehouseError
from lakehouse.text.metrics import Family, text
from lakehouse.text.openlineage import PATH, DatasetNames, Joiner
from lakehouse.text.private import token

_SECONDS = 30  # of one request to the server
_LONGEST = 60.0  # seconds between two tries
_ROOM = 2**30  # bytes of events that wait at most
_BYTES = 32 * 2**20  # of one event
# Answers by which a server refuses that event. All others are about the server, which may take it later.
_REFUSALS = (400, 413, 422)


@dataclass(frozen=True)
class LineageSettings:
    """The content of the service's files. ``key`` is what engines show; ``token`` is the user's file with what the
    server asks for, which is read again for each event.
    """

    address: str
    port: int
    names: DatasetNames
    key: str
    url: str = ""
    file: str = ""
    token: Path | None = None

    @classmethod
    def read(cls, path: Path) -> LineageSettings:
        raw = json.loads(path.read_text())
        token = Path(raw["token"]) if raw.get("token") else None
        key = (path.parent / raw["key"]).read_text().strip()
        names = DatasetNames.read(raw["names"])
        return cls(raw["address"], raw["port"], names, key, raw.get("url", ""), raw.get("file", ""), token)


class Events(Protocol):
    """Where events go."""

    def add(self, event: str) -> bool:
        """Keep an event. False: there is no room."""

    @property
    def waiting(self) -> int: ...

    @property
    def refused(self) -> int: ...


class InFile:
    """A file with one event in each line."""

    waiting = 0
    refused = 0

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = path, threading.Lock()

    def add(self, event: str) -> bool:
        with self._lock, open(self._path, "a", opener=_private) as out:
            out.write(f"{event}\n")
        return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class ToServer:
    """Events that wait until a server has taken them. They outlive this process."""

    def __init__(self, path: Path, url: str, token: Path | None) -> None:
        self._url, self._token = url, token
        self._lock, self._more = threading.Lock(), threading.Event()
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA auto_vacuum = FULL")  # a server that is back gives the disk back, too
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT)")
        # Counted here: the database would read all events for it, and Trino's statements wait meanwhile.
        found = self._base.execute("SELECT count(*), coalesce(sum(length(event)), 0) FROM events").fetchone()
        self.waiting, self._size = map(int, found)
        self.refused = 0

    def add(self, event: str) -> bool:
        with self._lock:
            if self._size + len(event) > _ROOM:
                return False
            self._base.execute("INSERT INTO events (event) VALUES (?)", (event,))
            self.waiting, self._size = self.waiting + 1, self._size + len(event)
        self._more.set()
        return True

    def send(self) -> bool:
        """Send the oldest one. Returns whether that is done: it was sent or refused, or none waits."""
        self._more.clear()
        with self._lock:
            found = self._base.execute("SELECT id, event FROM events ORDER BY id LIMIT 1").fetchone()
        if found is None:
            return True
        number, event = found
        try:
            code, said = self._post(event)
        except (OSError, HTTPException, LakehouseError) as error:
            print(f"{self._url}: {error}", flush=True)
            return False
        if code >= 300:
            print(f"{self._url} answers {code}: {said}", flush=True)
            if code not in _REFUSALS:
                return False
            self.refused += 1
        with self._lock:
            self._base.execute("DELETE FROM events WHERE id = ?", (number,))
            self.waiting, self._size = self.waiting - 1, self._size - len(event)
        return True

    def run(self) -> None:
        """Send all, and those that come. A server that takes none is asked again, ever more seldom."""
        pause = 1.0
        while True:
            try:
                sent = self.send()
            except sqlite3.Error as error:  # as of a full disk, which may have room again
                print(f"the events that wait: {error}", flush=True)
                sent = False
            if sent:
                pause = 1.0
                if not self.waiting:
                    self._more.wait(_LONGEST)
            else:
                time.sleep(pause)
                pause = min(_LONGEST, 2 * pause)

    def _post(self, event: str) -> tuple[int, str]:
        """The server's answer: its code, and what it says if that is an error."""
        headers = {"Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {token(self._token, f'lineage.token: {self._token}', 'token')}"
        request = urllib.request.Request(self._url, event.encode(), headers, method="POST")  # noqa: S310 - of the file
        try:
            with _OPENER.open(request, timeout=_SECONDS) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(500).decode(errors="replace").strip()


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the event would be lost, because the next request is a GET."""

    def redirect_request(self, *args: Any, **named: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Straight)


class _Handler(BaseHTTPRequestHandler):
    timeout = 30  # seconds until a connection on which nothing comes is closed
    key: ClassVar[str]
    events: ClassVar[Events]
    joiner: ClassVar[Joiner]
    counted: ClassVar[dict[str, int]]

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        shown = self.headers.get("Authorization") or ""
        if not hmac.compare_digest(shown.encode(), f"Bearer {self.key}".encode()):
            self._answer(401, "This is for the engines of the stack.\n")
        elif self.path != PATH:
            self._answer(404, f"Events go to {PATH}.\n")
        elif not 0 < size <= _BYTES:
            self._answer(413, f"An event has 1 to {_BYTES} bytes.\n")
        else:
            self._take(self.rfile.read(size))

    def _take(self, body: bytes) -> None:
        try:
            event = self.joiner.joined(json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            print(f"not an event: {error!r}", flush=True)
            self._answer(400, "This is no event of OpenLineage.\n")
            return
        why = f"{self.events.waiting} events wait, and no more than {_ROOM} bytes may"
        try:
            kept = self.events.add(json.dumps(event, separators=(",", ":")))
        except (OSError, sqlite3.Error) as error:
            kept, why = False, str(error)
        self.counted["received" if kept else "lost"] += 1
        if kept:
            self._answer(201, "")
        else:
            print(f"an event is lost: {why}", flush=True)
            self._answer(507, "There is no room for it.\n")  # after a 503, engines would ask again a second later

    def do_GET(self) -> None:
        match self.path:
            case "/metrics":
                self._answer(200, "\n".join(text(families(self.events, self.counted))) + "\n")
            case "/health":
                self._answer(200, "OK\n")
            case _:
                self._answer(404, "")

    def _answer(self, code: int, content: str) -> None:
        body = content.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if code >= 400:
            self.send_header("Connection", "close")  # the rest of a request that was not read is no request
        with suppress(ConnectionError):  # an engine that has not waited for the answer; its event is kept
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing of each request."""


def families(events: Events, counted: Mapping[str, int]) -> Sequence[Family]:
    """Its metrics, since its start."""
    return (
        Family("lakehouse_lineage_received", "Events of engines", [({}, counted["received"])]),
        Family("lakehouse_lineage_waiting", "Events that the server has not taken", [({}, events.waiting)]),
        Family("lakehouse_lineage_refused", "Events that the server refused", [({}, events.refused)]),
        Family("lakehouse_lineage_lost", "Events for which there was no room", [({}, counted["lost"])]),
    )


def serve(settings: LineageSettings, events: Events, further: Sequence[str] = ()) -> ThreadingHTTPServer:
    """The server, which listens from now on. At ``further`` addresses, threads serve the same."""
    counted = {"received": 0, "lost": 0}
    shared = {"key": settings.key, "joiner": Joiner(settings.names), "events": events, "counted": counted}
    handler = type("Handler", (_Handler,), shared)
    server = ThreadingHTTPServer((settings.address, settings.port), handler)
    for address in further:
        beside = ThreadingHTTPServer((address, server.server_port), handler)
        threading.Thread(target=beside.serve_forever, daemon=True).start()
    return server


def main(arguments: Sequence[str] | None = None, further: Sequence[str] = ()) -> None:
    file, data = sys.argv[1:] if arguments is None else arguments
    settings = LineageSettings.read(Path(file))
    if settings.file:
        serve(settings, InFile(Path(settings.file)), further).serve_forever()
        return
    events = ToServer(Path(data) / "events.sqlite", settings.url, settings.token)
    threading.Thread(target=events.run, daemon=True).start()
    serve(settings, events, further).serve_forever()


if __name__ == "__main__":
    main()
