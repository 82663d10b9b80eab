"""Spark as a driver with a principal's own credentials: nobody's service, and not the stack's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.operations.access_keys import PrincipalServers
from bootstrap.session.target import find
from lakehouse import packages
from lakehouse.access.engines import EngineCall, EngineOperation, engine_calls
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.catalogs.polaris import POLARIS, vends
from lakehouse.kinds.compose import receiver
from lakehouse.kinds.engines import spark_cluster
from lakehouse.kinds.engines.spark_lineage import settings as listener
from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services import jvm
from lakehouse.spec import LocalStack, load
from lakehouse.text.placeholders import filled
from lakehouse.text.properties import properties
from tests.integration.deployment import PROJECT, Deployment
from tests.unit.lakehouse.services.place import as_text

SESSION = Path(__file__).with_name("spark_session.py")
#: By whom a refusal can be told from a failure: the catalog, and the store.
_DENIED = ("ForbiddenException", "NotAuthorizedException", "not authorized", "S3Exception", "AccessDenied", "403")
#: SeaweedFS hides its tables and namespaces from who has no right to them.
_HIDDEN = ("NOT_FOUND", "NoSuchTableException", "NoSuchNamespaceException")
_ON_TABLE: tuple[EngineOperation, ...] = ("load", "read", "write")


@dataclass(frozen=True)
class SparkOutcome:
    """A call, whether the file allows it to such a driver, and what Spark said: empty, if it did it."""

    call: EngineCall
    wanted: bool
    said: str

    @property
    def allowed(self) -> bool:
        return not self.said


def outcomes(stack: Deployment, folder: Path) -> Iterator[SparkOutcome]:
    """Make each principal's calls in one Spark, in which each of its catalogs has one principal's credentials."""
    target = find(stack.file, "local")
    servers = PrincipalServers.of(target)
    endpoints = {each.name: each for each in target.local.endpoints.catalogs}
    settings: dict[str, str] = {}
    calls: list[EngineCall] = []
    for principal in target.lakehouse.access.principals:
        for name, endpoint in endpoints.items():
            own = _settings(servers, endpoint, principal)
            if own is not None:
                settings |= {f"spark.sql.catalog.{principal}_{name}{key}": value for key, value in own.items()}
                calls += [
                    call
                    for call in engine_calls(target.lakehouse)
                    if (call.principal, call.catalog) == (principal, name) and _asked(call, endpoint)
                ]
    stack_of = target.lakehouse.stacks[target.stack]
    assert isinstance(stack_of, LocalStack)
    to = receiver(target.lakehouse, stack_of, target.local.place)
    settings |= {key: filled(value, servers.target.local.state.secret) for key, value in listener(to).items()}
    answers = _run(folder, settings, calls, to)
    for call, said in zip(calls, answers, strict=True):
        refusals = (*_DENIED, *_HIDDEN) if endpoints[call.catalog].kind.in_store else _DENIED
        assert not said or any(word in said for word in refusals), f"neither yes nor no to {call}: {said[:20_000]}"
        closed = bool(call.filters or call.masks) or endpoints[call.catalog].kind.in_store
        yield SparkOutcome(call, call.allowed and not closed, said)


def _asked(call: EngineCall, endpoint: CatalogEndpoint) -> bool:
    """A catalog that asks nobody who they are says nothing of list, load, create and drop: there it is about files."""
    if endpoint.kind != POLARIS and not endpoint.kind.in_store:
        return bool(call.name) and call.operation in ("read", "write")
    if call.operation == "drop" and not call.allowed:
        return False  # there is nothing to drop that it could have created; `lakehouse access test` tries it
    return call.operation in (_ON_TABLE if call.name else ("list", "create", "drop"))


def _settings(servers: PrincipalServers, endpoint: CatalogEndpoint, principal: str) -> dict[str, str] | None:
    """The settings of a Spark catalog with the principal's credentials; None if it has none there."""
    assert servers.users is not None
    assert servers.principals is not None
    name, secret = servers.name(principal), servers.target.local.state.secret
    files, credential = servers.users.keys.pair(name), servers.principals.keys.pair(name)
    found = {key: filled(value, secret) for key, value in endpoint.kind.for_spark(endpoint).items()}
    if endpoint.kind == POLARIS:
        if credential is None:
            return None
        found[".credential"] = ":".join(credential)
    elif files is None:
        return None
    if endpoint.kind == POLARIS and vends(endpoint):
        return found
    keys = files or ("none", "none")
    for of in (".s3", ".rest"):
        if f"{of}.access-key-id" in found:
            found |= {f"{of}.access-key-id": keys[0], f"{of}.secret-access-key": keys[1]}
    return found


def _run(folder: Path, own: dict[str, str], calls: Sequence[EngineCall], lineage: Receiver | None) -> list[str]:
    cluster = spark_cluster.cluster(load(PROJECT / "lakehouse.yaml"), lineage)
    packages.set_up([each for each in cluster.packages if "connect" not in each], [cluster.java], progress=False)
    folder.mkdir(mode=0o700)
    place = ProcessPlace(State(folder), {})
    settings = {
        **own,
        "spark.master": "local[1]",
        "spark.driver.extraClassPath": spark_cluster.classpath(place, cluster),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.log.level": "OFF",
        "spark.sql.shuffle.partitions": "1",
    }
    (folder / "spark.conf").write_text(as_text(properties(settings)))
    asked = [
        {
            "catalog": f"{call.principal}_{call.catalog}",
            "operation": call.operation,
            "namespace": call.namespace,
            "table": call.name,
            "new": f"of_{call.principal}",
        }
        for call in calls
    ]
    (folder / "calls.json").write_text(json.dumps(asked))
    command = [
        *spark_cluster.java(place, cluster, 700, jvm.QUICK),
        *("org.apache.spark.deploy.SparkSubmit", "--properties-file", str(folder / "spark.conf")),
        *(str(SESSION), str(folder / "calls.json")),
    ]
    home = place.package(cluster.packages[0])
    [py4j] = Path(home, "python", "lib").glob("py4j-*.zip")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        **dict(spark_cluster.environment(place, cluster, "spark")),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": f"{home}/python:{py4j}",
    }
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    reported = [line for line in done.stdout.splitlines() if line.startswith("ANSWERS ")]
    assert reported, done.stdout[-3000:] + done.stderr[-5000:]
    found: list[str] = json.loads(reported[0].removeprefix("ANSWERS "))
    return found
