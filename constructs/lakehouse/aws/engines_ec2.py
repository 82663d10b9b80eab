"""Engines on instances: Trino (a coordinator and workers that scale) and Spark (a master and workers that scale).

The instances are encrypted and without public addresses or ssh keys. Each makes itself what its kind is: an association
of Systems Manager runs a document on it, which fetches the description of the kind from the stack's bucket
(:mod:`lakehouse.runtimes.hosts.nodes`). So does one that comes later, by load. When the description changes, workers
change one at a time; when AWS takes a worker, it is emptied first.
https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.access.names import Names
from lakehouse.aws.network import Network, ids, in_all_zones
from lakehouse.cdk import Construct, Declared, data, resource
from lakehouse.spec.aws import SOFTWARE

SERVICE_TAG = "lakehouse-service"
# The newest Amazon Linux 2023, resolved when an instance is started. Packages are for x86-64.
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
VOLUME_GB = 64
MOST_WORKERS = 4  # if the file does not say
CPU_PERCENT, LOAD_PERCENT = 60, 75  # the targets of Auto Scaling for workers
DRAIN_SECONDS = 900 + 120  # what a worker that leaves may take, and a little more: lakehouse.runtimes.hosts.on_instance
READY_SECONDS = 1800  # in which a coordinator or a master has to be ready
# Ports between nodes: Trino has one. Drivers and executors of Spark take these instead of any free port.
TRINO_PORTS = (8080, 8080)
SPARK_PORTS = (7077, 7199)
_METADATA = {  # only IMDSv2
    "http_endpoint": "enabled",
    "http_tokens": "required",
    "http_put_response_hop_limit": 1,
}
# Families with 8 GiB a core, the first for all that is not spot; sizes by memory and cores.
_FAMILIES = ("r6i", "r7i", "r6a", "r7a", "r5")
_SIZES = ((16, 2, "large"), (32, 4, "xlarge"), (64, 8, "2xlarge"), (128, 16, "4xlarge"), (256, 32, "8xlarge"))
_LARGEST = "16xlarge"
# The software of a kind of instance is whole once the last file is there.
_SCRIPT = """\
set -eu
export AWS_DEFAULT_REGION={region}
own=/opt/lakehouse-instance/{{{{ Software }}}}
if [ ! -f "$own/whole" ]; then
  mkdir -p "$own"
  aws s3 cp --only-show-errors s3://{bucket}/software/{{{{ Software }}}}.tar "$own.tar"
  tar -x -f "$own.tar" -C "$own"
  rm "$own.tar"
  touch "$own/whole"
