"""Statements of IAM policies, merged and divided among policies of a size that IAM accepts. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from os.path import commonprefix
from typing import Any

from lakehouse.access.policy import PolicyStatement, document

Statement = PolicyStatement | Mapping[str, Any]
_SID = 24  # characters that are reserved for a statement's name


def text(statements: Iterable[Statement]) -> str:
    """A policy as it is sent to IAM, which does not count white space."""
    return json.dumps(document(statements), separators=(",", ":"))


def packed(statements: Iterable[Statement], room: int, size: Callable[[str], int] = len) -> list[list[Statement]]:
    """Policies of at most ``room`` characters that together allow the same; ``size`` is the length of a text.

    Statements on the same resources become one, and so do those in one policy with the same actions. Each stays whole,
    so that a policy has all the resources that an action needs, unless it is too long for a policy. Then its resources
    are divided, or else the values of its condition, of which one must match. Raises ValueError if it has neither.
    """
    policies: list[_Policy] = []
    waiting = _joined(statements)[::-1]
    while waiting:
        statement = waiting.pop()
        if any(policy.take(statement) for policy in policies):
            continue
        policies.append(_Policy(room - size(text([])), size))
        if not policies[-1].take(statement):
            policies.pop()
            waiting += reversed(_halves(statement))
    return [policy.statements() for policy in policies]


@dataclass
class _Policy:
    left: int
    size: Callable[[str], int]
    allowing: dict[tuple[str, tuple[str, ...]], list[PolicyStatement]] = field(default_factory=dict)
    others: list[Mapping[str, Any]] = field(default_factory=list)

    def take(self, statement: Statement) -> bool:
        """Add the statement if there is room."""
        if not isinstance(statement, PolicyStatement):
            if fits := self._pay(self._whole(statement)):
                self.others.append(statement)
            return fits
        key = (_condition(statement), statement.actions)
        same = self.allowing.get(key)
        if same is None:
            if taken := self._pay(self._whole(replace(statement, sid="x" * _SID))):
                self.allowing[key] = [statement]
            return taken
        there = set(chain.from_iterable(each.resources for each in same))
        added = [resource for resource in statement.resources if resource not in there]
        if taken := self._pay(sum(self.size(json.dumps(each)) + 1 for each in added)):
            same.append(replace(statement, resources=tuple(added)))
        return taken

    def statements(self) -> list[Statement]:
        """The policy's statements, each with a name of its own."""
        found: list[Statement] = []
        taken: set[str] = set()
        for same in self.allowing.values():
            resources = tuple(chain.from_iterable(each.resources for each in same))
            found.append(replace(same[0], sid=_sid([each.sid for each in same], taken), resources=resources))
        return [*found, *self.others]

    def _pay(self, price: int) -> bool:
        fits = price <= self.left
        self.left -= price if fits else 0
        return fits

    def _whole(self, statement: Statement) -> int:
        return self.size(text([statement])) - self.size(text([])) + 1  # the comma


def _joined(statements: Iterable[Statement]) -> list[Statement]:
    """Statements on the same resources and under the same condition as one."""
    groups: dict[object, list[PolicyStatement]] = {}
    others: list[Statement] = []
    for each in statements:
        if isinstance(each, PolicyStatement):
            groups.setdefault((_condition(each), frozenset(each.resources)), []).append(each)
        else:
            others.append(each)
    joined: list[Statement] = [
        replace(
            same[0],
            sid=_sid([each.sid for each in same], set()),
            actions=tuple(sorted({action for each in same for action in each.actions})),
        )
        for same in groups.values()
    ]
    return [*joined, *others]


def _condition(statement: PolicyStatement) -> str:
    return json.dumps(statement.conditions, sort_keys=True)


def _sid(said: list[str], taken: set[str]) -> str:
    """The beginning that the names have in common, with a number if it is taken."""
    name = (commonprefix(said) or said[0])[: _SID - 3]  # noqa: RUF071 - names, not paths
    sid = next(each for number in count(1) if (each := f"{name}{number if number > 1 else ''}") not in taken)
    taken.add(sid)
    return sid


def _halves(statement: Statement) -> list[Statement]:
    """Two statements that together allow the same, with half of the resources or of a condition's values each."""
    if isinstance(statement, PolicyStatement):
        resources = statement.resources
        if len(resources) > 1:
            middle = len(resources) // 2
            return [replace(statement, resources=half) for half in (resources[:middle], resources[middle:])]
        lists = [
            (len(values), operator, key)
            for operator, keys in statement.conditions.items()
            for key, values in keys.items()
            if isinstance(values, list) and len(values) > 1
        ]
        if lists:
            most, operator, key = max(lists)
            values = statement.conditions[operator][key]
            return [
                replace(
                    statement,
                    conditions={**statement.conditions, operator: {**statement.conditions[operator], key: half}},
                )
                for half in (values[: most // 2], values[most // 2 :])
            ]
    sid = statement.sid if isinstance(statement, PolicyStatement) else statement.get("Sid")
    raise ValueError(f"the statement {sid} is too long for a policy")
