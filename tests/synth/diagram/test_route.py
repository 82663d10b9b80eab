"""Arrows: right-angled, from border to border, through no card."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings

from bootstrap.diagram.layout import Rectangle, lay_out
from bootstrap.diagram.picture import Picture
from bootstrap.diagram.route import Point, routes
from bootstrap.diagram.svg import plan
from tests.synth.diagram.pictures import NAMES, picture, pictures


def _lines(drawn: Picture) -> list[list[Point]]:
    return routes(plan(drawn, lay_out(drawn.root)), [(each.source, each.target) for each in drawn.arrows])


def _check(drawn: Picture) -> None:
    places = lay_out(drawn.root)
    for arrow, line in zip(drawn.arrows, _lines(drawn), strict=True):
        assert line, f"{arrow} has no way"
        for end, box in ((line[0], places[arrow.source]), (line[-1], places[arrow.target])):
            assert _touches(end, box), (arrow, end, box)
        for first, last in itertools.pairwise(line):
            assert first[0] == last[0] or first[1] == last[1], (arrow, first, last)
        for card in drawn.root.cards():
            for part in itertools.pairwise(line):
                assert not _crosses(part, places[card.id]), (arrow, card.id)


def _touches(point: Point, box: Rectangle) -> bool:
    inside = box.x <= point[0] <= box.right and box.y <= point[1] <= box.bottom
    return inside and (point[0] in (box.x, box.right) or point[1] in (box.y, box.bottom))


def _crosses(part: tuple[Point, Point], box: Rectangle) -> bool:
    (x1, y1), (x2, y2) = part
    return Rectangle(min(x1, x2), min(y1, y2), abs(x1 - x2), abs(y1 - y2)).overlaps(box)


@pytest.mark.parametrize("name", NAMES)
def test_arrows_of_our_stacks(name: str) -> None:
    _check(picture(name))


@given(pictures())
@settings(deadline=None, max_examples=25)
def test_arrows_of_every_shape(drawn: Picture) -> None:
    _check(drawn)
