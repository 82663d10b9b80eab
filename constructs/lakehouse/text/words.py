"""Parts of sentences: lists, and what somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

# What is compared with what is known, letter by letter, so that a file of any size is read in seconds.
_LONGEST, _MOST = 100, 1_000


def suggest(wrong: object, known: Iterable[str]) -> str:
    """`` Did you mean "x"?`` where something known is close to what was written, else nothing."""
    if len(text := str(wrong).lower()) > _LONGEST:
        return ""
    names = {name.lower(): name for name in islice(known, _MOST) if len(name) <= _LONGEST}
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    return f' Did you mean "{names[close[0]]}"?' if close else ""


def listed(names: Iterable[object]) -> str:
    """Names as a sentence ends with them: ``a, b or c``."""
    words = [str(name) for name in names]
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
