"""The documentation's examples are valid, its links lead somewhere, and the tests that it names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.kinds.engines.spark_rules import LINES
from lakehouse.kinds.engines.trino_rules import RELEASES
from lakehouse.spec import load
from lakehouse.spec.load import cautions
from tests.tools.expected import table

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHER = re.compile(r"# (?!lakehouse)[\w.-]+\.yaml\n")  # how an example of another file begins
FILES = sorted((ROOT / "lakehouses").glob("*.yaml"))
HISTORY = "## What became of each test"  # of tests.md: names that tests had
#: The smallest file around an example.
AROUND: dict[str, Any] = {
    "name": "demo",
    "buckets": {"warehouse": {}, "staging": {}},
    "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
    "engines": {"spark": {"version": "4.1"}, "trino": {"version": "476"}},
}
SPACE = ("catalogs", "lake", "namespaces", "any")
#: Where an example that does not begin at the top of the file belongs, by its first key.
PLACES = {"namespaces": SPACE[:2], "tables": SPACE, "columns": (*SPACE, "tables", "any")}


def blocks(language: str) -> Iterator[Any]:
    """Each block of code of that language: its page and line, and its text."""
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{page.relative_to(ROOT)}:{line}")


def merged(base: Any, more: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(more, dict)):
        return more
    return {key: merged(base.get(key, {}), more.get(key, base.get(key))) for key in {**base, **more}}


@pytest.mark.parametrize("text", [each for each in blocks("yaml") if not OTHER.match(each.values[0])])
def test_an_example_of_the_file_is_valid(text: str, tmp_path: Path) -> None:
    example = YAML(typ="safe", pure=True).load(text)
    for key in reversed(PLACES.get(next(iter(example)), ())):
        example = {key: example}
    # Only Nessie has branches; only other kinds have views that Trino reads.
    kind = "nessie" if "branches:" in text else "rest"
    stacks = {"local": {"runtime": "process", "store": "minio", "catalogs": {"lake": kind}}}
    file = {**AROUND, "stacks": example.get("stacks", stacks)}
    path = tmp_path / "lakehouse.yaml"
    with path.open("w") as out:
        YAML(typ="safe", pure=True).dump(merged(file, example), out)
    [inventory] = blocks("ini")
    (tmp_path / "hosts.ini").write_text(inventory.values[0])
    load(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_of_lakehouses_is_valid_and_has_no_warning(path: Path) -> None:
    assert cautions(path, load(path)) == []


def test_the_page_shows_what_tools_can_do() -> None:
    assert "\n".join(table()) in (ROOT / "docs" / "compatibility.md").read_text()


def test_the_page_shows_which_versions_fit_together() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text()
    shown = re.findall(r"^\| (Spark|Trino) \| (\S+) \| (.*) \|$", page, re.MULTILINE)
    spark = [
        ("Spark", each.line, f"{each.pyspark} | {each.scala} | {each.iceberg} | {' or '.join(map(str, each.java))}")
        for each in LINES.values()
    ]
    trino = [
        ("Trino", each.version, f"{each.version} | - | its own | {each.java} or newer") for each in RELEASES.values()
    ]
    assert shown == spark + trino


def test_the_page_on_the_architecture_names_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    bases = (ROOT / "constructs" / "lakehouse", ROOT / "bootstrap")
    packages = [each.parent.name for base in bases for each in sorted(base.glob("*/__init__.py"))]
    assert packages
    assert [each for each in packages if f"{each}/`" not in page] == []


def test_each_file_of_a_reference_system_has_its_session() -> None:
    page = (ROOT / "docs/replays.md").read_text()
    named = re.findall(r"^The file is \[(lakehouses/\S+)\]\(\.\./\1\)", page, re.MULTILINE)
    assert sorted(named) == [str(path.relative_to(ROOT)) for path in FILES if path.name[0] == "0"]


@pytest.mark.parametrize("text", blocks("python"))
def test_an_example_in_python_can_be_compiled(text: str) -> None:
    compile(text, "example", "exec")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text())
    broken = []
    for name, anchor in links:
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{name}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_are_named_exist(page: Path) -> None:
    text = page.read_text().partition(HISTORY)[0]
    layers = "unit|synth|behaviour|integration|kinds|containers|bench|tools"
    named = re.findall(rf"\b((?:{layers})/[\w/]*test_\w+\.py)(?:::(\w+))?", text)
    assert [found for found in named if not defines(ROOT / "tests" / found[0], found[1])] == []


def defines(path: Path, test: str) -> bool:
    """Whether the file is there, and has the test if one is named."""
    return path.is_file() and (not test or f"def {test}(" in path.read_text())
