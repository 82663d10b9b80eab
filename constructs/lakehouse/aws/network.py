"""A private network without public addresses. It reaches only the AWS services that the lakehouse uses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from lakehouse.access.names import Names
from lakehouse.cdk import Construct, Declared, data, expression, resource

SERVICES = ("glue", "kms", "logs", "sts")
# EC2 instances are reached and configured through Systems Manager, and read their secrets.
INSTANCE_SERVICES = ("ec2messages", "secretsmanager", "ssm", "ssmmessages")
TABLE_SERVICES = ("s3tables",)
# Systems Manager also serves documents and parameters of AWS's own accounts.
_KEEP_DATA = ("glue", "kms", "logs", "s3tables", "secretsmanager")
# Amazon Linux's package repositories are a bucket: https://docs.aws.amazon.com/linux/al2023/ug/managing-repos-os-updates.html
_EMR_LOGS = "prod.{region}.appinfo.src"  # where EMR keeps logs and what Spark's UI shows, by managed persistence
# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html
_AMAZON_LINUX = "al2023-repos-{region}-de612dc2"


class Network(Construct):
    """VPC, one private subnet per zone, endpoints, and flow logs.

    https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        cidr: IPv4Network,
        zones: int,
        zone_names: Sequence[str],
        instances: bool,
        tables: bool,
        emr: bool,
    ) -> None:
        super().__init__(scope, name)
        self._names = names
        self.cidr = cidr
        self.vpc = resource(
            self,
            "vpc",
            "aws_vpc",
            cidr_block=str(cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": names.prefix},
        )
        self.id = self.vpc.ref("id")
        # The group of resources that name no group: nothing in, nothing out.
        resource(self, "default", "aws_default_security_group", vpc_id=self.id)
        self.subnets = self._subnets(zones, zone_names)
        self._s3 = self._gateway(instances=instances, tables=tables, emr=emr)
        self._endpoints = self.group("endpoints", "AWS services, from within the network")
        resource(
            self,
            "endpoints_ingress",
            "aws_vpc_security_group_ingress_rule",
            security_group_id=self._endpoints.ref("id"),
            description="TLS from within the network",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=str(cidr),
        )
        services = (*SERVICES, *(INSTANCE_SERVICES if instances else ()), *(TABLE_SERVICES if tables else ()))
        for service in services:
            offered = data(
                self,
                f"{service}_offered",
                "aws_vpc_endpoint_service",
                service=service,
                service_type="Interface",
            )
            resource(
                self,
                service,
                "aws_vpc_endpoint",
                vpc_id=self.id,
                service_name=f"com.amazonaws.{names.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=ids(self.subnets),
                security_group_ids=[self._endpoints.ref("id")],
                policy=_endpoint_policy(names, service),
                lifecycle={
                    "precondition": [
                        in_all_zones(
                            names, f"endpoint of {service}", self.subnets, f"{offered.address}.availability_zones"
                        )
                    ]
                },
                tags={"Name": f"{names.prefix}-{service}"},
            )

    def _subnets(self, zones: int, named: Sequence[str]) -> list[Declared]:
        # Exclude local zones and wavelength zones, which an account may have enabled.
        ordinary = [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
        few = {
            "condition": expression(f"{zones} <= length(self.names)"),
            "error_message": f"stacks.{self._names.stack}.zones is {zones}, and the account has fewer zones in "
            f"{self._names.region}: " + expression('join(", ", self.names)') + ". Lower it.",
        }
        available = data(
            self,
            "zones",
            "aws_availability_zones",
            state="available",
            filter=ordinary,
            lifecycle=None if named else {"postcondition": [few]},
        )
        self.routes = resource(self, "routes", "aws_route_table", vpc_id=self.id, tags={"Name": self._names.prefix})
        ranges = list(self.cidr.subnets(prefixlen_diff=2))
        subnets = []
        for nth in range(zones):
            subnet = resource(
                self,
                f"private_{nth}",
                "aws_subnet",
                vpc_id=self.id,
                cidr_block=str(ranges[nth]),
                availability_zone=named[nth] if named else available.ref(f"names[{nth}]"),
                map_public_ip_on_launch=False,
                tags={"Name": f"{self._names.prefix}-private-{nth}"},
            )
            resource(
                self,
                f"private_{nth}_routes",
                "aws_route_table_association",
                subnet_id=subnet.ref("id"),
                route_table_id=self.routes.ref("id"),
            )
            subnets.append(subnet)
        return subnets

    def _gateway(self, *, instances: bool, tables: bool, emr: bool) -> Declared:
        """A gateway endpoint for S3, which costs nothing and reaches only this account's buckets and what it must."""
        names = self._names
        own = {
            "Sid": "OwnBuckets",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceAccount": names.account}},
        }
        repositories = _AMAZON_LINUX.format(region=names.region)
        packages = {
            "Sid": "AmazonLinux",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": names.arn("s3", f"{repositories}/*", region=False, account=False),
        }
        # S3 decides on the files of S3 Tables by the table's own actions.
        own_tables = {
            "Sid": "OwnTables",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3tables:*",
            "Resource": names.arn("s3tables", "bucket/*"),
        }
        logged = names.arn("s3", _EMR_LOGS.format(region=names.region), region=False, account=False)
        managed_logs = {
            "Sid": "EmrLogs",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:PutObject", "s3:PutObjectAcl"],
            "Resource": [logged, f"{logged}/*"],
            "Condition": {
                "StringEquals": {"aws:PrincipalServiceName": "emr-serverless.amazonaws.com", "aws:SourceVpc": self.id}
            },
        }
        further = [(instances, packages), (tables, own_tables), (emr, managed_logs)]
        return resource(
            self,
            "s3",
            "aws_vpc_endpoint",
            vpc_id=self.id,
            service_name=f"com.amazonaws.{names.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[self.routes.ref("id")],
            policy=json.dumps(
                {"Version": "2012-10-17", "Statement": [own, *(each for wanted, each in further if wanted)]}
            ),
            tags={"Name": f"{names.prefix}-s3"},
        )

    def flow_logs(self, group: Declared, role: Declared) -> None:
        """Write the network's connections to a log group."""
        resource(
            self,
            "flow",
            "aws_flow_log",
            vpc_id=self.id,
            traffic_type="ALL",
            log_destination=group.ref("arn"),
            iam_role_arn=role.ref("arn"),
        )

    def group(self, name: str, description: str, accepted: Mapping[str, str] | None = None) -> Declared:
        """A security group without rules."""
        return resource(
            self,
            f"{name}_group",
            "aws_security_group",
            name=f"{self._names.prefix}-{name}",
            description=description,
            vpc_id=self.id,
            tags={"Name": f"{self._names.prefix}-{name}"},
            accepted=accepted,
        )

    def within(self, group: Declared, name: str, first: int, last: int) -> None:
        """Let the members of a group connect to each other on the ports from ``first`` to ``last``."""
        for direction in ("ingress", "egress"):
            resource(
                self,
                f"{name}_{direction}_members",
                f"aws_vpc_security_group_{direction}_rule",
                security_group_id=group.ref("id"),
                description="members of the group",
                ip_protocol="tcp",
                from_port=first,
                to_port=last,
                referenced_security_group_id=group.ref("id"),
            )

    def reach_services(self, group: Declared, name: str) -> None:
        """Let a group connect to S3 and to the endpoints with TLS, and to nothing else."""
        common: dict[str, Any] = {
            "security_group_id": group.ref("id"),
            "ip_protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
        }
        resource(
            self,
            f"{name}_egress_s3",
            "aws_vpc_security_group_egress_rule",
            description="S3",
            prefix_list_id=self._s3.ref("prefix_list_id"),
            **common,
        )
        resource(
            self,
            f"{name}_egress_services",
            "aws_vpc_security_group_egress_rule",
            description="AWS services",
            referenced_security_group_id=self._endpoints.ref("id"),
            **common,
        )


def in_all_zones(names: Names, what: str, subnets: Sequence[Declared], offered: str) -> dict[str, str]:
    """Say which zones lack something before AWS refuses it; ``offered`` is the expression of the zones that have it."""
    zones = ", ".join(f"{subnet.address}.availability_zone" for subnet in subnets)
    lacking = f"setsubtract([{zones}], {offered})"
    return {
        "condition": expression(f"length({lacking}) == 0"),
        "error_message": f"AWS has no {what} in each zone of stacks.{names.stack}. It lacks in: "
        + expression(f'join(", ", {lacking})')
        + ". Name other zones in lakehouse.yaml with zone_names; it has them in: "
        + expression(f'join(", ", {offered})')
        + ".",
    }


def _endpoint_policy(names: Names, service: str) -> str:
    """Only the account's own users and roles, and for services that keep data only resources of the account.

    So nobody in the network brings data to another account with other credentials.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    own = {"aws:PrincipalAccount": names.account}
    if service in _KEEP_DATA:
        own["aws:ResourceAccount"] = names.account
    statement = {
        "Sid": "OwnAccount",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": own},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def ids(subnets: Sequence[Declared]) -> list[str]:
    """References to the subnets' ids."""
    return [subnet.ref("id") for subnet in subnets]
