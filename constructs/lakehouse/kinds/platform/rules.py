"""The rules of a stack with `monitoring`: what is recorded, and when there is an alert.

They are Prometheus' rules: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lakehouse.services.service import Service
from lakehouse.spec.monitoring import Monitoring

Rule = dict[str, Any]


def every(monitoring: Monitoring, watched: Sequence[Service]) -> dict[str, Any]:
    """The content of the file of rules."""
    groups = {"services": _services(monitoring)}
    return {"groups": [{"name": name, "rules": list(rules)} for name, rules in groups.items()]}


def _alert(name: str, expression: str, seconds: int, severity: str, summary: str) -> Rule:
    return {
        "alert": name,
        "expr": expression,
        "for": f"{seconds}s",
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


def _services(monitoring: Monitoring) -> Iterator[Rule]:
    down = monitoring.down_seconds
    yield _alert(
        "ServiceDown", "lakehouse_service_up == 0", down, "critical",
        "{{ $labels.service }} does not answer: `lakehouse doctor` says why",
    )  # fmt: skip
    yield _alert(
        "MetricsMissing", "up == 0", down, "warning",
        "{{ $labels.job }} gives no metrics at {{ $labels.instance }}",
    )  # fmt: skip
