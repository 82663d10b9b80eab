"""Engines on instances: Trino (a coordinator and workers that scale) and Spark (a master and workers).

This module creates the instances, encrypted and without public addresses or ssh keys. They run the same services from
packages: configuration management finds an instance by the tag ``lakehouse-service`` and reaches it through Systems
Manager. Before that, an instance is an empty Amazon Linux.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lakehouse.access.names import Names
from lakehouse.aws.network import Network, ids, in_all_zones
from lakehouse.cdk import Construct, Declared, data, resource
from lakehouse.spec import Spark, Trino

SERVICE_TAG = "lakehouse-service"
# The newest Amazon Linux 2023 for Graviton, resolved when an instance is started.
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
VOLUME_GB = 64
TRINO_WORKERS = (1, 4)  # minimum and maximum, if the file does not ask for more
CPU_PERCENT = 60  # the target of Auto Scaling for Trino's workers
# Ports between nodes: Trino has one; Spark is set to use these instead of any free port.
TRINO_PORTS = (8080, 8080)
SPARK_PORTS = (7077, 7099)
_METADATA = {  # only IMDSv2
    "http_endpoint": "enabled",
    "http_tokens": "required",
    "http_put_response_hop_limit": 1,
}
# Graviton instances by memory: r7g has 8 GiB per core, which suits both engines.
_SIZES = ((16, 2, "r7g.large"), (32, 4, "r7g.xlarge"), (64, 8, "r7g.2xlarge"), (128, 16, "r7g.4xlarge"))
_LARGEST = "r7g.8xlarge"


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
    ) -> None:
        """``scaling`` is the role of Auto Scaling, which may use the key.

        ``tags`` are the provider's tags, because an Auto Scaling group does not pass them to its instances by itself.
        """
        super().__init__(scope, name)
        self._names = names
        self._network = network
        self._key = key
        self._profile = profile
        self._scaling = scaling
        self._tags = tags
        self.domain = f"{names.prefix}.internal"
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
        self._offered: dict[str, Declared] = {}  # the zones of an instance type
        self.hosts: dict[str, str] = {}
        self.instances: dict[str, Declared] = {}

    def trino(self, trino: Trino) -> None:
        """A coordinator, and workers whose number depends on their load: at least as many as the file sets."""
        size = instance_type(trino.memory.mb, 2)
        group = self._group("trino", "Trino", TRINO_PORTS)
        self._single("trino", "trino-coordinator", size, group)
        workers = self._many("trino-worker", size, group, *(max(each, trino.workers) for each in TRINO_WORKERS))
        resource(
            self,
            "trino_scaling",
            "aws_autoscaling_policy",
            name=f"{self._names.prefix}-trino",
            autoscaling_group_name=workers.ref("name"),
            policy_type="TargetTrackingScaling",
            estimated_instance_warmup=180,
            target_tracking_configuration={
                "predefined_metric_specification": {"predefined_metric_type": "ASGAverageCPUUtilization"},
                "target_value": CPU_PERCENT,
            },
        )

    def spark(self, spark: Spark) -> None:
        """A master (with Spark Connect), and as many workers as the file sets. A worker that dies is replaced."""
        group = self._group("spark", "Spark", SPARK_PORTS)
        self._single("spark", "spark-master", instance_type(spark.driver_memory.mb, 2), group)
        size = instance_type(spark.memory.mb, spark.cores)
        self._many("spark-worker", size, group, spark.workers, spark.workers)

    def _group(self, engine: str, label: str, ports: tuple[int, int]) -> Declared:
        group = self._network.group(engine, f"{label} on instances")
        self._network.within(group, engine, *ports)
        self._network.reach_services(group, engine)
        return group

    def _template(self, service: str, size: str, group: Declared) -> Declared:
        named = {"Name": f"{self._names.prefix}-{service}", SERVICE_TAG: service, **self._tags}
        return resource(
            self,
            f"{service}-template",
            "aws_launch_template",
            name=f"{self._names.prefix}-{service}",
            image_id=IMAGE,
            instance_type=size,
            update_default_version=True,
            ebs_optimized="true",
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

    def _single(self, name: str, service: str, size: str, group: Declared) -> None:
        """One instance, with a name in the zone."""
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
            tags={"Name": f"{self._names.prefix}-{service}", SERVICE_TAG: service},
            volume_tags=dict(self._tags),
            lifecycle={
                "ignore_changes": ["ami"],  # a newer image must not replace the instance
                "precondition": [self._in_zones(size, self._network.subnets[:1])],
            },
        )
        resource(
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

    def _many(self, service: str, size: str, group: Declared, least: int, most: int) -> Declared:
        template = self._template(service, size, group)
        return resource(
            self,
            f"{service}s",
            "aws_autoscaling_group",
            name=f"{self._names.prefix}-{service}",
            min_size=least,
            max_size=most,
            vpc_zone_identifier=ids(self._network.subnets),
            launch_template={"id": template.ref("id"), "version": template.ref("latest_version")},
            health_check_type="EC2",
            service_linked_role_arn=self._scaling.ref("arn") if self._scaling else None,
            lifecycle={"precondition": [self._in_zones(size, self._network.subnets)]},
            tag=[
                {"key": key, "value": value, "propagate_at_launch": True}
                for key, value in {SERVICE_TAG: service, **self._tags}.items()
            ],
        )


def instance_type(heap_mb: int, cores: int) -> str:
    """The smallest instance with the cores and with a quarter of its memory free beside the heap."""
    wanted = heap_mb / 1024 * 4 / 3
    return next((name for memory, cpus, name in _SIZES if memory >= wanted and cpus >= cores), _LARGEST)
