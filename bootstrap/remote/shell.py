"""Keeps the shell's settings away from clients of a stack on this machine, which has its own."""

from __future__ import annotations

from collections.abc import MutableMapping


def without_aws(environment: MutableMapping[str, str]) -> None:
    """Remove all variables of AWS: a profile that does not exist stops boto3, an address sends it elsewhere."""
    for name in [each for each in environment if each.startswith("AWS_")]:
        del environment[name]


def without_bundles(environment: MutableMapping[str, str]) -> None:
    """Remove the variables by which requests and boto3 trust other certificates than the one that they are given."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"):
        environment.pop(name, None)
