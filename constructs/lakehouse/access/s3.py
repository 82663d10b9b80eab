"""The meaning of a verb for tables' files, in S3 policies.

A resource has a wildcard only if the target is a set: a prefix's objects. A table with a filter or mask has no
permission: a store knows no rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lakehouse.access.grants import VERBS, plain
from lakehouse.access.policy import PolicyStatement
from lakehouse.access.scope import scope
from lakehouse.spec import Lakehouse, Verb

_S3_OBJECTS: dict[Verb, tuple[str, ...]] = {
    "read": ("s3:GetObject",),
    # A writer deletes what a failed commit left, and aborts unfinished uploads.
    "write": ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject"),
    "manage": (),
}
_SIDS = re.compile(r"S3(Objects(Read|Write)|BucketsWhere|List[0-9]+)")


def made_here(policy: Mapping[str, Any]) -> bool:
    """Whether a policy in IAM's JSON has the names of statements that this compiler gives, and no others."""
    statements = policy.get("Statement") or []
    return bool(statements) and all(_SIDS.fullmatch(each.get("Sid") or "") for each in statements)


def on_files(lakehouse: Lakehouse, principal: str, arn: Callable[..., str]) -> tuple[PolicyStatement, ...]:
    """The permissions of a principal on tables' files, in a store with S3 policies.

    ``arn`` is as :meth:`lakehouse.access.names.Names.s3`.
    """
    own = plain(lakehouse, principal)
    found: list[PolicyStatement] = []
    for nth, verb in enumerate(VERBS):
        targets = [grant.target for grant in own if VERBS.index(grant.verb) >= nth]
        if prefixes := scope(lakehouse, targets).prefixes:
            found += files(arn, verb, prefixes)
    return tuple(found)


def files(arn: Callable[..., str], verb: Verb, prefixes: Sequence[tuple[str, str]]) -> list[PolicyStatement]:
    """The S3 statements for a verb on these prefixes, given as (bucket, key)."""
    buckets = list(dict.fromkeys(bucket for bucket, _ in prefixes))
    found = []
    if _S3_OBJECTS[verb]:
        objects = tuple(arn(bucket, f"{prefix}/*") for bucket, prefix in prefixes)
        found.append(PolicyStatement(f"S3Objects{verb.title()}", _S3_OBJECTS[verb], objects))
    if verb == "read":
        arns = tuple(arn(bucket) for bucket in buckets)
        found.append(PolicyStatement("S3BucketsWhere", ("s3:GetBucketLocation",), arns))
        for nth, bucket in enumerate(buckets, 1):
            here = [prefix for other, prefix in prefixes if other == bucket]
            # Without the slash, files of a folder whose name only begins alike would be listed too.
            within = [pattern for prefix in here for pattern in (f"{prefix}/", f"{prefix}/*")]
            condition = {"StringLike": {"s3:prefix": within}}
            found.append(PolicyStatement(f"S3List{nth}", ("s3:ListBucket",), (arn(bucket),), condition))
    return found
