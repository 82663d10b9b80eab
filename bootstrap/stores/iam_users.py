"""Users of the store through AWS IAM's API, which SeaweedFS answers at its S3 port.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing, Refused
from bootstrap.remote.s3 import iam, typed
from bootstrap.remote.user_keys import UserKeys
from bootstrap.stores.users import Policy, StoreUser, with_existing
from lakehouse.access.s3_verbs import AllowedCall, administers, understood
from lakehouse.runtimes.state import State

_POLICY = "lakehouse"  # the inline policy that each user gets here
_MARK = "lakehouse:mark"  # a tag: a policy in SeaweedFS keeps no `Id`
#: AWS's word for an action, and SeaweedFS's. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_ACTION = ("s3:ListMultipartUploadParts", "s3:ListParts")
#: What an administrator gives a user in SeaweedFS's own shell, and what is shown as a policy of a made-up name.
_ACTIONS = "actions of SeaweedFS (s3.configure)"


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

    def facts(self, lakehouse: str, existing: Mapping[str, str] | None = None) -> dict[str, StoreUser]:
        with self._typed():
            names = self._names()
            read = {name: self._read(name) for name in names if name.startswith(f"{lakehouse}-")}
            found = {name: user for name, user in read.items() if user is not None}
            former = {name: user for name, user in self.keys.adopted().items() if name.startswith(f"{lakehouse}-")}

            def adopted(name: str, user: str) -> StoreUser | None:
                return self._adopted(name, user) if user in names else None

            return with_existing(found, former, existing or {}, adopted)

    def strangers(self, known: Collection[str]) -> dict[str, StoreUser]:
        with self._typed():
            keys = {name: self._access_keys(name) for name in self._names() if name not in known}
            owner = self._connections.store.access_key
            theirs = [name for name, of in keys.items() if owner not in of and _POLICY not in self._inline(name)]
            found = {name: self._adopted("", name) for name in theirs}
        return {
            name: replace(user, enabled=any(keys[name].values()))
            for name, user in found.items()
            if user.given and not _administers(user)
        }

    def create(self, name: str, policy: Policy) -> None:
        with self._typed():
            if name not in self._names():
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

    def change(self, name: str, policy: Policy, *, enabled: bool, existing: str = "") -> None:
        with self._typed():
            if existing:
                self._change_existing(name, existing, policy if enabled else None)
                return
            kept, keys = self.keys.access_key(name), self._access_keys(name)
            for key, active in keys.items():
                if active and not enabled:
                    self._iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
                elif enabled and not active and (key == kept or kept not in keys):
                    self._iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
            if enabled and not keys:
                self._make_keys(name)
            self._give(name, policy)

    def renew(self, name: str, existing: str = "") -> bool:
        with self._typed():
            former = self._access_keys(existing or name)  # raises Missing
            self._make_keys(name, active=any(former.values()) or (bool(existing) and not former), existing=existing)
        return True

    def end_former(self, name: str, existing: str = "") -> int:
        user = existing or name
        with self._typed():
            former = self._access_keys(user).keys() - {self.keys.access_key(name)}
            for key in former:
                self._iam.delete_access_key(UserName=user, AccessKeyId=key)
        return len(former)

    def take(self, name: str, policy: str, existing: str = "") -> None:
        user = existing or name
        with self._typed():
            if policy in self._inline(user):
                self._without_actions(user)
                self._iam.delete_user_policy(UserName=user, PolicyName=policy)
            elif policy in (attached := self._attached(user)):
                self._iam.detach_user_policy(UserName=user, PolicyArn=attached[policy])
            else:
                raise Missing(f"user {user} of the store has no policy {policy}")

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

    def _adopted(self, name: str, user: str) -> StoreUser:
        """A user of others, with the toolkit's policy if it has that."""
        own, inline, attached = _own(name), self._inline(user), self._attached(user)
        given = {each: self._content(user, each) for each in inline}
        given |= {each: self._shared(arn) for each, arn in attached.items()}
        policy = _renamed(given.pop(own, {}), *reversed(_ACTION))
        apart = [f"group {each['GroupName']}" for each in self._pages("list_groups_for_user", "Groups", UserName=user)]
        if self._has_actions(user, inline):
            apart.append(_ACTIONS)
        understood = {each: _renamed(of, *reversed(_ACTION)) for each, of in given.items()}
        others = tuple(sorted(given))
        return StoreUser(policy, bool(policy), others=others, existing=user, given=understood, apart=tuple(apart))

    def _change_existing(self, name: str, user: str, policy: Policy | None) -> None:
        """Give a user of others the toolkit's policy, or take it away. The note comes first and goes last."""
        if user not in self._names():
            raise Missing(f"the store has no user {user}")
        if policy is None:
            if _own(name) in self._inline(user):
                self._iam.delete_user_policy(UserName=user, PolicyName=_own(name))
            self.keys.abandon(name)
            return
        self._without_actions(user)
        self.keys.adopt(name, user)
        content = _renamed(policy, *_ACTION)
        self._iam.put_user_policy(UserName=user, PolicyName=_own(name), PolicyDocument=json.dumps(content))

    def _without_actions(self, user: str) -> None:
        """Raises Refused if the user has actions of SeaweedFS: they end with the first change of its policies."""
        if self._has_actions(user, self._inline(user)):
            text = f"the object store: user {user} may do what it may by {_ACTIONS}"
            raise Refused(f"{text}, and its first policy would end them. Give it policies instead, or a further user")

    def _has_actions(self, user: str, inline: list[str]) -> bool:
        """Whether SeaweedFS made up the user's one policy from its actions: it makes up those of other names too."""
        if inline != [f"{user}_policy"]:
            return False
        try:
            return self._content(user, inline[0]) == self._content(user, f"{user}_policy_made_up")
        except Missing:
            return False

    def _content(self, user: str, policy: str) -> dict[str, Any]:
        with self._typed():
            found: dict[str, Any] = self._iam.get_user_policy(UserName=user, PolicyName=policy)["PolicyDocument"]
        return found

    def _shared(self, arn: str) -> dict[str, Any]:
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        content: dict[str, Any] = found["Document"]
        return content

    def _names(self) -> list[str]:
        return [each["UserName"] for each in self._pages("list_users", "Users")]

    def _make_keys(self, name: str, *, active: bool = True, existing: str = "") -> None:
        user = existing or name
        made = self._iam.create_access_key(UserName=user)["AccessKey"]
        if not active:
            self._iam.update_access_key(UserName=user, AccessKeyId=made["AccessKeyId"], Status="Inactive")
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


def _administers(user: StoreUser) -> bool:
    """Whether the user may make users, by a policy or by SeaweedFS's action Admin, which is shown as all calls."""
    everything = understood(user.given.values()).gives([AllowedCall("s3:*", "*")])
    return any(map(administers, user.given.values())) or (everything and _ACTIONS in user.apart)


def _own(name: str) -> str:
    """The toolkit's policy of a user that somebody else made."""
    return f"lakehouse-{name}"


def _renamed(policy: Policy, word: str, other: str) -> dict[str, Any]:
    """The policy with another word for an action."""
    renamed: dict[str, Any] = json.loads(json.dumps(policy).replace(f'"{word}"', f'"{other}"'))
    return renamed
