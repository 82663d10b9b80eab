"""Values in the text of a plan, as the file writes them."""

from __future__ import annotations

import json
from typing import Any


def written(value: Any) -> str:
    """``true``, ``[a, b]``, ``none`` for a value that is missing; text and numbers as they are, mappings as JSON."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return f"[{', '.join(written(each) for each in value)}]"
        case dict():
            return json.dumps(value, sort_keys=True, ensure_ascii=False)
        case _:
            return str(value)


def quoted(value: Any) -> str:
    """The same with quotes around text, for text that may have any characters: docs and defaults of columns."""
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
