"""Requests that are sent again after a failure that may pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from bootstrap.remote.errors import RemoteError, Throttled

T = TypeVar("T")
_FIRST_WAIT = 0.2  # seconds; doubled each time


def retried(send: Callable[[], T], attempts: int, *passing: type[RemoteError]) -> T:
    """The result of ``send``; after one of the ``passing`` errors it is called again, ``attempts`` times in all.

    Waits between two calls, longer each time, and at least as long as a throttling server asks for.
    """
    for attempt in range(attempts - 1):
        try:
            return send()
        except passing as error:
            pause(attempt, error.wait if isinstance(error, Throttled) else 0.0)
    return send()


def pause(attempt: int, asked: float = 0.0) -> None:
    """Wait after a failed attempt, counted from 0: longer each time, and at least the ``asked`` seconds."""
    time.sleep(max(asked, _FIRST_WAIT * 2**attempt * random.uniform(0.5, 1.0)))  # noqa: S311
