from __future__ import annotations

import pytest
from requests.utils import get_environ_proxies

from bootstrap.remote import loopback

PROXY = {"http_proxy": "http://proxy:3128", "https_proxy": "http://proxy:3128"}


@pytest.mark.parametrize("said", [{}, {"no_proxy": "example.com, .local"}, {"NO_PROXY": "10.0.0.1"}, {"no_proxy": ""}])
def test_this_machine_is_asked_without_the_proxy(monkeypatch: pytest.MonkeyPatch, said: dict[str, str]) -> None:
    environment = {**PROXY, **said}
    loopback.spare(environment)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert get_environ_proxies("http://127.0.0.1:8085") == get_environ_proxies("http://localhost:8085") == {}
    assert get_environ_proxies("http://example.org")["http"] == "http://proxy:3128"
    for host in filter(None, "".join(said.values()).replace(" ", "").split(",")):
        assert host in environment["no_proxy"].split(",")


def test_a_second_time_changes_nothing() -> None:
    once: dict[str, str] = {"no_proxy": "localhost"}
    loopback.spare(once)
    twice = dict(once)
    loopback.spare(twice)
    assert once == twice == {"no_proxy": "localhost,127.0.0.1", "NO_PROXY": "localhost,127.0.0.1"}
