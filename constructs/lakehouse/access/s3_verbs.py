"""The way back from policies of S3 to the verbs of `access`: what policies that others made mean here. Pure.

A verb is what its compiler (:mod:`lakehouse.access.s3`) makes of it. So a policy gives a verb on a target if it gives
every call that the compiled verb has; what it gives besides, no verb says.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from lakehouse.access.grants import is_view
from lakehouse.access.policy import PolicyStatement, document
from lakehouse.access.s3 import files
from lakehouse.access.scope import prefix, scope
from lakehouse.spec import Lakehouse, Verb

_Policy = Mapping[str, Any]  # in IAM's JSON

_ARN = re.compile(r"^arn:aws[a-z-]*:s3:::")
_OF_BUCKETS = {"s3:ListBucket", "s3:GetBucketLocation"}
_OF_OBJECTS = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
_KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition"}
_UP_TO: Mapping[Verb, tuple[Verb, ...]] = {"read": ("read",), "write": ("read", "write"), "manage": ("read", "write")}
#: Calls of whoever administers a store. Somebody who may make one is never listed.
_ADMINISTERING = ("admin:CreateUser", "admin:AttachUserOrGroupPolicy", "iam:CreateUser", "iam:AttachUserPolicy")


@dataclass(frozen=True, order=True)
class AllowedCall:
    """A call that a policy allows, each part with the wildcards of policies.

    ``prefix`` is what a list of objects may begin with; None: it may be any, and the call may be any.
    """

    action: str
    resource: str  # without the beginning of its ARN
    prefix: str | None = None

    def covers(self, other: AllowedCall) -> bool:
        """Whether this one allows all that the other allows."""
        within = self.prefix is None or (other.prefix is not None and _within(self.prefix, other.prefix))
        return within and _within(self.action, other.action) and _within(self.resource, other.resource)

    @property
    def idle(self) -> bool:
        """Whether it allows nothing: a call for objects on a bucket, or one for buckets on objects."""
        bucket, slash, key = self.resource.partition("/")
        if self.action in _OF_BUCKETS:
            return bool(slash) and not key.startswith("*") and not set(bucket) & {"*", "?"}
        return self.action in _OF_OBJECTS and not slash and not set(bucket) & {"*", "?"}

    def __str__(self) -> str:
        where = self.resource if self.prefix is None else f"{self.resource} ({self.prefix})"
        return f"{self.action.removeprefix('s3:')} on {where}"


@dataclass(frozen=True)
class ReadPolicy:
    """A policy as it is understood. ``denies``: it takes something away; ``unread`` are statements that are not."""

    calls: frozenset[AllowedCall]
    denies: bool = False
    unread: tuple[str, ...] = ()

    def gives(self, wanted: Iterable[AllowedCall]) -> bool:
        """Whether it surely allows all of these calls."""
        return not self.denies and all(self._covers(each) for each in wanted)

    def _covers(self, wanted: AllowedCall) -> bool:
        return wanted in self.calls or any(each.covers(wanted) for each in self.calls)


@dataclass(frozen=True)
class S3Expressed:
    """Verbs by target, and in words what no verb says."""

    verbs: Mapping[str, Verb]
    rest: tuple[str, ...]


def understood(policies: Iterable[_Policy]) -> ReadPolicy:
    """What these policies of one user allow together."""
    calls: set[AllowedCall] = set()
    unread: list[str] = []
    denies = False
    for statement in (each for policy in policies for each in many(policy.get("Statement"))):
        prefixes = _prefixes(statement)
        resources = [_ARN.sub("", each) for each in many(statement.get("Resource"))]
        texts = [*resources, *(each for each in prefixes or () if each is not None)]
        if statement.get("Effect") != "Allow":
            denies = True
            unread.append("a Deny")
        elif prefixes is None or statement.keys() - _KNOWN:
            keys = sorted({*(statement.keys() - _KNOWN), *(statement.get("Condition") or {})})
            unread.append(f"a statement with {', '.join(keys)}")
        elif any("${" in text for text in texts):
            unread.append("a statement with variables")
        elif not resources:
            unread.append(f"{', '.join(many(statement.get('Action')))} without a resource")
        else:
            calls |= {AllowedCall(*each) for each in product(many(statement.get("Action")), resources, prefixes)}
    return ReadPolicy(frozenset(calls), denies, tuple(dict.fromkeys(unread)))


def expressed(lakehouse: Lakehouse, policy: _Policy) -> S3Expressed:
    """What a policy is in verbs: at each target, the outermost first, the most that it gives there.

    A grant of a catalog holds for namespaces that it gets later, so it is said only of a policy that gives the
    catalog's whole location.
    """
    have = understood([policy])
    said: dict[str, Verb] = {}
    given: set[AllowedCall] = set()
    for target, verbs in () if have.denies else _targets(lakehouse):
        for verb in verbs:
            calls = _calls(lakehouse, target, verb)
            if calls and have.gives(calls) and _holds_later(lakehouse, have, target, verb):
                if not ReadPolicy(frozenset(given)).gives(calls):
                    said[target] = verb
                    given |= calls
                break
    all_said = ReadPolicy(frozenset(given))
    rest = sorted(each for each in have.calls if not each.idle and not all_said.gives([each]))
    return S3Expressed(said, (*have.unread, *_by_place(rest)))


def gives(policies: Iterable[_Policy], wanted: _Policy) -> bool:
    """Whether these policies together surely allow all that the wanted one allows."""
    return understood(policies).gives(understood([wanted]).calls)


def touches(lakehouse: Lakehouse, policies: Iterable[_Policy]) -> bool:
    """Whether the policies bear on anything in the locations of the file's catalogs and tables."""
    places = {f"{bucket}/{key}/" for bucket, key in (prefix(each.location) for each in lakehouse.catalogs.values())}
    places |= {
        "/".join((*prefix(table.location), ""))
        for catalog in lakehouse.catalogs.values()
        for namespace in catalog.namespaces.values()
        for table in namespace.tables.values()
        if table.location
    }
    literal = {
        re.split(r"[*?]|\$\{", _ARN.sub("", resource))[0]
        for policy in policies
        for statement in many(policy.get("Statement"))
        for resource in (*many(statement.get("Resource")), *many(statement.get("NotResource")))
    }
    buckets = {place.partition("/")[0] for place in places}
    return any(
        text in buckets or text.startswith(place) or place.startswith(text) for text in literal for place in places
    )


