"""The engines of a stack in AWS, and the roles of the principals who use them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lakehouse.access import iam as access
from lakehouse.access.names import OPERATORS, Names
from lakehouse.access.policy import PolicyStatement
from lakehouse.access.trust import trust
from lakehouse.aws import applications as started
from lakehouse.aws.emr_sizes import executors
from lakehouse.aws.engines_ec2 import Ec2Engines, Machine
from lakehouse.aws.engines_managed import AthenaWorkgroups, EmrServerless, athena_statements, emr_statements, job_files
from lakehouse.aws.iam import instance_role, role, service_trust
from lakehouse.aws.network import Network
from lakehouse.aws.observe import Observe, log_group
from lakehouse.aws.secrets import Secrets
from lakehouse.cdk import Declared, TerraformStack, resource
from lakehouse.runtimes.hosts import nodes
from lakehouse.runtimes.incarnation import digest
from lakehouse.spec import AwsStack as Options
from lakehouse.spec import Lakehouse
from lakehouse.spec.aws import RESULTS
from lakehouse.text.terraform import rendered


class AwsEngines:
    """Spark and SQL, managed or on instances. ``roles``: by principal."""

    def __init__(
        self,
        stack: TerraformStack,
        *,
        lakehouse: Lakehouse,
        options: Options,
        names: Names,
        key: str,
        observe: Observe,
        network: Network,
        buckets: Mapping[str, Declared],
    ) -> None:
        self._stack = stack
        self._lakehouse, self._options, self._names = lakehouse, options, names
        self._key, self._observe, self._network, self._buckets = key, observe, network, buckets
        self.roles: dict[str, str] = {}
        self._applications: dict[str, Declared] = {}  # of EMR Serverless, by principal
        self._settings: list[object] = [str(options.cidr), options.zones, options.zone_names]  # of all of them

    def managed(self, *, athena: bool) -> dict[str, object]:
        """Spark on EMR Serverless and SQL by Athena. A principal uses both with its own role."""
        names, lakehouse = self._names, self._lakehouse
        logs = log_group(names, "engines")
        outputs: dict[str, object] = {}
        if lakehouse.engines.spark:
            emr = EmrServerless(
                self._stack,
                "spark",
                names=names,
                principals=lakehouse.access.principals,
                release=self._options.emr_release,
                executors=executors(lakehouse.engines.spark, self._options.executors),
                lakehouse=lakehouse,
                spark=lakehouse.engines.spark,
                network=self._network,
                log_group=logs,
            )
            self._applications, self._settings = emr.applications, [*self._settings, *emr.settings]
            outputs["emr_applications"] = {principal: each.ref("id") for principal, each in emr.applications.items()}
            for principal, each in emr.applications.items():
                self._observe.alarm(
                    f"spark-failed-{principal}",
                    f"A Spark job of {principal} failed",
                    namespace="AWS/EMRServerless",
                    metric="FailedJobs",
                    dimensions={"ApplicationId": each.ref("id")},
                )
        if athena:
            made = AthenaWorkgroups(
                self._stack,
                "athena",
                names=names,
                users=[OPERATORS, *lakehouse.access.principals],
                results=self._buckets[RESULTS],
                key=self._key,
            )
            outputs["athena_workgroups"] = {user: each.ref("name") for user, each in made.workgroups.items()}
        for principal in lakehouse.access.principals:
            may = list(access.statements(lakehouse, names, principal, key=self._key))
            services = []
            if athena:
                may += athena_statements(names, principal, RESULTS, self._key)
            if principal in self._applications:
                if not athena:  # whose results include them
                    may += job_files(names, principal, RESULTS, self._key)
                may += emr_statements(names, principal, self._applications[principal], logs)
                services = [service_trust(names, "emr-serverless", names.arn("emr-serverless", "/applications/*"))]
            self._principal(principal, may, services)
        return outputs

    def on_instances(
        self, path: Path, *, scaling: Declared | None, tags: Mapping[str, str], stored: Sequence[Declared]
    ) -> dict[str, object]:
        """Spark and Trino on EC2. Their role serves all principals, whose own roles reach Glue and S3 directly."""
        names, lakehouse, options = self._names, self._lakehouse, self._options
        kinds = nodes.planned(lakehouse, names.stack)
        wanted = dict.fromkeys(nodes.secrets(kinds.values()), "How the engine's processes know each other")
        secrets = Secrets(self._stack, "secrets", names=names, key=self._key, wanted=wanted).secrets
        profile = instance_role(
            self._stack,
            names=names,
            may=access.everything(lakehouse, names, key=self._key),
            secrets=[each.ref("arn") for each in secrets.values()],
            key=self._key,
            log_group=log_group(names, "engines"),
        )
        spark, trino = lakehouse.engines.spark, lakehouse.engines.trino
        cores = {nodes.SPARK_WORKER: spark.cores} if spark else {}
        machines = {
            name: Machine(each.key, nodes.software(), each.memory_mb, cores.get(name, 2))
            for name, each in kinds.items()
        }
        engines = Ec2Engines(
            self._stack,
            "engines",
            names=names,
            network=self._network,
            key=self._key,
            profile=profile,
            scaling=scaling,
            tags=tags,
            domain=nodes.domain(names),
            machines=machines,
            software=self._software(path, nodes.digest_of(kinds), stored),
            spot=options.spot,
            most=options.max_workers,
            logs=self._observe.groups["engines"],
        )
        if trino:
            engines.trino(trino.workers)
        if spark:
            engines.spark(spark.workers)
        for service, instance in engines.instances.items():
            self._observe.alarm(
                f"{service}-ill",
                f"{service} fails its status checks",
                namespace="AWS/EC2",
                metric="StatusCheckFailed",
                dimensions={"InstanceId": instance.ref("id")},
            )
        for principal in lakehouse.access.principals:
            may = list(access.statements(lakehouse, names, principal, key=self._key))
            self._principal(principal, may)
        outputs: dict[str, object] = {"hosts": engines.hosts}
        outputs["instances"] = {name: each.ref("id") for name, each in engines.instances.items()}
        outputs["secrets"] = {name: each.ref("arn") for name, each in secrets.items()}
        return outputs

    def stop_applications(self) -> None:
        """Before Terraform changes or deletes applications. See :mod:`lakehouse.aws.applications`."""
        settings = digest(rendered(self._settings))
        now = {self._names.workgroup(principal): settings for principal in self._applications}
        resource(
            self._stack,
            "stopped",
            "terraform_data",
            triggers_replace=[json.dumps(now, sort_keys=True)],
            provisioner=[{"local-exec": started.step(self._names.region, now)}],
            needs=self._applications.values(),
        )

    def _software(self, path: Path, planned: str, stored: Sequence[Declared]) -> Declared:
        """The step that fills the bucket from which instances make themselves, if something in it changes."""
        arguments = ["-m", "bootstrap.operations.software", str(path), self._names.stack, planned]
        step = {
            "command": shlex.join([sys.executable, *arguments]),
            "environment": {"LAKEHOUSE_AWS_ACCOUNT": self._names.account},
        }
        return resource(
            self._stack,
            "software",
            "terraform_data",
            triggers_replace=[planned, self._names.account],
            provisioner=[{"local-exec": step}],
            needs=stored,
        )

    def _principal(
        self, principal: str, may: list[PolicyStatement], services: Sequence[dict[str, object]] = ()
    ) -> None:
        made = role(
            self._stack,
            f"principal_{principal}",
            names=self._names,
            called=principal,
            description=f"The principal {principal} of the lakehouse {self._lakehouse.name}",
            trust=[*trust(self._names, principal, self._lakehouse.access.principals[principal]), *services],
            may=may,
        )
        self.roles[principal] = made.ref("arn")
