"""Makes class archives from containers: a :class:`lakehouse.runtimes.training.Way`.

The JVMs of the second lakehouse record in containers of the same images, without a restart policy. In the background
they have the smallest share of the processor that Docker gives. Their labels name a state folder beside the archives,
by which whatever is left of a killed attempt is found.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving
from lakehouse.runtimes import recording as records_of
from lakehouse.runtimes.docker import archives, background, containers, network, steps
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.containers import SERVICE, STATE, Container, Mount
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.images import image
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service

SCRATCH = ".containers-"

_RECORDS = Path("/opt/lakehouse/records")  # where containers see the folder of the records
_START = "training"
_MAKING_MB = 2560  # the limit of a container that makes an archive; Spark's needs 1.2 GB
_OLDEST = 17  # older ones record otherwise, and no image has them


def missing(local: Local) -> dict[Path, tuple[Service, ...]]:
    with errors_reported():
        return archives.missing(local.services, _runtime(local).images())


def damaged(local: Local) -> dict[Path, str]:
    with suppress(LakehouseError), errors_reported():  # without Docker nobody knows which archives it has
        return archives.damaged(local.services, _runtime(local).images())
    return {}


def remove(archive: Path) -> None:
    archives.remove(archive)


def possible(
    lacking: Mapping[Path, tuple[Service, ...]], say: Callable[[str], None]
) -> dict[Path, tuple[Service, ...]]:
    """Those whose image has a Java that records, each with services that have the number of that Java."""
    found: dict[Path, tuple[Service, ...]] = {}
    engine = DockerEngine()
    for archive, services in lacking.items():
        reference = image(services[0].image).reference
        label = {STATE: str(archiving.folder())}
        try:
            with errors_reported():
                number = java(engine.output(reference, ("java", "-version"), label))
        except LakehouseError as error:
            why = f"{reference} makes no class archive, so it starts more slowly: {error}"
            archives.note_impossible(archive, why)
            say(f"  {why}")
        else:
            found[archive] = tuple(replace(each, java=number) for each in services)
    return found


def java(said: str) -> int:
    """The feature version of a Java by what ``java -version`` says. Raises LakehouseError if it cannot record."""
    number = re.search(r'version "(\d+)', said)
    if number is None:
        raise LakehouseError(f"`java -version` there says: {' '.join(said.split())[:200] or 'nothing'}")
    if re.search(r"(OpenJDK|HotSpot).* VM ", said) is None:
        raise LakehouseError(f"its Java is no HotSpot: {said.strip().splitlines()[-1]}")
    if int(number[1]) < _OLDEST:
        raise LakehouseError(f"its Java is {number[1]}, and {_OLDEST} or newer is needed")
    return int(number[1])


def recording(service: Service, records: Path) -> Service:
    return records_of.recording(service, _RECORDS)


def begin(local: Local, services: Sequence[Service], *, lowest: bool) -> None:
    runtime = _runtime(local)
    with errors_reported():
        runtime.engine.remove_below(archiving.folder())  # of an attempt whose folder is gone, too
        steps.prepare(local.state, services, runtime.containers, runtime.engine, local.claim)
        network.up(runtime.engine, local.state, runtime.containers[0].network, _START)


def up(local: Local, service: Service, records: Path, *, lowest: bool) -> None:
    records.chmod(0o777)  # the containers have other users; the folder around it keeps those of this machine out
    engine, asked = _runtime(local).engine, _asked(local, service)
    recorded = replace(
        asked,
        command=containers.command(service),
        environment=service.environment,
        mounts=(*asked.mounts, Mount(str(records), str(_RECORDS), read_only=False)),
        probe=replace(asked.probe, patience=service.probe.patience),
        stop_seconds=service.stop_seconds,
    )
    with errors_reported():
        if service.is_job:
            steps.run_job(local.state, engine, recorded, Incarnation.new(_START))
        else:
            engine.start(recorded, {STATE: str(local.state.root), SERVICE: service.name}, lowest=lowest)
            steps.await_ready(engine, recorded)


def down(local: Local, service: Service) -> None:
    if not service.is_job:
        with errors_reported():
            _runtime(local).engine.stop(_asked(local, service).name, service.stop_seconds)


def clear(folder: Path) -> None:
    with errors_reported():
        DockerEngine().remove_below(folder)


def finish(local: Local) -> None:
    clear(local.state.root)


def create(local: Local, archive: Path, services: Sequence[Service], records: Path, *, lowest: bool) -> int:
    record = records_of.record(services, records)
    with suppress(OSError):  # one that a container's user wrote, which reads it again
        record.chmod(0o644)
    asked = _asked(local, services[0])
    with tempfile.TemporaryDirectory(dir=records) as scratch:
        Path(scratch).chmod(0o777)
        draft = Path(scratch) / "classes"
        inside = [_RECORDS / each.relative_to(records) for each in (record, draft)]
        made = replace(
            asked,
            name=f"{asked.name}-archive",
            command=records_of.making(services, *inside),
            environment=(),
            directory="/",
            network="none",
            mounts=(
                *(each for each in asked.mounts if each.read_only),
                Mount(str(records), str(_RECORDS), read_only=False),
            ),
            memory_mb=_MAKING_MB,
            probe=Probe("end", patience=records_of.PATIENCE),
        )
        labels = {STATE: str(local.state.root), SERVICE: asked.service}
        with errors_reported():
            _, output = _runtime(local).engine.run(made, labels, lowest=lowest)
        if not draft.is_file():
            end = " ".join(output.split())[-300:]
            raise LakehouseError(f"{asked.image} made no archive of {record.name}. Its output: {end}")
        return archives.keep(draft, archive, services[0])


def end(state: State) -> None:
    background.end(state)


def _runtime(local: Local) -> Containers:
    assert isinstance(local.runtime, Containers)
    return local.runtime


def _asked(local: Local, service: Service) -> Container:
    return next(each for each in _runtime(local).containers if each.service == service.name)
