"""Reads diagrams again: only the statements of Mermaid and DOT that they use. Also generates pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import hypothesis.strategies as st

from bootstrap.diagram.picture import Arrow, Group, Node, Picture, Shape
from lakehouse.text.terminal import shown
from tests.unit.lakehouse.text import test_dot, test_mermaid
from tests.unit.lakehouse.text.strategies import texts

_SHAPES: dict[str, Shape] = {"[": "box", "[(": "store", "([": "person"}
_CLOSED = {"[": "]", "[(": ")]", "([": "])"}
_STRING = r'"(?:[^"\\]|\\.)*"'


@dataclass
class _Open:
    id: str
    title: str = ""
    children: list[Node | Group] = field(default_factory=list)


class _Frames:
    """Groups as they open and close. Every id is new, and every arrow is between known ids."""

    def __init__(self) -> None:
        self.open = [_Open("")]
        self.ids: set[str] = set()
        self.arrows: list[Arrow] = []

    def begin(self, name: str, title: str = "") -> None:
        self.open.append(_Open(self._new(name), title))

    def node(self, name: str, lines: list[str], shape: Shape) -> None:
        self.open[-1].children.append(Node(self._new(name), tuple(lines), shape))

    def end(self) -> None:
        done = self.open.pop()
        self.open[-1].children.append(Group(done.id, done.title, tuple(done.children)))

    def arrow(self, source: str, target: str, label: str) -> None:
        assert {source, target} <= self.ids
        self.arrows.append(Arrow(source, target, label))

    def picture(self) -> Picture:
        [outer] = self.open
        [root] = outer.children
        assert isinstance(root, Group)
        return Picture(root, tuple(self.arrows))

    def _new(self, name: str) -> str:
        assert name not in self.ids
        self.ids.add(name)
        return name


def read_mermaid(text: str) -> Picture:
    """https://mermaid.js.org/syntax/flowchart.html"""
    found = _Frames()
    first, *lines = text.splitlines()
    assert first == "flowchart LR"
    for line in lines:
        if line.strip() == "end":
            found.end()
        elif match := re.fullmatch(r'  +subgraph (g\d+)\[("[^"]*")\]', line):
            found.begin(match[1], test_mermaid.read(match[2])[0])
        elif match := re.fullmatch(r'  +(n\d+)(\[\(?|\(\[)("[^"]*")(\)?\]|\]\))', line):
            assert match[4] == _CLOSED[match[2]]
            found.node(match[1], test_mermaid.read(match[3]), _SHAPES[match[2]])
        else:
            match = re.fullmatch(r'  ([gn]\d+) -->(?:\|("[^"]*")\|)? ([gn]\d+)', line)
            assert match, line
            found.arrow(match[1], match[3], test_mermaid.read(match[2])[0] if match[2] else "")
    return found.picture()


def read_dot(text: str) -> Picture:
    """https://graphviz.org/doc/info/lang.html"""
    found = _Frames()
    first, settings, *lines, last = text.splitlines()
    assert (first, settings, last) == ("digraph lakehouse {", "  graph [rankdir=LR, compound=true];", "}")
    shapes: dict[str, Shape] = {"box": "box", "cylinder": "store", "ellipse": "person"}
    for line in lines:
        if line.strip() == "}":
            found.end()
        elif match := re.fullmatch(r" +subgraph (cluster_\d+) \{", line):
            found.begin(match[1])
        elif match := re.fullmatch(rf" +label=({_STRING});", line):
            found.open[-1].title = test_dot.read(match[1])[0]
        elif match := re.fullmatch(rf" +(n\d+) \[label=({_STRING}), shape=(\w+)\];", line):
            found.node(match[1], test_dot.read(match[2]), shapes[match[3]])
        else:
            match = re.fullmatch(rf"  (n\d+) -> (n\d+)(?: \[(?:label=({_STRING}))?([^\"]*)\])?;", line)
            assert match, line
            cut: dict[str, str] = dict(re.findall(r"(ltail|lhead)=(cluster_\d+)", match[4] or ""))
            label = test_dot.read(match[3])[0] if match[3] else ""
            found.arrow(cut.get("ltail", str(match[1])), cut.get("lhead", str(match[2])), label)
    return found.picture()


def plain(picture: Picture) -> object:
    """The picture with its ids replaced by positions, because readers do not know the ids: equal if it looks equal."""
    places = {node.id: ("node", nth) for nth, node in enumerate(picture.root.nodes())}
    places |= {group.id: ("group", nth) for nth, group in enumerate(picture.root.groups())}

    def walk(each: Node | Group) -> object:
        if isinstance(each, Node):
            return (each.shape, *map(shown, each.lines))
        return [shown(each.title), *map(walk, each.children)]

    arrows = [(places[each.source], places[each.target], shown(each.label)) for each in picture.arrows]
    return walk(picture.root), arrows


_SHAPE: st.SearchStrategy[Shape] = st.sampled_from(["box", "store", "person"])
_NESTED = st.booleans()


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Nodes in frames with any text, and arrows between any two of them that do not contain each other."""
    groups: list[Group] = []
    for nth, size in enumerate(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))):
        nodes: list[Node | Group] = [
            Node(
                f"{nth}-{each}",
                tuple(draw(st.lists(texts, min_size=1, max_size=2))),
                draw(_SHAPE),
            )
            for each in range(size)
        ]
        nested = draw(_NESTED) and bool(groups)
        inner = [groups.pop()] if nested else []
        groups.append(Group(f"group-{nth}", draw(texts), (*nodes, *inner)))
    root = Group("root", draw(texts), tuple(groups))
    inside = {each.id: {node.id for node in each.nodes()} | {one.id for one in each.groups()} for each in root.groups()}
    ends = st.sampled_from([*(node.id for node in root.nodes()), *(each for each in inside if each != "root")])
    arrows = draw(st.lists(st.builds(Arrow, ends, ends, texts), max_size=6))
    apart = (each for each in arrows if each.target not in inside.get(each.source, {each.source}))
    return Picture(root, tuple(each for each in apart if each.source not in inside.get(each.target, ())))
