"""Keeps the shell's AWS settings away from clients of a stack on this machine, which has its own."""

from __future__ import annotations

from collections.abc import MutableMapping


def without_aws(environment: MutableMapping[str, str]) -> None:
    """Remove all variables of AWS: a profile that does not exist stops boto3, an address sends it elsewhere."""
    for name in [each for each in environment if each.startswith("AWS_")]:
        del environment[name]
