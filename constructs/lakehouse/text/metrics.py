"""Metrics in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

MetricKind = Literal["gauge", "counter"]


@dataclass(frozen=True)
class Family:
    """A metric with its meaning, and its value for each set of labels."""

    name: str
    meaning: str
    values: Sequence[tuple[Mapping[str, str], float]]
    kind: MetricKind = "gauge"


def text(families: Iterable[Family]) -> Iterator[str]:
    """The lines."""
    for each in families:
        yield f"# HELP {each.name} {each.meaning}."
        yield f"# TYPE {each.name} {each.kind}"
        for labels, value in each.values:
            inner = ",".join(f'{name}="{label(content)}"' for name, content in labels.items())
            yield f"{each.name}{{{inner}}} {value}" if inner else f"{each.name} {value}"


def label(value: str) -> str:
    """The value of a label between quotation marks."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
