"""`lakehouse branch` if the catalog has no branches: each command accepts the fix that it gives."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from bootstrap import catalogs
from bootstrap.cli import references as branching
from bootstrap.session import connect
from lakehouse.errors import UsageError
from tests.unit.bootstrap.reconciler.simulation import lakehouse


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("list",), "Use --table lake.NS.TABLE"),
        (("create", "b"), "Use --table lake.NS.TABLE"),
        (("merge", "b"), "Spark with `CALL lake.system.fast_forward(...)`"),
    ],
)
def test_the_fix(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], fix: str) -> None:
    monkeypatch.setattr(connect, "connect", lambda path, stack: (lakehouse({}), None))
    monkeypatch.setattr(catalogs, "connect", lambda name, connections: object())
    program = typer.Typer()

    @program.callback()
    def options(context: typer.Context) -> None:
        context.obj = SimpleNamespace(target=lambda: SimpleNamespace(path=None, stack="local"))

    program.add_typer(branching.branches, name="branch")
    failed = CliRunner().invoke(program, ["branch", *words])
    assert isinstance(failed.exception, UsageError), failed.output
    assert str(failed.exception).endswith(fix)
