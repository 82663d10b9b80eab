"""``python -m lakehouse.runtimes.training``: makes the class archives that are missing.

It starts a separate lakehouse in a temporary folder and on free ports, fills it, verifies it and stops it. The archives
are made from what its JVMs recorded. This is done once for each set of packages, or of images, by default in the
background after the first deploy (``lakehouse.runtimes.preparing``). Without archives everything works, but starts more
slowly.
"""

from __future__ import annotations

import argparse
import fcntl
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import psutil
from ruamel.yaml import YAML

from lakehouse import project
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Service
from lakehouse.spec import Lakehouse, LocalStack, load
from lakehouse.spec.ports import ports

_STACK, _FILE = "training", "lakehouse.yaml"
_PATIENCE = 3600  # seconds in which a service may start, and write its record, at the lowest priority
_WORDS = ("apply", "verify")  # the `lakehouse` commands to run, so that every engine writes and reads


Wanted = Mapping[Path, tuple[Service, ...]]  # archives, each with the services that share it


class Way(Protocol):
    """How a runtime records classes and makes archives of them: a module with these functions."""

    SCRATCH: str  # the beginning of the names of its folders, beside the archives

    def missing(self, local: Local) -> Wanted:
        """The archives that the stack's services lack. One-shot jobs have none, because they run once."""

    def damaged(self, local: Local) -> Mapping[Path, str]:
        """The archives that have changed since they were made, each with what is wrong, as text. All are read."""

    def remove(self, archive: Path) -> None:
        """Remove an archive. What has mapped it is not affected."""

    def possible(self, lacking: Wanted, say: Callable[[str], None]) -> Wanted:
        """Those that can be made here. For the others it says why not, and they no longer count as missing."""

    def recording(self, service: Service, records: Path) -> Service:
        """The service with options by which it records its classes in the folder."""

    def begin(self, local: Local, services: Sequence[Service], *, lowest: bool) -> None:
        """Prepare the start of these services, at the ``lowest`` priority."""

    def up(self, local: Local, service: Service, records: Path, *, lowest: bool) -> None:
        """Start a service and wait until it is ready, or run a job to its end."""

    def down(self, local: Local, service: Service) -> None:
        """Stop a service, and wait until it has written its record."""

    def clear(self, folder: Path) -> None:
        """End at once what runs of the lakehouses in the folder."""

    def finish(self, local: Local) -> None:
        """Remove everything of the lakehouse outside its folder."""

    def create(self, local: Local, archive: Path, services: Sequence[Service], records: Path, *, lowest: bool) -> int:
        """Make the archive from what its services recorded. It appears whole. Returns its bytes."""

    def end(self, state: State) -> None:
        """End what the job of this state folder has started. The job itself must have ended, or be the caller."""


def way(runtime: str) -> Way | None:
    """The way of the runtime of that name; None if its services have no archives."""
    match runtime:
        case "process":
            from lakehouse.runtimes.process import training as processes

            return processes
        case "docker":
            from lakehouse.runtimes.docker import training as containers

            return containers
    return None


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
    how = _way(lakehouse, stack)
    if how is None:
        return
    try:
        local = locate(lakehouse, stack, path)
        if not how.missing(local):
            return
        archiving.folder().mkdir(parents=True, exist_ok=True)
        with _alone(how, told):
            if lacking := how.possible(how.missing(local), told.say):
                _train(lakehouse, stack, how, lacking, told, began)
    except (LakehouseError, OSError, psutil.Error, xmlrpc.client.Error) as error:
        told.say(f"  not prepared, so the lakehouse starts more slowly: {error}")


def _train(lakehouse: Lakehouse, stack: str, how: Way, lacking: Wanted, told: Teller, began: float) -> None:
    told.say(f"preparing faster starts, once: {', '.join(sorted(map(_named, lacking)))}")
    with tempfile.TemporaryDirectory(dir=archiving.folder(), prefix=how.SCRATCH, ignore_cleanup_errors=True) as scratch:
        told.does("recording the classes that a second lakehouse loads", Path(scratch))
        records = Path(scratch) / "records"
        records.mkdir()
        local = _separate(lakehouse, stack, Path(scratch))
        java = {each.name: each.java for group in lacking.values() for each in group}
        services = [
            how.recording(replace(each, java=java[each.name]), records) if each.name in java else each
            for each in local.everything
            if not each.outside  # what has no image has no class archive
        ]
        if told.in_background:
            services = [_patient(each, records=each.name in java) for each in services]
        with _running(how, services, local, records, told):
            _work(Path(scratch) / _FILE, told)
        told.say(f"  recorded, {time.monotonic() - began:.0f} s")
        told.does(f"making {len(lacking)} archives from the record", Path(scratch))
        with ThreadPoolExecutor(2) as pool:  # each takes one core, and Spark's 1.2 GB
            list(pool.map(lambda each: _create(how, local, each, lacking[each], records, told), lacking))


