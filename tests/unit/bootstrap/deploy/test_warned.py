from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap.deploy.warned import new, warnings


def test_the_warnings_of_a_stack_and_no_other_remarks(tmp_path: Path) -> None:
    annotations = [
        {"level": "@cdktf/warn", "message": "Host a: too small"},
        {"level": "@cdktf/info", "message": "a remark"},
    ]
    stacks = {"prod": {"annotations": annotations}, "local": {"name": "local"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"stacks": stacks}))
    assert warnings(tmp_path, "prod") == ["Host a: too small"]
    assert warnings(tmp_path, "local") == []
    assert warnings(tmp_path, "other") == []


@pytest.mark.parametrize("text", ["", "{"])
def test_there_are_none_if_the_app_has_written_nothing(tmp_path: Path, text: str) -> None:
    if text:
        (tmp_path / "manifest.json").write_text(text)
    assert warnings(tmp_path, "prod") == []


def test_what_was_printed_before_is_not_said_again() -> None:
    printed = [
        "lakehouse.yaml:6: stacks.local.ports.trino: moves",
        "lakehouse.yaml:9: stacks.local.credentials: keeps the first",
    ]
    printed += ["/srv/mine.yaml:12: sources.feed.credentials: keys does not exist"]
    found = [
        "sources.feed.credentials: keys does not exist",
        "/srv/lakehouse.yaml:6: stacks.local.ports.trino: moves",
        "keeps the first",
        "Host a: too small",
    ]
    assert new(found, printed) == ["Host a: too small"]
