"""Strings of Terraform's JSON: ``${`` and ``%{`` begin expressions there, and a user's text must not.

https://developer.hashicorp.com/terraform/language/syntax/json#string-templates
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

# cdktf has its own marks in strings and lists, such as ${TfToken[TOKEN.0]} and #{TfToken[TOKEN.0]}.
_OPENED = re.compile(r"([$%#]+)\{")
# Marks our own expressions until the block is complete. No text from outside can contain it.
_MARK = secrets.token_hex(8)
_MARKED = re.compile(rf"<{_MARK} ([^>]*)>")


def expression(text: str) -> str:
    """An expression, for use in the texts that are passed to :func:`rendered`."""
    if ">" in text:
        raise ValueError(f"{text} cannot be marked")
    return f"<{_MARK} {text}>"


def literal(text: str) -> str:
    """The text escaped for Terraform's JSON, so that it evaluates to the text itself."""
    return _OPENED.sub(_closed, text)


def rendered(value: Any) -> Any:
    """The value with all strings literal, except the expressions of :func:`expression`."""
    match value:
        case str():
            pieces = _MARKED.split(value)  # every second one is an expression
            if len(pieces) == 1:
                return literal(value)
            # The text before an expression must not change how it begins: "$" and "${a}" are not "$${a}".
            return "".join(f"${{{each}}}" if nth % 2 else _before(literal(each)) for nth, each in enumerate(pieces))
        case dict():
            return {rendered(key): rendered(each) for key, each in value.items()}
        case list() | tuple():
            return [rendered(each) for each in value]
        case _:
            return value


def evaluated(text: str, value: Callable[[str], str]) -> str:
    """The text with the value of each of its expressions, for example to measure it before Terraform knows them."""
    return _MARKED.sub(lambda match: value(match[1]), text)


def _closed(match: re.Match[str]) -> str:
    signs = match[1]
    if signs in ("$", "%") and not match.string.startswith("TfToken", match.end()):
        return f"{signs}{signs}{{"
    return f"${{{json.dumps(signs)}}}{{"


def _before(text: str) -> str:
    signs = text[len(text.rstrip("$%")) :]
    return f"{text.removesuffix(signs)}${{{json.dumps(signs)}}}" if signs else text
