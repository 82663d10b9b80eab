"""How sessions end."""

from __future__ import annotations

from types import SimpleNamespace
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


@pytest.mark.parametrize(
    ("url", "again"),
    [
        ("sc://localhost:15002", "sc://localhost:15002/;session_id=1-2"),
        ("sc://localhost:15002/;use_ssl=true", "sc://localhost:15002/;use_ssl=true;session_id=1-2"),
    ],
)
def test_a_former_session_is_ended_as_it_was_reached(monkeypatch: pytest.MonkeyPatch, url: str, again: str) -> None:
    asked: list[tuple[str, str]] = []
    former: Any = Session(known=True)

    def session(url: str, trust: str) -> Any:
        asked.append((url, trust))
        return former

    monkeypatch.setattr(clients, "spark_url", lambda target: url)
    monkeypatch.setattr(clients, "client_of_the_line", lambda target: None)
    monkeypatch.setattr(clients, "_say_token", lambda target: None)
    monkeypatch.setattr(clients, "spark_session", session)
    target: Any = SimpleNamespace(local=SimpleNamespace(place=SimpleNamespace(trust="/ca.pem")))
    clients.end_former(target, "1-2")
    assert asked == [(again, "/ca.pem")]
    assert former.stopped
