"""A folder with a lakehouse.yaml, and the program run in it, for the suite's tests of commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import typer
from typer.testing import CliRunner, Result

from bootstrap.cli import reconciler as commands
from tests.behaviour.servers import Servers

FILE = """\
name: commands
buckets: {{{bucket}: {{}}}}
catalogs:
  lake:
    location: {location}
    namespaces:
      {root}:   # a comment that stays
        tables:
          t:
            columns:
              a: {{type: long, required: true}}
              b: {b}
{more}
stacks:
  local: {{runtime: process, store: s3proxy, catalogs: {{lake: nessie}}}}
"""


@dataclass
class Project:
    """A lakehouse.yaml in a folder, and the program run there."""

    path: Path
    root: str
    servers: Servers
    location: str = "s3://warehouse/lake"

    def write(self, b: str = "int", more: str = "") -> None:
        self.path.write_text(
            FILE.format(root=self.root, b=b, more=more, location=self.location, bucket=self.location.split("/")[2])
        )

    def run(self, *arguments: str) -> Result:
        program = typer.Typer()
        program.callback()(self.options)
        program.add_typer(commands.app)
        return CliRunner().invoke(program, arguments, catch_exceptions=True)

    def options(self, context: typer.Context) -> None:
        target = SimpleNamespace(path=self.path, stack="local", in_aws=False)
        context.obj = SimpleNamespace(target=lambda engines=False: target)
