"""Users of the store, whatever API it has for them. A user is of this lakehouse if its keys are in the state folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bootstrap.remote.user_keys import UserKeys

Policy = Mapping[str, Any]  # in IAM's JSON; the reconciler's mark is its `ID`


@dataclass(frozen=True)
class StoreUser:
    """An existing user, without its keys. ``ours``: its keys are in the state folder.

    ``policy`` is the toolkit's own; ``others`` are the names of those that somebody else gave it.
    """

    policy: Policy
    enabled: bool = True
    ours: bool = True
    others: tuple[str, ...] = ()


class UserAdmin(Protocol):
    """The users of a running store. Raises the errors of :mod:`bootstrap.remote.errors`, without any key in them."""

    keys: UserKeys

    def any_made(self, lakehouse: str) -> bool:
        """Whether a user was made for a lakehouse of that name, as the state folder knows. Asks no server."""

    def facts(self, lakehouse: str) -> dict[str, StoreUser]:
        """The users whose names have the prefix of a lakehouse of that name."""

    def create(self, name: str, policy: Policy) -> None:
        """Create the user, with its own keys that the state folder keeps."""

    def change(self, name: str, policy: Policy, *, enabled: bool) -> None:
        """Give the user that policy, and enable or disable it. Raises Missing if there is no such user."""

    def renew(self, name: str) -> None:
        """Give the user further keys, which the state folder keeps. Those before them work until :meth:`end_former`.
        A disabled user stays disabled.

        Raises Missing if there is no such user.
        """

    def end_former(self, name: str) -> int:
        """Remove all keys of the user but those that the state folder keeps. Returns how many. Raises Missing."""

    def take(self, name: str, policy: str) -> None:
        """Take away a policy that somebody else gave the user. Raises Missing if it has none of that name."""

    def remove(self, name: str, policy: Policy) -> None:
        """Remove the user and its keys, which never come back.

        Raises Missing if there is none, Conflict if it now has another policy.
        """
