"""Parts of sentences: lists, and suggestions for misspelt words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from itertools import islice

# The longest word and the most known words that are compared, so that a file of any size is read in seconds.
_LONGEST, _MOST = 100, 1_000


def suggest(wrong: object, known: Iterable[str]) -> str:
    """`` Did you mean "x"?`` if a known word is close to the wrong one, otherwise an empty string."""
    if len(text := str(wrong).lower()) > _LONGEST:
        return ""
    names = {name.lower(): name for name in islice(known, _MOST) if len(name) <= _LONGEST}
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    return f' Did you mean "{names[close[0]]}"?' if close else ""


def for_stack(advice: str, stack: str | None) -> str:
    """Advice whose commands name a stack: those in backticks, and an indented line of its own. None: as it is."""
    return re.sub(r"(?m)(`|^  )lakehouse (?!-)", rf"\1lakehouse --stack {stack} ", advice) if stack else advice


def listed(names: Iterable[object]) -> str:
    """Names at the end of a sentence: ``a, b or c``."""
    words = [str(name) for name in names]
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
