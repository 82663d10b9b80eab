"""How the blocks of a synthesised stack refer to each other: by Terraform's expressions, and by names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_ADDRESS = re.compile(r"\$\{(?P<address>[a-z0-9_]+\.[A-Za-z0-9_-]+)[.\[}]")
_PLAIN = re.compile(r"[a-z][a-z0-9_]*\.[A-Za-z0-9_-]+")


def strings(value: Any, inside: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a block, except comments, with the argument it is under."""
    if isinstance(value, str):
        yield inside, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "//":
                yield from strings(inner, inside or key)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, inside)


def addresses(block: Any) -> list[str]:
    """The resources that a block names by expressions or ``depends_on``, each once."""
    found: dict[str, None] = {}
    for argument, text in strings(block):
        for match in _ADDRESS.finditer(text):
            found[match["address"]] = None
        if argument == "depends_on" and _PLAIN.fullmatch(text):
            found[text] = None
    return list(found)
