"""Why a service would be started again, in words: from its former and its new definition. Pure.

Values that look like secrets are never part of a reason, because reasons are printed and kept in Terraform's state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from lakehouse.text.terminal import shown

HIDDEN = "(hidden)"
NOT_SET = "(not set)"
_LONGEST = 60  # characters of a value
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|pass\b|secret|token|credential|private|sas\b|licen[cs]e|"
    r"(api|access|shared|account|encryption|master|signing).?key",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|sig|signature|credentials?|(api|access|account).?key)[\"']?\s*[=:]|"
    r"://[^/\s]*@|-----BEGIN|\bBearer\s",
    re.IGNORECASE,
)
#: Words that a name such as `token: true` may have as a value. A number may be a password.
_NO_SECRET = re.compile(r"true|false|none|null|", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """A value that differs: of a setting in lakehouse.yaml, or of a part of a definition. None: there is none."""

    at: str
    old: Any
    new: Any

    def __str__(self) -> str:
        secret = is_secret(self.at, self.old) or is_secret(self.at, self.new)
        old, new = ((HIDDEN if secret and each is not None else value(each)) for each in (self.old, self.new))
        return f"{shown(self.at)}: {old} -> {new}"


def is_secret(at: str, content: object) -> bool:
    """Whether a value must not be shown, by its name or by what it looks like."""
    text = str(content)
    if _NO_SECRET.fullmatch(text):
        return False
    return bool(_SECRET_NAME.search(at) or _SECRET_VALUE.search(text))


def value(content: object) -> str:
    """A value on one line, shortened."""
    if content is None:
        return NOT_SET
    if isinstance(content, bool):
        return str(content).lower()
    text = shown(" ".join(map(str, content)) if isinstance(content, (list, tuple)) else str(content))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def leaves(content: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The values of nested mappings by their path. Lists are values."""
    if isinstance(content, Mapping) and content:
        return {path: leaf for key, inner in content.items() for path, leaf in leaves(inner, (*at, str(key))).items()}
    return {at: content}


def settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[tuple[str, ...], Difference]]:
    """The settings of lakehouse.yaml that differ, with their paths."""
    before, after = leaves(old), leaves(new)
    paths = dict.fromkeys((*after, *before))
    return [
        (path, Difference(".".join(path), before.get(path), after.get(path)))
        for path in paths
        if before.get(path) != after.get(path) and not _empty(before.get(path), after.get(path))
    ]


def _empty(*some: Any) -> bool:
    return all(each is None or each == {} for each in some)


def definitions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """What differs between two definitions of a service, as :func:`lakehouse.text.later.definition` gives them."""
    for key in dict.fromkeys((*new, *old)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if key == "memory_mb":
            yield Difference("memory", _mib(before), _mib(after))
        elif key == "files":
            yield from _files(before or (), after or ())
        elif key == "environment":
            yield from _mappings("", dict(before or ()), dict(after or ()))
        elif key == "ports":
            numbers = [{each["name"]: each["number"] for each in some or ()} for some in (before, after)]
            yield from _mappings("port ", *numbers)
        elif key in ("command", "packages", "data"):
            yield from _words(key, before or (), after or ())
        elif key != "probe" or before is None or after is None:
            yield Difference(key, before, after)
        else:
            yield from _mappings("readiness ", before, after)


def _mib(number: Any) -> Any:
    return None if number is None else f"{number} MiB"


def _mappings(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys((*new, *old)):
        if old.get(key) != new.get(key):
            yield Difference(f"{kind}{key}", old.get(key), new.get(key))


def _words(kind: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    """Words of a command that were added, removed or replaced."""
    for what, i, j, k, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        removed, added = list(old[i:j]), list(new[k:end])
        pairs = zip(removed, added, strict=True) if len(removed) == len(added) else [(removed or None, added or None)]
        yield from (Difference(kind, *pair) for pair in pairs)


def _files(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> Iterator[Difference]:
    before, after = ({each["path"]: _lines(each["text"]) for each in some} for some in (old, new))
    for path in dict.fromkeys((*after, *before)):
        if path not in before or path not in after:
            yield Difference(path, *("a file" if path in some else None for some in (before, after)))
        elif before[path] != after[path]:
            yield from _file(path, before[path], after[path])


def _file(path: str, old: list[str], new: list[str]) -> Iterator[Difference]:
    former, present = set(old), set(new)
    gone, come = (
        dict(map(_pair, (line for line in one if line not in other))) for one, other in ((old, present), (new, former))
    )
    found = [
        Difference(f"{path}: {key}".strip(), gone.get(key), come.get(key)) for key in dict.fromkeys((*come, *gone))
    ]
    if found:
        yield from found
    else:
        yield Difference(path, "its lines", "the same lines in another order")


def _pair(line: str) -> tuple[str, str]:
    """A line as a key and a value; a line without is its own key, unless it may contain a secret."""
    key, sign, rest = line.partition("=")
    if sign and len(key) < 100 and not _SECRET_VALUE.search(key):
        return key.strip(), rest.strip()
    return HIDDEN if is_secret(line, line) else line.strip()[:_LONGEST], "a line"


def _lines(text: Any) -> list[str]:
    """The lines of a file's text, with names instead of placeholders."""
    parts = text if isinstance(text, (list, tuple)) else [text]
    return [line for line in "".join(map(_part, parts)).splitlines() if line.strip()]


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    for key in ("secret", "certificate", "file", "content"):
        if key in part:
            return f"<{key} {part[key]}>"
    return "<bytes>"


def sentences(some: Sequence[str], most: int = 6) -> str:
    """Several reasons as one line."""
    more = len(some) - most
    return "; ".join(some[:most]) + (f"; and {more} more" if more > 0 else "")
