"""The lakehouse in an AWS account."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from lakehouse.access import iam as access
from lakehouse.access.names import names
from lakehouse.access.packed import Statement
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws import sources, tasks
from lakehouse.aws.boundary import boundary
from lakehouse.aws.github import GitHubRoles
from lakehouse.aws.glue import Databases
from lakehouse.aws.iam import optimizers_role
from lakehouse.aws.kept import kept, step
from lakehouse.aws.key import KmsKey
from lakehouse.aws.network import Network
from lakehouse.aws.observe import ACTIVATE, Observe
from lakehouse.aws.plans import planning
from lakehouse.aws.scheduled import LOGS, ScheduledBuilds, failures_arn
from lakehouse.aws.store import AwsStore, TableStore, table_buckets
from lakehouse.cdk import (
    Construct,
    Declared,
    TerraformStack,
    data,
    forgotten,
    output,
    provider,
    resource,
    s3_backend,
    warn,
)
from lakehouse.runtimes.incarnation import digest
from lakehouse.spec import AwsStack as Options
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.aws import RESULTS, SOFTWARE, SOURCES
from lakehouse.spec.schedule import Schedule
from stacks.aws_engines import AwsEngines

PROVIDER = "6.25.0"  # the version whose arguments the contract test knows
TERRAFORM = ">= 1.11"  # write-only arguments


class AwsTerraformStack(TerraformStack):
    """Network, store, catalog, engines, access, alarms and bootstrap, from the same file as every other stack."""

    def __init__(self, scope: Construct, name: str, *, lakehouse: Lakehouse, path: Path) -> None:
        super().__init__(scope, name)
        options = lakehouse.stacks[name]
        assert isinstance(options, Options)
        self._lakehouse = lakehouse
        self._options = options
        self._tags = {
            "lakehouse": f"{lakehouse.name}-{name}",
            "owner": options.owner or lakehouse.name,
            "cost-center": options.cost_center or lakehouse.name,
            "managed-by": "terraform",
        }
        # Athena sees S3 Tables only after the account has given them to Lake Formation, which a stack cannot undo.
        managed = options.engines == "managed" and lakehouse.engines.trino is not None
        self._athena = managed and not options.store_has_tables
        if managed and not self._athena:
            warn(
                self,
                f"stacks.{name} has no Athena, which reads S3 Tables only by Lake Formation. Query them with Spark",
            )
        state = self._terraform(name)
        self._names = names(lakehouse, name, data(self, "account", "aws_caller_identity").ref("account_id"))

        boundary(self, self._names)
        on_instances = options.engines == "ec2"
        in_tables = options.store_has_tables
        rule = failures_arn(self._names) if options.schedule else ""
        key = KmsKey(
            self,
            "key",
            names=self._names,
            protected=not (options.allow_destroy and all(each.deletable for each in lakehouse.buckets.values())),
            instances=on_instances,
            tables=in_tables,
            rule=rule,
        )
        self._key = key.arn
        self._observe = Observe(
            self,
            "observe",
            names=self._names,
            key=self._key,
            groups=["network", "engines", *([LOGS] if options.schedule else [])],
            alerts=options.alerts,
            rule=rule,
        )
        if options.budget_usd is not None:
            self._observe.budget(options.budget_usd)
        self._network = Network(
            self,
            "network",
            names=self._names,
            cidr=options.cidr,
            zones=options.zones,
            zone_names=options.zone_names,
            instances=on_instances,
            tables=in_tables,
            emr=not on_instances and lakehouse.engines.spark is not None,
        )
        self._network.flow_logs(self._observe.groups["network"], self._observe.flow_log_role())
        self._buckets, self._tables = self._store(path)
        engines = AwsEngines(
            self,
            lakehouse=lakehouse,
            options=options,
            names=self._names,
            key=self._key,
            observe=self._observe,
            network=self._network,
            buckets=self._buckets,
        )
        if on_instances:
            self._engines = engines.on_instances(path, scaling=key.scaling, tags=self._tags, stored=self._stored)
        else:
            self._engines = engines.managed(athena=self._athena)
        engines.stop_applications()
        self._roles = engines.roles
        if options.optimizers:
            optimizers_role(self, names=self._names, may=self._on_all("write"))
        self._sources: dict[str, Path] = {}
        self._put_token = ""
        if options.github:
            assert state is not None  # the file is refused without a backend
            # An earlier version made the provider; Terraform forgets it and leaves it where it is.
            forgotten(self, ["aws_iam_openid_connect_provider.github_oidc"])
            GitHubRoles(
                self,
                "github",
                names=self._names,
                repository=options.github,
                reads=self._planning(state),
                state=state,
                instances=on_instances,
            )
        if options.schedule:
            self._schedule(options.schedule, path, state)
        self._outputs()
        if not in_tables:
            self._bootstrap(path)

    def write(self, outdir: Path) -> None:
        """Write what Terraform uploads beside the stack's synthesised JSON."""
        if self._sources:
            sources.write(self._sources, outdir / "stacks" / self._names.stack / sources.NAME)

    def _planning(self, state: tuple[str, str]) -> list[Statement]:
        """The permissions to plan this stack."""
        return planning(
            self._names,
            buckets=[bucket.ref("arn") for bucket in self._buckets.values()],
            tables=[bucket.ref("arn") for bucket in self._tables.values()],
            key=self._key,
            contents=self._on_all("read"),
            state=state,
            instances=self._options.engines == "ec2",
            sources=self._names.s3(SOURCES, sources.NAME) if self._options.schedule else "",
        )

    def _schedule(self, schedule: Schedule, path: Path, state: tuple[str, str] | None) -> None:
        self._sources = sources.files(path, self._lakehouse, self._names.stack)
        metadata = self._options.metadata
        made = ScheduledBuilds(
            self,
            "schedule",
            names=self._names,
            schedule=schedule,
            may={
                "metadata": tasks.publishing(self._lakehouse, self._names, self._on_all("read"), self._key),
                "maintenance": tasks.maintaining(self._names, self._on_all("write"), self._key, athena=self._athena),
                "drift": self._planning(state) if state else (),  # the file is refused with drift and without a backend
            },
            bucket=self._buckets[SOURCES],
            digest=sources.digest(self._sources),
            file=path.name,
            key=self._key,
            observe=self._observe,
            token=metadata is not None and metadata.token is not None,
        )
        if made.token:
            self._put_token = tasks.put_token(made.token)

    def _on_all(self, verb: Verb) -> tuple[PolicyStatement, ...]:
        """The permissions of a verb on every catalog."""
        wanted = [(catalog, verb) for catalog in self._lakehouse.catalogs]
        return access.compile_grants(self._lakehouse, self._names, wanted, self._key)

    def _bootstrap(self, path: Path) -> None:
        """The last resource: creates the tables, with the permissions of the user that deploys.

        It runs again if the contents change. It finds the resources by their names and the stack's account.
        """
        arguments = ["-m", "bootstrap", "--file", str(path), "--stack", self._names.stack, "apply"]
        step = {
            "command": shlex.join([sys.executable, *arguments]),
            "environment": {"LAKEHOUSE_AWS_ACCOUNT": self._names.account},
        }
        resource(
            self,
            "bootstrap",
            "terraform_data",
            triggers_replace=[
                digest(self._lakehouse.model_dump(mode="json", include={"catalogs"})),
                self._names.account,
            ],
            provisioner=[{"local-exec": step}],
            needs=self._ready,
        )

    def _terraform(self, name: str) -> tuple[str, str] | None:
        """Declare provider and backend. Returns the bucket and key of the state if it is in S3."""
        options = self._options
        self.add_override("terraform.required_version", TERRAFORM)
        provider(
            self,
            "aws",
            source="hashicorp/aws",
            version=PROVIDER,
            region=options.region,
            default_tags=[{"tags": self._tags}],
        )
        if options.backend is None:
            return None
        key = options.backend.key or f"{self._lakehouse.name}/{name}.tfstate"
        s3_backend(self, bucket=options.backend.bucket, key=key, region=options.backend.region or options.region)
        return options.backend.bucket, key

    def _store(self, path: Path) -> tuple[dict[str, Declared], dict[str, Declared]]:
        """Buckets, and table buckets if the store is S3 Tables, else Glue databases."""
        lakehouse, allow_destroy = self._lakehouse, self._options.allow_destroy
        in_tables = table_buckets(lakehouse) if self._options.store_has_tables else []
        store = AwsStore(self, "store", names=self._names, key=self._key, allow_destroy=allow_destroy)
        for name, bucket in lakehouse.buckets.items():
            if name not in in_tables:
                store.add(name, bucket)
        if self._athena or (self._options.engines == "managed" and lakehouse.engines.spark is not None):
            store.add_results(RESULTS)
        if self._options.engines == "ec2":
            store.add_software(SOFTWARE)
        self._stored = store.ready

        if self._options.schedule:
            store.add_sources(SOURCES)
        if not in_tables:
            glue = Databases(self, "glue", names=self._names, lakehouse=lakehouse, allow_destroy=allow_destroy)
            self._ready = [*glue.databases.values(), *store.ready]
            self._keep(path, [*glue.databases.values(), *store.parts])
            return store.buckets, {}
        tables = TableStore(
            self, "tables", names=self._names, key=self._key, lakehouse=lakehouse, allow_destroy=allow_destroy
        )
        self._keep(path, [*tables.buckets.values(), *tables.namespaces, *store.parts])
        return store.buckets, tables.buckets

    def _keep(self, path: Path, parts: list[Declared]) -> None:
        """Protect entries with data that are removed from the file. See :mod:`lakehouse.aws.kept`."""
        resource(
            self,
            "kept",
            "terraform_data",
            triggers_replace=kept(self._lakehouse, allow_destroy=self._options.allow_destroy),
            provisioner=[{"local-exec": step(path, self._names.stack)}],
            needs=parts,
        )

    def _outputs(self) -> None:
        """Outputs for the bootstrap and for users."""
        output(self, "region", self._options.region, "AWS region")
        output(self, "account", self._names.account, "AWS account")
        if self._options.budget_usd is not None:
            needs = (
                "Run this once in the account that pays, a day after the first deploy: before, the budget sees no costs"
            )
            output(self, "activate_budget", ACTIVATE, needs)
        if self._put_token:
            output(self, "put_token", self._put_token, "Run this once, and when DataHub's token changes")
        buckets = {name: each.ref("id") for name, each in self._buckets.items()}
        output(self, "buckets", buckets, "Buckets: name in lakehouse.yaml -> name in AWS")
        if self._tables:
            tables = {name: each.ref("arn") for name, each in self._tables.items()}
            output(self, "table_buckets", tables, "S3 Tables buckets: name in lakehouse.yaml -> ARN")
        else:
            catalogs = self._lakehouse.catalogs
            warehouses = {name: self._names.location(content.location) for name, content in catalogs.items()}
            output(self, "warehouses", warehouses, "Catalogs: name -> location of their tables")
        output(self, "roles", self._roles, "Principals: name -> ARN of the role to take")
        for name, value in self._engines.items():
            output(self, name, value, name.replace("_", " ").capitalize())
