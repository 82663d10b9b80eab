"""IAM: sizes, numbers and names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, with the quotas of an account that asked for
no others. White space is not counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.aws.attached import resolved

MANAGED, INLINE, TRUST = 6_144, 10_240, 2_048  # characters
ATTACHED = 10
ROLES, POLICIES = 1_000, 1_500  # of an account
_NAMES = {"aws_iam_role": 64, "aws_iam_policy": 128, "aws_iam_instance_profile": 128}
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_SID = re.compile(r"[A-Za-z0-9]*")


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Policies that are too long or malformed, too many of them, and wrong names."""
    of = stack["resource"]
    for type, most in _NAMES.items():
        for name, block in of.get(type, {}).items():
            if len(block["name"]) > most or not _NAME.fullmatch(block["name"]):
                yield f"{type}.{name}: the name {block['name']}, which has {len(block['name'])} characters of {most}"
    for name, block in of.get("aws_iam_policy", {}).items():
        yield from _document(f"aws_iam_policy.{name}", block["policy"], MANAGED)
    for name, block in of.get("aws_iam_role", {}).items():
        yield from _document(f"aws_iam_role.{name}", block["assume_role_policy"], TRUST)
    inline: Counter[str] = Counter()
    for name, block in of.get("aws_iam_role_policy", {}).items():
        yield from _document(f"aws_iam_role_policy.{name}", block["policy"], INLINE)
        inline[block["role"]] += _size(block["policy"])
    yield from (f"{role}: {size} characters of inline policies" for role, size in inline.items() if size > INLINE)
    attached = Counter(each["role"] for each in of.get("aws_iam_role_policy_attachment", {}).values())
    yield from (f"{role}: {number} policies attached" for role, number in attached.items() if number > ATTACHED)
    for type, most in (("aws_iam_role", ROLES), ("aws_iam_policy", POLICIES)):
        if len(of.get(type, {})) > most:
            yield f"{type}: {len(of[type])} of them, of {most} in an account"


def _document(address: str, text: str, most: int) -> Iterator[str]:
    if (size := _size(text)) > most:
        yield f"{address}: {size} characters, of {most}"
    if wrong := [sign for sign in resolved(text) if not ("\u0020" <= sign <= "\u00ff" or sign in "\t\n\r")]:
        yield f"{address}: characters that no policy may have: {wrong}"
    sids = Counter(each["Sid"] for each in json.loads(text)["Statement"] if "Sid" in each)
    for sid, number in sids.items():
        if number > 1 or not _SID.fullmatch(sid):
            yield f"{address}: {number} statements named {sid}"


def _size(text: str) -> int:
    return len(re.sub(r"\s", "", resolved(text)))
