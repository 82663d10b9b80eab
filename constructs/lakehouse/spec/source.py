"""A YAML file as plain data, with the line of each value.

The node graph is read instead of the constructed values, so that each duplicate key is found and a number keeps its
spelling (``version: 4.10`` is not 4.1).
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, Event
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lakehouse.spec.problems import KeyPath, Problem, SpecError
from lakehouse.text.terminal import shown

_TAG = "tag:yaml.org,2002:"
# What a value is without a tag, or with one of YAML's own.
_TAGS = ("str", "int", "float", "bool", "null", "map", "seq", "merge", "value", "timestamp")
AGAIN = -1  # ends the location of the second occurrence of a duplicate key
_MISSING = "there is no such file. `lakehouse init` writes one"
_DEEPEST = 100  # levels of mappings and lists; a lakehouse needs about ten
_MOST_COPIES = 50_000  # parts that aliases repeat; aliases of aliases soon exceed it
_MOST_BYTES = 5_000_000  # a file with twenty thousand tables has one million
_MOST_FOR_THE_SLOW_PARSER = 1_000_000
MOST_DIGITS = 18  # of a whole number; a longer one stays text, and no value of the file is so long
# The characters that YAML does not allow: https://yaml.org/spec/1.2.2/#51-character-set
_NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _TooDeep(Exception):
    """``line`` is the line at which the nesting is too deep."""

    def __init__(self, line: int) -> None:
        self.line = line


class Integer(int):
    """An integer that prints as it was written: ``0x10``, ``1_000``."""

    written: str

    def __str__(self) -> str:
        return self.written


class Float(float):
    """A number that prints as it was written: ``4.10``, ``1e3``."""

    written: str

    def __str__(self) -> str:
        return self.written


@dataclass
class SourceText:
    """The data of a file, the line of each location in it (from 1), and the problems found while reading it."""

    path: Path
    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tags: list[Problem] = field(default_factory=list)  # of values with a tag, which an inventory of Ansible may have

    def line(self, at: KeyPath) -> int:
        """The line of a location, or of the innermost one around it that is in the file."""
        while at not in self.lines and at:
            at = at[:-1]
        return self.lines.get(at, 1)


def read(path: Path) -> SourceText:
    """Read a YAML file. Raises SpecError if it is missing, unreadable, or not one YAML mapping."""
    source = SourceText(path)
    content, text = b"", ""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for, and can be read once
            raise _refused(path, None, "this is a pipe or a device. Name a file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise _refused(path, 1, f"the file has more than {_MOST_BYTES:,} bytes. Make it smaller")
        text = content.decode("utf-8-sig")
        if found := _NO_TEXT.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise _refused(path, line, f"the file has a character that YAML does not allow, {found[0]}. Remove it")
        root = _compose(text)
    except FileNotFoundError:
        raise _refused(path, None, _MISSING) from None
    except IsADirectoryError:
        raise _refused(path, None, "this is a folder. Name the file in it") from None
    except OSError as error:
        fix = ". Let this user read it, as by `chmod u+r`" if isinstance(error, PermissionError) else ""
        raise _refused(path, None, f"the file cannot be read: {error.strerror}{fix}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(path, line, "the file is not UTF-8 text. Save it as UTF-8") from None
    except (YAMLError, _TooDeep) as error:
        line, why = _syntax(error, text)
        raise _refused(path, line, f"this is not YAML: {why}") from None
    if root is None:
        raise _refused(path, 1, "the file is empty. Remove it, and `lakehouse init` writes another")
    if not isinstance(root, MappingNode):
        raise _refused(
            path, root.start_mark.line + 1, "the file must be a mapping: begin with a key, as in `name: demo`"
        )
    _Reader(source).read(root)
    return source


def _compose(text: str) -> Node | None:
    try:
        _measure(YAML(typ="safe").parse(text))
        root: Node | None = YAML(typ="safe").compose(text)
    except YAMLError as error:
        if len(text) > _MOST_FOR_THE_SLOW_PARSER:
            raise
        # The fast parser reads YAML 1.1 and refuses {location: s3://warehouse/lake}; the slow one reads YAML 1.2.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it: the last one counts
            try:
                root = YAML(typ="safe", pure=True).compose(text)
            except RecursionError:
                mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
                raise _TooDeep(mark.line + 1 if mark else 1) from None
            except (ValueError, TypeError, AttributeError, IndexError):  # bugs of the parser: report the first error
                raise error from None
    return root


def _measure(events: Iterable[Event]) -> None:
    """Raises _TooDeep if the nesting would overflow the stack of a recursive parser and end the process."""
    depth = 0
    for event in events:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise _TooDeep(event.start_mark.line + 1)


def _refused(path: Path, line: int | None, message: str) -> SpecError:
    return SpecError(path, [(line, Problem((), message))])


def _syntax(error: YAMLError | _TooDeep, text: str) -> tuple[int, str]:
    if isinstance(error, _TooDeep):
        return error.line, f"it has more than {_DEEPEST} nested levels. Make it flatter"
    if not isinstance(error, MarkedYAMLError):
        return 1, " ".join(str(error).split())
    problem, context = error.problem or "", error.context or ""
    for sign, opened, fix in _UNCLOSED:
        if sign in problem or sign in context:
            # The parser notices it far below, but the line where it begins helps more.
            where = error.context_mark or error.problem_mark
            return (where.line + 1 if where else 1), f"a {opened} that begins here {fix}"
    if (hard := _hard_blank(error, text)) is not None:
        return hard, "this line has a no-break blank (U+00A0, as in text copied from the web). Type a plain one"
    if (joined := _without_blank(error, text)) is not None:
        return joined, "a blank is missing after the colon. Write a key as in `name: demo`"
    if (bare := _without_colon(error, text)) is not None:
        return bare, "this line has no colon. A key ends with one, as in `name: demo`"
    why = next((why for sign, why in _WHY if sign in problem), f"{context} {problem}".strip())
    where = error.problem_mark or error.context_mark
    return (where.line + 1 if where else 1), why


def _hard_blank(error: MarkedYAMLError, text: str) -> int | None:
    """The line with a no-break blank at its begin or after a colon: that of the error, or the one above."""
    return _near(error, text, r"[ \t]*\u00a0.*|[^#'\"]*:\u00a0.*")


def _without_blank(error: MarkedYAMLError, text: str) -> int | None:
    """The line with a key and a value, but no blank between: that of the error, or the one above."""
    return _near(error, text, r"\s*[\w.-]+:[^\s/:#]\S*\s*(#.*)?")


def _near(error: MarkedYAMLError, text: str, pattern: str) -> int | None:
    lines = text.splitlines()
    marks = [each.line for each in (error.problem_mark, error.context_mark) if each is not None]
    near = sorted({line for mark in marks for line in (mark - 1, mark) if 0 <= line < len(lines)})
    return next((line + 1 for line in near if re.fullmatch(pattern, lines[line])), None)


def _without_colon(error: MarkedYAMLError, text: str) -> int | None:
    """The line of a key without its colon, which the parser notices one or more lines below."""
    problem, mark = error.problem or "", error.problem_mark
    if "expected ':'" in problem:
        return error.context_mark.line + 1 if error.context_mark else None
    lines = text.splitlines()
    if mark is None or mark.line >= len(lines):
        return None
    if "mapping values are not allowed" in problem:
        if ":" in lines[mark.line][: mark.column]:
            return None  # that line has two
    elif "block end" not in problem:
        return None
    above = (number for number in range(mark.line, 0, -1) if re.match(r"\s*[^\s#]", lines[number - 1]))
    bare = next(above, None)
    return bare if bare and re.fullmatch(r"\s*[\w.-]+\s*(#.*)?", lines[bare - 1]) else None


_UNCLOSED = (  # what the parser says, what is open, and the fix
    ("quoted scalar", "quoted text", "is not closed. Add the second quote"),
    ("flow sequence", "list in [...]", "is not well formed. Check commas, quotes and the closing ]"),
    ("flow mapping", "mapping in {...}", "is not well formed. Check commas, quotes and the closing }"),
)
_WHY = (
    (
        "mapping values are not allowed",
        'a colon is not allowed here. Quote a value that has one, as in "struct<a: int>"; or check the indentation',
    ),
    ("cannot start any token", "a value cannot begin with this character. Quote it; indent with spaces, not with tabs"),
    ("another document", "a second document begins here. Keep one, without ---"),
    ("block end", "this line is indented differently from the lines above it"),
    ("undefined alias", "an alias (*) has no anchor (&). Write the value out"),
)


class _Reader:
    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.open: set[int] = set()  # ids of the nodes around the current one, to find a node inside itself
        self.known: set[int] = set()
        self.copies = 0

    def read(self, root: MappingNode) -> None:
        self.source.lines[()] = root.start_mark.line + 1
        self.source.data = self.value(root, ())

    def value(self, node: Node, at: KeyPath) -> Any:
        self.copies += id(node) in self.known
        self.known.add(id(node))
        line = node.start_mark.line + 1
        if id(node) in self.open or self.copies > _MOST_COPIES or len(at) > _DEEPEST:
            raise _refused(self.source.path, line, "an alias (*) contains itself or too much. Write the value out")
        if (tag := str(node.tag).removeprefix(_TAG)) not in _TAGS:
            self.source.lines.setdefault(at, line)
            written = tag if tag.startswith("!") else f"!!{tag}"
            message = f"a tag ({shown(written)}) has no meaning here. Remove it, and write the value out"
            self.source.tags.append(Problem(at, message))
        if isinstance(node, ScalarNode):
            return _scalar(node, self.text(node, at))
        self.open.add(id(node))
        assert isinstance(node, MappingNode | SequenceNode)  # there are three kinds of nodes
        value = self.mapping(node, at) if isinstance(node, MappingNode) else self.sequence(node, at)
        self.open.discard(id(node))
        return value

    def text(self, node: ScalarNode, at: KeyPath) -> str:
        """The text of a node. Characters that would move a cursor or end a line are a problem everywhere."""
        text = str(node.value)
        if not any(map(_is_control, text)):
            return text
        self.source.lines.setdefault(at, node.start_mark.line + 1)
        message = f'"{shown(text)}" has control characters or half a character. Remove them'
        self.source.problems.append(Problem(at, message))
        return shown(text)

    def sequence(self, node: SequenceNode, at: KeyPath) -> list[Any]:
        items = []
        for nth, item in enumerate(node.value):
            self.source.lines[(*at, nth)] = item.start_mark.line + 1
            items.append(self.value(item, (*at, nth)))
        return items

    def mapping(self, node: MappingNode, at: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                merged = self.merge(item, at) | merged
            elif not isinstance(key, ScalarNode):
                message = "a list or a mapping is used as a key, but a key is a plain word"
                self.source.problems.append(Problem(at, message))
            elif (name := self.text(key, at)) in data:
                self.source.lines[(*at, name, AGAIN)] = line
                message = f'"{name}" appears twice. Remove one.'
                self.source.problems.append(Problem((*at, name, AGAIN), message, beside=(*at, name)))
            else:
                self.source.lines[(*at, name)] = line
                data[name] = self.value(item, (*at, name))
        return merged | data

    def merge(self, node: Node, at: KeyPath) -> dict[str, Any]:
        """The mapping that ``<<: *anchor`` merges. Of several, the first that has a key sets it."""
        merged: dict[str, Any] = {}
        for part in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(part, MappingNode):
                merged = self.value(part, at) | merged
            else:
                self.source.problems.append(Problem(at, "<< needs the alias of a mapping, as in `<<: *common`"))
        return merged


def _is_control(character: str) -> bool:
    """Whether it is half a character, or a control character other than a tab or a new line."""
    return not " " <= character <= "~" and unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n"


def _scalar(node: ScalarNode, text: str) -> Any:
    kind = str(node.tag).rpartition(":")[2]
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return {"true": True, "false": False}.get(text.lower(), text)
        if kind == "int":
            bare = text.replace("_", "")
            if len(bare) > MOST_DIGITS:
                return text
            integer = Integer(int(bare, 10 if bare.lstrip("+-").isdigit() else 0))
            integer.written = text
            return integer
        if kind == "float":
            number = Float(text.replace("_", ""))
            number.written = text
            return number
    except ValueError:
        pass
    return text
