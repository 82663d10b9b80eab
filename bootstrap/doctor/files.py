"""lakehouse.yaml itself: whether it is valid, and whether the hosts that it names resolve. Only decisions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.spec import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem, SpecError, dotted

_OVERLAP = "locations must not overlap"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,;|]+", re.IGNORECASE)
_NO_HOST = {"s3", "s3a", "s3n", "gs", "abfs", "abfss", "wasbs", "file", "local", "hdfs", "classpath"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - an address to be found, not to listen on


def usable(problem: SpecError | None, name: str) -> Finding:
    """The result of reading the file; ``problem`` holds everything that is wrong with it."""
    if problem is None:
        return ok(f"{name} is valid")
    text = str(problem).replace("\n", "; ")
    if _OVERLAP in text:
        return error(
            text,
            "two tables share a folder: the clean-up of one takes the files of the other for orphans and deletes them",
            "give one of the two its own `location` in that line, then `lakehouse validate`",
        )
    return error(
        text, "the file breaks a rule; nothing can be deployed from it", "correct it, then `lakehouse validate`"
    )


def licence(stack: str, license_file: str | None, folder: Path) -> Iterator[Problem]:
    """The licence of the stack's store, if it needs one and its file is not there; ``folder`` is that of the file."""
    if license_file is not None and not (path := folder / license_file).is_file():
        rule = f"{path} does not exist, and the store does not start without its licence"
        yield Problem(("stacks", stack, "license"), f"{rule}. Put the file that MinIO's SUBNET issued there")


@dataclass(frozen=True)
class Named:
    """A host that the file names, its path in the file, and the whole address."""

    at: KeyPath
    address: str
    host: str
    port: int | None


def named(lakehouse: Lakehouse) -> Iterator[Named]:
    """Every host in what the file passes on: endpoints of sources, further catalogs of Trino, properties of Spark."""
    for name, source in lakehouse.sources.items():
        yield from _hosts(("sources", name, "endpoint"), source.endpoint or "")
    if (trino := lakehouse.engines.trino) is not None:
        for name, properties in trino.catalogs.items():
            for key, value in properties.items():
                yield from _hosts(("engines", "trino", "catalogs", name, key), str(value))
    if (spark := lakehouse.engines.spark) is not None:
        for key, value in spark.properties.items():
            yield from _hosts(("engines", "spark", "properties", key), str(value))


def _hosts(at: KeyPath, text: str) -> Iterator[Named]:
    for address in _ADDRESS.findall(text):
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            continue
        if host and parts.scheme.lower() not in _NO_HOST:
            yield Named(at, f"{parts.scheme}://{host}{'' if port is None else f':{port}'}", host, port)


@dataclass(frozen=True)
class Views:
    """The names of the stack's services. ``external`` and ``internal`` are addresses by the service's name."""

    containers: bool
    external: Mapping[str, str]
    internal: Mapping[str, str]


def hosts(
    found: Sequence[Named],
    resolves: Callable[[str, bool], bool | None],
    views: Views,
    line: Callable[[KeyPath], str],
) -> Finding:
    """Each host that the file names must resolve where it is used: here, or in a container.

    ``resolves`` gets a host and whether a container asks for it, and returns None if it could not be found out;
    ``line`` gives the line of a location in the file.
    """
    for each in found:
        where = f"{line(each.at)}: {dotted(each.at)}: {each.address}"
        in_container = views.containers and each.at[0] == "engines"
        if in_container and each.host in _LOOPBACK:
            own = next((name for name, at in views.external.items() if urlsplit(at).port == each.port), "")
            return error(
                where,
                f"in a container, {each.host} is the container itself, not this machine",
                f"write {views.internal[own]} there, then `lakehouse deploy`"
                if own
                else "write the name of a container in its network, or this machine's address, then `lakehouse deploy`",
            )
        if in_container and each.host in views.internal:
            continue
        if each.host in views.internal and views.internal[each.host] != views.external[each.host]:
            return error(
                where,
                f"{each.host} is a container's name: it resolves only in Docker's network, but is used on this machine",
                f"write {views.external[each.host]} there",
            )
        answer = resolves(each.host, in_container)
        if answer is None:
            return warning(where, "no name server answered in time", "check this machine's network")
        if not answer and each.host in views.external:
            return error(
                where,
                f"{each.host} is a container's name, but the services of this stack are processes of this machine",
                f"write {views.external[each.host]} there, then `lakehouse deploy`",
            )
        if not answer:
            return error(
                where,
                f"the name {each.host} does not resolve{' in the containers' if in_container else ' on this machine'}: "
                "it is misspelt, or a container's name of another stack",
                f"correct it, or check what the name server knows: `getent hosts {each.host}`",
            )
    return ok(f"{len(found)} hosts named, all resolve" if found else "the file names none")
