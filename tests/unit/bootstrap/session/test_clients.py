"""How sessions end."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.session import clients


class Session:
    """A session that the server no longer knows, or one that it does."""

    def __init__(self, *, known: bool) -> None:
        self.known, self.stopped = known, False

    def interruptAll(self) -> None:  # noqa: N802 - PySpark's name
        if not self.known:
            raise RuntimeError("[INVALID_HANDLE.SESSION_CLOSED]")

    def stop(self) -> None:
        self.stopped = True


def test_a_session_that_the_server_has_ended_is_forgotten_too() -> None:
    known: Any = Session(known=True)
    clients.end_spark(known)
    ended: Any = Session(known=False)
    with pytest.raises(RuntimeError, match="SESSION_CLOSED"):
        clients.end_spark(ended)
    assert (known.stopped, ended.stopped) == (True, True)
