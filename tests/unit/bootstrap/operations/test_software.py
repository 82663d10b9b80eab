"""The bucket from which instances make themselves, on moto's S3. Packages and Ansible are stand-ins here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bootstrap.operations import software
from bootstrap.session import aws
from lakehouse.errors import UsageError
from lakehouse.runtimes.hosts import nodes
from lakehouse.runtimes.hosts.uploads import Upload
from lakehouse.spec import load
from tests.unit.lakehouse.runtimes.hosts.test_nodes import ACCOUNT, AWS, ENGINES

BUCKET = f"demo-aws-software-{ACCOUNT}-eu-west-1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    content = {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
        "engines": ENGINES,
        "stacks": {"aws": AWS},
    }
    path = tmp_path / "lakehouse.yaml"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    for key in ("AWS_ENDPOINT_URL", "AWS_PROFILE", aws.ACCOUNT):
        monkeypatch.delenv(key, raising=False)
    (tmp_path / "archive").write_bytes(b"tar")

    def made(names: list[str]) -> dict[str, Upload]:
        return {each: Upload(each, each, str(tmp_path / "archive"), "0123", "digest") for each in names}

    monkeypatch.setattr("lakehouse.packages.fetch.fetch", lambda names: None)
    monkeypatch.setattr("lakehouse.runtimes.hosts.uploads.made", made)
    monkeypatch.setattr(software, "software", lambda folder: b"ansible")
    monkeypatch.setattr(software, "this_platform", lambda: "linux-x86_64")
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-west-1")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield s3


def planned(file: Path) -> str:
    return nodes.digest_of(nodes.planned(load(file, engines=False), "aws"))


def test_the_bucket_has_what_instances_ask_for(file: Path, bucket: Any) -> None:
    sent = list(software.fill(file, "aws", planned(file)))
    there = {each["Key"] for each in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]}
    kinds = nodes.planned(load(file, engines=False), "aws")
    assert {each.key for each in kinds.values()} <= there
    assert f"software/{nodes.software()}.tar" in there
    assert {"packages/trino-476.digest.tar", "packages/trino-476.digest.tar.sha256"} <= there
    assert set(sent) <= there
    body = bucket.get_object(Bucket=BUCKET, Key=kinds["trino-coordinator"].key)["Body"].read()
    [catalog] = json.loads(body)["files"]["trino"]["catalog/lake.properties"]
    assert f"s3://demo-aws-warehouse-{ACCOUNT}-eu-west-1/lake" in catalog  # the plan did not know the account


def test_what_is_there_is_not_sent_again(file: Path, bucket: Any) -> None:
    list(software.fill(file, "aws", planned(file)))
    assert {each.partition("/")[0] for each in software.fill(file, "aws", planned(file))} == {"nodes"}


def test_a_file_that_changed_since_the_plan_is_refused(file: Path, bucket: Any) -> None:
    before = planned(file)
    file.write_text(file.read_text().replace('"2g"', '"3g"'))
    with pytest.raises(UsageError, match="has changed since the plan"):
        list(software.fill(file, "aws", before))


def test_packages_for_other_machines_are_not_sent(file: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "this_platform", lambda: "darwin-arm64")
    with pytest.raises(UsageError, match="for darwin-arm64, and need linux-x86_64"):
        list(software.fill(file, "aws", planned(file)))


def test_a_bucket_that_is_not_there_is_said(file: Path, bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bucket.delete_bucket(Bucket=BUCKET)
    assert software.main([str(file), "aws", planned(file)]) == 1
    assert "the bucket for instances cannot be filled" in capsys.readouterr().err
