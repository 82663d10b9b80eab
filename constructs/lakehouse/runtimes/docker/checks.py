"""The checks of the Docker runtime, each with the checks that must pass before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lakehouse.runtimes import disk
from lakehouse.runtimes.docker import findings, observed
from lakehouse.runtimes.docker.containers import Container
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.findings import Check, CheckContext, Finding, ok
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def checks(
    engine: DockerEngine,
    state: State,
    containers: Sequence[Container],
    services: Sequence[Service],
    context: CheckContext,
) -> Iterator[Check]:
    """The checks of a stack with these containers, and these services in them and beside them."""
    from lakehouse.kinds.platform import lineage  # it imports the model of the file, which no step of a deploy does

    references = sorted({each.image for each in containers})
    wanted = {each.service: context.memory[each.service] for each in containers if each.service in context.memory}

    def room() -> Finding:
        root = engine.folder()
        fix = "`docker system df` shows what uses the space, `docker image prune` removes untagged images"
        fix += disk.again(services)
        return disk.finding(disk.look(root), fix) if root.is_dir() else ok("Docker runs on another machine")

    def images() -> Finding:
        return findings.images(observed.missing_images(engine, references), len(references), context.stack)

    def provider() -> Finding:
        there = observed.provider_is_there(context.folder, context.stack)
        return findings.provider(there, "" if there else observed.provider_failure(context.terraform))

    def names() -> Finding:
        apart = observed.detached(engine, state, containers)
        called = [each.name for each in containers if each.service in apart]
        lost = {} if apart else observed.unresolved(engine, state)
        return findings.names(lost, called, containers[0].network, context.stack)

    def calls() -> Finding:
        return findings.calls(observed.uncalled(engine, state, containers, called[0]), called[0])

    called = [port.number for each in services if each.name == lineage.NAME for port in each.ports]
    yield Check("docker", lambda: findings.answers(observed.daemon(engine, context.environment)))
    yield Check("docker version", lambda: findings.version(engine.version()), after=("docker",))
    yield Check(
        "docker memory",
        lambda: findings.memory(engine.total_memory(), wanted, context.stack),
        after=("docker version",),
    )
    yield Check("docker disk", room, after=("docker version",))
    yield Check("images", images, after=("docker version",))
    yield Check("provider", provider, after=("terraform",))
    yield Check("names", names, after=("stack",))
    if called:
        yield Check("calls", calls, after=("stack", f"service {lineage.NAME}"))
