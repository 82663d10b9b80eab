"""AWS would refuse nothing of the stacks, by the services' own rules, and the rules find what it would refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.synth.aws.conftest import STACKS
from tests.synth.aws.rules import refused

Resources = dict[str, Any]


@pytest.mark.parametrize("name", STACKS)
def test_no_service_refuses_anything(stacks: Mapping[str, Any], name: str) -> None:
    assert refused(stacks[name]) == []


def _policy(statements: list[dict[str, Any]]) -> Callable[[Resources], None]:
    def breaks(of: Resources) -> None:
        policy = json.loads(of["aws_iam_policy"]["principal_bi_policy_1"]["policy"])
        policy["Statement"] += statements
        of["aws_iam_policy"]["principal_bi_policy_1"]["policy"] = json.dumps(policy)

    return breaks


def _long_name(of: Resources) -> None:
    of["aws_iam_role"]["principal_bi"]["name"] = "x" * 65


def _many_policies(of: Resources) -> None:
    attached = of["aws_iam_role_policy_attachment"]
    attached |= {f"x{nth}": attached["principal_bi_policy_1_attached"] for nth in range(10)}


def _long_trust(of: Resources) -> None:
    trust = json.loads(of["aws_iam_role"]["principal_bi"]["assume_role_policy"])
    trust["Statement"] *= 10
    of["aws_iam_role"]["principal_bi"]["assume_role_policy"] = json.dumps(trust)


def _inline(of: Resources) -> None:
    text = json.dumps({"Statement": [{"Resource": "x" * 6_000}]})
    of["aws_iam_role_policy"] = {name: {"role": "bi", "policy": text} for name in ("a", "b")}


@pytest.mark.parametrize(
    ("breaks", "found"),
    [
        (_policy([{"Resource": "x" * 6_144}]), "aws_iam_policy.principal_bi_policy_1: "),
        (_policy([{"Sid": "Same"}, {"Sid": "Same"}]), "aws_iam_policy.principal_bi_policy_1: 2 statements named Same"),
        (_policy([{"Sid": "S3-x"}]), "aws_iam_policy.principal_bi_policy_1: 1 statements named S3-x"),
        (_long_name, "aws_iam_role.principal_bi: the name"),
        (_many_policies, "${aws_iam_role.principal_bi.name}: 11 policies attached"),
        (_long_trust, "aws_iam_role.principal_bi: "),
        (_inline, "bi: 12"),
    ],
)
def test_the_rules_find_it(stacks: Mapping[str, Any], breaks: Callable[[Resources], None], found: str) -> None:
    broken = json.loads(json.dumps(stacks["aws"]))
    breaks(broken["resource"])
    assert any(each.startswith(found) for each in refused(broken)), refused(broken)
