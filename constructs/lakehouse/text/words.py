"""Parts of sentences: lists, and suggestions for misspelt words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from itertools import islice

# The longest word and the most known words that are compared, so that a file of any size is read in seconds.
_LONGEST, _MOST = 100, 1_000
_NEAR = 0.6  # of difflib's ratio
_CLOSEST = 5  # of the known words that are looked at in full
_FEW = 2  # letters that may be others in a short word: two that changed places are two


def suggest(wrong: object, known: Iterable[str]) -> str:
    """`` Did you mean "x"?`` if a known word is close to the wrong one, otherwise an empty string."""
    if len(text := str(wrong).lower()) > _LONGEST:
        return ""
    names = {name.lower(): name for name in islice(known, _MOST) if len(name) <= _LONGEST}
    close = (each for each in difflib.get_close_matches(text, names, n=_CLOSEST, cutoff=_NEAR) if _is_near(text, each))
    return f' Did you mean "{names[found]}"?' if (found := next(close, None)) else ""


def _is_near(wrong: str, known: str) -> bool:
    """Whether each part of a name is near that of the other, and few letters of it are others.

    The parts that two long names share would make any two of them near; a few common letters any two short words.
    """
    parts, others = wrong.split("."), known.split(".")
    if len(parts) != len(others):
        return True
    return all(map(_is_near_part, parts, others))


def _is_near_part(wrong: str, known: str) -> bool:
    matcher = difflib.SequenceMatcher(None, wrong, known, autojunk=False)
    edits = [(sign, max(b - a, d - c)) for sign, a, b, c, d in matcher.get_opcodes() if sign != "equal"]
    if not known or all(sign == "insert" for sign, _ in edits):  # a part that may be any word; letters left out
        return True
    return matcher.ratio() >= _NEAR and sum(letters for _, letters in edits) <= max(_FEW, len(wrong) // 3)


def for_stack(advice: str, stack: str | None) -> str:
    """Advice whose commands name a stack: those in backticks, and an indented line of its own. None: as it is."""
    return re.sub(r"(?m)(`|^  )lakehouse (?!-)", rf"\1lakehouse --stack {stack} ", advice) if stack else advice


def listed(names: Iterable[object]) -> str:
    """Names at the end of a sentence: ``a, b or c``."""
    words = [str(name) for name in names]
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
