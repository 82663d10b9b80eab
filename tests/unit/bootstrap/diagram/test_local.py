"""A local stack as a picture: which service uses which comes from the services' own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.diagram import local
from bootstrap.diagram.dot import dot
from bootstrap.diagram.mermaid import mermaid
from bootstrap.diagram.picture import Picture
from bootstrap.session.target import Target, find
from tests.unit.bootstrap.diagram.grammar import plain, read_dot, read_mermaid

ROOT = Path(__file__).parents[4]
FILES = (ROOT / "lakehouse.yaml", ROOT / "lakehouses/001-nessie-minio.yaml")


def drawn(target: Target) -> Picture:
    return local.picture(target.lakehouse, target.stack, target.located)


def arrows(picture: Picture) -> set[tuple[str, str, str]]:
    names = {node.id: node.lines[0] for node in picture.root.nodes()}
    names |= {group.id: group.title for group in picture.root.groups()}
    return {(names[each.source], names[each.target], each.label) for each in picture.arrows}


def edited(tmp_path: Path, *edits: tuple[str, str]) -> Target:
    text = FILES[0].read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "lakehouse.yaml").write_text(text)
    return find(tmp_path / "lakehouse.yaml", None)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_everything_is_shown_once(file: Path) -> None:
    target = find(file, None)
    lines = [line for node in drawn(target).root.nodes() for line in node.lines]
    workers = [each.name for each in target.located.services if each.name.startswith("spark-worker")]
    services = {each.name for each in target.located.services if each.name not in workers or len(workers) == 1}
    for name in (*services, *target.lakehouse.buckets, *target.lakehouse.sources, "bronze", "silver"):
        assert lines.count(name) == 1, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_languages_say_the_same(file: Path) -> None:
    picture = drawn(find(file, None))
    assert plain(read_mermaid(mermaid(picture))) == plain(read_dot(dot(picture))) == plain(picture)


def test_who_reads_and_writes_what() -> None:
    tables, files = "reads and commits tables", "reads and writes files"
    assert arrows(drawn(find(FILES[0], None))) == {
        ("bi", "silver", "reads"),
        ("spark-4.1", "nessie", tables),
        ("spark-4.1", "s3proxy", files),
        ("trino", "nessie", tables),
        ("trino", "s3proxy", files),
        ("lakehouse", "nessie", tables),
        ("lakehouse", "s3proxy", files),
        ("nessie", "s3proxy", "metadata files"),
        ("2 x spark-worker", "spark-master", ""),
        ("spark-connect", "spark-master", ""),
        ("nessie catalog lake", "warehouse", "location"),
    }


def test_containers_ask_each_other_alike_and_sources_are_ingested() -> None:
    found = arrows(drawn(find(FILES[1], None)))
    assert ("spark-4.1", "minio", "reads and writes files") in found
    assert ("spark-worker-1", "spark-master", "") in found
    assert ("flatfiles", "lakehouse", "ingest") in found


def test_two_catalogs_have_a_server_each(tmp_path: Path) -> None:
    found = arrows(
        drawn(
            edited(
                tmp_path,
                ("catalogs:\n", "catalogs:\n  archive: {location: s3://staging/archive}\n"),
                ("catalogs: {lake: nessie}", "catalogs: {lake: nessie, archive: nessie}"),
                ("expire_days: 7", ""),
            )
        )
    )
    assert ("nessie catalog archive", "staging", "location") in found
    assert {(source, target) for source, target, label in found if label == "reads and commits tables"} == {
        (source, target) for source in ("spark-4.1", "trino", "lakehouse") for target in ("nessie", "nessie-lake")
    }


def test_a_principal_may_be_called_as_a_service(tmp_path: Path) -> None:
    found = arrows(drawn(edited(tmp_path, ("    bi: {roles", "    trino: {roles"))))
    assert ("trino", "silver", "reads") in found
    assert ("trino", "nessie", "reads and commits tables") in found


def test_without_engines_only_the_command_asks(tmp_path: Path) -> None:
    text = FILES[0].read_text()
    begin, end = text.index("engines:\n"), text.index("stacks:\n")
    picture = drawn(edited(tmp_path, (text[begin:end], "")))
    assert "Engines" not in {group.title for group in picture.root.groups()}
    assert {source for source, _, label in arrows(picture) if "tables" in label} == {"lakehouse"}
