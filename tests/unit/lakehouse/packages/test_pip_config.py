from __future__ import annotations

import pytest

from lakehouse.packages import pip_config


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {"global.index-url": "https://for-all", "download.index-url": "https://for-downloads", "global.cert": "ca"}
    monkeypatch.setattr(pip_config, "options", lambda: found)
    return found


def test_an_option_of_the_command_wins_over_one_for_all(options: dict[str, str]) -> None:
    assert pip_config.option("index-url") == "https://for-downloads"
    assert pip_config.option("index-url", "install") == "https://for-all"
    assert pip_config.option("cert") == "ca"
    assert pip_config.option("proxy") == ""


def test_the_environment_wins(options: dict[str, str]) -> None:
    options[":env:.index-url"] = "https://environment"
    assert pip_config.option("index-url") == "https://environment"


def test_they_are_what_pip_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://here/with'quotes")
    pip_config.options.cache_clear()
    try:
        assert pip_config.option("index-url") == "https://here/with'quotes"
    finally:
        pip_config.options.cache_clear()
