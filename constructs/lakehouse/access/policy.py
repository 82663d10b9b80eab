"""Policies of S3 and IAM as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PolicyStatement:
    """One statement of an IAM policy that allows."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The statement in IAM's JSON."""
        condition = {"Condition": self.conditions} if self.conditions else {}
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
            **condition,
        }


def document(found: Iterable[PolicyStatement | Mapping[str, Any]]) -> dict[str, Any]:
    """A policy of these statements in IAM's JSON."""
    return {
        "Version": "2012-10-17",
        "Statement": [each.document() if isinstance(each, PolicyStatement) else dict(each) for each in found],
    }


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement of a bucket's policy that refuses requests without TLS; ``bucket`` is its ARN."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
