"""Users of the store through AWS IAM's API, which SeaweedFS answers at its S3 port.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing, Refused
from bootstrap.remote.s3 import iam, typed
from bootstrap.remote.user_keys import UserKeys
from bootstrap.stores.users import Policy, StoreUser
from lakehouse.runtimes.state import State

_POLICY = "lakehouse"  # the inline policy that each user gets here
_MARK = "lakehouse:mark"  # a tag: a policy in SeaweedFS keeps no `Id`
#: AWS's word for an action, and SeaweedFS's. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_ACTION = ("s3:ListMultipartUploadParts", "s3:ListParts")


class IamUsers:
    """The users of a store with IAM. A user is made in steps and gets its policy last: without one it may do nothing.

    So a user without it is only half made, and :meth:`create` goes on with it.
    """

    def __init__(self, connections: Connections, state: State) -> None:
        self._connections, self.keys = connections, UserKeys(state)

    @cached_property
    def _iam(self) -> Any:
        return iam(self._connections.store, patience=self._connections.patience)

    def any_made(self, lakehouse: str) -> bool:
        return self.keys.any_of(lakehouse)

    def facts(self, lakehouse: str) -> dict[str, StoreUser]:
        with self._typed():
            names = [each["UserName"] for each in self._pages("list_users", "Users")]
            found = {name: self._read(name) for name in names if name.startswith(f"{lakehouse}-")}
        return {name: user for name, user in found.items() if user is not None}

    def create(self, name: str, policy: Policy) -> None:
        with self._typed():
            if name not in {each["UserName"] for each in self._pages("list_users", "Users")}:
                self._iam.create_user(UserName=name)
            elif others := self._policies(name):
                text = f"the object store: user {name} exists, with policies of others ({', '.join(others)})"
                raise Refused(f"{text}. Remove the user, or name the principal otherwise")
            active = self._access_keys(name)
            if self.keys.access_key(name) not in active:
                for lost in active:  # the answer that had the secret key never arrived
                    self._iam.delete_access_key(UserName=name, AccessKeyId=lost)
                self._make_keys(name)
            self._give(name, policy)

    def change(self, name: str, policy: Policy, *, enabled: bool) -> None:
        with self._typed():
            kept, keys = self.keys.access_key(name), self._access_keys(name)
            for key, active in keys.items():
                if active and not enabled:
                    self._iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
                elif enabled and not active and (key == kept or kept not in keys):
                    self._iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
            if enabled and not keys:
                self._make_keys(name)
            self._give(name, policy)

    def renew(self, name: str) -> None:
        with self._typed():
            former = self._access_keys(name)  # raises Missing
            self._make_keys(name, active=any(former.values()))

    def end_former(self, name: str) -> int:
        with self._typed():
            former = self._access_keys(name).keys() - {self.keys.access_key(name)}
            for key in former:
                self._iam.delete_access_key(UserName=name, AccessKeyId=key)
        return len(former)

    def take(self, name: str, policy: str) -> None:
        with self._typed():
            if policy in self._inline(name):
                self._iam.delete_user_policy(UserName=name, PolicyName=policy)
            elif policy in (attached := self._attached(name)):
                self._iam.detach_user_policy(UserName=name, PolicyArn=attached[policy])
            else:
                raise Missing(f"user {name} of the store has no policy {policy}")

    def remove(self, name: str, policy: Policy) -> None:
        with self._typed():
            found = self._read(name)
            if found is None:
                raise Missing(f"the store has no user {name}")
            if found.policy != policy:
                raise Conflict(f"the policy of user {name} changed meanwhile")
            for key in self._access_keys(name):
                self._iam.delete_access_key(UserName=name, AccessKeyId=key)
            for inline in self._inline(name):
                self._iam.delete_user_policy(UserName=name, PolicyName=inline)
            for arn in self._attached(name).values():
                self._iam.detach_user_policy(UserName=name, PolicyArn=arn)
            self._iam.delete_user(UserName=name)
        self.keys.forget(name)

    def _read(self, name: str) -> StoreUser | None:
        """A user, if it has that policy."""
        policies = self._policies(name)
        if _POLICY not in policies:  # SeaweedFS invents one if it is asked for one that is not there
            return None
        found = self._iam.get_user_policy(UserName=name, PolicyName=_POLICY)["PolicyDocument"]
        policy = _renamed(found, *reversed(_ACTION))
        tags = {each["Key"]: each["Value"] for each in self._pages("list_user_tags", "Tags", UserName=name)}
        keys, kept = self._access_keys(name), self.keys.access_key(name)
        ours = kept is not None and (kept in keys or not keys)  # without any, its removal was cut short
        marked = {"ID": tags[_MARK], **policy} if tags.get(_MARK) else policy
        return StoreUser(marked, any(keys.values()), ours, tuple(sorted({*policies} - {_POLICY})))

    def _make_keys(self, name: str, *, active: bool = True) -> None:
        made = self._iam.create_access_key(UserName=name)["AccessKey"]
        if not active:
            self._iam.update_access_key(UserName=name, AccessKeyId=made["AccessKeyId"], Status="Inactive")
        self.keys.keep(name, made["AccessKeyId"], made["SecretAccessKey"])

    def _give(self, name: str, policy: Policy) -> None:
        if mark := policy.get("ID", ""):
            self._iam.tag_user(UserName=name, Tags=[{"Key": _MARK, "Value": mark}])
        else:
            self._iam.untag_user(UserName=name, TagKeys=[_MARK])
        content = {key: value for key, value in _renamed(policy, *_ACTION).items() if key != "ID"}
        self._iam.put_user_policy(UserName=name, PolicyName=_POLICY, PolicyDocument=json.dumps(content))

    def _policies(self, name: str) -> list[str]:
        """The names of the user's policies."""
        return [*self._inline(name), *self._attached(name)]

    def _inline(self, name: str) -> list[str]:
        return self._pages("list_user_policies", "PolicyNames", UserName=name)

    def _attached(self, name: str) -> dict[str, str]:
        """The ARNs of policies that are attached to the user, by name."""
        found = self._pages("list_attached_user_policies", "AttachedPolicies", UserName=name)
        return {each["PolicyName"]: each["PolicyArn"] for each in found}

    def _access_keys(self, name: str) -> dict[str, bool]:
        """Whether each of the user's access keys is active."""
        found = self._pages("list_access_keys", "AccessKeyMetadata", UserName=name)
        return {each["AccessKeyId"]: each["Status"] == "Active" for each in found}

    def _pages(self, call: str, what: str, **arguments: str) -> list[Any]:
        pages = self._iam.get_paginator(call).paginate(**arguments)
        return [each for page in pages for each in page.get(what) or ()]

    @contextmanager
    def _typed(self) -> Iterator[None]:
        with typed(str(self._connections.store.endpoint)):
            yield


def _renamed(policy: Policy, word: str, other: str) -> dict[str, Any]:
    """The policy with another word for an action."""
    renamed: dict[str, Any] = json.loads(json.dumps(policy).replace(f'"{word}"', f'"{other}"'))
    return renamed
