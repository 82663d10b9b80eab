"""Steps that Terraform's Docker provider cannot do: find what would fail, write files with secrets, keep volumes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lakehouse import packages, toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages.catalogue import PACKAGES
from lakehouse.runtimes import disk, events, former, generations, memory, owner, renewal, trial
from lakehouse.runtimes.docker import archives, supervised
from lakehouse.runtimes.docker.connection import OLDEST, numbers
from lakehouse.runtimes.docker.containers import ID, LAKEHOUSE, SERVICE, STACK, STATE, Container, ContainerSeen
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.incarnation import answers
from lakehouse.runtimes.docker.network import named_by_others
from lakehouse.runtimes.generations import NOTHING, Planned
from lakehouse.runtimes.incarnation import NONE, Incarnation, record, recorded
from lakehouse.runtimes.owner import OwnerClaim
from lakehouse.runtimes.probe import Asked, ready, tail
from lakehouse.runtimes.process import steps as processes
from lakehouse.runtimes.processes import refusal, taken
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State, check_path, write_private
from lakehouse.services.service import File, Port, Service
from lakehouse.text.placeholders import written

_INTERVAL = 0.25  # seconds between two probes
_TURNS = 8  # probes for one look at the container; the first one imports Docker's client, 0.14 s of processor time
_GRACE = 15  # seconds to stop a container that is no service of the file


def prepare(
    state: State,
    services: Sequence[Service],
    containers: Sequence[Container],
    engine: DockerEngine,
    claim: OwnerClaim,
    planned: Mapping[str, Incarnation] | None = None,
    known: frozenset[str] | None = None,
    credentials: Planned = NOTHING,
    runtime: Runtime | None = None,
) -> None:
    """Prepare everything that containers, and processes outside of them, need before they are created.

    Everything that is known to make a deploy fail is found before anything stops. Then containers are removed, so that
    new ones can use their names and ports: those that must be created again, by the ``planned`` incarnations, those
    that the file no longer names, and those that an interrupted deploy created without recording them. The latter are
    not in ``known``, the names in Terraform's state (None: unknown).

    Raises LakehouseError with what would fail.
    """
    owner.check(state, claim)
    inside, outside = [[each for each in services if each.outside is apart] for apart in (False, True)]
    memory.check(inside, engine.total_memory())
    if outside:
        memory.check(services, memory.machine()[0])
        check_path(state.root)
    state.prepare()
    disk.check(state.root)
    if (own := engine.folder()).is_dir():  # Docker may be on another machine
        disk.check(own)
    archives.folder().mkdir(parents=True, exist_ok=True)  # containers mount it
    if problems := [*_old(engine), *_strangers(engine, state, containers, claim.owner.id), *_missing(containers)]:
        raise LakehouseError("\n".join(problems))
    processes.check_packages(outside)
    _ports_are_free(engine, state, claim.owner.stack, services, containers)
    generations.make(state, services, credentials)
    for service in services:
        for file in service.files:
            written(file.text, state.secret)  # a secret that cannot be read, a file that the lakehouse's file names
    trial.check(state, outside)
    for reference in sorted({each.image for each in containers}):
        if not engine.has_image(reference):
            print(f"pulling {reference}", flush=True)
            events.tell("step", f"pulling the image {reference}")
            engine.pull(reference)
    archives.use(inside, engine.images({each.image for each in containers}))
    owner.mark(state, claim)
    mark = owner.read(state.root) or claim.owner
    if known is not None:
        _remove_unknown(engine, state, known)
    generations.renew(state, services, credentials)
    _stop_replaced(engine, state, containers, planned or {})
    _stop_outside(state, outside, planned or {})
    if runtime is not None:
        running = {name for name, each in engine.seen(state).items() if each.status == "running"}
        for name in renewal.hand_over(state, [each for each in services if each.name in running], runtime):
            print(f"{name} has a renewed certificate, and goes on", flush=True)
    for service in inside:
        former.clear(state, service)
        write(state, service.name, service.files)
    labels = {STATE: str(state.root), ID: mark.id, LAKEHOUSE: mark.lakehouse, STACK: mark.stack}
    engine.make_volumes(containers, labels)


def _remove_unknown(engine: DockerEngine, state: State, known: frozenset[str]) -> None:
    """Remove this lakehouse's containers that are not in Terraform's state, so that it can create them."""
    for seen in engine.seen(state).values():
        if seen.name not in known:
            engine.remove(seen, _GRACE)


def _stop_replaced(
    engine: DockerEngine, state: State, containers: Sequence[Container], planned: Mapping[str, Incarnation]
) -> None:
    asked = {each.service: each for each in containers}
    for name, seen in engine.seen(state).items():
        if seen.incarnation != planned.get(name, seen.incarnation if name in asked else None):
            engine.remove(seen, asked[name].stop_seconds if name in asked else _GRACE)


def _stop_outside(state: State, outside: Sequence[Service], planned: Mapping[str, Incarnation]) -> None:
    """Stop the processes that will be started again, and those that the file no longer names."""
    if outside:
        processes.stop_replaced(state, {each.name: (each, planned.get(each.name, NONE)) for each in outside})
    elif supervised.left(state):
        supervised.down(state)


def write(state: State, service: str, files: Iterable[File]) -> None:
    """Write the files that a container mounts, with secrets filled in.

    The container has another user, so all users may read the files and write to their folder, where Trino keeps the
    catalogs of CREATE CATALOG. The state folder's mode, 0700, keeps other users of this machine out.
    """
    folder = state.config(service)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.once and path.exists():
            continue
        # In place, so that the inode stays and a container that has mounted the file sees the change.
        path.write_bytes(written(file.text, state.secret))
        path.chmod(0o644)
    for each in (folder, *(inner for inner in folder.rglob("*") if inner.is_dir())):
        each.chmod(0o777)


def run_job(state: State, engine: DockerEngine, container: Container, incarnation: Incarnation) -> float:
    """Run the container of a job to its end and remove it. Returns the seconds that it took, 0 if it ran before.

    Raises LakehouseError, with the end of the log, if its exit code is not 0, or if it does not end in time.
    """
    if recorded(state, container.service) == incarnation:
        return 0.0
    began = time.monotonic()
    code, output = engine.run(container, {STATE: str(state.root), SERVICE: container.service})
    write_private(state.log(container.service), output)
    if code != 0:
        what = f"ended with code {code}" if code is not None else f"did not end within {container.probe.patience} s"
        raise LakehouseError(
            f"The job {container.service} {what}, so the services that need it were not started.\n"
            f"The end of its log:\n{tail(state, container.service)}"
        )
    record(state, container.service, incarnation)
    return time.monotonic() - began


def await_ready(engine: DockerEngine, container: Container) -> float:
    """Wait until a container is ready. Returns the seconds that it took.

    Raises LakehouseError if it does not get ready, with its state and the end of its log.
    """
    began, turns = time.monotonic(), itertools.count(1)
    inside = container.probe.kind == "exec"
    while True:
        waited = time.monotonic() - began
        # Only the container can answer on a port that Docker publishes for it.
        if not inside and ready(container.probe, Asked(Path(container.config))):
            return waited
        late = waited > container.probe.patience
        if next(turns) % _TURNS == 0 or inside or late:
            seen = engine.look(container.name)
            if seen is not None and answers(engine, container, seen):
                return waited
            if seen is None or not seen.up or late:
                raise LakehouseError(_failure(engine, container, seen, waited))
        time.sleep(_INTERVAL)


def _failure(engine: DockerEngine, container: Container, seen: ContainerSeen | None, waited: float) -> str:
    if seen is None:
        return f"{container.service} no longer has a container: something removed it."
    word = seen.health if seen.status == "running" else seen.status
    log = "\n".join(f"    {line}" for line in engine.log(seen.name, 15).splitlines())
    return (
        f"{container.service} is not ready after {waited:.0f} s: container {seen.name} is {word}.\n"
        f"The end of its log:\n{log}"
    )


def _old(engine: DockerEngine) -> Iterator[str]:
    text = engine.version()
    if numbers(text) < OLDEST:
        yield f"Docker {text} is too old: {'.'.join(map(str, OLDEST))} or newer is needed. Update it."


def _strangers(engine: DockerEngine, state: State, containers: Sequence[Container], mark: str) -> Iterator[str]:
    """Problems with names of this stack that another lakehouse or other containers, volumes or networks have."""
    wanted = [("network", containers[0].network)]
    wanted += [("container", each.name) for each in containers]
    wanted += [("volume", each.volume.source) for each in containers]
    for kind, name in wanted:
        theirs = engine.owner(kind, name)
        if theirs is None or theirs == str(state.root):
            continue
        if kind == "volume" and engine.id_of(name) == mark:
            continue  # the project was moved
        other = "Give this lakehouse another `name` in lakehouse.yaml"
        if kind != "volume":
            yield named_by_others(kind, name, theirs)
        elif theirs and not Path(theirs).exists():
            yield (
                f"The volume {name} holds data of the lakehouse in {theirs}, which no longer exists. "
                f"If this one was moved from there, move it back. {other}; that data then stays as it is."
            )
        else:
            whose = f"belongs to the lakehouse in {theirs}" if theirs else "was not created by a lakehouse"
            yield f"The volume {name} {whose}: it has data of others. {other}."


def _missing(containers: Sequence[Container]) -> Iterator[str]:
    """Missing or damaged packages in the cache that would be mounted. Docker would create empty folders instead."""
    sources = {mount.source for each in containers for mount in each.mounts if mount.read_only}
    if missing := sorted(source for source in sources if not Path(source).exists()):
        yield f"Missing: {', '.join(missing)}. `{toolkit.command('setup')}` fetches what is missing."
        return
    mounted = [each.name for each in PACKAGES if str(packages.location(each.name)) in sources]
    if damaged := [why for name in mounted for why in packages.missing(name)[:1]]:
        yield f"Damaged: {'; '.join(damaged)}. `{toolkit.command('setup')}` fetches it again."


def _ports_are_free(
    engine: DockerEngine, state: State, stack: str, services: Sequence[Service], containers: Sequence[Container]
) -> None:
    ours = {number for each in engine.seen(state).values() for number in each.ports}  # two may swap theirs
    inside = [each for each in services if not each.outside]
    published = {
        number: port.name
        for service, container in zip(inside, containers, strict=True)
        for port, (_, number) in zip((each for each in service.ports if not each.inner), container.ports, strict=True)
        if number not in ours
    }
    published |= {port.number: port.name for each in services if each.outside for port in each.ports}
    ports = [Port(name, number) for number, name in published.items()]
    if sentences := taken(ports, state):
        holders = (engine.publisher(each.number) for each in ports if each.name in sentences)
        by = ", ".join(f"container {name}" for name in holders if name)
        raise LakehouseError(refusal(sentences, ports, stack, by))
