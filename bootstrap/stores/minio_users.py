"""Users of the store, through MinIO's admin API, which AIStor has too.

https://docs.min.io/community/minio-object-store/administration/identity-access-management.html
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing, Refused, Unreachable
from bootstrap.remote.user_keys import UserKeys
from bootstrap.stores.users import Policy, StoreUser, with_existing
from lakehouse.access.s3 import made_here
from lakehouse.access.s3_verbs import administers
from lakehouse.runtimes.state import State

if TYPE_CHECKING:
    from minio import MinioAdmin
    from minio.error import MinioAdminException
#: An access key that the toolkit makes. People choose others, and MinIO's own have 20 letters.
_OWN_KEY = re.compile("[0-9a-f]{40}")


class MinioUsers:
    """The users of MinIO.

    A user's access key is random and kept like a secret, because whoever knows one can write with it on MinIO
    (docs/stores.md). So users are found by their policies: each has one, with the user's name here. A principal with
    two pairs of keys, for a rotation, is two users of MinIO with one policy. A user that somebody else made is named
    by a digest of its access key.
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

    def facts(self, lakehouse: str, existing: Mapping[str, str] | None = None) -> dict[str, StoreUser]:
        users, policies, others = self._read()
        found = {
            name: StoreUser(
                policies[name],
                any(enabled.values()),
                self.keys.access_key(name) in enabled,
                tuple(sorted(others[name])),
            )
            for name, enabled in users.items()
            if name.startswith(f"{lakehouse}-") and name in policies
        }
        former = {name: digest(key) for name, key in self.keys.adopted().items() if name.startswith(f"{lakehouse}-")}
        if not former and not existing:
            return found
        known = {digest(key): each for key, each in self._listed().items()}

        def adopted(name: str, user: str) -> StoreUser | None:
            return _adopted(name, user, known[user], policies) if user in known else None

        return with_existing(found, former, existing or {}, adopted)

    def strangers(self, known: Collection[str]) -> dict[str, StoreUser]:
        _, policies, _ = self._read()
        kept = {self.keys.access_key(name): name for name in self.keys.names()}
        found, listed = {}, self._listed()
        for key, each in listed.items():
            user = _adopted("", digest(key), each, policies)
            if listed.keys() & user.given.keys():  # their names would get into the file
                given = {digest(name) if name in listed else name: of for name, of in user.given.items()}
                apart = (*user.apart, "a policy that is named as an access key")
                user = replace(user, given=given, others=tuple(sorted(given)), apart=apart)
            ours = kept.get(key) in _given(each) or (
                _OWN_KEY.fullmatch(key) and any(map(made_here, user.given.values()))
            )
            if user.existing not in known and not ours and user.given:
                found[user.existing] = replace(user, enabled=each.get("status") != "disabled")
        return {name: user for name, user in found.items() if not any(map(administers, user.given.values()))}

    def create(self, name: str, policy: Policy) -> None:
        access_key, secret_key = self.keys.make(name)
        with self._typed(access_key, secret_key):
            self._admin.policy_add(name, policy=dict(policy))
            self._admin.user_add(access_key, secret_key)
            self._admin.policy_set(name, user=access_key)

    def change(self, name: str, policy: Policy, *, enabled: bool, existing: str = "") -> None:
        if existing:
            self._change_existing(name, existing, policy if enabled else None)
            return
        access_keys, _ = self._there(name)
        kept = self.keys.access_key(name)
        with self._typed(*access_keys):
            self._admin.policy_add(name, policy=dict(policy))
            for key in access_keys:
                if not enabled:
                    self._admin.user_disable(key)
                elif key == kept or kept not in access_keys:
                    self._admin.user_enable(key)

    def renew(self, name: str, existing: str = "") -> bool:
        if existing:
            self._renew_existing(name, existing)
            return False
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
        return True

    def take(self, name: str, policy: str, existing: str = "") -> None:
        if existing:
            key, each = self._existing(existing)
            if policy not in (given := _given(each)):
                raise Missing(f"user {existing} of the store has no policy {policy}")
            self._give(key, [one for one in given if one != policy])
            return
        access_keys, _ = self._there(name)
        _, _, others = self._read()
        if policy not in others[name]:
            raise Missing(f"user {name} of the store has no policy {policy}")
        with self._typed(*access_keys):
            for key in access_keys:
                self._admin.policy_set(",".join([name, *sorted(others[name] - {policy})]), user=key)

    def end_former(self, name: str, existing: str = "") -> int:
        if existing:
            self._existing(existing)
            return 0  # they ended when it got new ones
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

    def _change_existing(self, name: str, user: str, policy: Policy | None) -> None:
        """Give a user of others the toolkit's policy, or take it away. The note comes first and goes last."""
        key, each = self._existing(user)
        given = [one for one in _given(each) if one != name]
        if policy is None:
            self._give(key, given)
            with self._typed(key):
                if name in json.loads(self._admin.policy_list()):
                    self._admin.policy_remove(name)
            self.keys.abandon(name)
            return
        self.keys.adopt(name, key)
        with self._typed(key):
            self._admin.policy_add(name, policy=dict(policy))
        self._give(key, [name, *given])

    def _renew_existing(self, name: str, user: str) -> None:
        """Give a user of others a new secret key: with another access key, it would be another user to its groups."""
        key, each = self._existing(user)
        secret_key = secrets.token_hex(20)
        with self._typed(key, secret_key):
            self._admin.user_add(key, secret_key)
            if each.get("status") == "disabled":  # MinIO enables whoever gets a new secret key
                self._admin.user_disable(key)
        self.keys.keep(name, key, secret_key)

    def _give(self, key: str, policies: list[str]) -> None:
        with self._typed(key):
            if policies:
                self._admin.policy_set(",".join(policies), user=key)
            elif given := _given(self._listed()[key]):
                self._admin.policy_unset(",".join(given), user=key)

    def _existing(self, user: str) -> tuple[str, Mapping[str, Any]]:
        """The access key of a user of others, and what the server says of it. Raises Missing."""
        for key, each in self._listed().items():
            if digest(key) == user:
                return key, each
        raise Missing(f"the store has no user {user}")

    def _listed(self) -> dict[str, Mapping[str, Any]]:
        with self._typed():
            found: dict[str, Mapping[str, Any]] = json.loads(self._admin.user_list())
        return found

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
        adopted = {key: name for name, key in self.keys.adopted().items()}
        found: dict[str, dict[str, bool]] = {}
        others: dict[str, set[str]] = {}
        for access_key, each in users.items():
            given = [policy for policy in _given(each) if policy != adopted.get(access_key)]
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


def digest(access_key: str) -> str:
    """The name in the file of a user that somebody else made: its access key must not be there."""
    return f"sha256:{hashlib.sha256(access_key.encode()).hexdigest()[:16]}"


def _adopted(name: str, user: str, each: Mapping[str, Any], policies: Mapping[str, Policy]) -> StoreUser:
    """A user of others, with the toolkit's policy if it has that."""
    attached = _given(each)
    policy = policies[name] if name in attached and name in policies else {}
    given = {other: policies[other] for other in attached if other != name and other in policies}
    apart = tuple(f"group {group}" for group in each.get("memberOf") or ())
    others = tuple(sorted({*attached} - {name}))
    return StoreUser(policy, bool(policy), others=others, existing=user, given=given, apart=apart)


def _given(each: Mapping[str, Any]) -> list[str]:
    """The names of a user's policies, which MinIO has in one text."""
    return [policy for policy in (each.get("policyName") or "").split(",") if policy]


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
