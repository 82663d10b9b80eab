"""A zone that lacks an endpoint or an instance type is named before AWS refuses it: by the stack's own conditions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.synth.aws.conftest import STACKS

_TERRAFORM = shutil.which("terraform")


@pytest.mark.parametrize("name", STACKS)
def test_each_endpoint_looks_at_the_zones_of_its_subnets(stacks: Mapping[str, Any], name: str) -> None:
    for address, endpoint in stacks[name]["resource"]["aws_vpc_endpoint"].items():
        if endpoint["vpc_endpoint_type"] != "Interface":
            continue
        [asked] = endpoint["lifecycle"]["precondition"]
        for subnet in endpoint["subnet_ids"]:
            assert subnet.removeprefix("${").removesuffix(".id}") in asked["condition"]
        offered = stacks[name]["data"]["aws_vpc_endpoint_service"][f"{address}_offered"]
        assert f"data.aws_vpc_endpoint_service.{address}_offered.availability_zones" in asked["condition"]
        assert endpoint["service_name"].endswith(f".{offered['service']}")


def test_instances_look_at_the_zones_of_their_subnets(stacks: Mapping[str, Any]) -> None:
    stack = stacks["clusters"]
    seen = set()
    for kind in ("aws_instance", "aws_autoscaling_group"):
        for block in stack["resource"][kind].values():
            [asked] = block["lifecycle"]["precondition"]
            subnets = [block["subnet_id"]] if kind == "aws_instance" else block["vpc_zone_identifier"]
            assert all(each.removeprefix("${").removesuffix(".id}") in asked["condition"] for each in subnets)
            [offered] = re.findall(r"data\.aws_ec2_instance_type_offerings\.(\w+)\.locations", asked["condition"])
            template = block.get("launch_template", {}).get("id", "").split(".")
            size = block if kind == "aws_instance" else stack["resource"]["aws_launch_template"][template[1]]
            [asks] = stack["data"]["aws_ec2_instance_type_offerings"][offered]["filter"]
            assert asks == {"name": "instance-type", "values": [size["instance_type"]]}
            assert f"instances of {size['instance_type']}" in asked["error_message"]
            seen.add(kind)
    assert len(seen) == 2


@pytest.mark.skipif(_TERRAFORM is None, reason="needs Terraform")
@pytest.mark.parametrize(("offered", "code"), [(["z-1a", "z-1b", "z-1c"], 0), (["z-1b", "z-1c"], 1)])
def test_terraform_names_the_zone(stacks: Mapping[str, Any], tmp_path: Path, offered: list[str], code: int) -> None:
    assert _TERRAFORM
    [asked] = stacks["aws"]["resource"]["aws_vpc_endpoint"]["network_glue"]["lifecycle"]["precondition"]
    text = re.sub(r"aws_subnet\.network_private_(\d)\.availability_zone", r"local.zone\1", json.dumps(asked))
    text = re.sub(r"data\.aws_vpc_endpoint_service\.\w+\.availability_zones", "local.offered", text)
    said = _planned(tmp_path, {"zone0": "z-1a", "zone1": "z-1b", "offered": offered}, text, code)
    assert ("It lacks in: z-1a. Name other zones in lakehouse.yaml with zone_names" in said) is bool(code)


@pytest.mark.skipif(_TERRAFORM is None, reason="needs Terraform")
@pytest.mark.parametrize(("there", "code"), [(["z-1a", "z-1b"], 0), (["z-1a"], 1)])
def test_a_region_with_too_few_zones_is_named(
    stacks: Mapping[str, Any], tmp_path: Path, there: list[str], code: int
) -> None:
    [asked] = stacks["aws"]["data"]["aws_availability_zones"]["network_zones"]["lifecycle"]["postcondition"]
    said = _planned(tmp_path, {"names": there}, json.dumps(asked).replace("self.names", "local.names"), code)
    assert ("stacks.aws.zones is 2, and the account has fewer zones in eu-west-1: z-1a. Lower it" in said) is bool(code)


def _planned(folder: Path, values: Mapping[str, Any], condition: str, code: int) -> str:
    """What Terraform says when it plans a resource with the condition, and ends with ``code``."""
    step = {"lifecycle": {"precondition": [json.loads(condition)]}}
    stack = {"locals": values, "resource": {"terraform_data": {"endpoint": step}}}
    (folder / "main.tf.json").write_text(json.dumps(stack))
    environment = {key: value for key, value in os.environ.items() if key != "TF_CLI_CONFIG_FILE"}

    def run(command: str) -> subprocess.CompletedProcess[str]:
        arguments = [str(_TERRAFORM), command, "-no-color"]
        return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    run("init")
    done = run("plan")
    assert done.returncode == code, done.stderr
    return " ".join(re.sub(r"[│╷╵]", "", done.stderr).split())
