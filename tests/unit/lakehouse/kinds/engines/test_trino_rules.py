"""Trino's releases: the properties that they do not have."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.kinds.engines.trino_rules import RELEASES, property_refusal
from lakehouse.spec import load
from lakehouse.spec.problems import SpecError
from tests.unit.lakehouse.services.place import PROJECT

SOURCE = yaml.safe_load((PROJECT / "lakehouse.yaml").read_text())


IN_AWS = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "engines": "ec2", "zones": 3}


def problems(tmp_path: Path, change: Callable[[Any], None], **trino: Any) -> str:
    """The problems of the project's own file with a Trino that asks for passwords, and this change."""
    content = copy.deepcopy(SOURCE)
    content["engines"]["trino"] = {"authentication": "password", **trino}
    change(content)
    file = tmp_path / "lakehouse.yaml"
    file.write_text(yaml.safe_dump(content))
    try:
        load(file)
    except SpecError as error:
        return str(error)
    return ""


def test_a_trino_with_passwords_is_accepted(tmp_path: Path) -> None:
    assert problems(tmp_path, lambda content: None, properties={"query.max-run-time": "1h"}) == ""


@pytest.mark.parametrize(
    ("change", "trino", "said"),
    [
        (
            lambda content: content["stacks"].update(there=IN_AWS),
            {},
            "engines.trino.authentication: it is not supported for Trino on instances yet. Remove it",
        ),
        (
            lambda content: content.update(access={"principals": {"lakehouse": {}}}),
            {},
            '"lakehouse" is the user of the lakehouse\'s own commands in Trino. Choose another name',
        ),
        (
            lambda content: None,
            {"properties": {"http-server.https.port": "1"}},
            'http-server.https.port is set by `authentication`, and "1" would replace that. Remove it',
        ),
        (
            lambda content: None,
            {"workers": 2, "authentication": None, "properties": {"internal-communication.shared-secret": "1"}},
            "internal-communication.shared-secret is how coordinator and workers know each other, which the lakehouse "
            'sets, and "1" would replace that. Remove it',
        ),
    ],
)
def test_what_a_trino_with_passwords_cannot_have_is_refused(
    tmp_path: Path, change: Callable[[Any], None], trino: dict[str, Any], said: str
) -> None:
    found = problems(tmp_path, change, **trino)
    assert said in found
    assert "lakehouse.yaml:" in found


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("fs.native-s3.enabled", None),
        ("s3.endpoint", None),
        ("fs.s3.enabled", "fs.native-s3.enabled"),
        ("hive.s3.aws-access-key", "s3.aws-access-key"),
        ("hive.s3.connect-ttl", "s3.connection-ttl"),
    ],
)
def test_trino_properties(key: str, right: str | None) -> None:
    found = property_refusal(key, RELEASES["476"])
    assert found is None if right is None else f"Write {right}" in (found or "")


GROUP = {"concurrency": 1}


@pytest.mark.parametrize(
    ("trino", "said"),
    [
        ({"retries": "query"}, 'engines.trino.retries: "query" needs workers: one server has no other'),
        ({"workers": 1, "retries": "task"}, 'engines.trino.retries: "task" needs a place'),
        ({"workers": 1, "exchange": "s3://staging/x"}, 'engines.trino.exchange: "s3://staging/x" is used only with'),
        (
            {"workers": 1, "retries": "task", "exchange": "s3://stagin/x"},
            'is in the bucket "stagin", which is not one of `buckets`. Did you mean "staging"?',
        ),
        (
            {"workers": 1, "retries": "task", "exchange": "s3://warehouse/lake/x"},
            '"s3://warehouse/lake/x" is inside the location of catalogs.lake',
        ),
        (
            {"workers": 1, "retries": "task", "exchange": "s3://staging/ingest"},
            '"s3://staging/ingest" is also the folder of `lakehouse ingest`',
        ),
        ({"spill": "1g", "properties": {"spiller-spill-path": "/tmp"}}, "spiller-spill-path is spill, which the"),
        ({"spill": "much"}, '"much" is not a size of memory'),
        ({"resource_groups": {"others": GROUP}}, '"others" is the group of queries that no group takes'),
        ({"resource_groups": {"lakehouse": GROUP}}, '"lakehouse" is the group of the lakehouse\'s own commands'),
        ({"resource_groups": {"a": GROUP, "b": GROUP}}, 'no query reaches it: "a" before it takes all'),
        ({"resource_groups": {"a": {**GROUP, "memory": "120%"}}}, '"120%" is not the memory of a resource group'),
        ({"resource_groups": {"a": {**GROUP, "users": ["x|y"]}}}, '"x|y" is not a user or source'),
    ],
)
def test_words_that_make_no_sense_are_refused(tmp_path: Path, trino: dict[str, Any], said: str) -> None:
    assert said in problems(tmp_path, lambda content: None, **trino)


def test_rows_of_running_queries_are_not_public_and_may_expire(tmp_path: Path) -> None:
    trino = {"workers": 1, "retries": "task", "exchange": "s3://staging/trino"}
    assert problems(tmp_path, lambda content: None, **trino) == "", "the bucket of the file expires"

    def publish(content: Any) -> None:
        content["access"] = {}
        content["buckets"]["staging"] = {"access": "public-read"}

    assert '"public-read" lets everybody read rows of running queries' in problems(tmp_path, publish, **trino)


@pytest.mark.parametrize("word", [{"spill": "1g"}, {"resource_groups": {"a": GROUP}}])
def test_words_that_instances_in_aws_do_not_have_are_refused(tmp_path: Path, word: dict[str, Any]) -> None:
    said = problems(tmp_path, lambda content: content["stacks"].update(there=IN_AWS), **word)
    assert f"engines.trino.{next(iter(word))}: it is not supported for Trino on instances yet" in said
