"""Users of the store, whatever API it has for them. A user is of this lakehouse if its keys are in the state folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bootstrap.remote.user_keys import UserKeys

Policy = Mapping[str, Any]  # in IAM's JSON; the reconciler's mark is its `ID`


@dataclass(frozen=True)
class StoreUser:
    """An existing user, without its keys. ``ours``: its keys are in the state folder.

    ``policy`` is the toolkit's own; ``others`` are the names of those that somebody else gave it. ``existing`` is its
    own name if somebody else made it: then it is ``enabled`` by the toolkit's policy, ``given`` has the contents of
    the others, and ``apart`` says in words by what else it may do anything, which nobody looks at.
    """

    policy: Policy
    enabled: bool = True
    ours: bool = True
    others: tuple[str, ...] = ()
    existing: str = ""
    given: Mapping[str, Policy] = field(default_factory=dict)
    apart: tuple[str, ...] = ()


class UserAdmin(Protocol):
    """The users of a running store. Raises the errors of :mod:`bootstrap.remote.errors`, without any key in them."""

    keys: UserKeys

    def any_made(self, lakehouse: str) -> bool:
        """Whether a user was made for a lakehouse of that name, as the state folder knows. Asks no server."""

    def facts(self, lakehouse: str, existing: Mapping[str, str] | None = None) -> dict[str, StoreUser]:
        """The users whose names have the prefix of a lakehouse of that name.

        ``existing`` are those that somebody else made: their own names by the names of the toolkit's policies. One
        that is no longer among them is there as long as it has the toolkit's policy.
        """

    def strangers(self, known: Collection[str]) -> dict[str, StoreUser]:
        """The users that somebody else made and that have policies, by their own names, without these.

        The store's owner, whoever administers it, and users of other lakehouses are never among them.
        """

    def create(self, name: str, policy: Policy) -> None:
        """Create the user, with its own keys that the state folder keeps."""

    def change(self, name: str, policy: Policy, *, enabled: bool, existing: str = "") -> None:
        """Give the user that policy, and enable or disable it. Raises Missing if there is no such user.

        If somebody else made it (``existing``), give it the toolkit's policy or take that away, and nothing else.
        """

    def renew(self, name: str, existing: str = "") -> bool:
        """Give the user further keys, which the state folder keeps. A disabled user stays disabled.

        Returns whether those before them work until :meth:`end_former`. Raises Missing if there is no such user.
        """

    def end_former(self, name: str, existing: str = "") -> int:
        """Remove all keys of the user but those that the state folder keeps. Returns how many. Raises Missing."""

    def take(self, name: str, policy: str, existing: str = "") -> None:
        """Take away a policy that somebody else gave the user. Raises Missing if it has none of that name."""

    def remove(self, name: str, policy: Policy) -> None:
        """Remove the user and its keys, which never come back.

        Raises Missing if there is none, Conflict if it now has another policy.
        """


def with_existing(
    found: Mapping[str, StoreUser],
    former: Mapping[str, str],
    existing: Mapping[str, str],
    read: Callable[[str, str], StoreUser | None],
) -> dict[str, StoreUser]:
    """The toolkit's users, and those of others: to whom it gave a policy (``former``), or whom the file names.

    ``read`` reads one by the names of the toolkit's policy and of the user; None: there is no such user.
    """
    every = dict(found)
    for name in {**former, **existing}.keys() - found.keys():
        had = read(name, former[name]) if name in former else None
        if had is None or not had.enabled:
            had = read(name, existing[name]) if name in existing else None
        if had is not None:
            every[name] = had
    return every
