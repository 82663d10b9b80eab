"""A stack in AWS as a picture: all resources of its synth, what they use, and who is granted what."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from bootstrap.diagram import aws
from bootstrap.diagram.dot import dot
from bootstrap.diagram.mermaid import mermaid
from bootstrap.diagram.picture import Group, Node, Picture
from bootstrap.session.synthesised import Synthesised
from lakehouse.spec import Lakehouse, load
from tests.synth.synthesised import AWS, stacks
from tests.unit.bootstrap.diagram.grammar import plain, read_dot, read_mermaid

ROOT = Path(__file__).parents[3]
NAMES = ("aws", "clusters", "tables")


@pytest.fixture(scope="module")
def lakehouse() -> Lakehouse:
    return load(AWS)


def arrows(picture: Picture) -> set[tuple[str, str, str]]:
    names = {node.id: node.lines[0] for node in picture.root.nodes()}
    names |= {group.id: group.title for group in picture.root.groups()}
    return {(names[each.source], names[each.target], each.label) for each in picture.arrows}


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_is_shown(name: str, lakehouse: Lakehouse) -> None:
    """By its own node, or by that of the resource it belongs to; the network by its frame."""
    stack = stacks(AWS)[name]
    ids = [node.id for node in aws.picture(lakehouse, stack).root.nodes()]
    assert len(ids) == len(set(ids))
    parts = {each.partition(".")[0] for each in set(stack.resources) - set(ids)}
    by_the_file = {"aws_iam_role", "aws_glue_catalog_database", "aws_s3tables_namespace"}
    assert parts - by_the_file <= {*aws.PART_OF, *aws.USED_BY, "aws_vpc"}
    for type in by_the_file & parts:
        shown = [each for each in ids if each.startswith(f"{type}.")]
        rest = sum(each.startswith(f"{type}.") for each in stack.resources) - len(shown)
        assert rest == (4 if type == "aws_iam_role" else 2)  # the file's principals, its namespaces


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same(name: str, lakehouse: Lakehouse) -> None:
    picture = aws.picture(lakehouse, stacks(AWS)[name])
    assert plain(read_mermaid(mermaid(picture))) == plain(read_dot(dot(picture))) == plain(picture)


@pytest.mark.parametrize("name", NAMES)
def test_who_reads_and_writes_what(name: str, lakehouse: Lakehouse) -> None:
    found = arrows(aws.picture(lakehouse, stacks(AWS)[name]))
    assert {
        ("bi", "people", "reads"),
        ("directory", "people", "reads departments"),
        ("etl", "people", "reads departments, writes employees"),
        ("etl", "scratch", "manages"),
    } <= found


@pytest.mark.parametrize(
    ("name", "arrow"),
    [
        ("aws", ("Athena", "query-results", "results")),
        ("aws", ("Principals", "Engines", "run jobs")),
        ("aws", ("glue catalog glue_catalog", "warehouse", "location")),
        ("clusters", ("flow-logs", "network", "logs")),
        ("aws", ("drift", "drift", "starts")),  # the schedule, the build
        ("aws", ("Tasks at their times", "sources", "sources")),
        ("aws", ("start-failed", "starts-failed", "watches")),
        ("aws", ("task-failed", "alerts", "notifies")),
        ("aws", ("bootstrap", "glue catalog glue_catalog", "tables")),
        ("clusters", ("engines", "glue catalog glue_catalog", "tables")),
        ("tables", ("Engines", "warehouse", "tables")),
        ("tables", ("glue catalog glue_catalog", "warehouse", "in")),
    ],
)
def test_who_uses_what(name: str, arrow: tuple[str, str, str], lakehouse: Lakehouse) -> None:
    assert arrow in arrows(aws.picture(lakehouse, stacks(AWS)[name]))


def test_what_a_policy_denies_is_no_arrow(lakehouse: Lakehouse) -> None:
    found = arrows(aws.picture(lakehouse, stacks(AWS)["aws"]))
    assert {target for source, target, _ in found if source == "ci-plan"} == {
        "Store",  # tables' metadata files
        "boundary",
        "glue catalog glue_catalog",
    }


def test_what_only_waits_for_others_has_no_arrow(lakehouse: Lakehouse) -> None:
    picture = aws.picture(lakehouse, stacks(AWS)["aws"])
    assert "kept" in {node.lines[0] for node in picture.root.nodes()}
    assert [each for each in arrows(picture) if each[0] == "kept"] == []


def test_no_arrow_leads_into_its_own_group(lakehouse: Lakehouse) -> None:
    """Mermaid refuses an arrow between a group and what is in it."""
    for name in NAMES:
        picture = aws.picture(lakehouse, stacks(AWS)[name])
        inside = {each.id: _inside(each) for each in picture.root.groups()}
        for arrow in picture.arrows:
            assert arrow.target not in inside.get(arrow.source, ())
            assert arrow.source not in inside.get(arrow.target, ())


def _inside(group: Group) -> set[str]:
    return {node.id for node in group.nodes()} | {each.id for each in group.groups()}


def test_a_resource_that_nobody_knows_is_shown_too(lakehouse: Lakehouse) -> None:
    document: Any = copy.deepcopy(dict(stacks(AWS)["aws"].document))
    document["resource"]["aws_new_thing"] = {"one": {"name": "employees-aws-one"}}
    picture = aws.picture(lakehouse, Synthesised("aws", document))
    assert Node("aws_new_thing.one", ("one", "new thing")) in list(picture.root.nodes())


def test_the_diagram_of_the_docs_is_fresh(lakehouse: Lakehouse) -> None:
    [block] = re.findall(r"^```mermaid\n(.*?)^```$", (ROOT / "docs/aws.md").read_text(), re.DOTALL | re.MULTILINE)
    command = "lakehouse --file lakehouses/aws-glue.yaml diagram --stack aws"
    assert block == mermaid(aws.picture(lakehouse, stacks(AWS)["aws"])), (
        f"put the output of `{command}` into docs/aws.md"
    )
