"""pip's configuration, which says where Python's packages come from. pip may be the only package that is installed."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys


@functools.cache
def options() -> dict[str, str]:
    """The options as `pip config list` shows them, such as ``global.index-url``."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False, timeout=60
    )
    pairs = (line.partition("=")[::2] for line in done.stdout.splitlines() if "=" in line)
    return {key: str(ast.literal_eval(value)) for key, value in pairs if value.startswith(("'", '"'))}


def option(name: str, command: str = "download") -> str:
    """An option: from the environment, then for the command, then for all commands, which is pip's own precedence."""
    found = options()
    keys = (f":env:.{name}", f"{command}.{name}", f"global.{name}")
    return next((found[key] for key in keys if found.get(key)), "")
