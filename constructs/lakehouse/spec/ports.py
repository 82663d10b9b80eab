"""Servers and ports of a stack: their names, their default numbers, and the numbers that the file sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lakehouse.spec.kinds import Listener, known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import Problem
from lakehouse.spec.stacks import LocalStack

_PLAIN = "-plain"
_APART = 10_000  # between the default numbers of a port of the proxy and the plain port behind it


def plain(name: str) -> str:
    """The name of the port on which a service behind the proxy listens, given the name of the proxy's."""
    return f"{name}{_PLAIN}"


def is_plain(name: str) -> bool:
    """Whether a port of that name is behind the proxy."""
    return name.endswith(_PLAIN)


def servers(lakehouse: Lakehouse, stack: LocalStack) -> dict[str, str]:
    """Catalog -> name of its server: KIND for the first server of a kind, KIND-CATALOG for the others."""
    found: dict[str, str] = {}
    for catalog in lakehouse.catalogs:
        if catalog in stack.catalogs:
            word = stack.catalogs[catalog].kind
            first = known().catalogs[word].shared or word not in found.values()
            found[catalog] = word if first else f"{word}-{catalog}"
    return found


def listeners(lakehouse: Lakehouse, stack: LocalStack) -> dict[str, Listener]:
    """Name -> listener, for every port of the stack. No two have the same number.

    If another port of the stack has the default number, the next free number is used.
    """
    every = {each.name: each for each in _wanted(lakehouse, stack)}
    numbers = {name: stack.ports[name] for name in every if name in stack.ports}
    taken = set(numbers.values())
    for name, each in every.items():
        if name not in numbers:
            number = each.number
            while number in taken:
                number += 1
            numbers[name] = number
            taken.add(number)
    found = {name: replace(each, number=numbers[name]) for name, each in every.items()}
    # All of the proxy's ports are in one container, where the usual numbers of two services may be the same.
    return {name: replace(each, inside=each.number) if _of_proxy(each, stack) else each for name, each in found.items()}


def _of_proxy(listener: Listener, stack: LocalStack) -> bool:
    return listener.proxied and stack.secure is not None


def moved(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Ports that have another number because the file gives theirs to another port."""
    for name, stack in lakehouse.stacks.items():
        if not isinstance(stack, LocalStack) or not stack.ports:
            continue
        now = {port: each.number for port, each in listeners(lakehouse, stack).items()}
        otherwise = listeners(lakehouse, stack.model_copy(update={"ports": {}}))
        holders = {number: port for port, number in now.items()}
        for port, usual in otherwise.items():
            holder = holders.get(usual.number)
            if port not in stack.ports and now[port] > usual.number and holder is not None:
                at = ("stacks", name, "ports", *([holder] if holder in stack.ports else []))
                rule = f"{holder} has {usual.number}, which {port} has otherwise, so {port} moves to {now[port]}"
                fix = f"Choose another number for {holder}, or write `{port}: {now[port]}` to keep it there"
                yield Problem(at, f"{rule}. {fix}")


def ports(lakehouse: Lakehouse, stack_name: str) -> dict[str, int]:
    """Name -> number, for every port of a stack. A stack in AWS has none."""
    stack = lakehouse.stacks[stack_name]
    if not isinstance(stack, LocalStack):
        return {}
    return {name: each.number for name, each in listeners(lakehouse, stack).items()}


def _wanted(lakehouse: Lakehouse, stack: LocalStack) -> Iterator[Listener]:
    """Every port with its default number."""
    every = (
        *_of_the_store(stack),
        *_of_catalogs(lakehouse, stack),
        *_of_engines(lakehouse),
        *_of_pipelines(lakehouse),
    )
    yield from (each for each in every if not each.monitored)
    # They come last, so that they move if a number is already used.
    for each in filter(lambda each: _of_proxy(each, stack), every):
        yield replace(each, name=plain(each.name), number=each.number + _APART, meaning="", proxied=False)
    # No other port has another number because of them.
    if stack.monitoring is not None:
        yield from (each for each in every if each.monitored)
        yield from (each for kind in known().monitoring.values() for each in kind.listeners)
    if stack.lineage is not None:
        yield from (each for kind in known().lineage.values() for each in kind.listeners)


def _of_the_store(stack: LocalStack) -> Iterator[Listener]:
    there = {entry.kind for entry in stack.catalogs.values()}
    for each in known().stores[stack.store.kind].listeners:
        if not each.catalog or each.catalog in there:
            yield each


def _of_catalogs(lakehouse: Lakehouse, stack: LocalStack) -> Iterator[Listener]:
    of_kind: dict[str, list[str]] = {}
    for catalog, server in servers(lakehouse, stack).items():
        word = stack.catalogs[catalog].kind
        before = of_kind.setdefault(word, [])
        if server not in before:
            for each in known().catalogs[word].listeners:
                name = each.name if server == word else f"{each.name}-{catalog}"
                yield replace(each, name=name, number=each.number + len(before))
            before.append(server)
    for word in dict.fromkeys(need for kind in of_kind for need in known().catalogs[kind].needs):
        yield from known().platform[word].listeners


def _of_engines(lakehouse: Lakehouse) -> Iterator[Listener]:
    there = [(each, getattr(lakehouse.engines, word)) for word, each in known().engines.items()]
    wanted = [(each, spec) for kind, spec in there if spec is not None for each in kind.listeners]
    wanted = [(each, spec) for each, spec in wanted if not each.when or getattr(spec, each.when)]
    yield from (each for each, _ in wanted if not each.each)
    # Ports that may be many come last, so that they move if a number is already used.
    many = [(each, int(getattr(spec, each.each))) for each, spec in wanted if each.each]
    for nth in range(max((count for _, count in many), default=0)):
        for each, count in many:
            if nth < count:
                yield replace(each, name=each.name.format(nth + 1), number=each.number + nth)


def _of_pipelines(lakehouse: Lakehouse) -> Iterator[Listener]:
    engines = [known().pipelines[word] for word in lakehouse.pipeline_engines]
    for need in dict.fromkeys(need for engine in engines for need in engine.needs):
        yield from known().platform[need].listeners
    for engine in engines:
        yield from engine.listeners
