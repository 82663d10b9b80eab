"""Where an artifact is available: copies on this machine, and addresses in its registry.

This module contains no registry's address. For PyPI, pip says where it looks (its configuration, or its own default);
for Maven, jgo does (its settings, or its own default), unless LAKEHOUSE_MAVEN_REPOSITORY names a mirror.
"""

from __future__ import annotations

import functools
import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import requests

from lakehouse.errors import LakehouseError
from lakehouse.packages import pip_config
from lakehouse.packages.package import Artifact

MIRROR = "LAKEHOUSE_MAVEN_REPOSITORY"
_SIMPLE = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"  # https://packaging.python.org/specifications/simple-repository-api


def local_copy(artifact: Artifact) -> Path | None:
    """Where Maven's own cache on this machine would have the artifact; it may exist, with any content."""
    if artifact.kind == "pypi":
        return None
    from jgo.maven import MavenContext

    path = MavenContext().repo_cache / _maven_path(artifact)
    return path if path.is_file() and path.stat().st_size == artifact.size else None


def addresses(artifact: Artifact, session: requests.Session) -> tuple[str, ...]:
    """The URLs to try in order.

    Raises LakehouseError if the registry's index cannot be read or does not list the file.
    """
    if artifact.kind == "maven":
        return tuple(f"{base.rstrip('/')}/{_maven_path(artifact)}" for base in _maven_repositories())
    return (_pypi_address(artifact, session),)


def certificates() -> str | bool:
    """The certificates that requests verifies servers against: pip's ``cert`` if it is set, otherwise requests' own."""
    return pip_config.option("cert") or True


def _maven_path(artifact: Artifact) -> str:
    group, _, name = artifact.project.partition(":")
    return f"{group.replace('.', '/')}/{name}/{artifact.version}/{artifact.file}"


@functools.cache
def _maven_repositories() -> tuple[str, ...]:
    if os.environ.get(MIRROR):
        return (os.environ[MIRROR],)
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    configured = GlobalSettings.load().repositories
    return tuple(dict.fromkeys((*configured.values(), *MavenContext().remote_repos.values())))


def _pypi_address(artifact: Artifact, session: requests.Session) -> str:
    index = f"{_index().rstrip('/')}/{artifact.project}/"
    try:
        answer = session.get(index, headers={"Accept": _SIMPLE}, timeout=(10, 60))
        answer.raise_for_status()
    except requests.RequestException as error:
        host = urlsplit(index).hostname
        raise LakehouseError(
            f"{artifact.coordinates}: the package index at {host} does not answer "
            f"({type(error).__name__}). Check the network and pip's configuration (`pip config list`), then run again."
        ) from error
    links: dict[str, str]
    if "json" in answer.headers.get("Content-Type", ""):
        links = {file["filename"]: urljoin(answer.url, file["url"]) for file in answer.json()["files"]}
    else:
        page = _Links()
        page.feed(answer.text)
        links = {unquote(urlsplit(link).path.rpartition("/")[2]): urljoin(answer.url, link) for link in page.links}
    if artifact.file not in links:
        raise LakehouseError(
            f"{artifact.coordinates}: the package index at {urlsplit(index).hostname} does not list {artifact.file}. "
            "Use an index that has it: see `pip config list`."
        )
    return urldefrag(links[artifact.file]).url


class _Links(HTMLParser):
    """The targets of a page's links: an index of the older kind is HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _index() -> str:
    configured = pip_config.option("index-url")
    if configured:
        return configured
    # pip has no command that prints its default, and a copy here would be one more place to change.
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)
