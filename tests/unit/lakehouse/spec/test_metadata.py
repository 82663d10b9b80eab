"""The entry ``metadata`` of a stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.spec.metadata import Metadata


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"gms": "https://datahub.example.com/gms", "token": "token"},
        {"kafka": "a:9092,b:9092", "schema_registry": "http://registry:8081", "environment": "DEV"},
        {"gms": "http://gms:8080", "instance": "acme-eu"},
    ],
)
def test_what_is_valid(entry: dict[str, Any]) -> None:
    assert Metadata.model_validate(entry).model_dump(exclude_defaults=True) == entry


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"gms": "http://g", "kafka": "b:1", "schema_registry": "http://r"}, "not both"),
        ({"token": "token"}, "`token` is for `gms`"),
        ({"kafka": "b:9092"}, "schema_registry is missing"),
        ({"schema_registry": "http://r"}, "kafka is missing"),
        ({"gms": "gms:8080"}, "is not an address"),
        ({"gms": "http://" + "user:word" + "@gms"}, "no password in it"),
        ({"kafka": "broker", "schema_registry": "http://r"}, "is not brokers of Kafka"),
        ({"gms": "http://g", "instance": "a.b"}, "pattern"),
        ({"gms": "http://g", "environment": "prod"}, "'PROD'"),
    ],
)
def test_what_is_refused(entry: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Metadata.model_validate(entry)
    assert "word" not in str(refused.value.errors()[0]["msg"]).replace("password", "")
