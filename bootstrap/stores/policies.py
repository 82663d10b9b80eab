"""Bucket policies: our statement, next to those of others. Pure; :mod:`bootstrap.stores.buckets` sends them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from __future__ import annotations

import json
from typing import Any

_OURS = "LakehousePublicRead"


def is_public(policy: str | None) -> bool:
    """Whether the policy has the statement that opens the bucket's objects to readers without keys."""
    return any(each.get("Sid") == _OURS for each in _statements(policy))


def with_public(policy: str | None, bucket: str, *, public: bool) -> str | None:
    """The policy with that statement or without it; None if nothing is left of it."""
    statements = [each for each in _statements(policy) if each.get("Sid") != _OURS]
    if public:
        everybody: dict[str, Any] = {"Sid": _OURS, "Effect": "Allow", "Principal": {"AWS": ["*"]}}
        # Objects by their names, but not the list of objects.
        statements.append({**everybody, "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/*"]})
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _statements(policy: str | None) -> list[dict[str, Any]]:
    found = json.loads(policy)["Statement"] if policy else []
    return found if isinstance(found, list) else [found]
