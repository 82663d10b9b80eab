"""Pictures of the project's own stacks, and of any shape."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from bootstrap.diagram import aws, local
from bootstrap.diagram.picture import Arrow, Card, Group, Picture
from bootstrap.session.synthesised import Synthesised
from tests.synth.synthesised import every_stack

NAMES = ("aws", "clusters", "tables", "local")


def draw_of(stack: Synthesised) -> Picture:
    return aws.picture(stack) if "aws" in stack.document.get("provider", {}) else local.picture(stack)


@cache
def picture(name: str) -> Picture:
    [stack] = [each for each in every_stack() if each.name == name]
    return draw_of(stack)


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Frames of cards in a grid, and arrows from any card to any other."""
    shapes = draw(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=5))
    groups = []
    for nth, (cards, columns, lines) in enumerate(shapes):
        inside = tuple(
            Card(f"{nth}-{card}", f"card {card}", "thing", "other", ("a line of text",) * lines)
            for card in range(cards)
        )
        groups.append(Group(f"group-{nth}", f"Group {nth}", "other", inside, columns))
    root = Group("root", "", "other", tuple(groups), draw(st.integers(1, 3)))
    ids = [card.id for card in root.cards()]
    pairs = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=6, unique=True))
    return Picture("any", "shape", root, tuple(Arrow(*pair) for pair in pairs if pair[0] != pair[1]))