fi
export PYTHONPATH="$own"
exec python3 -m lakehouse.runtimes.hosts.on_instance configure {bucket} {{{{ Key }}}}
"""


@dataclass(frozen=True)
class Machine:
    """A kind of instance. ``key`` is that of its description, and ``software`` the name of what it begins with."""

    key: str
    software: str
    memory_mb: int
    cores: int = 2


class Ec2Engines(Construct):
    """The instances of both engines, in the private network, with names in a private zone.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        network: Network,
        key: str,
        profile: Declared,
        scaling: Declared | None,
        tags: Mapping[str, str],
        domain: str,
        machines: Mapping[str, Machine],
        software: Declared,
        spot: bool,
        most: int | None,
        logs: Declared,
    ) -> None:
        """``scaling`` is the role of Auto Scaling, which may use the key. ``software`` fills the bucket.

        ``tags`` are the provider's tags, because an Auto Scaling group does not pass them to its instances by itself.
        ``most`` is the largest number of an engine's workers, and ``logs`` the log group in which engines say their
        load.
        """
        super().__init__(scope, name)
        self._names = names
        self._network = network
        self._key = key
        self._profile = profile
        self._scaling = scaling
        self._tags = tags
        self._machines = machines
        self._software = software
        self._spot = spot
        self._most = most
        self.domain = domain
        self._zone = resource(
            self,
            "zone",
            "aws_route53_zone",
            name=self.domain,
            vpc=[{"vpc_id": network.id}],
            force_destroy=True,
            accepted={
                "CKV2_AWS_38": "the zone is private: DNSSEC signs public ones",
                "CKV2_AWS_39": "the zone is private: query logs are for public ones, and flow logs show connections",
            },
        )
        self._image = data(self, "image", "aws_ssm_parameter", name=IMAGE.removeprefix("resolve:ssm:"))
        self._document = resource(
            self,
            "configure",
            "aws_ssm_document",
            name=names.document,
            document_type="Command",
            document_format="JSON",
            content=json.dumps(_document(names)),
        )
        resource(
            self,
            "load",
            "aws_cloudwatch_log_metric_filter",
            name=f"{names.prefix}-load",
            log_group_name=logs.ref("name"),
            pattern="{ $.load >= 0 }",
            metric_transformation={
                "name": "load",
                "namespace": names.prefix,
                "value": "$.load",
                "dimensions": {"engine": "$.engine"},
            },
        )
        self._offered: dict[str, Declared] = {}  # the zones of an instance type
        self.hosts: dict[str, str] = {}
        self.instances: dict[str, Declared] = {}

    def trino(self, workers: int) -> None:
        """A coordinator, and workers whose number depends on their load: at least ``workers``."""
        group = self._group("trino", "Trino", TRINO_PORTS)
        first = self._single("trino", "trino-coordinator", group)
        self._many("trino", max(1, workers), group, first)

    def spark(self, workers: int) -> None:
        """A master (with Spark Connect), and workers whose number depends on their load: at least ``workers``."""
        group = self._group("spark", "Spark", SPARK_PORTS)
        first = self._single("spark", "spark-master", group)
        self._many("spark", workers, group, first)

    def _group(self, engine: str, label: str, ports: tuple[int, int]) -> Declared:
        group = self._network.group(engine, f"{label} on instances")
        self._network.within(group, engine, *ports)
        self._network.reach_services(group, engine)
        return group

    def _configured(self, service: str, needs: Sequence[Declared], *, each: bool) -> Declared:
        """What makes the instances of a kind what they are: when they come, each day, and when the kind changes.

        ``each``: the deploy waits for its success.
        """
        machine = self._machines[service]
        return resource(
            self,
            f"{service}-configured",
            "aws_ssm_association",
            name=self._document.ref("name"),
            association_name=f"{self._names.prefix}-{service}",
            parameters={"Key": machine.key, "Software": machine.software},
            targets=[{"key": f"tag:{SERVICE_TAG}", "values": [self._called(service)]}],
            schedule_expression="rate(1 day)",
            max_concurrency="1",
            max_errors="0",
            compliance_severity="HIGH",
            wait_for_success_timeout_seconds=READY_SECONDS if each else None,
            needs=[self._software, *needs],
        )

    def _called(self, service: str) -> str:
        return f"{self._names.prefix}-{service}"

    def _template(self, service: str, size: str, group: Declared) -> Declared:
        named = {"Name": self._called(service), SERVICE_TAG: self._called(service), **self._tags}
        return resource(
            self,
            f"{service}-template",
            "aws_launch_template",
            name=self._called(service),
            image_id=IMAGE,
            instance_type=size,
            update_default_version=True,
            ebs_optimized="true",
            instance_initiated_shutdown_behavior="terminate",  # a worker that is emptied switches itself off
            iam_instance_profile={"arn": self._profile.ref("arn")},
            metadata_options=_METADATA,
            monitoring={"enabled": True},
            network_interfaces=[
                {
                    "associate_public_ip_address": "false",
                    "delete_on_termination": "true",
                    "security_groups": [group.ref("id")],
                }
            ],
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "encrypted": "true",
                        "kms_key_id": self._key,
                        "volume_size": VOLUME_GB,
                        "volume_type": "gp3",
                        "delete_on_termination": "true",
                    },
                }
            ],
            tag_specifications=[{"resource_type": kind, "tags": named} for kind in ("instance", "volume")],
        )

    def _single(self, name: str, service: str, group: Declared) -> Declared:
        """One instance, with a name in the zone. Returns what makes it what it is."""
        size = instance_types(self._machines[service])[0]
        instance = resource(
            self,
            service,
            "aws_instance",
            ami=self._image.ref("insecure_value"),
            instance_type=size,
            subnet_id=self._network.subnets[0].ref("id"),
            vpc_security_group_ids=[group.ref("id")],
            associate_public_ip_address=False,
            iam_instance_profile=self._profile.ref("name"),
            ebs_optimized=True,
            monitoring=True,
            metadata_options=_METADATA,
            root_block_device={
                "encrypted": True,
                "kms_key_id": self._key,
                "volume_size": VOLUME_GB,
                "volume_type": "gp3",
            },
            tags={"Name": self._called(service), SERVICE_TAG: self._called(service)},
            volume_tags=dict(self._tags),
            lifecycle={
                "ignore_changes": ["ami"],  # a newer image must not replace the instance
                "precondition": [self._in_zones(size, self._network.subnets[:1])],
            },
        )
        record = resource(
            self,
            f"{service}-name",
            "aws_route53_record",
            zone_id=self._zone.ref("zone_id"),
            name=f"{name}.{self.domain}",
            type="A",
            ttl=60,
            records=[instance.ref("private_ip")],
        )
        self.hosts[service] = f"{name}.{self.domain}"
        self.instances[service] = instance
        return self._configured(service, [instance, record], each=True)

    def _in_zones(self, size: str, subnets: Sequence[Declared]) -> dict[str, str]:
        """The condition that the zones of the subnets have the instance type."""
        if size not in self._offered:
            self._offered[size] = data(
                self,
                f"{size.replace('.', '-')}-offered",
                "aws_ec2_instance_type_offerings",
                location_type="availability-zone",
                filter=[{"name": "instance-type", "values": [size]}],
            )
        return in_all_zones(self._names, f"instances of {size}", subnets, f"{self._offered[size].address}.locations")

    def _many(self, engine: str, least: int, group: Declared, first: Declared) -> None:
        """The workers of an engine, whose number follows its load. ``first`` is what makes its first instance."""
        service = f"{engine}-worker"
        sizes = instance_types(self._machines[service])
        template = self._template(service, sizes[0], group)
        which = {"id": template.ref("id"), "version": template.ref("latest_version")}
        workers = resource(
            self,
            f"{service}s",
            "aws_autoscaling_group",
            name=self._called(service),
            min_size=least,
            max_size=max(least, self._most or MOST_WORKERS),
            vpc_zone_identifier=ids(self._network.subnets),
            launch_template=None if self._spot else which,
            mixed_instances_policy=_mixed(which, sizes) if self._spot else None,
            capacity_rebalance=True if self._spot else None,
            health_check_type="EC2",
            service_linked_role_arn=self._scaling.ref("arn") if self._scaling else None,
            lifecycle={"precondition": [self._in_zones(sizes[0], self._network.subnets)]},
            tag=[
                {"key": key, "value": value, "propagate_at_launch": True}
                for key, value in {SERVICE_TAG: self._called(service), **self._tags}.items()
            ],
        )
        resource(
            self,
            f"{service}-leaves",
            "aws_autoscaling_lifecycle_hook",
            name="emptied",
            autoscaling_group_name=workers.ref("name"),
            lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
            heartbeat_timeout=DRAIN_SECONDS,
            default_result="CONTINUE",
        )
        cpu = {"predefined_metric_specification": {"predefined_metric_type": "ASGAverageCPUUtilization"}}
        load = {
            "customized_metric_specification": {
                "namespace": self._names.prefix,
                "metric_name": "load",
                "metric_dimension": [{"name": "engine", "value": engine}],
                "statistic": "Average",
            }
        }
        for name, metric, target in (("cpu", cpu, CPU_PERCENT), ("load", load, LOAD_PERCENT)):
            resource(
                self,
                f"{engine}-{name}",
                "aws_autoscaling_policy",
                name=f"{self._names.prefix}-{engine}-{name}",
                autoscaling_group_name=workers.ref("name"),
                policy_type="TargetTrackingScaling",
                estimated_instance_warmup=300,
                target_tracking_configuration={**metric, "target_value": target},
            )
        self._configured(service, [first], each=False)


