"""What a picture shows: every resource of the stack, and what its policies and settings come to."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from bootstrap.diagram.picture import Arrow, Card, Group, bundled
from bootstrap.diagram.svg import draw
from bootstrap.session.synthesised import Synthesised
from tests.synth.diagram.pictures import NAMES, draw_of, picture
from tests.synth.synthesised import AWS, every_stack, stacks


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_is_shown_once(name: str) -> None:
    [stack] = [each for each in every_stack() if each.name == name]
    shown = [address for card in picture(name).root.cards() for address in card.stands_for]
    assert len(shown) == len(set(shown))
    frame = {address for address in stack.resources if address.startswith("aws_vpc.")}
    of_frame = {"aws_route_table", "aws_default_security_group", "aws_flow_log"}
    missing = set(stack.resources) - set(shown) - frame
    assert {address.partition(".")[0] for address in missing} <= of_frame


@pytest.mark.parametrize("name", NAMES)
def test_it_is_svg_and_the_same_every_time(name: str) -> None:
    text = draw(picture(name))
    svg = Xml.fromstring(text)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert text == draw(picture(name))
    titles = {card.title for card in picture(name).root.cards() if len(card.title) < 20}
    assert titles <= {each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")}


def _card(stack: Synthesised, address: str) -> Card:
    return next(card for card in draw_of(stack).root.cards() if card.id == address)


@pytest.mark.parametrize(
    ("principal", "lines"),
    [
        ("bi", ["reads people"]),
        ("directory", ["reads people.departments"]),
        ("etl", ["manages scratch", "writes people.employees", "reads people.departments"]),
        ("admin", ["manages people, scratch"]),
    ],
)
@pytest.mark.parametrize("stack", ["aws", "clusters", "tables"])
def test_a_role_says_what_it_may(stack: str, principal: str, lines: list[str]) -> None:
    shown = _card(stacks(AWS)[stack], f"aws_iam_role.principal_{principal}").lines
    assert [line for line in shown if line.partition(" ")[0] in ("reads", "writes", "manages")] == lines


@pytest.mark.parametrize(
    ("type", "name", "word"),
    [
        ("aws_s3_bucket_policy", "store_warehouse_policy", "TLS alone"),
        ("aws_s3_bucket_public_access_block", "store_warehouse_access", "private"),
        ("aws_s3_bucket_versioning", "store_warehouse_versioning", "versioned"),
        ("aws_s3_bucket_server_side_encryption_configuration", "store_warehouse_encryption", "encrypted"),
    ],
)
def test_what_a_bucket_lacks_is_not_on_its_card(type: str, name: str, word: str) -> None:
    whole = stacks(AWS)["aws"]
    document: Any = copy.deepcopy(dict(whole.document))
    del document["resource"][type][name]
    address = "aws_s3_bucket.store_warehouse_bucket"
    assert word in " ".join(_card(whole, address).lines)
    assert word not in " ".join(_card(Synthesised("aws", document), address).lines)


def test_a_resource_that_nobody_knows_is_shown_too() -> None:
    document: Any = copy.deepcopy(dict(stacks(AWS)["aws"].document))
    document["resource"]["aws_new_thing"] = {"one": {"name": "employees-aws-one"}}
    shown = _card(Synthesised("aws", document), "aws_new_thing.one")
    assert (shown.kind, shown.title, shown.family) == ("new thing", "one", "other")


@pytest.mark.parametrize(
    ("stack", "source", "target"),
    [
        ("aws", "athena", "aws_s3_bucket.store_query_results_bucket"),
        ("aws", "principals", "catalog"),
        ("aws", "principals", "aws_emrserverless_application.spark_application"),
        ("aws", "aws_iam_role.observe_flow_logs", "aws_cloudwatch_log_group.observe_network"),
        ("clusters", "aws_iam_role.engines_role", "catalog"),
    ],
)
def test_who_reaches_what(stack: str, source: str, target: str) -> None:
    assert (source, target) in {(arrow.source, arrow.target) for arrow in picture(stack).arrows}


def test_what_a_policy_denies_is_no_arrow() -> None:
    plan = "aws_iam_role.github_plan"
    targets = {arrow.target for arrow in picture("aws").arrows if arrow.source == plan}
    assert targets == {"aws_iam_openid_connect_provider.github_oidc"}


def test_what_only_waits_for_others_has_no_arrow() -> None:
    drawn = picture("aws")
    assert "terraform_data.kept" in {card.id for card in drawn.root.cards()}
    assert [arrow for arrow in drawn.arrows if arrow.source == "terraform_data.kept"] == []


def test_local_arrows_say_the_same_order_as_terraform() -> None:
    [stack] = [each for each in every_stack() if each.name == "local"]
    drawn = picture("local")
    direct: dict[str, set[str]] = {}
    for arrow in drawn.arrows:
        direct.setdefault(arrow.target, set()).add(arrow.source)

    def before(address: str) -> Iterator[str]:
        for each in direct.get(address, ()):
            yield each
            yield from before(each)

    for address, block in stack.resources.items():
        assert set(block.get("depends_on", ())) <= set(before(address)), address
    assert len(drawn.arrows) <= sum(len(block.get("depends_on", ())) for block in stack.resources.values())


A, B, C, D = (Card(name, name, "thing", "other") for name in "abcd")
TWO = Group("root", "", "other", (Group("one", "One", "other", (A, B)), Group("two", "Two", "other", (C, D))))


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


def test_the_labels_of_a_bundle_are_said_once() -> None:
    [arrow] = bundled(TWO, iter([Arrow("a", "c", "x"), Arrow("b", "c", "y"), Arrow("b", "d", "x")]))
    assert arrow.label == "x, y"
