"""Rules between buckets and stores."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.kinds import AWS, known
from lakehouse.spec.model import Bucket, Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack, LocalStack
from lakehouse.text.words import listed


def check_buckets(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Settings of a bucket that conflict with each other in every store."""
    for name, bucket in lakehouse.buckets.items():
        if bucket.noncurrent_days is not None and not bucket.versioning:
            message = f"{bucket.noncurrent_days} days for replaced versions, but the bucket keeps no versions. Add "
            at: KeyPath = ("buckets", name)
            yield Problem((*at, "noncurrent_days"), message + "versioning: true", ((*at, "versioning"),))


def check_store(name: str, stack: LocalStack | AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Settings of buckets that the stack's store does not support, and settings that the store needs."""
    about: tuple[KeyPath, ...] = (("stacks", name, "store"),)
    can = known().stores[stack.store.kind].can
    for bucket, content in lakehouse.buckets.items():
        at: KeyPath = ("buckets", bucket)
        if content.versioning and not can.versioning:
            kinds = listed(_with("versioning"))
            message = f"the store of stacks.{name}, {stack.store}, keeps no versions; {kinds} does. Remove it"
            yield Problem((*at, "versioning"), message, about)
        if why := _not_public(name, stack, content):
            yield Problem((*at, "access"), f'"public-read" {why}', about)
    if isinstance(stack, LocalStack):
        yield from _license(name, stack)


def _not_public(name: str, stack: LocalStack | AwsStack, bucket: Bucket) -> str | None:
    """Why the bucket cannot be read without keys, although the file sets it. None if it can, or is private."""
    if bucket.access == "private":
        return None
    if isinstance(stack, AwsStack):
        return f"is not available in stacks.{name}: no bucket in AWS is open to the public. Remove it"
    if known().stores[stack.store.kind].can.policies:
        return None
    kinds = listed(word for word in _with("policies") if AWS not in known().stores[word].on)
    return f"needs a bucket policy, which the store of stacks.{name}, {stack.store}, lacks; {kinds} has it. Remove it"


def _with(capability: str) -> list[str]:
    """The words of the stores that have a capability, named as in :class:`lakehouse.spec.kinds.Capabilities`."""
    return [word for word, kind in known().stores.items() if getattr(kind.can, capability)]


def _license(name: str, stack: LocalStack) -> Iterator[Problem]:
    at: KeyPath = ("stacks", name)
    kind = known().stores[stack.store.kind]
    if kind.license and stack.license is None:
        message = f'"license" is missing: {kind.label} does not start without its licence. Add license: minio.license, '
        yield Problem((*at, "store"), message + "the file that MinIO's SUBNET issues", ((*at, "license"),))
    if not kind.license and stack.license is not None:
        licensed = listed(each.label for each in known().stores.values() if each.license)
        message = f'"{stack.license}" has no effect: the store is {stack.store}, and only {licensed} has one. Remove it'
        yield Problem((*at, "license"), message, ((*at, "store"),))
