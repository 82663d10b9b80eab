"""Steps of a tool, each tried whatever became of those before it. A line a step: its name, a tab, and why it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def step(name: str, work: Callable[[], Any]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever fails is the result
        print(f"{name}\t{type(error).__name__}: {' '.join(str(error).split())[-300:]}", flush=True)
    else:
        print(f"{name}\t", flush=True)
