"""What AWS would refuse of a synthesised stack, or do with it that nobody wants: one module for each service.

The provider's schema (``contract.py``) says which arguments there are. These rules say which values, sizes and
combinations the service accepts, from its documents, which each module names. They are ours, not AWS's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.synth.aws.rules import emr_serverless, endpoints, iam, logs, names, resource_policies, s3, schedules, values

Stack = Mapping[str, Any]
RULES: tuple[Callable[[Stack], Iterator[str]], ...] = (
    emr_serverless.refused,
    endpoints.refused,
    iam.refused,
    logs.refused,
    names.refused,
    resource_policies.refused,
    s3.refused,
    schedules.refused,
    values.refused,
)


def refused(stack: Stack) -> list[str]:
    """Everything that AWS would refuse, each as ``address: what``."""
    return [problem for rule in RULES for problem in rule(stack)]
