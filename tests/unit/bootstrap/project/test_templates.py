"""The templates of `lakehouse init`; tests/synth/stacks/test_templates.py declares the stacks of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.project.templates import Template, named, readdressed, templates, with_ports
from lakehouse import toolkit
from lakehouse.errors import UsageError
from lakehouse.spec import load
from lakehouse.spec.ports import ports

ROOT = Path(__file__).parents[4]


def test_every_file_of_lakehouses_is_a_template_or_belongs_to_one() -> None:
    known = {each.source for each in templates()} | {path for each in templates() for path in each.beside.values()}
    there = {path for path in (ROOT / "lakehouses").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert known == there


def test_what_tools_left_beside_a_template_does_not_belong_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dbt_project.yml", "models/a.sql", "target/a.msgpack", "logs/dbt.log", ".user.yml", "models/.x/y"):
        path = tmp_path / "lakehouses" / "dbt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff")
    monkeypatch.setattr(toolkit, "root", lambda: tmp_path)
    assert named("dbt").beside.keys() == {"dbt_project.yml", "models/a.sql"}


def test_the_default_has_the_places_of_the_projects_own_file() -> None:
    medallion, own = load(templates()[0].source), load(ROOT / "lakehouse.yaml")
    assert medallion.stacks == own.stacks
    assert {*own.catalogs["lake"].namespaces} < {*medallion.catalogs["lake"].namespaces}


@pytest.mark.parametrize(
    ("word", "name"),
    [("aws", "aws"), ("004", "004-sigv4-tables"), ("nessie-minio", "001-nessie-minio"), ("med", "medallion")],
)
def test_a_short_name_is_enough(word: str, name: str) -> None:
    assert named(word).name == name


@pytest.mark.parametrize("word", ["00", "", "nope", "../dbt"])
def test_other_names_are_refused_with_the_list(word: str) -> None:
    with pytest.raises(UsageError, match=r"There is no template .*\n  medallion .*(\n.*)*\n  004-sigv4-tables"):
        named(word)


@pytest.mark.parametrize("template", [each for each in templates() if each.name != "aws"], ids=lambda each: each.name)
def test_ports_can_be_set_in_each_local_template(tmp_path: Path, template: Template) -> None:
    source = template.source
    moved = {name: number + 100 for name, number in ports(load(source), "local").items()}
    file = tmp_path / "lakehouse.yaml"
    file.write_text(with_ports(source.read_text(), moved))
    assert ports(load(file), "local") == moved


def test_addresses_follow_the_ports_and_other_numbers_stay() -> None:
    text = "http://localhost:9001 or :8085; port: 8085; port: 80855; 10:00:00; 8085 rows"
    assert readdressed(text, {8085: 8185, 9001: 9101}) == (
        "http://localhost:9101 or :8185; port: 8185; port: 80855; 10:00:00; 8085 rows"
    )
