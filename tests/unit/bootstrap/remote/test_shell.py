from __future__ import annotations

from bootstrap.remote import shell


def test_only_the_variables_of_aws_go() -> None:
    environment = {"AWS_PROFILE": "x", "AWS_ENDPOINT_URL": "http://elsewhere", "PATH": "/bin", "MY_AWS_NAME": "y"}
    shell.without_aws(environment)
    assert environment == {"PATH": "/bin", "MY_AWS_NAME": "y"}
