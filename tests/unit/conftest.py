"""Fixtures of the unit tests."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

from lakehouse.packages import fetch

_FETCH = fetch.fetch


@pytest.fixture(autouse=True)
def _no_package_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline's job of checks runs these tests, also for a stack in AWS, which needs no jar."""

    def fetched(names: Iterable[str], **how: Any) -> None:
        wanted = list(names)
        own = "127.0.0.1" in os.environ.get("LAKEHOUSE_MAVEN_REPOSITORY", "")  # a registry of the test
        assert own or not wanted, f"a unit test fetches {', '.join(wanted)}"
        _FETCH(wanted, **how)

    monkeypatch.setattr(fetch, "fetch", fetched)
