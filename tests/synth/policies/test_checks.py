"""Each check passes the stacks as they are, and fails one that breaks its rule."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from policies import checks, scan
from tests.synth.aws.conftest import STACKS, synthesise

Stack = dict[str, Any]


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return synthesise(tmp_path_factory.mktemp("synth"))


def _no_lifecycle(resource: Stack) -> None:
    del resource["aws_s3_bucket_lifecycle_configuration"]["store_warehouse_lifecycle"]


def _lifecycle_off(resource: Stack) -> None:
    for rule in resource["aws_s3_bucket_lifecycle_configuration"]["store_warehouse_lifecycle"]["rule"]:
        rule["status"] = "Disabled"


def _no_policy(resource: Stack) -> None:
    del resource["aws_s3_bucket_policy"]["store_warehouse_policy"]


def _tls_for_objects_alone(resource: Stack) -> None:
    block = resource["aws_s3_bucket_policy"]["store_warehouse_policy"]
    policy = json.loads(block["policy"])
    policy["Statement"][0]["Resource"] = policy["Statement"][0]["Resource"][1]
    block["policy"] = json.dumps(policy)


def _public(resource: Stack) -> None:
    resource["aws_s3_bucket_public_access_block"]["store_warehouse_access"]["block_public_policy"] = False


def _may(**statement: Any) -> Callable[[Stack], None]:
    def breaks(resource: Stack) -> None:
        block = resource["aws_iam_policy"]["principal_bi_policy_1"]
        policy = json.loads(block["policy"])
        policy["Statement"].append({"Sid": "Added", "Effect": "Allow", **statement})
        block["policy"] = json.dumps(policy)

    return breaks


def _untagged_group(resource: Stack) -> None:
    resource["aws_autoscaling_group"]["engines_trino_workers"]["tag"].clear()


def _untagged_volume(resource: Stack) -> None:
    resource["aws_launch_template"]["engines_trino_worker_template"]["tag_specifications"].pop()


def _open_rule(to: str) -> Callable[[Stack], None]:
    def breaks(resource: Stack) -> None:
        resource["aws_vpc_security_group_ingress_rule"]["network_endpoints_ingress"]["cidr_ipv4"] = to

    return breaks


def _gateway(resource: Stack) -> None:
    resource["aws_internet_gateway"] = {"out": {"vpc_id": "${aws_vpc.network_vpc.id}"}}


def _default_route(resource: Stack) -> None:
    resource["aws_route"] = {"out": {"destination_cidr_block": "0.0.0.0/0"}}


def _public_subnet(resource: Stack) -> None:
    resource["aws_subnet"]["network_private_0"]["map_public_ip_on_launch"] = True


def _public_instance(resource: Stack) -> None:
    resource["aws_launch_template"]["engines_trino_worker_template"]["network_interfaces"][0][
        "associate_public_ip_address"
    ] = "true"


def _version(resource: Stack) -> Stack:
    version: Stack = resource["aws_secretsmanager_secret_version"]["secrets_trino_internal_value"]
    return version


def _said(resource: Stack) -> None:
    _version(resource)["secret_string"] = "x"


def _not_ephemeral(resource: Stack) -> None:
    _version(resource)["secret_string_wo"] = "${random_password.x.result}"


BREAKING: list[tuple[Callable[[Stack], Iterator[str]], Callable[[Stack], None], str]] = [
    (checks.buckets_have_a_lifecycle, _no_lifecycle, "aws_s3_bucket.store_warehouse_bucket: no lifecycle rule"),
    (checks.buckets_have_a_lifecycle, _lifecycle_off, "aws_s3_bucket.store_warehouse_bucket: no lifecycle rule"),
    (checks.buckets_require_tls, _no_policy, "aws_s3_bucket.store_warehouse_bucket: requests without TLS"),
    (checks.buckets_require_tls, _tls_for_objects_alone, "aws_s3_bucket.store_warehouse_bucket: requests without"),
    (checks.buckets_are_private, _public, "aws_s3_bucket.store_warehouse_bucket: public access"),
    (
        checks.principals_stay_within,
        _may(Action="s3:PutObject", Resource="arn:aws:s3:::b/*"),
        "aws_iam_policy.principal_bi_policy_1: Added: writes to arn:aws:s3:::b/*",
    ),
    (
        checks.principals_stay_within,
        _may(Action=["s3:DeleteObject"], Resource="*"),
        "aws_iam_policy.principal_bi_policy_1: Added: writes to *",
    ),
    (
        checks.principals_stay_within,
        _may(Action="glue:Get*", Resource="*"),
        "aws_iam_policy.principal_bi_policy_1: Added: glue:Get* has a wildcard",
    ),
    (
        checks.principals_stay_within,
        _may(NotAction="iam:*", Resource="*"),
        "aws_iam_policy.principal_bi_policy_1: Added: lists what is not allowed",
    ),
    (checks.tags_are_set, _untagged_group, "aws_autoscaling_group.engines_trino_workers: its instances"),
    (checks.tags_are_set, _untagged_volume, "aws_launch_template.engines_trino_worker_template: a started volume"),
    (checks.nothing_is_open, _open_rule("0.0.0.0/0"), "aws_vpc_security_group_ingress_rule.network_endpoints_ingress"),
    (checks.nothing_is_open, _open_rule("::/0"), "aws_vpc_security_group_ingress_rule.network_endpoints_ingress: open"),
    (checks.nothing_is_open, _gateway, "aws_internet_gateway.out: a route to the internet"),
    (checks.nothing_is_open, _default_route, "aws_route.out: open to 0.0.0.0/0"),
    (checks.nothing_is_open, _public_subnet, "aws_subnet.network_private_0: a public address"),
    (checks.nothing_is_open, _public_instance, "aws_launch_template.engines_trino_worker_template: a public address"),
    (
        checks.secrets_are_not_in_state,
        _said,
        "aws_secretsmanager_secret_version.secrets_trino_internal_value: secret_string",
    ),
    (
        checks.secrets_are_not_in_state,
        _not_ephemeral,
        "aws_secretsmanager_secret_version.secrets_trino_internal_value: its",
    ),
]


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_the_stacks_pass(
    stacks: Mapping[str, Any], name: str, check: Callable[[Mapping[str, Any]], Iterator[str]]
) -> None:
    assert list(check(stacks[name])) == []


@pytest.mark.parametrize(("check", "breaks", "message"), BREAKING)
def test_a_broken_stack_fails(
    stacks: Mapping[str, Any],
    check: Callable[[Mapping[str, Any]], Iterator[str]],
    breaks: Callable[[Stack], None],
    message: str,
) -> None:
    broken = copy.deepcopy(dict(stacks["clusters"]))
    breaks(broken["resource"])
    found = list(check(broken))
    assert len(found) == 1
    assert found[0].startswith(message)


@pytest.mark.parametrize("tag", checks.TAGS)
def test_a_provider_without_a_tag_fails(stacks: Mapping[str, Any], tag: str) -> None:
    broken = copy.deepcopy(dict(stacks["aws"]))
    broken["provider"]["aws"][0]["default_tags"][0]["tags"][tag] = ""
    assert list(checks.tags_are_set(broken)) == [f"provider.aws: default_tags without {tag}"]


def test_every_check_has_a_stack_that_breaks_it() -> None:
    assert {check for check, _, _ in BREAKING} == set(checks.CHECKS)


def _stack(**accepted: str) -> Stack:
    return {"provider": {"aws": []}, "resource": {"aws_vpc": {"main": {"//": {"accepted": accepted}}}}}


def test_a_finding_is_accepted_only_by_its_resource() -> None:
    found = [
        scan.ScanFinding("aws", "aws_vpc.main", "CKV_1", "bad"),
        scan.ScanFinding("aws", "aws_vpc.main", "CKV_2", "bad"),
    ]
    against, accepted = scan.judge({"aws": _stack(CKV_1="a reason")}, found)
    assert [each.check for each in against] == ["CKV_2"]
    assert [each.check for each in accepted] == ["CKV_1"]


def test_an_acceptance_without_need_fails() -> None:
    [stale], accepted = scan.judge({"aws": _stack(CKV_1="a reason")}, [])
    assert stale.address == "aws_vpc.main"
    assert "no longer found" in stale.what
    assert accepted == []


def test_checkov_finds_what_is_wrong_and_keeps_acceptances(stacks: Mapping[str, Any]) -> None:
    broken = copy.deepcopy(dict(stacks["aws"]))
    broken["resource"]["aws_kms_key"]["key_main"]["enable_key_rotation"] = False
    passed, found = scan.checkov_stacks({"demo/aws": broken})
    against, accepted = scan.judge({"demo/aws": broken}, found)
    assert [(each.where, each.address, each.check) for each in against] == [
        ("demo/aws", "aws_kms_key.key_main", "CKV_AWS_7")
    ]
    assert accepted
    assert passed > 100


def test_secrets_and_workflows_are_looked_at(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGVD5HWPT5ZQ7L"  # in halves: this file is looked at too
    (tmp_path / "settings.ini").write_text(f"[default]\naws_access_key_id = {key}\n")
    workflow = tmp_path / ".github" / "workflows" / "open.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(
        "on: push\npermissions: write-all\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n"
    )
    _, found = scan.checkov_repository(tmp_path)
    assert {each.where.rpartition(":")[0] for each in found} == {"settings.ini", ".github/workflows/open.yml"}


def test_a_file_that_is_wrong_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text("name: demo\n")
    assert scan.main([str(file)]) == 2
    assert "cannot be synthesised" in capsys.readouterr().err


FINDINGS = [
    scan.ScanFinding("aws-glue/aws", "aws_vpc.main", "CKV_1", "is, 100% bad:\nvery"),
    scan.ScanFinding("images/spark/Dockerfile:7", "/Dockerfile.USER", "CKV_DOCKER_3", "no user"),
]
PLACES = {"aws-glue/aws": "lakehouses/aws-glue.yaml"}


def test_findings_are_sarif_at_their_files() -> None:
    found = scan.sarif(FINDINGS, PLACES)
    assert found["version"] == "2.1.0"
    [run] = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == ["CKV_1", "CKV_DOCKER_3"]
    for text in ("shortDescription", "fullDescription", "help"):  # GitHub asks for each
        assert [each[text] for each in rules] == [{"text": each.what} for each in FINDINGS]
    where = [each["locations"][0]["physicalLocation"] for each in run["results"]]
    assert [(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in where] == [
        ("lakehouses/aws-glue.yaml", 1),
        ("images/spark/Dockerfile", 7),
    ]
    twice = scan.sarif([*FINDINGS, replace(FINDINGS[0], address="aws_vpc.other")], PLACES)["runs"][0]["results"]
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in twice]
    assert len(set(prints)) == 3  # two resources at one line are two findings
    assert prints[:2] == [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert scan.sarif([], {})["runs"][0]["results"] == []


def test_findings_are_annotations_in_a_workflow() -> None:
    assert list(scan.commands(FINDINGS, PLACES)) == [
        "::error file=lakehouses/aws-glue.yaml,line=1,title=CKV_1::aws-glue/aws: aws_vpc.main: is, 100%25 bad:%0Avery",
        "::error file=images/spark/Dockerfile,line=7,title=CKV_DOCKER_3::"
        "images/spark/Dockerfile:7: /Dockerfile.USER: no user",
    ]


def test_a_scan_writes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = {"provider": {"aws": [{}]}, "resource": {"aws_vpc": {"main": {}}}}
    chosen = []

    def run(file: Path, folder: Path, only: str | None) -> SimpleNamespace:
        chosen.append(only)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(scan, "run", run)
    monkeypatch.setattr(scan, "read", lambda folder: {"aws": SimpleNamespace(document=stack)})
    monkeypatch.setattr(scan, "own", lambda name, stack: iter(()))
    finding = scan.ScanFinding("mine/aws", "aws_vpc.main", "CKV_1", "bad")
    monkeypatch.setattr(scan, "checkov_stacks", lambda stacks: (1, [finding]))
    monkeypatch.setattr(scan, "checkov_repository", lambda: (1, []))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    written = tmp_path / "scan.sarif"
    assert scan.main(["--sarif", str(written), "--stack", "aws", str(tmp_path / "mine.yaml")]) == 1
    assert chosen == ["aws"]  # what other stacks of the file need is not on a runner
    assert json.loads(written.read_text())["runs"][0]["results"][0]["ruleId"] == "CKV_1"
    assert "::error file=mine.yaml,line=1,title=CKV_1::" in capsys.readouterr().out
