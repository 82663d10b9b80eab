"""Which arrows a picture keeps."""

from __future__ import annotations

import pytest

from bootstrap.diagram.picture import Arrow, Group, Node, bundled, kept, known

A, B, C, D = (Node(name, (name,)) for name in "abcd")
TWO = Group("root", "", (Group("one", "One", (A, B)), Group("two", "Two", (C, D))))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("a", "c")], [("a", "c")]),
        ([("a", "c"), ("b", "c")], [("one", "c")]),
        ([("a", "c"), ("a", "d")], [("a", "two")]),
        ([("a", "c"), ("b", "d")], [("one", "two")]),
        ([("a", "b"), ("b", "a")], [("a", "b"), ("b", "a")]),
        ([("a", "a")], []),
    ],
)
def test_arrows_are_bundled(given: list[tuple[str, str]], expected: list[tuple[str, str]]) -> None:
    made = bundled(TWO, (Arrow(*each) for each in given))
    assert [(arrow.source, arrow.target) for arrow in made] == expected


def test_the_labels_of_a_bundle_are_shown_once() -> None:
    [arrow] = bundled(TWO, iter([Arrow("a", "c", "x"), Arrow("b", "c", "y"), Arrow("b", "d", "x")]))
    assert arrow.label == "x, y"


def test_an_arrow_is_between_what_is_shown_and_there_once() -> None:
    given = [Arrow("a", "two"), Arrow("a", "nobody"), Arrow("nobody", "b"), Arrow("a", "two"), Arrow("a", "two", "x")]
    assert known(TWO, given) == (Arrow("a", "two"), Arrow("a", "two", "x"))


def test_an_empty_group_is_left_out() -> None:
    assert kept(Group("one", "One", ()), TWO) == (TWO,)
