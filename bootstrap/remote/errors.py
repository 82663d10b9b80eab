"""The failures between the bootstrap and a server, by type: only the type decides how a failure is handled.

======================  ==============================================================================
:class:`Exists`         somebody else created it first: read it again and compare
:class:`Missing`        it does not exist (any more): read it again and compare
:class:`Conflict`       it changed since it was read: read it again and compare
:class:`Throttled`      the server did nothing and asks to wait: wait, then send the same request again
:class:`UnknownState`   the answer was lost: check what exists; never blindly send the request again
:class:`Refused`        final; a person has to change something
:class:`Unreachable`    nothing listens there: final for everything behind that address
======================  ==============================================================================
"""

from __future__ import annotations

import re

from lakehouse.errors import LakehouseError

_STACK_UP = "Is the stack up? `lakehouse status` shows it, `lakehouse deploy` brings it back."


class RemoteError(LakehouseError):
    """A request to the store or a catalog that did not succeed."""


class Exists(RemoteError):
    """The object existed already."""


class Missing(RemoteError):
    """The object, or its parent, does not exist."""


class Conflict(RemoteError):
    """The object is not in the state that the request was made for."""


class Throttled(RemoteError):
    """The server refused for lack of capacity and did nothing; ``wait`` are the seconds it asks for."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class UnknownState(RemoteError):
    """A write was sent and no answer came: it may have been carried out, now or later."""


class Refused(RemoteError):
    """The server understood the request and refused it."""


class Unreachable(RemoteError):
    """No connection could be made, so nothing was done. ``fix`` is for a server that is no part of a stack."""

    def __init__(self, what: str, endpoint: str, reason: str, fix: str = _STACK_UP) -> None:
        super().__init__(f"{what} at {endpoint} cannot be reached ({_in_words(reason)}). {fix}")


class StalePlan(LakehouseError):
    """A saved plan is not what an apply would do any more."""


#: A new round with fresh facts resolves these.
RETRIED = (Exists, Missing, Conflict, Throttled, UnknownState)


_SIGNS = (  # what libraries say, and what it means
    (r"[Cc]onnection ?[Rr]efused", "connection refused"),
    (r"Name or service not known|name resolution|NameResolution|nodename nor", "unknown host name"),
    (r"No route to host|Network is unreachable", "no way to that host"),
    (r"timed out|Timeout", "no answer in time"),
    (r"^(Endpoint|New)ConnectionError$", "no connection"),
)


def _in_words(reason: str) -> str:
    """A reason without the names of Python's classes around it."""
    return next((words for sign, words in _SIGNS if re.search(sign, reason)), reason)


def first_line(error: BaseException) -> str:
    """A foreign library's error message, in one line."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