def _document(names: Names) -> dict[str, object]:
    """The document that makes an instance what the description with a key says."""
    script = _SCRIPT.format(region=names.region, bucket=names.bucket(SOFTWARE))
    key = {"type": "String", "description": "Key of the description", "allowedPattern": r"^nodes/[a-z0-9-]+\.json$"}
    software = {"type": "String", "description": "What it begins with", "allowedPattern": "^[0-9a-f]+$"}
    inputs = {"timeoutSeconds": str(READY_SECONDS), "runCommand": script.splitlines()}
    return {
        "schemaVersion": "2.2",
        "description": f"Makes an instance of {names.prefix} what the description of its kind says",
        "parameters": {"Key": key, "Software": software},
        "mainSteps": [{"action": "aws:runShellScript", "name": "configure", "inputs": inputs}],
    }


def _mixed(template: Mapping[str, str], sizes: Sequence[str]) -> dict[str, object]:
    """All workers on spot instances, of whichever type AWS takes back least."""
    return {
        "launch_template": {
            "launch_template_specification": {"launch_template_id": template["id"], "version": template["version"]},
            "override": [{"instance_type": size} for size in sizes],
        },
        "instances_distribution": {
            "on_demand_base_capacity": 0,
            "on_demand_percentage_above_base_capacity": 0,
            "spot_allocation_strategy": "price-capacity-optimized",
        },
    }


def instance_types(machine: Machine) -> list[str]:
    """Types that are equally large, the usual one first: they have the cores, and an eighth of the memory is free."""
    wanted = machine.memory_mb / 1024 * 8 / 7
    size = next((name for memory, cpus, name in _SIZES if memory >= wanted and cpus >= machine.cores), _LARGEST)
    return [f"{family}.{size}" for family in _FAMILIES]
