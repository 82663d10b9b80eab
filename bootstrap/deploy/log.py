"""The log of a deploy, with all that the app, Terraform and the steps print: where it is, and what is read of it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.events import Event, EventKind
from lakehouse.runtimes.state import folder
from lakehouse.text.terminal import shown

_KEPT = 10  # logs of a stack
_ROOM = 256 << 10  # bytes that the log and what the app writes may need
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")
_FRAME = re.compile(r"^\s*[│╷╵]\s?")

# Terraform's lines: https://developer.hashicorp.com/terraform/tutorials/state/resource-lifecycle
_RESOURCE = re.compile(
    r"(?P<address>[\w-]+\.[\w.\[\]\"/-]+)(?: \([^)]*\))?: "
    r"(?P<what>Creating\.\.\.|Modifying\.\.\.|Destroying\.\.\.|"
    r"(?:Creation|Modifications|Destruction) complete after \S+)"
)
_PLAN = re.compile(r"Plan: (?:\d+ to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy")
_PLANNED = re.compile(
    r"# (?P<address>\S+)(?: \([^)]*\))? (?P<action>will be (?:created|updated in-place|destroyed|replaced)|"
    r"must be replaced|is tainted, so must be replaced)"
)
_ACTIONS = {
    "will be created": "create",
    "will be updated in-place": "change",
    "will be destroyed": "destroy",
    "will be replaced": "replace",
    "must be replaced": "replace",
    "is tainted, so must be replaced": "replace",
}
_SERVICE = re.compile(r"docker_container\.docker_(?P<name>.+)_[0-9A-F]{8}")
_IMAGE = re.compile(r"docker_image\.docker_(?P<name>.+)_[0-9A-F]{8}")
_LOCKED = re.compile(r"(\S+ is locked by another deploy .*)")


@dataclass(frozen=True)
class Counted:
    """Resources that Terraform plans to change (``of``), or one that it has changed (``done``)."""

    done: int = 0
    of: int = 0


@dataclass(frozen=True)
class Waiting:
    """Another deploy has the lock; ``text`` says which."""

    text: str


Said = Event | Counted | Waiting


def place(file: Path, stack: str) -> Path:
    """The folder of the stack's logs of deploys: beside its state folder, which must be empty before the first one."""
    return folder(file, stack).parent


def create(file: Path, stack: str, action: str) -> Path:
    """Create the log of a run, readable by its owner only, and remove the oldest ones.

    Raises LakehouseError if it cannot be written: on a full disk the run itself could not say what is wrong.
    """
    where = place(file, stack)
    began = time.strftime("%Y%m%d-%H%M%S")
    try:
        where.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(".log", f"{stack}.{action}.{began}-", where)  # with mode 0600
        os.close(descriptor)
        if shutil.disk_usage(where).free < _ROOM:
            Path(path).unlink()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise LakehouseError(f"The log of this run cannot be written to {where}: {error.strerror}.") from error
    for old in kept(file, stack)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return Path(path)


def kept(file: Path, stack: str) -> list[Path]:
    """The stack's logs of deploys, the oldest first."""
    logs = []
    for path in place(file, stack).glob(f"{stack}.*.log"):
        with suppress(OSError):  # removed by another deploy
            logs.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(logs)]


def clean(path: Path, redact: Callable[[str], str]) -> None:
    """Black out secrets in a log that is complete. A failed service's own last lines are part of it."""
    with suppress(OSError):
        text, was = path.read_text(errors="replace"), path.stat()
        if (safe := redact(text)) != text:
            path.write_text(safe)
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))  # its place among the others


def clean_former(file: Path, stack: str, redact: Callable[[str], str]) -> None:
    """The same for the logs of all runs that have ended: a command that was killed has not done it."""
    for path in kept(file, stack):
        with suppress(OSError), path.open("rb") as log:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while a run writes it
            clean(path, redact)


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """The log, to be written. It is locked as long as this process or one that inherits the file has it open."""
    with path.open("ab") as log:
        with suppress(OSError):  # some file systems have no locks; then no later run touches it either
            fcntl.flock(log, fcntl.LOCK_EX)
        yield log


def plain(line: str) -> str:
    """A line without colours and cursor movements."""
    return _ESCAPES.sub("", line).rstrip()


def said(line: str) -> Iterator[Said]:
    """What a line of the log says about the run."""
    text = plain(line)
    if found := _LOCKED.search(text):
        yield Waiting(found[1])
    elif found := _PLAN.search(text):
        yield Counted(of=sum(map(int, found.groups())))
    elif found := _RESOURCE.search(text):
        complete = "complete" in found["what"]
        yield from _of_docker(found["address"], found["what"])
        if complete:
            yield Counted(done=1)


def _of_docker(address: str, what: str) -> Iterator[Event]:
    """The provider makes and removes containers; what runs on this machine otherwise tells by itself."""
    kinds: dict[str, EventKind] = {"Creating...": "started", "Destroying...": "stopping"}
    kind: EventKind | None = "stopped" if what.startswith("Destruction complete") else kinds.get(what)
    if kind and (found := _SERVICE.match(address)):
        yield Event(kind, found["name"], at=time.time())
    elif kind == "started" and (found := _IMAGE.match(address)):
        yield Event("step", text=found["name"].replace("image-", "the image "), at=time.time())


def errors(lines: Iterable[str], most: int = 25) -> list[str]:
    """The first error in the log, as lines without frames: at most ``most``."""
    cleaned = [_FRAME.sub("", plain(text)) for text in lines]
    begins = [n for n, text in enumerate(cleaned) if re.search(r"\bError: |\berror: ", text)]
    if not begins:
        return [shown(text) for text in cleaned if text.strip()][-most:]
    return [shown(text) for text in cleaned[begins[0] :] if text.strip()][:most]


def planned(lines: Iterable[str]) -> list[tuple[str, str]]:
    """What Terraform plans: for each resource its address, and ``create``, ``change``, ``replace`` or ``destroy``."""
    found = filter(None, (_PLANNED.search(plain(line)) for line in lines))
    return [(each["address"], _ACTIONS[each["action"]]) for each in found]


def unchanged(lines: Iterable[str]) -> bool:
    """Whether Terraform found nothing to do."""
    return any("No changes." in line for line in lines)
