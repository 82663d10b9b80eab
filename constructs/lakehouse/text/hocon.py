"""HOCON, the language of SeaTunnel's jobs, as the part of it that is JSON: every text is in quotes.

In quotes, nothing is a substitution (``${...}``), a comment or another file. SeaTunnel's reader takes a key with dots
as one key, in quotes or not; other readers of HOCON take it as steps into mappings, if it is without quotes.
https://github.com/lightbend/config/blob/main/HOCON.md
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.text.placeholders import Part, Text, joined, parts

# Text, a number, a truth value, blocks, or a sequence or mapping of such. A tuple is text with placeholders, and a
# list a sequence.
HoconValue = Any


@dataclass(frozen=True)
class HoconBlocks:
    """Settings under names, which may be there several times: SeaTunnel's reader makes a list of them.

    Its reader does not read a list that is written as one, below ``source``, ``transform`` and ``sink``.
    """

    each: tuple[tuple[str, Mapping[str, HoconValue]], ...] = ()


def hocon(value: Mapping[str, HoconValue]) -> Text:
    """The settings as HOCON; a placeholder in a text stays one. Secrets have no character with a meaning in it."""
    return joined([*_written(value), "\n"])


def _written(value: HoconValue) -> Iterator[Part]:
    match value:
        case Mapping():
            yield from _settings(value.items())
        case HoconBlocks(each):
            yield from _settings(each)
        case str() | tuple():
            yield '"'
            yield from (_quoted(part)[1:-1] if isinstance(part, str) else part for part in parts(value))
            yield '"'
        case Sequence():
            yield from _between("[", ([*_written(each)] for each in value), "]")
        case bool() | int():
            yield json.dumps(value)
        case _:  # a placeholder alone
            yield from ('"', value, '"')


def _settings(value: Iterable[tuple[str, HoconValue]]) -> Iterator[Part]:
    yield from _between("{", ([_quoted(key), ": ", *_written(each)] for key, each in value), "}")


def _between(first: str, items: Iterator[list[Part]], last: str) -> Iterator[Part]:
    yield first
    for nth, item in enumerate(items):
        yield ", " if nth else ""
        yield from item
    yield last


def _quoted(text: str) -> str:
    return json.dumps(text)
