"""Builds programs that are available only as Go modules (:mod:`lakehouse.packages.programs`), once per cache."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, manifest, set_up
from lakehouse.packages.programs import FLAGS, MODULES, directive
from lakehouse.packages.progress import report

PACKAGE = "go-1.26.6"  # in the catalogue
_AS_IT_IS = {"GOTOOLCHAIN": "local", "GOROOT": ""}  # Go must not fetch another Go by itself


def build(name: str) -> Path:
    """The program that ``go/NAME`` describes, as one static executable; an existing build is kept.

    Raises LakehouseError if there is no Go for this machine, or if it fails; the message has the end of Go's output.
    """
    target = cached.program(name)
    if _is_whole(target):
        return target
    go = _go(name)
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent.parent / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two simultaneous builds would do the same work twice
        if not _is_whole(target):
            _build(go, name, target)
    return target


def _is_whole(target: Path) -> bool:
    """Whether the program was built and has its recorded size. Builds before sizes were recorded count as complete."""
    return target.is_file() and not manifest.damaged(target.parent, manifest.read(target.parent) or {})


def _go(name: str) -> str:
    """This machine's Go if it is new enough, otherwise the one that comes as a package."""
    found = shutil.which("go")
    if found is not None:
        done = subprocess.run(
            [found, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=os.environ | _AS_IT_IS
        )
        if _numbers(done.stdout) >= _numbers(directive(name, "go")):
            return found
    set_up([PACKAGE])
    return str(cached.location(PACKAGE) / "bin" / "go")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _build(go: str, name: str, target: Path) -> None:
    program = directive(name, "tool")
    environment = os.environ | _AS_IT_IS | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    with (
        report(quiet=False) as tell,
        tempfile.TemporaryDirectory(dir=target.parent.parent, prefix=".building-") as scratch,
    ):
        tell.say(f"building {name} from its Go modules; this takes minutes, once")
        draft = Path(scratch) / target.parent.name / name
        with tell.work(f"{name} by {go}"):
            done = subprocess.run(
                [go, "build", *FLAGS, "-o", draft, program],
                cwd=MODULES / name,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            words = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("go: downloading"))
            raise LakehouseError(f"{name} could not be built from {program}. Go's output:\n{words[-2000:]}")
        manifest.write(draft.parent, to=target.parent)
        shutil.rmtree(target.parent, ignore_errors=True)
        draft.parent.rename(target.parent)
