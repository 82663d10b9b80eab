"""What a diagram shows: nodes in groups, and arrows between them. The program that draws it decides the layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["box", "store", "person"]


@dataclass(frozen=True)
class Node:
    """One thing: its name, and below it its kind."""

    id: str
    lines: tuple[str, ...]
    shape: Shape = "box"


@dataclass(frozen=True)
class Group:
    """A frame around nodes and groups."""

    id: str
    title: str
    children: tuple[Node | Group, ...]

    def nodes(self) -> Iterator[Node]:
        """All nodes in it, at any depth."""
        for child in self.children:
            if isinstance(child, Node):
                yield child
            else:
                yield from child.nodes()

    def groups(self) -> Iterator[Group]:
        """This group and all groups in it."""
        yield self
        for child in self.children:
            if isinstance(child, Group):
                yield from child.groups()


@dataclass(frozen=True)
class Arrow:
    """An arrow from the user to what it uses, by the ids of nodes or groups; the label says how."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Picture:
    """A whole diagram."""

    root: Group
    arrows: tuple[Arrow, ...] = ()


def kept(*groups: Group) -> tuple[Group, ...]:
    """The groups that are not empty."""
    return tuple(group for group in groups if group.children)


def known(root: Group, arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """The arrows whose ends are both shown, each once."""
    shown = {node.id for node in root.nodes()} | {group.id for group in root.groups()}
    return tuple(dict.fromkeys(each for each in arrows if {each.source, each.target} <= shown))


def bundled(root: Group, arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """At most one arrow between two groups, however many their nodes have; none from a node to itself.

    It begins at the node that all of them come from, or at the group if there are several. Its end is found likewise.
    """
    home = {node.id: group for group in root.groups() for node in group.children if isinstance(node, Node)}
    between: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows:
        if arrow.source == arrow.target:
            continue
        ends = home[arrow.source], home[arrow.target]
        # Within one group every arrow is shown.
        key = (arrow.source, arrow.target) if ends[0] is ends[1] else (ends[0].id, ends[1].id)
        between.setdefault(key, []).append(arrow)
    found = []
    for several in between.values():
        ends = home[several[0].source], home[several[0].target]
        sources, targets = {each.source for each in several}, {each.target for each in several}
        labels = dict.fromkeys(each.label for each in several if each.label)
        found.append(
            Arrow(
                sources.pop() if len(sources) == 1 else ends[0].id,
                targets.pop() if len(targets) == 1 else ends[1].id,
                ", ".join(labels),
            )
        )
    return tuple(found)
