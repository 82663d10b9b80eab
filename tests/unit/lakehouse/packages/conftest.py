"""A registry on the loopback address, and a cache for the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from lakehouse.packages import catalogue, pip_config, registries
from lakehouse.packages.package import Package
from tests.unit.lakehouse.packages.registry import Registry, handler


@pytest.fixture
def registry() -> Iterator[Registry]:
    found = Registry()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(found)) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder; both kinds of registry are the one above, and Maven's own cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("LAKEHOUSE_MAVEN_REPOSITORY", registry.url)
    monkeypatch.setattr(pip_config, "options", lambda: {"global.index-url": f"{registry.url}/simple"})
    registries._maven_repositories.cache_clear()
    yield tmp_path / "cache" / "lakehouse"
    registries._maven_repositories.cache_clear()


@pytest.fixture
def catalogued(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the catalogue consist of the packages given."""

    def replace(*packages: Package) -> None:
        monkeypatch.setattr(catalogue, "PACKAGES", packages)
        monkeypatch.setattr(catalogue, "_BY_NAME", {package.name: package for package in packages})

    return replace
