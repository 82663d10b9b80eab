"""Who may take the role of a principal in AWS: the role's trust policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lakehouse.access.names import Names
from lakehouse.spec.roles import Principal, Trusted

_TAG = "aws:PrincipalTag/lakehouse-principal"


def trust(names: Names, name: str, principal: Principal) -> list[dict[str, Any]]:
    """Let those take the role that the file names, or else users and roles of the account with the principal's tag."""
    if principal.trust is None:
        return [_take(names.arn("iam", "root", region=False), {"StringEquals": {_TAG: name}})]
    found: dict[tuple[str, str], list[str]] = {}
    for entry in principal.trust:
        arn, word = (entry.arn, entry.external_id) if isinstance(entry, Trusted) else (entry, "")
        account = f"{arn.rpartition(':')[0]}:root"
        found.setdefault((account, word), []).append(arn)
    return [_named(account, word, arns) for (account, word), arns in found.items()]


def _named(account: str, word: str, arns: Sequence[str]) -> dict[str, Any]:
    """By condition, and not as `Principal`: IAM would refuse a role that is not there, and a pattern.

    It would also replace the ARN by the role's id, so that a permission set that is assigned again lost its trust.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    conditions: dict[str, dict[str, Any]] = {"ArnLike": {"aws:PrincipalArn": list(arns)}}
    if word:
        conditions["StringEquals"] = {"sts:ExternalId": word}
    return _take(account, conditions)


def _take(account: str, conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole", "Condition": conditions}
