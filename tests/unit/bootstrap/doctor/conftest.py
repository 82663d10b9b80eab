"""A lakehouse.yaml in a temporary folder; nothing of it is up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.doctor import run
from bootstrap.doctor.surroundings import Surroundings
from lakehouse.runtimes.findings import Finding
from lakehouse.spec import load
from lakehouse.spec.ports import ports
from tests.ports import free

PROJECT = Path(__file__).parents[4]
NOW = 1_800_000_000.0

Look = Callable[..., dict[str, Finding]]


@pytest.fixture(autouse=True)
def _of_the_test_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the developer's shell variables, and restore the streams that doctor replaces."""
    for name in ("DOCKER_HOST", "LAKEHOUSE_FILE", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("bootstrap.doctor.probes.is_present", lambda name: True)  # whatever was downloaded
    monkeypatch.setattr("bootstrap.doctor.probes.missing", lambda name, contents: [])
    for place in ("bootstrap.doctor.probes", "lakehouse.runtimes.process.place"):
        monkeypatch.setattr(f"{place}.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The project's own lakehouse.yaml, its stack ``local`` of processes and a stack ``boxes`` on Docker."""
    names = list(ports(load(PROJECT / "lakehouse.yaml"), "local"))
    numbers = ", ".join(f"{name}: {number}" for name, number in zip(names, free(len(names)), strict=True))
    kinds = "store: s3proxy, catalogs: {lake: nessie}, ports: {" + numbers + "}"
    head = (PROJECT / "lakehouse.yaml").read_text().partition("stacks:")[0]
    path = tmp_path / "lakehouse.yaml"
    path.write_text(f"{head}stacks:\n  local: {{runtime: process, {kinds}}}\n  boxes: {{runtime: docker, {kinds}}}\n")
    return path


@pytest.fixture
def look(file: Path) -> Look:
    """Examine a stack of the file, in a shell with only these variables."""

    def at(stack: str = "local", **environment: str) -> dict[str, Finding]:
        _, results = run.run(file, stack, Surroundings(environment, lambda: NOW))
        return {each.check: each.finding for each in results}

    return at