def _named(archive: Path) -> str:
    """An archive's name: of containers, that of its folder."""
    return archive.stem if archive.suffix else archive.parent.name


def _patient(service: Service, *, records: bool) -> Service:
    """The service where others may have the processor for a long time. One that ``records`` does it when it stops."""
    stop = _PATIENCE if records else service.stop_seconds
    return replace(service, probe=replace(service.probe, patience=_PATIENCE), stop_seconds=stop)


@contextmanager
def _alone(how: Way, told: Teller) -> Iterator[None]:
    """Wait until no other process of this user makes archives, then remove what killed ones have left behind."""
    with archiving.folder().with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told.say("waiting for another process that prepares faster starts")
            told.does("waiting for another lakehouse that makes some")
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in archiving.folder().glob(f"{how.SCRATCH}*"):
            how.clear(left)
            shutil.rmtree(left, ignore_errors=True)
        yield


def repair(lakehouse: Lakehouse, path: Path) -> None:
    """Read the archives of all local stacks, and make the damaged ones again."""
    for name, how in _stacks(lakehouse):
        if damaged := how.damaged(locate(lakehouse, name, path)):
            for archive, why in damaged.items():
                Teller().say(f"{why}: rebuilding it")
                how.remove(archive)
            train(lakehouse, name, path)


def _stacks(lakehouse: Lakehouse) -> list[tuple[str, Way]]:
    """The stacks whose services have archives."""
    found = ((name, _way(lakehouse, name)) for name in lakehouse.stacks)
    return [(name, how) for name, how in found if how is not None]


def _way(lakehouse: Lakehouse, stack: str) -> Way | None:
    there = lakehouse.stacks.get(stack)
    return way(there.runtime) if isinstance(there, LocalStack) else None


def _separate(lakehouse: Lakehouse, stack: str, folder: Path) -> Local:
    """A stack with the same services and with empty catalogs, in a separate folder and on free ports."""
    there = lakehouse.stacks[stack]
    assert isinstance(there, LocalStack)
    content: dict[str, Any] = lakehouse.model_dump(mode="json", exclude_unset=True, exclude={"access"})
    for catalog in content["catalogs"].values():
        catalog.pop("namespaces", None)
    kinds = there.model_dump(mode="json", include={"runtime", "store", "catalogs"})
    if there.lineage is not None:  # engines have its listeners on their class paths. Nobody hears them here
        kinds["lineage"] = {"file": "lineage.jsonl"}
    alone = lakehouse.model_copy(update={"stacks": {_STACK: LocalStack.model_validate(kinds)}})
    names = ports(alone, _STACK)  # without what has no class archives, as what watches
    numbers = dict(zip(names, _free(len(names)), strict=True))
    content["stacks"] = {_STACK: {**kinds, "ports": numbers}}
    # Containers have its name; those of another user's lakehouse that does the same must have another.
    content["name"] = f"archives-{secrets.token_hex(4)}"
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
def _running(how: Way, services: Sequence[Service], local: Local, records: Path, told: Teller) -> Iterator[None]:
    """Start the services in the order of their needs. At the end, stop them with enough time to write their records."""
    try:
        how.begin(local, services, lowest=told.in_background)
        with ThreadPoolExecutor(len(services)) as pool:
            for wave in _waves(services):
                list(pool.map(lambda each: how.up(local, each, records, lowest=told.in_background), wave))
        yield
        with ThreadPoolExecutor(len(services)) as pool:
            for wave in reversed(list(_waves(services))):
                list(pool.map(lambda each: how.down(local, each), wave))
    except BaseException:
        how.clear(local.state.root)  # their records are of no use, so nothing waits until they are written
        raise
    finally:
        how.finish(local)


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


def _create(how: Way, local: Local, archive: Path, services: tuple[Service, ...], records: Path, told: Teller) -> None:
    began = time.monotonic()
    try:
        size = how.create(local, archive, services, records, lowest=told.in_background)
    except (LakehouseError, OSError) as error:
        told.say(f"  {_named(archive)}: not prepared, so it starts more slowly: {error}")
    else:
        told.say(f"  {_named(archive)}: {size / 1e6:,.0f} MB, {time.monotonic() - began:.0f} s")


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
        for name, _ in _stacks(lakehouse):
            train(lakehouse, name, path)
    except KeyboardInterrupt:
        print("interrupted; the next set-up prepares it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
