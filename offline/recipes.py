"""Recipes of images for sites that reach no registry: only data, without Docker.

An image consists of a folder of `images/` (a Dockerfile and what it copies), packages at their paths below `rootfs/`,
and a base image. The lowest one is Debian, which :mod:`offline.debian` makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lakehouse import toolkit
from lakehouse.packages import catalogue, location
from lakehouse.runtimes.docker.images import IMAGES, Image
from offline import debian

FOLDER = toolkit.root() / "images"


@dataclass(frozen=True)
class Recipe:
    """An image to build. ``base`` is the key of its base image. ``packages`` maps packages to paths in the image."""

    key: str
    reference: str
    folder: str  # of `images/`
    base: str
    packages: Mapping[str, str]

    @property
    def files(self) -> Path:
        """The folder with its Dockerfile."""
        return FOLDER / self.folder

    @property
    def arguments(self) -> Mapping[str, str]:
        """The Dockerfile's arguments: the Java on which it is based."""
        name, _, version = self.base.partition("-")
        return {"JAVA": version} if name == "java" else {}


def _local(key: str, folder: str, packages: Mapping[str, str]) -> Recipe:
    """An image that is only the base of others."""
    name, _, tag = key.partition("-")
    return Recipe(key, f"lakehouse/{name}:{tag}", folder, debian.KEY, packages)


def _official(image: Image, folder: str, base: str) -> Recipe:
    """The counterpart of an official image, with the same name."""
    return Recipe(image.key, image.reference, folder, base, image.packages)


_JAVA = "/opt/java/openjdk"
# AIStor is not among them: it comes only as an image.
_ALL = (
    _local("java-17", "java-17", {}),
    _local("java-21", "java", {"java-21": _JAVA}),
    _local("java-25", "java", {"java-25": _JAVA}),
    _official(IMAGES["trino-476"], "trino", "java-25"),
    _official(IMAGES["spark-4.1"], "spark", "java-21"),
    _official(IMAGES["spark-4.0"], "spark", "java-21"),
    _official(IMAGES["spark-3.5"], "spark", "java-17"),
    _official(IMAGES["nessie-0.99.0"], "nessie", "java-25"),
    _official(IMAGES["s3proxy-4.1.0"], "s3proxy", "java-25"),
    _official(IMAGES["minio-2025-09-07"], "minio", debian.KEY),
    _official(IMAGES["rustfs-1.0.1"], "rustfs", debian.KEY),
    _official(IMAGES["seaweedfs-4.48"], "seaweedfs", debian.KEY),
    replace(
        _official(IMAGES["postgres-18.4"], "postgres", debian.KEY),
        # The clients are of the one, the server is of the other: the Dockerfile joins them.
        packages={"postgres-18.4": "/usr/lib/postgresql/18", "postgres-tls-18.4": "/usr/lib/postgresql/18-tls"},
    ),
    _official(IMAGES["caddy-2.11.7"], "caddy", debian.KEY),
    _official(IMAGES["temurin-21"], "temurin", "java-21"),
    _official(IMAGES["temurin-25"], "temurin", "java-25"),
)
RECIPES: Mapping[str, Recipe] = {recipe.key: recipe for recipe in _ALL}


def in_order(keys: Iterable[str]) -> Iterator[Recipe]:
    """The recipes of those images and of all their bases, each once and after its base."""
    done: set[str] = {debian.KEY}

    def visit(key: str) -> Iterator[Recipe]:
        if key not in done:
            done.add(key)
            yield from visit(RECIPES[key].base)
            yield RECIPES[key]

    for key in keys:
        yield from visit(key)


def digest(key: str) -> str:
    """A digest of everything that goes into the image. A label of the image has it."""
    if key == debian.KEY:
        return debian.digest()
    recipe = RECIPES[key]
    seen = hashlib.sha256(f"{digest(recipe.base)} {recipe.reference}\n".encode())
    for name, target in sorted(recipe.packages.items()):
        # A package that is built from source has no artifacts. Its folder is named after its pins.
        seen.update(f"{name} {catalogue.package(name).digest} {location(name).parent.name} {target}\n".encode())
    for path in sorted(path for path in recipe.files.rglob("*") if path.is_file()):
        seen.update(f"{path.relative_to(recipe.files)} {path.stat().st_mode & 0o111:o}\n".encode() + path.read_bytes())
    return seen.hexdigest()
