"""Short forms of pins that several files of the catalogue have."""

from __future__ import annotations

from pathlib import Path

from lakehouse.packages.package import Artifact, Package

_JARS = Path(__file__).parents[1] / "jars"


def maven(project: str, version: str, file: str, sha256: str, size: int, **unpack: str) -> Artifact:
    """A Maven artifact; ``unpack`` names folders below the archive's top folder (``top``: all of it)."""
    group_artifact, top = project, f"{project.partition(':')[2]}-{version}"
    rules = tuple((top if source == "top" else f"{top}/{source}", target) for source, target in unpack.items())
    return Artifact("maven", group_artifact, version, file, sha256, size, rules)


def kept(project: str, version: str, sha256: str, size: int) -> Artifact:
    """A jar among others in a package."""
    return maven(project, version, f"{project.partition(':')[2]}-{version}.jar", sha256, size)


def jar(name: str, project: str, version: str, sha256: str, size: int, reason: str, classifier: str = "") -> Package:
    artifact = project.partition(":")[2]
    file = f"{artifact}-{version}{'-' if classifier else ''}{classifier}.jar"
    return Package(name, version, reason, (maven(project, version, file, sha256, size),))


def jars(name: str, version: str, reason: str) -> Package:
    """A program of many jars, which ``jars/NAME.txt`` lists as Maven resolved them.

    A line has group:artifact, version, file, SHA-256 and size.
    """
    rows = (line.split() for line in (_JARS / f"{name}.txt").read_text().splitlines())
    pins = (maven(project, release, file, sha256, int(size)) for project, release, file, sha256, size in rows)
    return Package(name, version, reason, tuple(pins))
