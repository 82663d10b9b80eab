"""A target in a temporary folder: the project's own file, with nothing started."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from bootstrap.session.target import Target, find

PROJECT = Path(__file__).parents[3]
_TREE = cache(get_command)
STACK = "runtime: process, store: s3proxy, catalogs: {lake: nessie}"


@pytest.fixture(autouse=True)
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests must not depend on downloaded packages."""
    for user in ("lakehouse.packages", "lakehouse.runtimes.process.place"):
        monkeypatch.setattr(f"{user}.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    monkeypatch.delenv("LAKEHOUSE_FILE", raising=False)


@pytest.fixture
def file(tmp_path: Path, free_port: int) -> Path:
    """The default lakehouse.yaml in a separate folder, with ports on which nothing listens."""
    path = tmp_path / "lakehouse.yaml"
    text = (PROJECT / "lakehouse.yaml").read_text()
    names = ("s3proxy", "nessie", "spark-master", "spark-connect", "trino")
    ports = ", ".join(f"{name}: {free_port + offset}" for offset, name in enumerate(names))
    head = text.partition("stacks:")[0]
    path.write_text(f"{head}stacks:\n  local: {{{STACK}, ports: {{{ports}}}}}\n")
    return path


@pytest.fixture
def without(file: Path) -> Callable[[str], Target]:
    """The target of a file without the engine of that name."""

    def leave_out(engine: str) -> Target:
        head = file.read_text().partition("stacks:")[0]
        kept = [line for line in head.splitlines() if not line.startswith(f"  {engine}: ")]
        file.write_text("\n".join([*kept, "stacks:", f"  local: {{{STACK}}}", ""]))
        return find(file, None)

    return leave_out


@pytest.fixture
def target(file: Path) -> Target:
    return find(file, None)


@pytest.fixture(autouse=True)
def _one_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typer makes the tree of commands again for each run, which takes longer than most commands."""
    monkeypatch.setattr("typer.testing._get_command", _TREE)
