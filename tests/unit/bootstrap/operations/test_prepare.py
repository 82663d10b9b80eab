"""What `lakehouse aws prepare` makes, on moto's account: once, and nothing that is there is made weaker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from bootstrap.operations import prepare as preparing
from bootstrap.operations.prepare import prepare
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import Lakehouse

REGION: Literal["eu-west-1"] = "eu-west-1"
BUCKET = "example-terraform-state"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
GITHUB = {"repository": "example/lakehouse", "owner_id": 1, "repository_id": 2}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    for key in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "LAKEHOUSE_AWS_ACCOUNT"):
        monkeypatch.delenv(key, raising=False)
    with mock_aws():
        yield


def lakehouse(**more: Any) -> Lakehouse:
    stack = {"region": REGION, "store": "s3", "catalogs": {"lake": "glue"}, **more}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
            "stacks": {"aws": stack},
        }
    )


@pytest.mark.parametrize("region", [REGION, "us-east-1"])
def test_a_new_account_is_prepared_once(region: str) -> None:
    wanted = lakehouse(backend={"bucket": BUCKET, "region": region}, github=GITHUB)
    assert list(prepare(wanted, "aws")) == [
        f"made the bucket {BUCKET} in {region}",
        "  it keeps versions now",
        "  it is private now",
        "  it accepts only TLS now",
        "made the OIDC provider token.actions.githubusercontent.com",
    ]
    s3, iam = boto3.client("s3", region_name=region), boto3.client("iam")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    [statement] = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    assert found["ClientIDList"] == ["sts.amazonaws.com"]
    assert list(prepare(wanted, "aws")) == [
        f"the bucket {BUCKET} is there",
        "the OIDC provider token.actions.githubusercontent.com is there",
    ]


def test_what_others_made_is_used() -> None:
    s3, iam = boto3.client("s3", region_name=REGION), boto3.client("iam")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    theirs = {"Version": "2012-10-17", "Statement": []}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(theirs))
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["https://github.com/example"]
    )
    with pytest.raises(LakehouseError, match=r"takes no tokens for sts.*Add the audience: aws iam add-client-id"):
        list(prepare(lakehouse(backend={"bucket": BUCKET}, github=GITHUB), "aws"))
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) == theirs
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    assert found["ClientIDList"] == ["https://github.com/example"]


def test_no_provider_is_made_that_nobody_asked_for() -> None:
    list(prepare(lakehouse(backend={"bucket": BUCKET}), "aws"))
    assert boto3.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_state_on_this_machine_needs_nothing() -> None:
    with pytest.raises(UsageError, match=r"stacks\.aws keeps Terraform's state on this machine.*add backend"):
        list(prepare(lakehouse(), "aws"))


def test_a_bucket_of_somebody_else_is_named() -> None:
    class S3:
        def head_bucket(self, **given: str) -> None:
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}, "Error": {"Code": "403"}}, "HeadBucket")  # type: ignore[typeddict-item]

    with pytest.raises(LakehouseError, match=rf'stacks\.aws\.backend\.bucket: "{BUCKET}" exists'):
        preparing._place(S3(), BUCKET, "aws")


def test_a_bucket_in_another_region_is_named() -> None:
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
    with pytest.raises(LakehouseError, match=rf"is in us-east-1, .* Write {{bucket: {BUCKET}, region: us-east-1}}"):
        list(prepare(lakehouse(backend={"bucket": BUCKET}), "aws"))
    assert "Status" not in boto3.client("s3", region_name="us-east-1").get_bucket_versioning(Bucket=BUCKET)
