"""``lakehouse diagram`` as a user runs it, and the diagram of docs/architecture.md, which must be its output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bootstrap.cli.main import app
from tests.unit.bootstrap.diagram.grammar import plain, read_dot, read_mermaid

ROOT = Path(__file__).parents[4]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["--file", str(ROOT / "lakehouse.yaml"), "diagram", *arguments])


def test_mermaid_is_the_default_and_dot_says_the_same() -> None:
    said = run().stdout
    assert said == run("--format", "mermaid").stdout
    assert plain(read_mermaid(said)) == plain(read_dot(run("--format", "dot").stdout))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(["--stack", "nowhere"], 2, 'stacks: there is no stack "nowhere" that'), (["--format", "svg"], 2, "svg")],
)
def test_what_cannot_be_done_is_an_error(arguments: list[str], code: int, said: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in done.stderr


def test_the_diagram_of_the_page_is_fresh() -> None:
    [block] = re.findall(
        r"^```mermaid\n(.*?)^```$", (ROOT / "docs" / "architecture.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert block == run().stdout, "put the output of `lakehouse diagram` into docs/architecture.md"
