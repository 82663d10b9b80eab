"""``lakehouse diagram`` as a user runs it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner, Result

from bootstrap.cli.diagram import app
from lakehouse.errors import LakehouseError, UsageError
from tests.synth.synthesised import AWS


def run(*arguments: str, file: Path = AWS) -> Result:
    program = typer.Typer()

    def options(context: typer.Context) -> None:
        context.obj = SimpleNamespace(file=file, stack="tables")

    program.callback()(options)
    program.add_typer(app)
    return CliRunner().invoke(program, ["diagram", *arguments])


def test_it_writes_the_stack_that_is_meant(tmp_path: Path) -> None:
    out = tmp_path / "x.svg"
    assert "employees-tables in AWS" in run("--out", str(out)).stdout
    assert out.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--stack", "nowhere"], 'stacks has no "nowhere"; it has aws'), (["--out", "/nowhere/x.svg"], "--out")],
)
def test_what_cannot_be_done_is_said(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_a_file_that_cannot_be_synthesised(tmp_path: Path) -> None:
    tables = "{" + ", ".join(f"table_with_a_long_name_{n}: {{columns: {{id: long}}}}" for n in range(120)) + "}"
    grants = "{" + ", ".join(f"lake.a.table_with_a_long_name_{n}: [read]" for n in range(120)) + "}"
    (tmp_path / "lakehouse.yaml").write_text(
        "name: demo\nbuckets: {warehouse: {}}\n"
        f"catalogs: {{lake: {{location: s3://warehouse/lake, namespaces: {{a: {{tables: {tables}}}}}}}}}\n"
        f"access: {{roles: {{r: {{grants: {grants}}}}}, principals: {{p: {{roles: [r]}}}}}}\n"
        "stacks: {tables: {region: eu-west-1, store: s3, catalogs: {lake: glue}}}\n"
    )
    done = run(file=tmp_path / "lakehouse.yaml")
    assert isinstance(done.exception, LakehouseError)
    assert "lakehouse.yaml cannot be synthesised: access: the policy" in str(done.exception)
