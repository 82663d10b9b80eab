"""``python -m lakehouse.runtimes.training``: makes the class archives that are missing.

It starts a separate lakehouse in a temporary folder and on free ports, fills it, verifies it and stops it. The archives
are made from what its JVMs recorded. This is done once for each set of packages, by default in the background after the
first deploy (``lakehouse.runtimes.preparing``). Without archives everything works, but starts more slowly.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from lakehouse import project
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import processes
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.process import archives, priority, steps
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.services.service import LOOPBACK, Service
from lakehouse.spec import Lakehouse, LocalStack, load
from lakehouse.spec.ports import ports

_STACK, _FILE = "training", "lakehouse.yaml"
_PATIENCE = 3600  # seconds in which a service may start, and write its record, at the lowest priority
_SCRATCH = ".training-"  # the beginning of its folders' names, beside the archives
_WORDS = ("apply", "verify")  # the `lakehouse` commands to run, so that every engine writes and reads


class Teller:
    """Tells how far the training is. This one prints it for a user who waits."""

    in_background = False  # whether everything runs at the lowest priority

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def does(self, what: str, folder: Path | None = None) -> None:
        """What it does now, and the folder that must be removed if it is killed."""


def train(lakehouse: Lakehouse, stack: str, path: Path, teller: Teller | None = None) -> None:
    """Make the missing archives of the stack's services. Tells of each failure, and raises nothing."""
    told = teller or Teller()
    began = time.monotonic()
    try:
        services = locate(lakehouse, stack, path).services  # without jobs, which run once
        if not archives.missing(services):
            return
        archives.folder().mkdir(parents=True, exist_ok=True)
        with _alone(told):
            if lacking := archives.missing(services):
                _train(lakehouse, stack, path, lacking, told, began)
    except (LakehouseError, OSError, psutil.Error, xmlrpc.client.Error) as error:
        told.say(f"  not prepared, so the lakehouse starts more slowly: {error}")


def _train(
    lakehouse: Lakehouse,
    stack: str,
    path: Path,
    lacking: Mapping[Path, tuple[Service, ...]],
    told: Teller,
    began: float,
) -> None:
    told.say(f"preparing faster starts, once: {', '.join(sorted(each.stem for each in lacking))}")
    with tempfile.TemporaryDirectory(dir=archives.folder(), prefix=_SCRATCH, ignore_cleanup_errors=True) as scratch:
        told.does("recording the classes that a second lakehouse loads", Path(scratch))
        records = Path(scratch) / "records"
        records.mkdir()
        local = _separate(lakehouse, stack, Path(scratch))
        names = {each.name for group in lacking.values() for each in group}
        services = [archives.recording(each, records) if each.name in names else each for each in local.everything]
        if told.in_background:
            services = [_patient(each, records=each.name in names) for each in services]
        with _running(services, local, told):
            _work(Path(scratch) / _FILE, told)
        told.say(f"  recorded, {time.monotonic() - began:.0f} s")
        told.does(f"making {len(lacking)} archives from the record", Path(scratch))
        with ThreadPoolExecutor(2) as pool:  # each takes one core, and Spark's 1.2 GB
            list(pool.map(lambda each: _create(each, lacking[each], records, told), lacking))


def _patient(service: Service, *, records: bool) -> Service:
    """The service where others may have the processor for a long time. One that ``records`` does it when it stops."""
    stop = _PATIENCE if records else service.stop_seconds
    return replace(service, probe=replace(service.probe, patience=_PATIENCE), stop_seconds=stop)


@contextmanager
def _alone(told: Teller) -> Iterator[None]:
    """Wait until no other process of this user makes archives, then remove what killed ones have left behind."""
    with archives.folder().with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told.say("waiting for another process that prepares faster starts")
            told.does("waiting for another lakehouse that makes some")
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in archives.folder().glob(f"{_SCRATCH}*"):
            processes.kill_below(left)
            shutil.rmtree(left, ignore_errors=True)
        yield


