"""A stack in GovCloud, the other part of AWS that is supported, names everything as it is named there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.synth.aws.conftest import synthesise
from tests.synth.aws.rules import refused

STACKS = ("managed", "machines", "tables")


@pytest.fixture(scope="module")
def govcloud(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    there = {"region": "us-gov-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "backend": {"bucket": "a-state"}}
    there |= {"github": {"repository": "example/lakehouse", "owner_id": 123456, "repository_id": 456789}}
    content = {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"a": {}}}},
        "engines": {"spark": {"cores": 4, "memory": "20g", "workers": 5}, "trino": {}},  # no defaults of EMR's
        "access": {
            "roles": {"reader": {"grants": {"lake": ["read"]}}},
            "principals": {"bi": {"roles": ["reader"], "trust": ["arn:aws-us-gov:iam::123456789012:role/analysts"]}},
        },
        "stacks": dict(zip(STACKS, (there, {**there, "engines": "ec2"}, {**there, "store": "s3tables"}), strict=True)),
    }
    folder = tmp_path_factory.mktemp("govcloud")
    (folder / "lakehouse.yaml").write_text(json.dumps(content))  # JSON is YAML
    return synthesise(folder, folder / "lakehouse.yaml")


@pytest.mark.parametrize("name", STACKS)
def test_every_arn_is_of_its_part(govcloud: Mapping[str, Any], name: str) -> None:
    text = json.dumps(govcloud[name])
    assert text.count("arn:aws-us-gov:") > 50
    assert "arn:aws:" not in text


@pytest.mark.parametrize("name", STACKS)
def test_no_service_refuses_anything_there(govcloud: Mapping[str, Any], name: str) -> None:
    assert refused(govcloud[name]) == []
