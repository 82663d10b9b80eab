"""What is drawn, before anybody knows where: cards in groups, and arrows between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

#: What a thing is for; it decides the colour.
Family = Literal["access", "engine", "network", "catalog", "store", "security", "watch", "step", "other"]


@dataclass(frozen=True)
class Card:
    """One thing. ``stands_for`` are the addresses of all resources that it shows, the first of them its own."""

    id: str
    title: str
    kind: str  # what it is, in words: "S3 bucket"
    family: Family
    lines: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A frame around cards and groups, set in rows of ``columns``. Without a title it has no frame."""

    id: str
    title: str
    family: Family
    children: tuple[Card | Group, ...]
    columns: int = 1
    gap: float = 24.0  # pixels between cards

    def cards(self) -> Iterator[Card]:
        """All cards in it, at any depth."""
        for child in self.children:
            if isinstance(child, Card):
                yield child
            else:
                yield from child.cards()

    def groups(self) -> Iterator[Group]:
        """It and all groups in it."""
        yield self
        for child in self.children:
            if isinstance(child, Group):
                yield from child.groups()


@dataclass(frozen=True)
class Arrow:
    """From a card or group to another, by their ids."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Picture:
    """A whole drawing; ``notes`` stand below it."""

    title: str
    subtitle: str
    root: Group
    arrows: tuple[Arrow, ...] = ()
    notes: tuple[str, ...] = field(default=())


def bundled(root: Group, arrows: Iterator[Arrow]) -> tuple[Arrow, ...]:
    """One arrow between two groups, however many there are between their cards; none to where a card lies.

    It begins at the one card that it comes from, or at the group's frame where there are several; it ends likewise.
    """
    home = {card.id: group for group in root.groups() for card in group.children if isinstance(card, Card)}
    between: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows:
        if arrow.source == arrow.target:
            continue
        ends = home[arrow.source], home[arrow.target]
        # Within one group every arrow is shown for itself.
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
