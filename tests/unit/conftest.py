"""Fixtures of the unit tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

from lakehouse.packages import fetch

_DOWNLOAD = fetch._download


@pytest.fixture(autouse=True)
def _no_package_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline's job of checks runs these tests, also for a stack in AWS, which needs no jar.

    It has an empty cache. On a machine whose cache has the package, nothing would be downloaded, and nothing fails.
    """

    def downloaded(names: Sequence[str], **how: Any) -> None:
        own = "127.0.0.1" in os.environ.get("LAKEHOUSE_MAVEN_REPOSITORY", "")  # a registry of the test
        assert own, f"a unit test downloads {', '.join(names)}"
        _DOWNLOAD(names, **how)

    monkeypatch.setattr(fetch, "_download", downloaded)