def administers(policy: _Policy) -> bool:
    """Whether somebody with the policy may make users of the store, or give them policies."""
    allowing = [each for each in many(policy.get("Statement")) if each.get("Effect") == "Allow"]
    return any(
        "NotAction" in statement or any(_within(action, call) for call in _ADMINISTERING)
        for statement in allowing
        for action in (many(statement.get("Action")) or [""])
    )


def many(value: Any) -> list[Any]:
    """The values as a list: IAM's JSON has one value or a list."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _prefixes(statement: Mapping[str, Any]) -> list[str | None] | None:
    """The prefixes of lists that the statement's condition names; [None]: it has none; None: it says something else."""
    condition = statement.get("Condition")
    if not condition:
        return [None]
    [(operator, keys), *further] = condition.items()
    prefixes: list[str | None] = many(keys.get("s3:prefix"))
    if further or keys.keys() != {"s3:prefix"} or operator not in ("StringLike", "StringEquals"):
        return None
    if operator == "StringEquals" and any(sign in str(each) for each in prefixes for sign in "*?"):
        return None  # there they are letters
    return prefixes


def _targets(lakehouse: Lakehouse) -> Iterator[tuple[str, tuple[Verb, ...]]]:
    """Every target of the file and the verbs that a policy can tell apart there, the highest first.

    For the files of tables `manage` is no more than `write`; of a view the file grants no `write`.
    """
    of_tables: tuple[Verb, ...] = ("write", "read")
    yield from ((catalog, of_tables) for catalog in lakehouse.catalogs)
    for catalog, content in lakehouse.catalogs.items():
        yield from ((f"{catalog}.{each}", of_tables) for each in sorted(content.namespaces))  # the outer one first
    for catalog, content in lakehouse.catalogs.items():
        for namespace, inner in content.namespaces.items():
            for name in (*inner.tables, *inner.views):
                on = f"{catalog}.{namespace}.{name}"
                yield on, ("manage", "read") if is_view(lakehouse, on) else of_tables


def _calls(lakehouse: Lakehouse, target: str, verb: Verb) -> frozenset[AllowedCall]:
    """What the verb's compiler allows."""
    prefixes = scope(lakehouse, [target]).prefixes
    statements: list[PolicyStatement] = []
    for each in _UP_TO[verb] if prefixes else ():
        statements += files(_path, each, prefixes)
    return understood([document(statements)]).calls


def _holds_later(lakehouse: Lakehouse, have: ReadPolicy, target: str, verb: Verb) -> bool:
    if target not in lakehouse.catalogs:
        return True
    whole = [prefix(lakehouse.catalogs[target].location)]
    statements = [statement for each in _UP_TO[verb] for statement in files(_path, each, whole)]
    return have.gives(understood([document(statements)]).calls)


def _path(bucket: str, key: str = "") -> str:
    return f"{bucket}/{key}" if key else bucket


def _by_place(calls: Collection[AllowedCall]) -> Iterator[str]:
    """The calls in words, those of one place together."""
    found: dict[tuple[str, str | None], list[AllowedCall]] = {}
    for each in calls:
        found.setdefault((each.resource, each.prefix), []).append(each)
    for same in found.values():
        actions = ", ".join(each.action.removeprefix("s3:") for each in same)
        yield str(AllowedCall(actions, same[0].resource, same[0].prefix))


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    signs = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(signs.get(sign) or re.escape(sign) for sign in text), re.DOTALL)


def _within(pattern: str, other: str) -> bool:
    """Whether a pattern stands for all that another stands for, whose wildcards only wildcards can stand for."""
    return pattern == other or _pattern(pattern).fullmatch(other) is not None
