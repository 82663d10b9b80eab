from __future__ import annotations

from bootstrap.remote import shell


def test_only_the_variables_of_aws_go() -> None:
    environment = {"AWS_PROFILE": "x", "AWS_ENDPOINT_URL": "http://elsewhere", "PATH": "/bin", "MY_AWS_NAME": "y"}
    shell.without_aws(environment)
    assert environment == {"PATH": "/bin", "MY_AWS_NAME": "y"}


def test_other_certificates_than_those_of_the_stack_are_forgotten() -> None:
    environment = {"REQUESTS_CA_BUNDLE": "a", "CURL_CA_BUNDLE": "b", "AWS_CA_BUNDLE": "c", "SSL_CERT_FILE": "d"}
    shell.without_bundles(environment)
    assert environment == {"SSL_CERT_FILE": "d"}
