"""Users of the store, through MinIO's admin API, which AIStor has too.

https://docs.min.io/community/minio-object-store/administration/identity-access-management.html
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing, Refused, Unreachable
from bootstrap.remote.user_keys import UserKeys
from bootstrap.stores.users import Policy, StoreUser
from lakehouse.runtimes.state import State

if TYPE_CHECKING:
    from minio import MinioAdmin
    from minio.error import MinioAdminException


class MinioUsers:
    """The users of MinIO.

    A user's access key is random and kept like a secret, because whoever knows one can write with it on MinIO
    (docs/stores.md). So users are found by their policies: each has one, with the user's name here. A principal with
    two pairs of keys, for a rotation, is two users of MinIO with one policy.
    """

    def __init__(self, connections: Connections, state: State) -> None:
        self._connections, self.keys = connections, UserKeys(state)
        self._address = str(connections.store.endpoint)

    @cached_property
    def _admin(self) -> MinioAdmin:
        from minio import MinioAdmin  # slow, and few stacks need it
        from minio.credentials.providers import StaticProvider

        store, address = self._connections.store, urlsplit(self._address)
        return MinioAdmin(
            endpoint=address.netloc,
            credentials=StaticProvider(str(store.access_key), str(store.secret_key)),
            region=store.region,
            secure=address.scheme == "https",
            http_client=urllib3.PoolManager(retries=False, timeout=self._connections.patience, ca_certs=store.trust),
        )

    def any_made(self, lakehouse: str) -> bool:
        return self.keys.any_of(lakehouse)

    def facts(self, lakehouse: str) -> dict[str, StoreUser]:
        users, policies, others = self._read()
        return {
            name: StoreUser(
                policies[name],
                any(enabled.values()),
                self.keys.access_key(name) in enabled,
                tuple(sorted(others[name])),
            )
            for name, enabled in users.items()
            if name.startswith(f"{lakehouse}-") and name in policies
        }

    def create(self, name: str, policy: Policy) -> None:
        access_key, secret_key = self.keys.make(name)
        with self._typed(access_key, secret_key):
            self._admin.policy_add(name, policy=dict(policy))
            self._admin.user_add(access_key, secret_key)
            self._admin.policy_set(name, user=access_key)

    def change(self, name: str, policy: Policy, *, enabled: bool) -> None:
        access_keys, _ = self._there(name)
        kept = self.keys.access_key(name)
        with self._typed(*access_keys):
            self._admin.policy_add(name, policy=dict(policy))
            for key in access_keys:
                if not enabled:
                    self._admin.user_disable(key)
                elif key == kept or kept not in access_keys:
                    self._admin.user_enable(key)

    def renew(self, name: str) -> None:
        users, _, others = self._read()
        if name not in users:
            raise Missing(f"the store has no user {name}")
        enabled = any(users[name].values())
        access_key, secret_key = (secrets.token_hex(20) for _ in range(2))
        with self._typed(access_key, secret_key):
            self._admin.user_add(access_key, secret_key)
            if not enabled:
                self._admin.user_disable(access_key)
            self._admin.policy_set(",".join([name, *sorted(others[name])]), user=access_key)
        self.keys.keep(name, access_key, secret_key)

    def take(self, name: str, policy: str) -> None:
        access_keys, _ = self._there(name)
        _, _, others = self._read()
        if policy not in others[name]:
            raise Missing(f"user {name} of the store has no policy {policy}")
        with self._typed(*access_keys):
            for key in access_keys:
                self._admin.policy_set(",".join([name, *sorted(others[name] - {policy})]), user=key)

    def end_former(self, name: str) -> int:
        former = self._there(name)[0].keys() - {self.keys.access_key(name)}
        with self._typed(*former):
            for key in former:
                self._admin.user_remove(key)
        return len(former)

    def remove(self, name: str, policy: Policy) -> None:
        access_keys, there = self._there(name)
        if there != policy:
            raise Conflict(f"the policy of user {name} changed meanwhile")
        with self._typed(*access_keys):
            for key in access_keys:
                self._admin.user_remove(key)
            self._admin.policy_remove(name)
        self.keys.forget(name)

    def _there(self, name: str) -> tuple[dict[str, bool], Policy | None]:
        users, policies, _ = self._read()
        if name not in users:
            raise Missing(f"the store has no user {name}")
        return users[name], policies.get(name)

    def _read(self) -> tuple[dict[str, dict[str, bool]], dict[str, Policy], dict[str, set[str]]]:
        """Whether each access key of a user is enabled, by the user's name; all policies; and users' further policies.

        A user has the name of each policy that begins like those of the toolkit, unless the state folder knows better.
        """
        with self._typed():
            users, policies = json.loads(self._admin.user_list()), json.loads(self._admin.policy_list())
        kept = {self.keys.access_key(name): name for name in self.keys.names()}
        found: dict[str, dict[str, bool]] = {}
        others: dict[str, set[str]] = {}
        for access_key, each in users.items():
            given = [policy for policy in (each.get("policyName") or "").split(",") if policy]
            for name in [kept[access_key]] if kept.get(access_key) in given else given:
                found.setdefault(name, {})[access_key] = each.get("status") != "disabled"
                others.setdefault(name, set()).update(set(given) - {name})
        return found, {name: ordered(each) for name, each in policies.items()}, others

    @contextmanager
    def _typed(self, *hidden: str) -> Iterator[None]:
        from minio.error import MinioAdminException

        try:
            yield
        except MinioAdminException as error:
            raise Refused(f"the object store: {_said(error, hidden)}") from None
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable("the object store", self._address, type(error).__name__) from None


def ordered(content: Any) -> Any:
    """A policy in a fixed order: MinIO stores lists as sets, and answers with another order each time."""
    if isinstance(content, Mapping):
        return {key: ordered(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return sorted(map(ordered, content), key=lambda each: json.dumps(each, sort_keys=True))
    return content


def _said(error: MinioAdminException, hidden: tuple[str, ...]) -> str:
    text = str(error)
    for each in hidden:
        text = text.replace(each, "***")
    return text
