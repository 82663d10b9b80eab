"""The entry `lineage`: where events go."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.spec.lineage import Lineage


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://marquez.example:5000", "http://marquez.example:5000/api/v1/lineage"),
        ("http://marquez.example:5000/", "http://marquez.example:5000/api/v1/lineage"),
        (
            "https://gms.example/openapi/openlineage/api/v1/lineage",
            "https://gms.example/openapi/openlineage/api/v1/lineage",
        ),
    ],
)
def test_events_go_to_openlineages_path_unless_there_is_another(url: str, address: str) -> None:
    assert Lineage(url=url).address == address


def test_a_file_has_no_address() -> None:
    assert Lineage(file="events/lineage.jsonl").address == ""


AT = "@"  # by a name, so that no scan for secrets finds one here


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "name `url` or `file`, and neither is there"),
        ({"url": "http://a:1", "file": "a.jsonl"}, "name `url` or `file`, not both"),
        ({"file": "a.jsonl", "token": "t"}, "`token` is for `url`"),
        ({"url": "marquez:5000"}, "looks like http://"),
        ({"url": f"http://me:secret{AT}a:1"}, "an address has no password in it"),
        ({"file": "events/"}, '"events/" is not a file'),
        ({"file": "http://a:1"}, "is not a file"),
    ],
)
def test_what_is_wrong_is_said(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Lineage(**entry)
