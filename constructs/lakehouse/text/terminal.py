"""Text on a user's terminal, where control characters move the cursor, hide text or send keys."""

from __future__ import annotations

import unicodedata

_LONGEST = 2_000  # characters of a message; a value of megabytes would hide the message itself
# Cc: control characters; Cf: format characters, such as for the direction of text; Cs: halves of characters; Zl, Zp:
# line and paragraph separators.
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")


def shown(text: str) -> str:
    """The text on one line. Hidden characters are escaped, and a very long text is shortened in the middle."""
    if len(text) > _LONGEST:
        half = _LONGEST // 2
        text = f"{text[:half]} [... {len(text) - 2 * half} characters left out ...] {text[-half:]}"
    return escaped(text)


def escaped(text: str) -> str:
    """The text on one line, whole, with hidden characters escaped."""
    return text if text.isprintable() else "".join(_escape(each) if is_hidden(each) else each for each in text)


def shown_lines(text: object) -> str:
    """A message of several lines, such as one with the end of a log: :func:`shown` for each line."""
    return "\n".join(shown(line.expandtabs(4)) for line in str(text).split("\n"))


def is_hidden(character: str) -> bool:
    """Whether a terminal would do something other than draw it."""
    return not " " <= character <= "~" and unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    number = ord(character)
    return short.get(character) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")
