"""Options that several commands have."""

from __future__ import annotations

import json
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(value: object) -> None:
    """The answer for programs."""
    print(json.dumps(value, indent=2))
