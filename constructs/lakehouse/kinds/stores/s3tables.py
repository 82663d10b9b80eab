"""Amazon S3 Tables. Its table buckets are made in :mod:`lakehouse.aws.store`."""

from __future__ import annotations

from lakehouse.kinds.store import StoreKind
from lakehouse.spec.kinds import AWS, Capabilities

S3TABLES = StoreKind(
    word="s3tables",
    label="S3 Tables",
    on=(AWS,),
    can=Capabilities(sts=True, policies=True, versioning=False, lifecycle=True, conditional_writes=True),
    catalog="s3tables",
)
