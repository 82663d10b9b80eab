"""Spark's own access to files: which store and which keys a bucket has."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.kinds.compose import services
from lakehouse.kinds.engines.spark_cluster import cluster
from lakehouse.kinds.engines.spark_rules import LINES
from lakehouse.services.service import Service
from lakehouse.spec.engines import Spark
from lakehouse.spec.model import Source
from lakehouse.text.placeholders import secrets
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local


def built(**sources: Source) -> dict[str, Service]:
    given = default().model_copy(update={"sources": sources})
    return {each.name: each for each in services(given, local(given), Somewhere(given))}


def settings(**sources: Source) -> dict[str, str]:
    text = as_text(built(**sources)["spark-connect"].files[0].text)
    pairs = [line.split("=", 1) for line in text.splitlines()]
    return {key.removeprefix("spark.hadoop."): value for key, value in pairs if key.startswith("spark.hadoop.fs.s3")}


def test_by_default_a_bucket_is_in_the_store_of_the_stack() -> None:
    found = settings()
    assert found["fs.s3a.endpoint"] == "http://s3proxy.internal:9000"
    assert found["fs.s3a.access.key"] == "<secret:store-access-key>"
    assert found["fs.s3a.secret.key"] == "<secret:store-secret-key>"
    assert found["fs.s3.impl"] == "org.apache.hadoop.fs.s3a.S3AFileSystem"
    assert not [key for key in found if key.startswith("fs.s3a.bucket.")]


def test_a_bucket_of_sources_has_its_own_endpoint_and_keys() -> None:
    found = settings(
        feed=Source(endpoint="https://files.example", region="eu-west-1", credentials="keys"),
        theirs=Source(credentials="keys", profile="b"),
        public=Source(),
    )
    assert found["fs.s3a.bucket.feed.endpoint"] == "https://files.example"
    assert found["fs.s3a.bucket.feed.endpoint.region"] == "eu-west-1"
    assert found["fs.s3a.bucket.feed.path.style.access"] == "true"
    assert found["fs.s3a.bucket.feed.access.key"] == "<secret:source-feed-access-key>"
    assert found["fs.s3a.bucket.feed.secret.key"] == "<secret:source-feed-secret-key>"
    assert found["fs.s3a.bucket.theirs.endpoint"] == "https://s3.us-east-1.amazonaws.com"
    assert found["fs.s3a.bucket.theirs.path.style.access"] == "false"
    assert found["fs.s3a.bucket.public.aws.credentials.provider"].endswith(".AnonymousAWSCredentialsProvider")
    assert "fs.s3a.bucket.public.access.key" not in found


def test_the_keys_of_a_source_are_those_of_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/their")
    service = built(feed=Source(credentials="keys", profile="b"), home=Source(credentials="~/keys"))["spark-connect"]
    found = {each.secret: each.profile for each in secrets(service.files[0].text) if each.profile}
    assert {name: (profile.file, profile.name) for name, profile in found.items()} == {
        "source-feed-access-key": ("/beside/keys", "b"),
        "source-feed-secret-key": ("/beside/keys", "b"),
        "source-home-access-key": (str(Path("/their/keys")), "default"),
        "source-home-secret-key": (str(Path("/their/keys")), "default"),
    }
    assert found["source-feed-access-key"].at == "sources.feed.credentials"


def test_keys_are_in_one_file_only() -> None:
    for service in built(feed=Source(credentials="keys")).values():
        assert "source-feed" not in f"{service.command} {service.environment}"
        assert ("source-feed" in str(service.files)) == (service.name == "spark-connect")


@pytest.mark.parametrize("line", LINES)
def test_every_jvm_has_the_jars_of_the_line(line: str) -> None:
    given = default()
    engines = given.engines.model_copy(update={"spark": Spark(version=line)})
    given = given.model_copy(update={"engines": engines})
    folders = (f"hadoop-aws-{LINES[line].hadoop}", f"delta-spark-{line}")
    assert cluster(given).packages[-2:] == folders
    for service in services(given, local(given), Somewhere(given)):
        if service.name.startswith("spark-"):
            assert all(f"/packages/{each}/*" in str(service.command) for each in folders)
