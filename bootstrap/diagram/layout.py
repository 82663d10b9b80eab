"""Where everything is: sizes from the text, then places from the sizes. Lengths are pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bootstrap.diagram.picture import Card, Group

TITLE, TEXT = 12.0, 10.0  # font sizes
CARD_WIDTHS = (150.0, 250.0)  # at least and at most
_LINE = 14.0
_CARD_HEAD = 36.0  # kind and title
_CARD_FOOT = 8.0
_GROUP_GAP = 56.0  # room for arrows between frames
_PADDING = 16.0
_HEAD = 26.0  # a frame's title

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]/- "), frozenset("mwMW@%")


@dataclass(frozen=True)
class Rectangle:
    """A place: its upper left corner and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Rectangle) -> bool:
        """Whether the two share more than an edge."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is in Helvetica or Arial, rather a little too much."""
    ems = sum(0.33 if c in _NARROW else 0.88 if c in _WIDE else 0.7 if c.isupper() else 0.57 for c in text)
    return ems * size * (1.08 if bold else 1.0)


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than ``room``."""
    if text_width(text, size, bold=bold) <= room:
        return text
    while text and text_width(f"{text}…", size, bold=bold) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def lay_out(root: Group) -> Mapping[str, Rectangle]:
    """The place of every card and group, by id; the root's upper left corner is at 0, 0."""
    places: dict[str, Rectangle] = {}
    width, height = _size(root)
    _place(root, Rectangle(0, 0, width, height), places)
    return places


def _size(item: Card | Group) -> tuple[float, float]:
    if isinstance(item, Card):
        texts = [text_width(item.title, TITLE, bold=True), text_width(item.kind, TEXT) + 14]
        texts += [text_width(line, TEXT) for line in item.lines]
        least, most = CARD_WIDTHS
        return min(max(*texts, least - 24) + 24, most), _CARD_HEAD + _LINE * len(item.lines) + _CARD_FOOT
    widths, heights = _tracks(item)
    gap = _gap(item)
    padding, head = _frame(item)
    inner = sum(widths) + gap * (len(widths) - 1)
    wide = max(inner, text_width(item.title, TITLE, bold=True) + 2 * TITLE if item.title else 0)
    return wide + 2 * padding, sum(heights) + gap * (len(heights) - 1) + 2 * padding + head


def _tracks(group: Group) -> tuple[list[float], list[float]]:
    """Widths of a group's columns and heights of its rows."""
    sizes = [_size(child) for child in group.children]
    rows = [sizes[at : at + group.columns] for at in range(0, len(sizes), group.columns)]
    columns = min(group.columns, max(len(sizes), 1))
    return [max((row[n][0] for row in rows if n < len(row)), default=0) for n in range(columns)], [
        max(height for _, height in row) for row in rows
    ]


def _gap(group: Group) -> float:
    return group.gap if all(isinstance(child, Card) for child in group.children) else _GROUP_GAP


def _frame(group: Group) -> tuple[float, float]:
    return (_PADDING, _HEAD) if group.title else (0.0, 0.0)


def _place(item: Card | Group, at: Rectangle, places: dict[str, Rectangle]) -> None:
    places[item.id] = at
    if isinstance(item, Card):
        return
    widths, heights = _tracks(item)
    padding, head = _frame(item)
    gap = _gap(item)
    widths = _stretched(widths, at.width - 2 * padding - gap * (len(widths) - 1))
    y = at.y + padding + head
    for row, height in enumerate(heights):
        x = at.x + padding
        for column, child in enumerate(item.children[row * item.columns : (row + 1) * item.columns]):
            # Cards of a row are of one height; frames are as high as what they hold.
            tall = height if isinstance(child, Card) else _size(child)[1]
            _place(child, Rectangle(x, y, widths[column], tall), places)
            x += widths[column] + gap
        y += height + gap


def _stretched(widths: Sequence[float], room: float) -> list[float]:
    more = max(room - sum(widths), 0.0) / max(len(widths), 1)
    return [width + more for width in widths]
