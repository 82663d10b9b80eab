"""Which stack `lakehouse aws` is about."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bootstrap.cli.main import app
from bootstrap.operations import prepare
from lakehouse.spec import Lakehouse

FILE = """
name: demo
buckets: {{warehouse: {{}}}}
catalogs: {{lake: {{location: s3://warehouse/lake}}}}
stacks:
  here: {{runtime: process, store: s3proxy, catalogs: {{lake: nessie}}}}
{stacks}
"""
STACK = "  {}: {{region: eu-west-1, store: s3, catalogs: {{lake: glue}}}}"


@pytest.mark.parametrize(
    ("there", "arguments", "outcome"),
    [
        (["one"], [], "prepared one"),
        (["one", "two"], ["--stack", "two"], "prepared two"),
        (["one", "two"], [], "Error: it is about a stack in AWS. Name one with --stack: one or two"),
        (["one"], ["--stack", "here"], "Error: stacks.here is not in AWS. Name one with --stack: one"),
        ([], [], "Error: it is about a stack in AWS. lakehouse.yaml has none"),
    ],
)
def test_the_only_stack_in_aws_needs_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[str], arguments: list[str], outcome: str
) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE.format(stacks="\n".join(STACK.format(each) for each in there)))

    def prepared(lakehouse: Lakehouse, stack: str) -> list[str]:
        return [f"prepared {stack}"]

    monkeypatch.setattr(prepare, "prepare", prepared)
    done = CliRunner().invoke(app, ["--file", str(path), *arguments, "aws", "prepare"])
    assert done.output.strip() == outcome
    assert done.exit_code == (2 if "Error" in outcome else 0)
