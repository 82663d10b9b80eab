"""A Python environment for each tool, from its locked packages, in the user's cache folder, made when needed.

The lock files are made by: uv pip compile --generate-hashes (the packages are in docs/tools.md).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"


def scripts(tool: str) -> Path:
    """The folder of the environment's programs."""
    lock = REQUIREMENTS / f"{tool}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakehouse" / "tools"
    made = cache / f"{tool}-{digest}"
    done = made / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(made)], check=True)
        pip = [str(made / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
        # The locks are complete. pip's own resolver refuses a package that another wants with an extra (`x[y]`).
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], check=True)
        done.touch()
    return made / "bin"
