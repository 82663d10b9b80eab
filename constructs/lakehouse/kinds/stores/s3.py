"""Amazon S3. Its buckets are made in :mod:`lakehouse.aws.store`."""

from __future__ import annotations

from lakehouse.kinds.store import StoreKind
from lakehouse.spec.kinds import AWS, Capabilities

S3 = StoreKind(
    word="s3",
    label="S3",
    on=(AWS,),
    can=Capabilities(sts=True, policies=True, versioning=True, lifecycle=True, conditional_writes=True),
)
