"""A stack as the CDK synthesises it: input for diagrams and policy scans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse import project, toolkit
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.packages import cached


@dataclass(frozen=True)
class Synthesised:
    """A stack's cdk.tf.json, and for a local stack also its services.json."""

    name: str
    document: Mapping[str, Any]
    services: tuple[Mapping[str, Any], ...] = ()

    @property
    def resources(self) -> dict[str, Mapping[str, Any]]:
        """Resources by address, for example ``aws_s3_bucket.store_warehouse_bucket``."""
        return {
            f"{type}.{name}": block
            for type, named in self.document.get("resource", {}).items()
            for name, block in named.items()
        }


def run(file: Path, out: Path, only: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the CDK app for a lakehouse.yaml, in a separate process; ``out`` becomes the CDK's output folder.

    ``only``: the app declares only that stack, because what others need may be missing on this machine.
    """
    environment = {**os.environ, "LAKEHOUSE_FILE": str(file.resolve()), "CDKTF_OUTDIR": str(out)}
    environment.setdefault("TMPDIR", str(out.parent))  # jsii needs one
    if only:
        environment[project.ONLY_STACK] = only
    command = [sys.executable, str(toolkit.root() / "main.py")]
    return subprocess.run(command, cwd=toolkit.root(), env=environment, capture_output=True, text=True, check=False)


def read(out: Path) -> dict[str, Synthesised]:
    """The stacks in a CDK output folder, by name."""
    found = {}
    for path in sorted(out.glob("stacks/*/cdk.tf.json")):
        services = path.with_name("services.json")
        known = json.loads(services.read_text()) if services.exists() else []
        name = path.parent.name
        found[name] = Synthesised(name, json.loads(path.read_text()), tuple(each["service"] for each in known))
    return found


def synthesise(file: Path, stack: str) -> Synthesised:
    """One stack of a lakehouse.yaml.

    Raises UsageError if the file has no such stack, LakehouseError if the app fails.
    """
    with tempfile.TemporaryDirectory(dir=cached.scratch()) as folder:
        done = run(file, Path(folder), stack)
        if done.returncode:
            before, _, said = done.stderr.partition("Error: ")  # jsii may have printed something before
            if said.startswith(f"{file.name}: stacks has no "):
                raise UsageError(said.strip())
            raise LakehouseError(f"{file.name} cannot be synthesised: {(said or before).strip()}")
        return read(Path(folder))[stack]
