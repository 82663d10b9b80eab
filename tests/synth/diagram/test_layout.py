"""Nothing lies on anything else, and everything within its frame."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings

from bootstrap.diagram.layout import TEXT, TITLE, Rectangle, lay_out, shortened, text_width
from bootstrap.diagram.picture import Group, Picture
from tests.synth.diagram.pictures import NAMES, picture, pictures


def _check(drawn: Picture) -> None:
    places = lay_out(drawn.root)
    for group in drawn.root.groups():
        for child in group.children:
            inner, outer = places[child.id], places[group.id]
            assert outer.x <= inner.x
            assert outer.y <= inner.y
            assert inner.right <= outer.right + 0.01
            assert inner.bottom <= outer.bottom + 0.01
        for one, other in itertools.combinations(group.children, 2):
            assert not places[one.id].overlaps(places[other.id]), (one.id, other.id)
    frames = [group for group in drawn.root.groups() if group.title]
    for frame, card in itertools.product(frames, drawn.root.cards()):
        if card not in tuple(frame.cards()):
            assert not places[frame.id].overlaps(places[card.id]), (frame.id, card.id)


@pytest.mark.parametrize("name", NAMES)
def test_our_stacks_are_laid_out(name: str) -> None:
    _check(picture(name))


@given(pictures())
@settings(deadline=None, max_examples=25)
def test_every_shape_is_laid_out(drawn: Picture) -> None:
    _check(drawn)


@pytest.mark.parametrize("name", NAMES)
def test_texts_have_room(name: str) -> None:
    drawn = picture(name)
    places = lay_out(drawn.root)
    cut = [
        line
        for card in drawn.root.cards()
        for line in card.lines
        if text_width(line, TEXT) > places[card.id].width - 24 and len(line) < 30
    ]
    assert cut == []


def test_a_long_text_is_cut() -> None:
    text = shortened("a" * 100, TITLE, 120, bold=True)
    assert text.endswith("…")
    assert text_width(text, TITLE, bold=True) <= 120
    assert shortened("short", TITLE, 120) == "short"


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (Rectangle(5, 5, 10, 10), True),
        (Rectangle(10, 0, 10, 10), False),
        (Rectangle(0, 10, 10, 10), False),
        (Rectangle(-5, -5, 30, 30), True),
    ],
)
def test_sharing_an_edge_is_no_overlap(other: Rectangle, overlaps: bool) -> None:
    assert Rectangle(0, 0, 10, 10).overlaps(other) is overlaps


def test_an_empty_frame_has_a_size() -> None:
    assert lay_out(Group("empty", "Nothing", "other", ()))["empty"].width > 0
