"""Refusal of versions that a kind does not support, with the nearest that it does, before anything is deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lakehouse.text.words import listed


def version_refusal(label: str, version: str, known: Mapping[str, object]) -> str | None:
    """Why a version of a program is not supported, with the nearest that is. None if it is supported."""
    if version in known:
        return None

    def number(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:2]) or (10**9,)

    def distance(candidate: str) -> list[int]:
        return [abs(a - b) for a, b in zip(number(candidate), number(version), strict=False)]

    right = min(reversed(list(known)), key=distance)
    return f'{label} "{version}" is not in the compatibility matrix: {listed(known)}. Set version: "{right}"'
