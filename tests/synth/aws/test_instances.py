"""Instances of `engines: ec2`: who makes them what they are, who reaches them, how their number follows the load."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lakehouse.access.names import names
from lakehouse.runtimes.hosts import nodes
from lakehouse.spec import Lakehouse
from tests.synth.aws.attached import policies, resolved
from tests.synth.aws.conftest import synthesise
from tests.synth.aws.contract import breaches
from tests.synth.aws.rules import refused
from tests.synth.aws.simulator import Request, allowed

KINDS = ("trino-coordinator", "trino-worker", "spark-master", "spark-worker")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
SOFTWARE = "arn:aws:s3:::employees-clusters-software-123456789012-eu-central-1"


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """A stack whose workers are spot instances, of two engines; and one of Trino alone."""
    stack = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "engines": "ec2"}
    content = {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
        "engines": {"spark": {"workers": 3, "cores": 6, "memory": "20g"}, "trino": {"workers": 2}},
        "stacks": {"spot": {**stack, "spot": True, "max_workers": 9}},
    }
    folder = tmp_path_factory.mktemp("spot")
    (folder / "lakehouse.yaml").write_text(json.dumps(content))
    found: Mapping[str, Any] = synthesise(folder, folder / "lakehouse.yaml")["spot"]
    return found


@pytest.fixture
def clusters(stacks: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = stacks["clusters"]["resource"]
    return found


def test_each_kind_makes_itself_what_its_description_says(clusters: Mapping[str, Any], lakehouse: Lakehouse) -> None:
    planned = nodes.planned(lakehouse, "clusters")
    assert {*planned} == {*KINDS}
    tagged = [each["tags"] for each in clusters["aws_instance"].values()]
    tagged += [each["tag_specifications"][0]["tags"] for each in clusters["aws_launch_template"].values()]
    for name, node in planned.items():
        each = clusters["aws_ssm_association"][f"engines_{name.replace('-', '_')}_configured"]
        assert each["name"] == "${aws_ssm_document.engines_configure.name}"
        assert each["parameters"] == {"Key": node.key, "Software": nodes.software()}
        assert each["targets"] == [{"key": "tag:lakehouse-service", "values": [f"employees-clusters-{name}"]}]
        assert sum(tags["lakehouse-service"] == f"employees-clusters-{name}" for tags in tagged) == 1
        assert (each["max_concurrency"], each["max_errors"]) == ("1", "0")  # one worker at a time
        assert "terraform_data.software" in each["depends_on"]


def test_workers_change_after_what_they_belong_to(clusters: Mapping[str, Any]) -> None:
    for worker, first in (("trino_worker", "trino_coordinator"), ("spark_worker", "spark_master")):
        needs = clusters["aws_ssm_association"][f"engines_{worker}_configured"]["depends_on"]
        assert f"aws_ssm_association.engines_{first}_configured" in needs
        assert clusters["aws_ssm_association"][f"engines_{first}_configured"]["wait_for_success_timeout_seconds"]


def script(stack: Mapping[str, Any], key: str, software: str) -> str:
    """What the document runs on an instance."""
    [document] = stack["aws_ssm_document"].values()
    content = json.loads(document["content"])
    patterns = {name: each["allowedPattern"] for name, each in content["parameters"].items()}
    assert re.fullmatch(patterns["Key"], key)
    assert re.fullmatch(patterns["Software"], software)
    [step] = content["mainSteps"]
    text = "\n".join(step["inputs"]["runCommand"])
    return resolved(text).replace("{{ Key }}", key).replace("{{ Software }}", software)


def test_the_document_runs_the_program_of_the_bucket(clusters: Mapping[str, Any], lakehouse: Lakehouse) -> None:
    node = nodes.planned(lakehouse, "clusters")["trino-worker"]
    lines = script(clusters, node.key, nodes.software()).splitlines()
    bucket = SOFTWARE.rpartition(":")[2]
    assert f"aws s3 cp --only-show-errors s3://{bucket}/software/{nodes.software()}.tar" in "\n".join(lines)
    assert lines[-1] == f"exec python3 -m lakehouse.runtimes.hosts.on_instance configure {bucket} {node.key}"
    assert not re.search(r"\$\{|\{\{", "\n".join(lines))


@pytest.mark.parametrize("key", ["nodes/x.json; reboot", "../x.json", "nodes/$(id).json"])
def test_nobody_gives_the_document_other_words(clusters: Mapping[str, Any], key: str) -> None:
    with pytest.raises(AssertionError):
        script(clusters, key, nodes.software())


def _context(bucket: str) -> dict[str, str]:
    return {"kms:ViaService": "s3.eu-central-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": bucket}


def test_the_role_of_instances_reads_what_they_need_and_writes_no_software(stacks: Mapping[str, Any]) -> None:
    own = [json.loads(resolved(each)) for each in policies(stacks["clusters"], "engines_role")]
    key = resolved("${aws_kms_key.key_main.arn}")
    logs = "arn:aws:logs:eu-central-1:123456789012:log-group:/employees-clusters/engines:log-stream:load/i-0abc"
    for request in (
        Request("s3:GetObject", (f"{SOFTWARE}/nodes/trino-worker-0123.json",)),
        Request("kms:Decrypt", (key,), _context(SOFTWARE)),
        Request("logs:PutLogEvents", (logs,)),
        Request("logs:CreateLogStream", (logs,)),
        Request("secretsmanager:GetSecretValue", (resolved("${aws_secretsmanager_secret.x.arn}"),)),
    ):
        assert allowed(own, request), request
    others = "arn:aws:s3:::employees-aws-software-123456789012-eu-west-1"
    for request in (
        Request("s3:PutObject", (f"{SOFTWARE}/nodes/trino-worker-0123.json",)),
        Request("s3:DeleteObject", (f"{SOFTWARE}/nodes/trino-worker-0123.json",)),
        Request("s3:GetObject", (f"{others}/nodes/x.json",)),
        Request("kms:Decrypt", (key,), _context(others)),
        Request("ec2:TerminateInstances", ("*",)),
        Request("ssm:SendCommand", ("*",)),
        Request("cloudwatch:PutMetricData", ("*",)),
    ):
        assert not allowed(own, request), request


def test_no_principal_reads_or_writes_software(stacks: Mapping[str, Any]) -> None:
    for principal in ("admin", "bi", "etl"):
        own = [json.loads(resolved(each)) for each in policies(stacks["clusters"], f"principal_{principal}")]
        for action in ("s3:GetObject", "s3:PutObject"):
            assert not allowed(own, Request(action, (f"{SOFTWARE}/software/0.tar",)))


def test_only_the_engines_own_instances_reach_each_other(clusters: Mapping[str, Any]) -> None:
    for rule in clusters["aws_vpc_security_group_ingress_rule"].values():
        if rule["security_group_id"] in (
            "${aws_security_group.network_trino_group.id}",
            "${aws_security_group.network_spark_group.id}",
        ):
            assert rule["referenced_security_group_id"] == rule["security_group_id"]
            assert "cidr_ipv4" not in rule


def test_what_spark_listens_on_for_its_other_parts_is_let_in(clusters: Mapping[str, Any], lakehouse: Lakehouse) -> None:
    rule = clusters["aws_vpc_security_group_ingress_rule"]["network_spark_ingress_members"]
    open_to_members = range(rule["from_port"], rule["to_port"] + 1)
    planned = nodes.planned(lakehouse, "clusters")
    parts = planned["spark-master"].description["files"]["spark-connect"]["spark-defaults.conf"]
    lines = "".join(part for part in parts if isinstance(part, str)).splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)  # the last of a key counts
    tries = int(settings["spark.port.maxRetries"])
    assert tries > 0
    for key in ("spark.driver.port", "spark.blockManager.port"):
        assert int(settings[key]) in open_to_members
        assert int(settings[key]) + tries in open_to_members
    assert int(settings["spark.driver.port"]) + tries < int(settings["spark.blockManager.port"])
    assert int(settings["spark.master"].rpartition(":")[2]) in open_to_members
    [worker] = planned["spark-worker"].description["variables"]["lakehouse_services"]
    assert '"--port" "7079"' in worker["command"]
    assert 7079 in open_to_members


def test_the_number_of_workers_follows_their_load(clusters: Mapping[str, Any]) -> None:
    [metric] = clusters["aws_cloudwatch_log_metric_filter"].values()
    assert metric["log_group_name"] == "${aws_cloudwatch_log_group.observe_engines.name}"
    made = metric["metric_transformation"]
    for engine in ("trino", "spark"):
        follows = clusters["aws_autoscaling_policy"][f"engines_{engine}_load"]["target_tracking_configuration"]
        asked = follows["customized_metric_specification"]
        assert (asked["namespace"], asked["metric_name"]) == (made["namespace"], made["name"])
        assert asked["metric_dimension"] == [{"name": "engine", "value": engine}]
        assert made["dimensions"] == {"engine": "$.engine"}
        assert f"engines_{engine}_cpu" in clusters["aws_autoscaling_policy"]


def test_a_worker_that_goes_has_time_to_be_emptied(clusters: Mapping[str, Any], lakehouse: Lakehouse) -> None:
    hooks = clusters["aws_autoscaling_lifecycle_hook"].values()
    groups = {f"${{aws_autoscaling_group.{name}.name}}" for name in clusters["aws_autoscaling_group"]}
    assert {each["autoscaling_group_name"] for each in hooks} == groups
    for name, node in nodes.planned(lakehouse, "clusters").items():
        for service in node.description["services"].values():
            if service["drain"]:
                assert name.endswith("-worker")
                assert all(service["drain"]["patience"] < each["heartbeat_timeout"] for each in hooks)
    for template in clusters["aws_launch_template"].values():
        assert template["instance_initiated_shutdown_behavior"] == "terminate"


def test_without_the_word_no_worker_is_a_spot_instance(clusters: Mapping[str, Any]) -> None:
    assert "spot" not in json.dumps(clusters["aws_autoscaling_group"])


def test_workers_on_spot_are_of_whichever_type_is_there(spot: Mapping[str, Any]) -> None:
    assert breaches(spot) == []
    assert list(refused(spot)) == []
    of = spot["resource"]
    for name, group in of["aws_autoscaling_group"].items():
        shares = group["mixed_instances_policy"]["instances_distribution"]
        assert shares["on_demand_base_capacity"] == shares["on_demand_percentage_above_base_capacity"] == 0
        types = [each["instance_type"] for each in group["mixed_instances_policy"]["launch_template"]["override"]]
        assert len(types) >= 4
        assert len({each.partition(".")[2] for each in types}) == 1
        assert group["capacity_rebalance"] is True
        assert "launch_template" not in group
        assert (group["min_size"], group["max_size"]) == ((3 if "spark" in name else 2), 9)
    template = of["aws_launch_template"]["engines_spark_worker_template"]
    assert template["instance_type"].endswith(".2xlarge")  # 6 cores, and room for two executors
    assert all("instance_market_options" not in each for each in of["aws_instance"].values())


def test_a_stack_without_instances_has_none_of_it(stacks: Mapping[str, Any]) -> None:
    for name in ("aws", "tables"):
        of = stacks[name]["resource"]
        assert not [each for each in of if "ssm" in each or "autoscaling" in each]
        assert "software" not in of["terraform_data"]
        assert "store_software_bucket" not in of["aws_s3_bucket"]


def test_instances_in_another_part_of_aws_read_their_own_bucket(lakehouse: Lakehouse) -> None:
    own = names(lakehouse, "clusters", "123456789012")
    assert f"arn:aws:s3:::{own.bucket('software')}" == SOFTWARE


def test_the_programs_are_in_the_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = nodes.software()
    changed = tmp_path / "on_instance.py"
    changed.write_text("pass\n")
    monkeypatch.setattr(nodes, "ON_INSTANCE", changed)
    nodes.software.cache_clear()
    try:
        assert nodes.software() != before
    finally:
        nodes.software.cache_clear()
