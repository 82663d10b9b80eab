"""Files of services that their programs would refuse, found before anything is stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service
from lakehouse.text.placeholders import written

_SECONDS = 60
_LINES = 5  # of what it says: the first ones name the fault


def check(state: State, services: Iterable[Service]) -> None:
    """Raises LakehouseError with what the program of a service says of its files, if it does not take them."""
    for each in services:
        if not each.trial:
            continue
        with TemporaryDirectory() as folder:
            for file in each.files:
                path = Path(folder, file.path)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_private(path, written(file.text, state.secret))
            try:
                done = subprocess.run(
                    each.trial, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
                    check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise LakehouseError(
                    f"{each.name} did not say within {_SECONDS} s whether it takes its files."
                ) from None
            if done.returncode != 0:
                said = [f"  {line}" for line in (done.stdout + done.stderr).splitlines() if line.strip()]
                what = "\n".join(said[:_LINES])
                raise LakehouseError(f"{each.name} does not take its files. It says:\n{what}")
