"""Packages: the registries' files that they consist of, or the source from which they are built."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from typing import Literal

from lakehouse.errors import LakehouseError


@dataclass(frozen=True)
class Artifact:
    """One file of a registry.

    ``project`` is ``group:artifact`` on Maven and the project's name on PyPI. ``unpack`` says which folders of an
    archive go where in the package's tree (anything else is left out); an artifact without it is kept as it is.
    ``within`` is the path of an archive in the archive, if what to unpack is in there.
    """

    kind: Literal["maven", "pypi"]
    project: str
    version: str
    file: str
    sha256: str
    size: int  # bytes
    unpack: tuple[tuple[str, str], ...] = ()
    platform: str = ""  # as `this_platform` spells it; empty: the file is the same everywhere
    within: str = ""

    @property
    def coordinates(self) -> str:
        """The artifact's name in errors, as its registry writes it."""
        return f"{self.project}:{self.version}" if self.kind == "maven" else f"{self.project}=={self.version}"


@dataclass(frozen=True)
class Package:
    """A file or a tree in the cache. ``java`` is the feature version of a Java, None for other packages.

    A program that no registry has as a file has no artifacts. It is built from source, ``go`` or ``crate``.
    """

    name: str
    version: str
    reason: str  # why this package, and why this version
    artifacts: tuple[Artifact, ...] = ()
    go: str = ""  # built from go/NAME, which pins it (offline.go)
    crate: str = ""  # built by the user with cargo, because it takes too long for a set-up
    java: int | None = None
    java_drops: str = ""  # an option for a module that this Java lacks; it is removed from the command line

    @property
    def here(self) -> tuple[Artifact, ...]:
        """The artifacts for this machine's platform.

        Raises LakehouseError if the registries have none for it.
        """
        chosen = tuple(artifact for artifact in self.artifacts if artifact.platform in ("", this_platform()))
        if not chosen and self.artifacts:
            have = ", ".join(sorted(artifact.platform for artifact in self.artifacts))
            fix = f"Install a Java {self.java} and set JAVA_HOME." if self.java else "Use one of those platforms."
            raise LakehouseError(f"package {self.name}: no file for {this_platform()}; there are: {have}. {fix}")
        return chosen

    @property
    def folder(self) -> str:
        """The name of the package's folder in the cache."""
        return self.name if self.name.endswith(f"-{self.version}") else f"{self.name}-{self.version}"

    @property
    def is_tree(self) -> bool:
        """Whether the package is a folder, of unpacked or of several files. Otherwise it is a single file."""
        return any(artifact.unpack for artifact in self.artifacts) or (
            sum(not artifact.platform for artifact in self.artifacts) > 1
        )

    @property
    def digest(self) -> str:
        """A digest of the pins and of the way they are unpacked. The cache is compared with it."""
        parts = (f"{artifact.sha256} {artifact.unpack}" for artifact in self.here)
        return hashlib.sha256("\n".join((*parts, *filter(None, [self.java_drops]))).encode()).hexdigest()


def this_platform() -> str:
    """The platform as the catalogue spells it, e.g. ``linux-x86_64``, ``linux-aarch64``, ``darwin-arm64``."""
    return f"{platform.system().lower()}-{platform.machine().lower().replace('amd64', 'x86_64')}"
