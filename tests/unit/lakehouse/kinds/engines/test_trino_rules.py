"""Trino's releases: the properties that they do not have."""

from __future__ import annotations

import pytest

from lakehouse.kinds.engines.trino_rules import RELEASES, property_refusal


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
