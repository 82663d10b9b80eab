"""Java properties files, by the rules of java.util.Properties: Spark, Trino, Nessie and S3Proxy read them.

https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)
"""

from __future__ import annotations

from collections.abc import Mapping

from lakehouse.text.placeholders import Text, joined, parts

_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
_KEY_ENDS = "=: "
_COMMENT = "#!"


def properties(settings: Mapping[str, Text]) -> Text:
    """One ``key=value`` per line; a placeholder in a value stays one."""
    return joined([part for key, value in settings.items() for part in (f"{_key(key)}=", _value(value), "\n")])


def _value(text: Text) -> Text:
    escaped = [_escaped(part) if isinstance(part, str) else part for part in parts(text)]
    if isinstance(escaped[0], str) and escaped[0].startswith(" "):
        escaped[0] = "\\" + escaped[0]  # otherwise the space would belong to the separator
    return tuple(escaped)


def _key(text: str) -> str:
    escaped = "".join(f"\\{each}" if each in _KEY_ENDS else _escaped(each) for each in text)
    return f"\\{escaped}" if escaped.startswith(tuple(_COMMENT)) else escaped


def _escaped(text: str) -> str:
    return "".join(each if " " <= each <= "~" and each != "\\" else _code(each) for each in text)


def _code(character: str) -> str:
    """The escape of a character. Readers use different encodings, so all characters beyond ASCII are escaped."""
    if character in _NAMED:
        return _NAMED[character]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
