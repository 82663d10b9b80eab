from __future__ import annotations

import pytest

from bootstrap.doctor import shell

LOGIN = "me:pass"  # apart from the addresses, so that no scan takes them for real

STORE = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("environment", "severity"),
    [
        ({}, "ok"),
        ({"http_proxy": ""}, "ok"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "warning"),
        ({"https_proxy": "http://proxy:3128"}, "warning"),  # gRPC takes it for all addresses
        ({"ALL_PROXY": "socks5://proxy:1080", "no_proxy": "example.com"}, "warning"),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "localhost,127.0.0.1"}, "ok"),
        ({"http_proxy": "http://proxy:3128", "NO_PROXY": "127.0.0.0/8"}, "ok"),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "localhost"}, "warning"),
    ],
)
def test_proxies(environment: dict[str, str], severity: str) -> None:
    found = shell.proxies(environment)
    assert found.severity == severity
    assert ("export no_proxy=" in found.fix) == (severity == "warning")


def test_a_proxy_s_password_is_not_shown() -> None:
    assert "pass" not in str(shell.proxies({"http_proxy": f"http://{LOGIN}@proxy:3128"}))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"AWS_ENDPOINT_URL": f"https://{LOGIN}@s3.example.com"}, "AWS_ENDPOINT_URL names s3.example.com"),
        ({"AWS_PROFILE": "work"}, "AWS_PROFILE set"),
        ({"AWS_ACCESS_KEY_ID": "another", "AWS_SECRET_ACCESS_KEY": "word"}, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "ours", "AWS_SESSION_TOKEN": "word"}, "AWS_SESSION_TOKEN set"),
    ],
)
def test_variables_that_lead_other_clients_astray(environment: dict[str, str], named: str) -> None:
    found = shell.aws(environment, STORE, "ours")
    assert found.severity == "warning"
    assert named in found.found
    assert all(name in found.fix for name in environment)
    assert "word" not in str(found)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_REGION": "eu-west-1"},
        {"AWS_ENDPOINT_URL_S3": f"{STORE}/"},
        {"AWS_ACCESS_KEY_ID": "ours", "AWS_SECRET_ACCESS_KEY": "word", "AWS_ENDPOINT_URL": STORE},
    ],
)
def test_variables_that_do_no_harm(environment: dict[str, str]) -> None:
    assert shell.aws(environment, STORE, "ours").severity == "ok"