def repair(lakehouse: Lakehouse, path: Path) -> None:
    """Read the archives of all local stacks, and make the damaged ones again."""
    for name in _stacks(lakehouse):
        if damaged := archives.damaged(locate(lakehouse, name, path).services):
            for archive, why in damaged.items():
                Teller().say(f"{why}: rebuilding it")
                archives.remove(archive)
            train(lakehouse, name, path)


def _stacks(lakehouse: Lakehouse) -> list[str]:
    """The stacks whose services are processes, because containers have no archives."""
    stacks = lakehouse.stacks.items()
    return [name for name, each in stacks if isinstance(each, LocalStack) and each.runtime == "process"]


def _separate(lakehouse: Lakehouse, stack: str, folder: Path) -> Local:
    """A stack with the same services and with empty catalogs, in a separate folder and on free ports."""
    there = lakehouse.stacks[stack]
    assert isinstance(there, LocalStack)
    content: dict[str, Any] = lakehouse.model_dump(mode="json", exclude_unset=True, exclude={"access"})
    for catalog in content["catalogs"].values():
        catalog.pop("namespaces", None)
    names = ports(lakehouse, stack)
    numbers = dict(zip(names, _free(len(names)), strict=True))
    kinds = there.model_dump(mode="json", include={"store", "catalogs"})
    content["stacks"] = {_STACK: {"runtime": "process", **kinds, "ports": numbers}}
    file = folder / _FILE
    with file.open("w") as out:
        YAML(typ="safe").dump(content, out)
    return locate(load(file), _STACK, file)


def _work(file: Path, told: Teller) -> None:
    for word in _WORDS:
        command = [sys.executable, "-m", "bootstrap", "--file", str(file), "--stack", _STACK, word]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            told.say(f"  {word} failed there: {(done.stderr or done.stdout).strip()[-300:]}")


@contextmanager
def _running(services: Sequence[Service], local: Local, told: Teller) -> Iterator[None]:
    """Start the services in the order of their needs. At the end, stop them with enough time to write their records."""
    state = local.state
    steps.preflight(state, services, local.claim)
    try:
        steps.supervisor_up(state, "training")
        if told.in_background:
            priority.lowest_session(Supervisor(state).pid())
        with ThreadPoolExecutor(len(services)) as pool:
            for wave in _waves(services):
                list(pool.map(lambda each: steps.service_up(state, each, Incarnation.new(_STACK)), wave))
        yield
        with ThreadPoolExecutor(len(services)) as pool:
            for wave in reversed(list(_waves(services))):
                list(pool.map(lambda each: steps.service_down(state, each.name), wave))
    except BaseException:
        processes.kill_below(state.root)  # their records are of no use, so nothing waits until they are written
        raise
    finally:
        steps.supervisor_down(state)


def _waves(services: Sequence[Service]) -> Iterator[list[Service]]:
    """The services in groups, each after those that it needs. The services of a group can start at the same time."""
    up: set[str] = set()
    while len(up) < len(services):
        wave = [each for each in services if each.name not in up and up.issuperset(each.needs)]
        yield wave
        up |= {each.name for each in wave}


def _free(count: int) -> list[int]:
    """``count`` free ports of the loopback address."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in held]


def _create(archive: Path, services: tuple[Service, ...], records: Path, told: Teller) -> None:
    began = time.monotonic()
    try:
        archives.create(archive, services, records)
    except (LakehouseError, OSError) as error:
        told.say(f"  {archive.stem}: not prepared, so it starts more slowly: {error}")
    else:
        told.say(f"  {archive.stem}: {archive.stat().st_size / 1e6:,.0f} MB, {time.monotonic() - began:.0f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lakehouse.runtimes.training", description=__doc__)
    parser.add_argument("--file", type=Path, help="lakehouse.yaml [default: as for every command]")
    options = parser.parse_args(arguments)
    try:
        path = project.file(options.file)
        lakehouse = load(path)
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    try:
        for name in _stacks(lakehouse):
            train(lakehouse, name, path)
    except KeyboardInterrupt:
        print("interrupted; the next set-up prepares it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
