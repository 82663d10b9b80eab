"""Later fields do not change the digest of a value."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lakehouse.text.later import definition, later


@dataclass(frozen=True)
class Inner:
    name: str
    more: str = later("")


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    words: tuple[str, ...] = ()
    number: int = 0


def test_a_later_field_counts_once_it_has_another_value_than_its_default() -> None:
    assert definition(Outer((Inner("a"),), ("b",))) == {"inner": [{"name": "a"}], "words": ["b"], "number": 0}
    assert definition(Outer((Inner("a", "c"),)))["inner"] == [{"name": "a", "more": "c"}]


def test_without_later_fields_it_is_what_asdict_says() -> None:
    value = Outer((Inner("a", "c"), Inner("b", "d")), ("e",), 3)
    assert definition(value) == {**asdict(value), "inner": [*asdict(value)["inner"]], "words": ["e"]}
