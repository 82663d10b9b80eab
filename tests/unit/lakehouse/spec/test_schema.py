"""The JSON Schema: up to date, and consistent with what `load` accepts."""

import importlib.util
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from lakehouse.spec import schema

ROOT = Path(__file__).parents[4]
BAD = Path(__file__).parent / "bad"


def valid(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(schema.schema()).is_valid(YAML(typ="safe").load(text)))


def test_written_schema_is_fresh() -> None:
    message = "stale: run `python -m lakehouse.spec.schema`"
    assert (ROOT / schema.FILE).read_text() == schema.text(), message


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())


def test_default_file_is_valid() -> None:
    assert valid((ROOT / "lakehouse.yaml").read_text())


@pytest.mark.parametrize(
    "change",
    [
        ("volume: long", "volume: {type: long, doc: Shares}"),
        ("volume: long", 'volume: {type: {struct: {a: int, b: "list<string>"}}}'),
        ("volume: long", "volume: {type: long, tags: [pii]}"),
        ("lake.silver: [read]", 'lake.silver: {verbs: [read], rows: a = 1, columns: {"tag:pii": mask, b: upper(b)}}'),
        ("warehouse: {}", "warehouse:"),
        ('version: "4.1"', "version: 4.1"),
        ("workers: 2", "properties: {a: 1, b: true}"),
        ("  local:", "  aws: {region: eu-west-1, store: s3, catalogs: {lake: glue}}\n  local:"),
    ],
)
def test_short_and_long_forms_are_valid(change: tuple[str, str]) -> None:
    text = (ROOT / "lakehouse.yaml").read_text()
    assert change[0] in text
    assert valid(text.replace(*change))


@pytest.mark.parametrize(
    "case", ["unknown-keys", "missing-keys", "wrong-types", "choices", "names", "numbers-out-of-range"]
)
def test_wrong_shapes_are_not_valid(case: str) -> None:
    assert not valid((BAD / f"{case}.yaml").read_text())


def test_every_key_is_described() -> None:
    """What an editor shows while completing."""
    for name, definition in schema.schema()["$defs"].items():
        for form in definition.get("anyOf", [definition]):
            for key, value in form.get("properties", {}).items():
                assert value.get("description"), f"{name}.{key}"


def test_module_writes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy
    import sys

    monkeypatch.setattr(sys, "argv", ["schema", str(tmp_path / "s.json")])
    monkeypatch.delitem(sys.modules, "lakehouse.spec.schema")
    runpy.run_module("lakehouse.spec.schema", run_name="__main__")
    assert json.loads((tmp_path / "s.json").read_text()) == schema.schema()
    assert importlib.util.find_spec("lakehouse.spec.schema")


# Every pattern takes time in proportion to the text, here and in an editor that reads the JSON Schema.
BIG = 100_000
PUMPS = ("a", "A", "0", "-", "_", ".", "/", "a-", "a.", "a_", "a/", ".a", "a@", "@", " ", "a ", "(", "é", "\n")
HEADS = ("", "a", "s3://a/", "https://", "aa-a", "a@a.", "a/")


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        yield from (key for key in node.get("patternProperties", {}))
        for each in node.values():
            yield from patterns(each)
    elif isinstance(node, list):
        for each in node:
            yield from patterns(each)


@pytest.mark.parametrize("pattern", sorted(set(patterns(json.loads((ROOT / schema.FILE).read_text())))))
def test_a_pattern_is_linear(pattern: str) -> None:
    compiled = re.compile(pattern)
    for size in (28, BIG):  # a small one first: an exponential pattern would never end on the big one
        began = time.process_time()  # not what other programs of a busy machine take
        for head in HEADS:
            for pump in PUMPS:
                compiled.search(head + pump * (size // len(pump)) + "!")
        assert time.process_time() - began < (0.5 if size < BIG else 10)
