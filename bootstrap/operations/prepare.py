"""What must be in an account before the first deploy of a stack: the bucket of Terraform's state, GitHub's provider.

Neither belongs to a stack: the state outlives it, and an account has one provider for all that use GitHub. What is
there is used; settings are only made stricter. https://developer.hashicorp.com/terraform/language/backend/s3
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bootstrap.session import lake_formation
from bootstrap.session.aws import account, client
from lakehouse.access.names import AUDIENCE, GITHUB, Names, names
from lakehouse.access.policy import document, tls_only
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import AwsStack, Lakehouse

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PublicAccessBlockConfigurationTypeDef

_SHUT: PublicAccessBlockConfigurationTypeDef = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def prepare(lakehouse: Lakehouse, stack: str) -> Iterator[str]:
    """Make what is missing. Yields what was done, or that it was there.

    Raises UsageError if the stack keeps its state on this machine, LakehouseError if AWS refuses.
    """
    options = lakehouse.stacks[stack]
    assert isinstance(options, AwsStack)
    if options.backend is None:
        raise UsageError(
            f"stacks.{stack} keeps Terraform's state on this machine, so there is nothing to prepare. "
            "For a state in S3, add backend: {bucket: ...}"
        )
    own = names(lakehouse, stack, account(options.region, stack))
    try:
        yield from _bucket(options.backend.bucket, options.backend.region or options.region, own)
        if options.github:
            yield from _provider(own.github, options.region)
        yield from lake_formation.said(own)
    except (BotoCoreError, ClientError) as error:
        raise LakehouseError(f"stacks.{stack} cannot be prepared: {error}") from None


def _bucket(bucket: str, region: str, own: Names) -> Iterator[str]:
    """A bucket that keeps versions, is private and accepts only TLS. S3 encrypts all objects by itself."""
    s3 = client("s3", region)
    if place := _place(s3, bucket, own.stack):
        if place != region:
            raise LakehouseError(
                f"stacks.{own.stack}.backend: the bucket {bucket} is in {place}, and Terraform would look for it in "
                f"{region}. Write {{bucket: {bucket}, region: {place}}}"
            )
        yield f"the bucket {bucket} is there"
    else:
        where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)
        yield f"made the bucket {bucket} in {region}"
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield "  it keeps versions now"
    if _asked(s3.get_public_access_block, bucket).get("PublicAccessBlockConfiguration") != _SHUT:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_SHUT)
        yield "  it is private now"
    if not _asked(s3.get_bucket_policy, bucket):  # a policy of others is theirs
        arn = own.arn("s3", bucket, region=False, account=False)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document([tls_only(arn)])))
        yield "  it accepts only TLS now"


def _place(s3: Any, bucket: str, stack: str) -> str:
    """The bucket's region; empty if there is no such bucket."""
    try:
        return str(s3.head_bucket(Bucket=bucket)["BucketRegion"])
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            return ""
        if status == 403:
            raise LakehouseError(
                f'stacks.{stack}.backend.bucket: "{bucket}" exists, and these credentials may not use it. It may be '
                "somebody else's: names of buckets are unique in the world. Choose another, or use other credentials"
            ) from None
        raise


def _asked(call: Any, bucket: str) -> dict[str, Any]:
    """The answer, or nothing if the bucket has no such setting."""
    try:
        answer: dict[str, Any] = call(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy"):
            return {}
        raise
    return answer


def _provider(arn: str, region: str) -> Iterator[str]:
    """GitHub's OIDC provider. IAM itself knows the certificates of GitHub, so no thumbprint is given."""
    iam = client("iam", region)
    try:
        audiences = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]
    except iam.exceptions.NoSuchEntityException:
        iam.create_open_id_connect_provider(Url=f"https://{GITHUB}", ClientIDList=[AUDIENCE])
        yield f"made the OIDC provider {GITHUB}"
        return
    if AUDIENCE not in audiences:
        raise LakehouseError(
            f"the OIDC provider {arn} takes no tokens for {AUDIENCE}. Others use it, so it is not changed here. "
            f"Add the audience: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} "
            f"--client-id {AUDIENCE}"
        )
    yield f"the OIDC provider {GITHUB} is there"
