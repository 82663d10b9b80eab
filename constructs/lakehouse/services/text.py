"""Configuration files as text."""

from __future__ import annotations

from collections.abc import Mapping


def properties(settings: Mapping[str, str]) -> str:
    """A Java properties file: one ``key=value`` a line, back slashes doubled as java.util.Properties wants them."""
    return "".join(f"{key}={value}\n".replace("\\", "\\\\") for key, value in settings.items())
