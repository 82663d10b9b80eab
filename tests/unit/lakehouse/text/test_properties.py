"""A reader with java.util.Properties' rules gets the same values that were written."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis.strategies import dictionaries

from lakehouse.text.placeholders import Content, Secret, filled
from lakehouse.text.properties import properties
from tests.unit.lakehouse.text.strategies import texts


def load(text: str) -> dict[str, str]:
    """java.util.Properties.load, rule by rule."""
    found = {}
    logical = ""
    for natural in re.split(r"\r\n|\r|\n", text):
        line = natural.lstrip(" \t\f")
        if not logical and (not line or line[0] in "#!"):
            continue
        ending = len(line) - len(line.rstrip("\\"))
        if ending % 2:
            logical += line[:-1]
            continue
        logical += line
        at = 0
        while at < len(logical) and logical[at] not in "=: \t\f":
            at += 2 if logical[at] == "\\" else 1
        rest = logical[at:].lstrip(" \t\f")
        if rest[:1] in ("=", ":"):
            rest = rest[1:].lstrip(" \t\f")
        found[_unescaped(logical[:at])] = _unescaped(rest)
        logical = ""
    return found


def _unescaped(text: str) -> str:
    named = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}

    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else named.get(code, code)

    units = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", one, text, flags=re.DOTALL)
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


@given(dictionaries(texts.filter(bool), texts))
def test_what_is_read_is_what_was_written(settings: dict[str, str]) -> None:
    written = properties(settings)
    assert isinstance(written, str)
    assert written.isascii()
    assert written.count("\n") == len(settings)
    assert load(written) == settings


@given(texts)
def test_a_text_is_never_a_placeholder(text: str) -> None:
    def never(name: str) -> str:
        raise AssertionError(name)

    assert load(filled(properties({"key": text}), never)) == {"key": text}


def test_a_placeholder_stays_one() -> None:
    written = properties({"name": Secret("a"), "plain": "b\nc", "both": ("x ", Content("/file"))})
    assert written == ("name=", Secret("a"), "\nplain=b\\nc\nboth=x ", Content("/file"), "\n")
