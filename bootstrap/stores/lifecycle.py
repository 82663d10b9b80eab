"""Lifecycle rules: ours, next to those of others. Pure; :mod:`bootstrap.stores.buckets` sends them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# By the bucket's key in the file: the rule's id, and where in the rule its days are.
_RULES: Mapping[str, tuple[str, str, str]] = {
    "expire_days": ("lakehouse-expire-days", "Expiration", "Days"),
    "noncurrent_days": ("lakehouse-noncurrent-days", "NoncurrentVersionExpiration", "NoncurrentDays"),
}


def days(rules: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The days of our own rules, by the bucket's key in the file. A key without a rule is left out."""
    found = {rule.get("ID"): rule for rule in rules}
    return {key: found[ours][action][unit] for key, (ours, action, unit) in _RULES.items() if ours in found}


def with_days(rules: Iterable[Any], key: str, days: int | None) -> list[Any]:
    """The rules with our own for ``key`` set to that many days; None removes it."""
    ours, action, unit = _RULES[key]
    kept = [rule for rule in rules if rule.get("ID") != ours]
    if days is None:
        return kept
    return [*kept, {"ID": ours, "Status": "Enabled", "Filter": {"Prefix": ""}, action: {unit: days}}]
