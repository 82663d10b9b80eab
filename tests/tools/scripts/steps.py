"""Steps of a tool, each tried whatever became of those before it. A line a step: its name, a tab, and why it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def step(name: str, work: Callable[[], Any]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever fails is the result
        said = " ".join(str(error).partition("JVM stacktrace:")[0].split())  # of Spark; the trace is a long one
        print(f"{name}\t{type(error).__name__}: {said[:1500]}", flush=True)
    else:
        print(f"{name}\t", flush=True)
