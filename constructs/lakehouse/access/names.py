"""Names in AWS, in one place: for the stack that creates things and for the bootstrap that finds them.

A name contains the lakehouse and the stack, and if it must be unique in the world, also the account and the region.
``account`` may be a Terraform expression, if only Terraform knows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.spec import AwsStack, Lakehouse

OPERATORS = "operators"  # the Athena workgroup of the user who deploys: `lakehouse verify` queries through it
MAINTENANCE = "maintenance"  # the role of Glue's table optimizers
GITHUB = "token.actions.githubusercontent.com"  # the issuer of GitHub's tokens
AUDIENCE = "sts.amazonaws.com"  # whom the tokens are for


@dataclass(frozen=True)
class Names:
    """Names and ARNs of one stack."""

    lakehouse: str
    stack: str
    region: str
    account: str

    @property
    def prefix(self) -> str:
        """The prefix of every name."""
        return f"{self.lakehouse}-{self.stack}"

    @property
    def partition(self) -> str:
        """The part of AWS that the region is in: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html"""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rpartition("-")[0].rpartition("-")[0], "aws")

    def bucket(self, name: str) -> str:
        """A bucket's name in AWS; in lakehouse.yaml it is ``name``."""
        return f"{self.prefix}-{name}-{self.account}-{self.region}"

    def table_bucket(self, name: str) -> str:
        """An S3 Tables bucket's name: it is unique only in its account and region."""
        return f"{self.prefix}-{name}"

    def location(self, location: str) -> str:
        """``s3://warehouse/lake`` of lakehouse.yaml, as it is in AWS."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        return f"s3://{self.bucket(bucket)}/{key}".rstrip("/")

    def database(self, namespace: str) -> str:
        """The Glue database of a namespace: SQL names it, so it is the same as everywhere else."""
        return namespace

    def workgroup(self, principal: str) -> str:
        """The Athena workgroup of a principal."""
        return f"{self.prefix}-{principal}"

    @property
    def document(self) -> str:
        """The document of Systems Manager that makes instances what they are. No document may begin with `aws`."""
        return f"lakehouse-{self.prefix}-configure"

    def role(self, name: str) -> str:
        """An IAM role. Its name is unique in the account, across regions."""
        return f"{self.prefix}-{name}-{self.region}"

    @property
    def github(self) -> str:
        """ARN of the account's OIDC provider for GitHub."""
        return self.arn("iam", f"oidc-provider/{GITHUB}", region=False)

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """``arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE``; parts that a service does not use are empty."""
        place = f"{self.region if region else ''}:{self.account if account else ''}"
        return f"arn:{self.partition}:{service}:{place}:{resource}"

    def s3(self, bucket: str, key: str = "") -> str:
        """ARN of a bucket of lakehouse.yaml, or of the objects ``key`` in it."""
        path = f"{self.bucket(bucket)}/{key}" if key else self.bucket(bucket)
        return self.arn("s3", path, region=False, account=False)


def names(lakehouse: Lakehouse, stack: str, account: str) -> Names:
    """The names of one of the lakehouse's stacks in AWS.

    Raises KeyError if the lakehouse has no such stack, TypeError if it is not one in AWS.
    """
    definition = lakehouse.stacks[stack]
    if not isinstance(definition, AwsStack):
        raise TypeError(f"stacks.{stack} is not in AWS")
    return Names(lakehouse.name, stack, definition.region, account)
