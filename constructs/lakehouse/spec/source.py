"""A YAML file as plain data, with the line of everything in it.

The node graph is read, not the constructed values: so each duplicate key is found, and a number keeps its spelling
(``version: 4.10`` is not 4.1).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lakehouse.spec.problems import Location, Problem, SpecError

AGAIN = -1  # ends the location of a key that stands twice: where it stands the second time
_MISSING = "there is no such file. Copy the project's lakehouse.yaml, or one of lakehouses/, to this place"
_DEEPEST = 100  # levels of mappings and lists; a lakehouse needs about ten
_MOST_NODES = 1_000_000  # more than any real file has; aliases of aliases grow past it at once


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
class Source:
    """The data of a file, the line of each location in it (from 1), and the problems met while reading."""

    path: Path
    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, at: Location) -> int:
        """The line of a location, or of the nearest thing around it that stands in the file."""
        while at not in self.lines and at:
            at = at[:-1]
        return self.lines.get(at, 1)


def read(path: Path) -> Source:
    """Read a YAML file. Raises SpecError where it is missing, unreadable, or not one YAML mapping."""
    source = Source(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        root = _compose(text)
    except FileNotFoundError:
        raise _refused(path, None, _MISSING) from None
    except IsADirectoryError:
        raise _refused(path, None, "this is a folder. Name the file in it") from None
    except OSError as error:
        raise _refused(path, None, f"the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _refused(path, line, "the file is not UTF-8 text. Save it as UTF-8") from None
    except (YAMLError, RecursionError, ValueError) as error:
        mark, why = _syntax(error)
        raise _refused(path, mark, f"this is not YAML: {why}") from None
    if root is None:
        raise _refused(path, 1, "the file is empty. Begin with the project's lakehouse.yaml, or one of lakehouses/")
    if not isinstance(root, MappingNode):
        raise _refused(
            path, root.start_mark.line + 1, "the file is a mapping: it begins with a key, as in `name: demo`"
        )
    _Reader(source).read(root)
    return source


def _compose(text: str) -> Node | None:
    try:
        depth = 0
        for event in YAML(typ="safe").parse(text):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > _DEEPEST:  # the fast composer would overflow its stack, and end the process
                raise RecursionError
        root: Node | None = YAML(typ="safe").compose(text)
    except YAMLError:
        # The fast parser is one of YAML 1.1, which refuses {location: s3://warehouse/lake}; the slow one knows 1.2.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it: the last one counts
            root = YAML(typ="safe", pure=True).compose(text)
    return root


def _refused(path: Path, line: int | None, message: str) -> SpecError:
    return SpecError(path, [(line, Problem((), message))])


def _syntax(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, RecursionError):
        return None, "it is nested too deeply"
    if not isinstance(error, MarkedYAMLError):
        return None, "it has a character that no text has. Remove control characters"
    problem, context = error.problem or "", error.context or ""
    for sign, opened, mend in _UNCLOSED:
        if sign in problem or sign in context:
            # It is noticed far below; where it was opened is what helps.
            where = error.context_mark or error.problem_mark
            return (where.line + 1 if where else None), f"a {opened} that begins here {mend}"
    why = next((why for sign, why in _WHY if sign in problem), f"{context} {problem}".strip())
    return (error.problem_mark.line + 1 if error.problem_mark else None), why


_UNCLOSED = (  # what the parser says, what is open, and the mend
    ("quoted scalar", "quoted text", "is not closed. Add the second quote"),
    ("flow sequence", "list in [...]", "is not well formed. Mind commas, quotes and the closing ]"),
    ("flow mapping", "mapping in {...}", "is not well formed. Mind commas, quotes and the closing }"),
)
_WHY = (
    (
        "mapping values are not allowed",
        'a colon where it cannot be. Quote a value that has one, as in "struct<a: int>"; else mind the indentation',
    ),
    ("cannot start any token", "a value cannot begin with this character. Quote it; indent with spaces, not with tabs"),
    ("another document", "a second document begins here. Keep one, without ---"),
    ("block end", "this line is indented otherwise than the ones above it"),
    ("expected ':'", "a key without a colon"),
    ("undefined alias", "an alias (*) of an anchor (&) that is not there. Write the value out"),
)


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.open: set[int] = set()  # ids of the nodes around the current one, to find a node inside itself
        self.nodes = 0

    def read(self, root: MappingNode) -> None:
        self.source.lines[()] = root.start_mark.line + 1
        try:
            self.source.data = self.value(root, ())
        except RecursionError:
            raise _refused(self.source.path, None, "this is not YAML: it is nested too deeply") from None

    def value(self, node: Node, at: Location) -> Any:
        self.nodes += 1
        if id(node) in self.open or self.nodes > _MOST_NODES:
            line = node.start_mark.line + 1
            raise _refused(self.source.path, line, "an alias (*) holds itself, or too much. Write the value out")
        if isinstance(node, ScalarNode):
            return _scalar(node)
        self.open.add(id(node))
        assert isinstance(node, MappingNode | SequenceNode)  # there are three kinds of nodes
        value = self.mapping(node, at) if isinstance(node, MappingNode) else self.sequence(node, at)
        self.open.discard(id(node))
        return value

    def sequence(self, node: SequenceNode, at: Location) -> list[Any]:
        items = []
        for nth, item in enumerate(node.value):
            self.source.lines[(*at, nth)] = item.start_mark.line + 1
            items.append(self.value(item, (*at, nth)))
        return items

    def mapping(self, node: MappingNode, at: Location) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                merged = self.merge(item, at) | merged
            elif not isinstance(key, ScalarNode):
                message = "a list or a mapping stands where a key should be. Keys are plain words"
                self.source.problems.append(Problem(at, message))
            elif (name := str(key.value)) in data:
                self.source.lines[(*at, name, AGAIN)] = line
                message = f'"{name}" stands twice. Remove one.'
                self.source.problems.append(Problem((*at, name, AGAIN), message, beside=(*at, name)))
            else:
                self.source.lines[(*at, name)] = line
                data[name] = self.value(item, (*at, name))
        return merged | data

    def merge(self, node: Node, at: Location) -> dict[str, Any]:
        """What ``<<: *anchor`` brings in; of several, the first that has a key wins."""
        merged: dict[str, Any] = {}
        for part in node.value if isinstance(node, SequenceNode) else [node]:
            if isinstance(part, MappingNode):
                merged = self.value(part, at) | merged
            else:
                self.source.problems.append(Problem(at, "<< takes in a mapping by its alias, as in `<<: *common`"))
        return merged


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    kind = str(node.tag).rpartition(":")[2]
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return {"true": True, "false": False}.get(text.lower(), text)
        if kind == "int":
            bare = text.replace("_", "")
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
