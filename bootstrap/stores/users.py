"""Users of the store: one for each principal of the file, who may reach the files that its roles grant, and no others.

By MinIO's admin API, which AIStor has too: https://docs.min.io/community/minio-object-store/administration/identity-access-management.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import urllib3
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException

from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Refused, Unreachable
from lakehouse.access import policy, s3
from lakehouse.spec import Lakehouse

_KEYS = ("access-key", "secret-key")
Policy = Mapping[str, Any]
SYMBOLS = {"create": "+", "update": "~", "remove": "-"}


@dataclass(frozen=True)
class User:
    """A user that is there: its access key, and what it may do."""

    access_key: str
    policy: Policy


@dataclass(frozen=True)
class UserChange:
    """What is to happen to a user; ``policy`` is what it may do from then on, ``access_key`` the one that it has."""

    op: Literal["create", "update", "remove"]
    user: str
    policy: Policy
    access_key: str = ""

    def __str__(self) -> str:
        return f"{SYMBOLS[self.op]} user {self.user}"


def wanted(lakehouse: Lakehouse) -> dict[str, Policy]:
    """User -> policy for each principal that may do anything; NAME-PRINCIPAL is what the policy is called."""
    found: dict[str, Policy] = {}
    for principal in lakehouse.access.principals:
        statements = s3.on_files(lakehouse, principal, _arn)
        if statements:
            found[f"{lakehouse.name}-{principal}"] = policy.document(statements)
    return found


def _arn(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")


def changes(want: Mapping[str, Policy], have: Mapping[str, User]) -> list[UserChange]:
    """What turns ``have`` into ``want``. Pure."""
    made = [UserChange("create", user, content) for user, content in want.items() if user not in have]
    made += [
        UserChange("update", user, content, have[user].access_key)
        for user, content in want.items()
        if user in have and _ordered(have[user].policy) != _ordered(content)
    ]
    return made + [
        UserChange("remove", user, each.policy, each.access_key) for user, each in have.items() if user not in want
    ]


def _ordered(content: Any) -> Any:
    """A policy in an order of its own: the store sorts lists, and whose order counts none."""
    if isinstance(content, Mapping):
        return {key: _ordered(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return sorted((_ordered(each) for each in content), key=lambda each: json.dumps(each, sort_keys=True))
    return content


class Users:
    """The users of a running store."""

    def __init__(self, store: StoreConnection) -> None:
        address = urlsplit(str(store.endpoint))
        self._address = str(store.endpoint)
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self._admin = MinioAdmin(
            endpoint=address.netloc,
            credentials=StaticProvider(str(store.access_key), str(store.secret_key)),
            region=store.region,
            secure=address.scheme == "https",
            http_client=self._http,
        )

    def facts(self, lakehouse: str) -> dict[str, User]:
        """Those that a lakehouse of that name made, which the names of their policies tell."""
        with self._typed():
            users = json.loads(self._admin.user_list())
            policies = json.loads(self._admin.policy_list())
        named = {each.get("policyName", ""): access_key for access_key, each in users.items()}
        return {
            name: User(access_key, policies[name])
            for name, access_key in named.items()
            if name.startswith(f"{lakehouse}-") and name in policies
        }

    def carry_out(self, change: UserChange, secret: Callable[[str], str], forget: Callable[[str], None]) -> None:
        """Make, change or remove the user. Raises the errors of :mod:`bootstrap.remote.errors`.

        ``secret`` gives NAME-access-key and NAME-secret-key: the access key is not the name, for MinIO lets whoever
        knows an access key write with it (docs/stores.md). ``forget`` drops one: the keys of who goes never come back.
        """
        with self._typed():
            if change.op == "remove":
                self._admin.user_remove(change.access_key)
                self._admin.policy_remove(change.user)
                for key in _KEYS:
                    forget(f"{change.user}-{key}")
                return
            self._admin.policy_add(change.user, policy=dict(change.policy))
            if change.op == "create":
                access_key, secret_key = (secret(f"{change.user}-{key}") for key in _KEYS)
                self._admin.user_add(access_key, secret_key)
                self._admin.policy_set(change.user, user=access_key)

    @contextmanager
    def _typed(self) -> Iterator[None]:
        try:
            yield
        except MinioAdminException as error:
            raise Refused(f"the object store: {error}") from None
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable("the object store", self._address, type(error).__name__) from None
