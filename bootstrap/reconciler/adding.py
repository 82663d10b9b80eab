"""Add entries to a YAML file as text. Every other line stays as it is, with its comments, order and quotes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lakehouse.errors import UsageError
from lakehouse.spec import load

_STEP = 2  # columns for each level of indentation


@dataclass(frozen=True)
class _Insertion:
    """``text`` replaces the characters from ``at`` up to ``until``."""

    at: int
    text: str
    until: int


def add_to(path: Path, sections: Mapping[str, Any]) -> None:
    """Add sections to the file.

    Raises UsageError if the file cannot be written, or if another line would have to change.
    """
    former = path.read_bytes().decode("utf-8")
    beside = path.with_name(f".{path.name}.new")
    text = added(former, sections, path.name)
    try:
        try:
            beside.write_bytes(text.encode())
            beside.chmod(path.stat().st_mode)
            load(beside, engines=False)  # the file may already have entries that an engine does not support
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def added(text: str, entries: Mapping[str, Any], name: str) -> str:
    """``text`` with ``entries`` added to its mappings, level by level. Existing entries stay as they are.

    Raises UsageError if the mapping that takes the entries comes from an alias or a merge key.
    """
    start = 1 if text.startswith("\ufeff") else 0  # a byte order mark is not part of the document
    root = YAML(typ="safe", pure=True).compose(text[start:])
    newline = "\r\n" if "\r\n" in text else "\n"
    assert isinstance(root, MappingNode)
    insertions = list(_into(root, entries, _Text(text[start:], name, newline)))
    # From the end of the file. If several have the same place, the outer ones, which come last, are inserted first: the
    # inner ones must stand before them.
    insertions.reverse()
    for each in sorted(insertions, key=lambda insertion: insertion.at, reverse=True):
        text = text[: each.at + start] + each.text + text[each.until + start :]
    return text


@dataclass(frozen=True)
class _Text:
    text: str
    name: str
    newline: str

    def line_end(self, at: int) -> int:
        """The end of the line that has the character before ``at``, including its line break."""
        if at and self.text[at - 1] == "\n":
            return at
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1


def _into(node: MappingNode, entries: Mapping[str, Any], source: _Text) -> Iterator[_Insertion]:
    """The insertions that add the entries to a mapping."""
    there = {str(key.value): (key, value) for key, value in node.value}
    new = {key: value for key, value in entries.items() if key not in there}
    for key, value in entries.items():
        if key not in there or not isinstance(value, Mapping):
            continue
        known, inner = there[key]
        if inner.start_mark.index < known.end_mark.index:
            raise _refused(source, known, f"`{key}` is an alias (*)")
        if isinstance(inner, MappingNode):
            yield from _into(inner, value, source)
        elif isinstance(inner, ScalarNode) and not inner.style and str(inner.tag).endswith(":null"):
            yield from _instead(inner, known, value, source, flow=bool(node.flow_style))
    if new and any(str(key.tag).endswith(":merge") for key, _ in node.value):
        raise _refused(source, node, "a merge key (<<) is in the mapping")
    if new and node.flow_style:
        yield _in_flow(node, new, source)
    elif new:
        column = node.value[0][0].start_mark.column
        yield _below(_end(node), column, new, source)


def _instead(inner: Node, key: Node, value: Mapping[str, Any], source: _Text, *, flow: bool) -> Iterator[_Insertion]:
    """Replace an empty value: ``tables:`` or ``tables: null`` with nothing below it."""
    if not value:
        return
    begin, end = inner.start_mark.index, inner.end_mark.index
    if flow:
        gap = "" if source.text[begin - 1 : begin].isspace() else " "
        yield _Insertion(begin, gap + _flow(value), end)
        return
    if end > begin:  # null is written out
        yield _Insertion(begin, "", end)
    yield _below(max(end, key.end_mark.index), key.start_mark.column + _STEP, value, source)


def _below(end: int, column: int, entries: Mapping[str, Any], source: _Text) -> _Insertion:
    """Insert a block after the line in which a value ends."""
    at = source.line_end(end)
    lead = source.newline if at and source.text[at - 1] != "\n" else ""
    lines = [" " * column + line if line else line for line in _block(entries).splitlines()]
    return _Insertion(at, lead + source.newline.join(lines) + source.newline, at)


def _in_flow(node: MappingNode, entries: Mapping[str, Any], source: _Text) -> _Insertion:
    """Insert entries before the closing brace."""
    brace = node.end_mark.index - 1
    at = brace
    while source.text[at - 1] == " ":
        at -= 1
    inner = _flow(entries)[1:-1]
    if not node.value:
        return _Insertion(at, inner, brace)
    key, value = node.value[-1]
    rest = source.text[max(key.end_mark.index, value.end_mark.index) : brace]
    comma = any("," in line.partition("#")[0] for line in rest.splitlines())
    return _Insertion(at, (" " if comma else ", ") + inner, at)


def _end(node: Node) -> int:
    """The end of a node's last value. A block's own end mark is after the comments and blank lines that follow it."""
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    if isinstance(node, SequenceNode):
        return _end(last)
    key, value = last
    if value.start_mark.index < key.end_mark.index:  # an alias: its node is where the anchor is
        return int(key.end_mark.index)
    return max(_end(value), int(key.end_mark.index))


def _refused(source: _Text, node: Node, why: str) -> UsageError:
    where = f"{source.name}:{node.start_mark.line + 1}"
    fix = "Copy the entries that `lakehouse import` prints into the file"
    return UsageError(f"{where}: {why}, so adding to it would change other places too. {fix}")


def _block(entries: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 10_000
    return _dumped(yaml, entries)


def _flow(entries: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.default_flow_style = True
    yaml.width = 1_000_000
    return _dumped(yaml, entries).strip()


def _dumped(yaml: YAML, entries: Mapping[str, Any]) -> str:
    out = io.StringIO()
    yaml.dump(dict(entries), out)
    return out.getvalue()
