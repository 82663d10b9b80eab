"""What the CDK app warns of. The command line of cdktf prints it; `lakehouse deploy` does without that."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

_WARNING = "@cdktf/warn"


def warnings(output: Path, stack: str) -> list[str]:
    """The warnings that the app has added to a stack, from its output folder. Empty if the app has written nothing."""
    try:
        manifest = json.loads((output / "manifest.json").read_text())
        found = manifest["stacks"][stack].get("annotations", [])
    except (OSError, ValueError, KeyError):
        return []
    return [each["message"] for each in found if each["level"] == _WARNING]


def new(found: Iterable[str], printed: Sequence[str]) -> list[str]:
    """Those that were not printed yet, maybe with the file by another path, or after their place in it."""
    return [each for each in found if not any(each.endswith(line) or line.endswith(each) for line in printed)]
