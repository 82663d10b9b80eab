"""Properties of the whole model, over generated lakehouses and broken files."""

import io
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from ruamel.yaml import YAML

from lakehouse.spec import Lakehouse, SpecError, load
from lakehouse.spec.checks import check

from .strategies import lakehouses

DEFAULT = (Path(__file__).parents[4] / "lakehouse.yaml").read_text()


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "lakehouse.yaml"


def as_yaml(data: Any) -> str:
    stream = io.StringIO()
    YAML().dump(data, stream)  # in the order of the keys: fields of a struct have one
    return stream.getvalue()


@given(lakehouses())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_dumped_loads_equal(file: Path, lakehouse: Lakehouse) -> None:
    assert check(lakehouse) == []
    for data in (lakehouse.model_dump(mode="json"), lakehouse.model_dump(mode="json", exclude_defaults=True)):
        file.write_text(as_yaml(data), encoding="utf-8")
        again = load(file)
        assert again == lakehouse
        assert again.model_dump() == lakehouse.model_dump(), "types are equal by their text, which has no docs"


def problems(file: Path, text: str) -> list[tuple[int | None, str]]:
    """Line and message of each problem; anything but a SpecError goes through."""
    file.write_text(text, encoding="utf-8")
    try:
        load(file)
    except SpecError as error:
        return [(line, problem.message) for line, problem in error.problems] or [(None, "")]
    return []


@given(st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_broken_text_is_a_spec_error(file: Path, chance: random.Random) -> None:
    text = DEFAULT
    for _ in range(chance.randint(1, 3)):
        begin = chance.randrange(len(text))
        end = begin + chance.choice([0, 1, 1, 2, 30])
        words = ["", "<<: ", "&a ", "*a", "\x00", "é", "null", "1", "!!int x", text[begin : begin + 50]]
        text = text[:begin] + chance.choice([*words, *":-[]{}&*!|>'\"%@`#, \n\t"]) + text[end:]
    for line, message in problems(file, text):
        assert message
        assert line is None or 1 <= line <= text.count("\n") + 2


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=10)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab._", max_size=3), inner, max_size=3)
)


@given(st.randoms(use_true_random=False), trees, st.text(min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_value_in_any_place_is_a_spec_error(file: Path, chance: random.Random, new: Any, name: str) -> None:
    tree = YAML(typ="safe").load(DEFAULT)
    spot, key = chance.choice(list(places(tree)))
    match chance.choice(["value", "key", "gone"]), spot:
        case "gone", _:
            del spot[key]
        case "key", dict():
            spot[name] = spot.pop(key)
        case _:
            spot[key] = new
    text = as_yaml(tree)
    for line, message in problems(file, text):
        assert message
        assert line is None or 1 <= line <= text.count("\n") + 2


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a tree of mappings and lists."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from places(tree[key])
