"""What the file says of queries that share Trino's servers: retries, spill, and resource groups.

https://trino.io/docs/476/admin/fault-tolerant-execution.html, https://trino.io/docs/476/admin/spill.html and
https://trino.io/docs/476/admin/resource-groups.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lakehouse.kinds.engines.trino_rules import OWN_GROUP, OWNER, REST
from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services.service import File
from lakehouse.spec.engines import ResourceGroup, Trino
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

SPILL = "spill"  # the folder, in the server's folder for data
# Trino has no setting for these paths: it reads them in the folder in which it starts, the one of the configuration.
EXCHANGE, GROUPS = "etc/exchange-manager.properties", "etc/resource-groups.properties"
_JSON = "resource-groups.json"
# Trino's own numbers for a task, and what a task holds of a partition: two parts of an upload, of 5 MB each.
_TASK_MB, _PARTITIONS, _PARTITION_MB = 5 * 1024, 50, 10


def settings(engine: Trino, data: str) -> dict[str, str]:
    """Those of config.properties, the same on all servers. ``data`` is the server's folder for data."""
    found: dict[str, str] = {}
    if engine.retries:
        found["retry-policy"] = engine.retries.upper()
    if engine.retries == "task":
        found |= _tasks(engine.memory.mb * 7 // 10)  # the heap without its headroom
    if engine.spill:
        found |= {
            "spill-enabled": "true",
            "spiller-spill-path": f"{data}/{SPILL}",
            "max-spill-per-node": f"{engine.spill.mb}MB",
            "query-max-spill-per-node": f"{engine.spill.mb}MB",
        }
    return found


def _tasks(pool_mb: int) -> dict[str, str]:
    """What fits a server with that memory for queries. With Trino's own, a small one has no room for any task."""
    task = min(_TASK_MB, pool_mb // 4)  # its estimate of a task, which it starts where that is free
    partitions = str(max(4, min(_PARTITIONS, task // _PARTITION_MB)))
    return {
        "fault-tolerant-execution-task-memory": f"{task}MB",
        "fault-tolerant-execution-max-partition-count": partitions,
        "fault-tolerant-execution-min-partition-count-for-write": partitions,
    }


def exchange(engine: Trino, store: StoreEndpoint | None) -> tuple[File, ...]:
    """The file by which a server keeps rows between the stages of a query in the store; empty if it keeps none."""
    if engine.exchange is None or store is None:
        return ()
    found: dict[str, Text] = {
        "exchange-manager.name": "filesystem",
        "exchange.base-directories": engine.exchange,
        "exchange.s3.endpoint": store.internal,
        "exchange.s3.region": store.region,
        "exchange.s3.path-style-access": "true",
        "exchange.s3.aws-access-key": store.access_key,
        "exchange.s3.aws-secret-key": store.secret_key,
    }
    return (File(EXCHANGE, properties(found)),)


def groups(engine: Trino, etc: str) -> tuple[File, ...]:
    """The coordinator's files with the resource groups; empty if the file has none. ``etc`` is its folder."""
    if not engine.resource_groups:
        return ()
    found = {"resource-groups.configuration-manager": "file", "resource-groups.config-file": f"{etc}/{_JSON}"}
    return (
        File(GROUPS, properties(found)),
        File(_JSON, json.dumps(rules(engine.resource_groups), indent=1)),
    )


def rules(named: Mapping[str, ResourceGroup]) -> dict[str, Any]:
    """The groups and which query goes to which: the first that takes it.

    The toolkit's own commands have a group of their own, so that they answer while others wait. Trino refuses a query
    that no group takes, so if the file has no group for all, there is one with Trino's usual limits.
    """
    own = {OWN_GROUP: ResourceGroup(users=[OWNER], concurrency=1000, queue=5000)}
    rest = {} if any(each.takes_all for each in named.values()) else {REST: ResourceGroup(concurrency=1000, queue=5000)}
    found = {**own, **named, **rest}
    return {
        "rootGroups": [
            {
                "name": name,
                "softMemoryLimit": each.memory_limit,
                "hardConcurrencyLimit": each.concurrency,
                "maxQueued": each.queue,
            }
            for name, each in found.items()
        ],
        "selectors": [dict(_selector(name, each)) for name, each in found.items()],
    }


def _selector(name: str, group: ResourceGroup) -> Iterator[tuple[str, str]]:
    if group.users:
        yield "user", _pattern(group.users)
    if group.sources:
        yield "source", _pattern(group.sources)
    yield "group", name


def _pattern(names: Sequence[str]) -> str:
    """A regular expression of Java for these names, in which ``*`` is any text."""
    return "|".join(".*".join(map(re.escape, name.split("*"))) for name in names)
