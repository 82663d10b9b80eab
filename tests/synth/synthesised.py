"""The synthesised stacks of a lakehouse.yaml, made once for all tests that read them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bootstrap.session.synthesised import Synthesised, read, run

ROOT = Path(__file__).parents[2]
AWS = ROOT / "lakehouses" / "aws-glue.yaml"
LOCAL = ROOT / "lakehouse.yaml"


@cache
def stacks(file: Path) -> Mapping[str, Synthesised]:
    with tempfile.TemporaryDirectory() as folder:
        done = run(file, Path(folder))
        assert done.returncode == 0, done.stderr
        return read(Path(folder))


def every_stack() -> list[Synthesised]:
    return [*stacks(AWS).values(), *stacks(LOCAL).values()]
