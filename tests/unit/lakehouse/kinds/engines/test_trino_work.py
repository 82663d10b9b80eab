from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lakehouse.kinds.engines.trino_work import EXCHANGE, GROUPS, rules
from lakehouse.runtimes import credentials
from lakehouse.services.service import Service
from lakehouse.spec.engines import ResourceGroup
from tests.unit.lakehouse.kinds.engines.test_trino_worker import built, settings
from tests.unit.lakehouse.services.place import as_text

TASK: dict[str, Any] = {"workers": 1, "retries": "task", "exchange": "s3://staging/trino"}


def paths(service: Service) -> set[str]:
    return {each.path for each in service.files}


def groups(**named: dict[str, Any]) -> dict[str, Any]:
    return rules({name: ResourceGroup.model_validate(each) for name, each in named.items()})


def group_of(found: dict[str, Any], user: str, source: str) -> str:
    """The group to which Trino gives a query: the first whose patterns match all of the text."""
    for each in found["selectors"]:
        if re.fullmatch(each.get("user", ".*"), user) and re.fullmatch(each.get("source", ".*"), source):
            return str(each["group"])
    raise AssertionError("refused")


def test_without_words_nothing_is_added() -> None:
    for each in built(workers=1).values():
        assert each.packages == ("trino-476",)
        assert not {EXCHANGE, GROUPS} & paths(each)
        assert not {"retry-policy", "spill-enabled"} & set(settings(each))


def test_every_server_keeps_rows_of_tasks_in_the_store_with_its_keys_by_reference() -> None:
    for each in built(**TASK).values():
        found = settings(each, EXCHANGE)
        assert found["exchange.base-directories"] == "s3://staging/trino"
        assert found["exchange.s3.endpoint"].startswith("http://s3proxy.internal")
        assert found["exchange.s3.aws-secret-key"].startswith("<secret:")
        assert settings(each)["retry-policy"] == "TASK"
        assert each.packages == ("trino-full-476",)
        assert "store" in credentials.names(each)


@pytest.mark.parametrize(
    ("heap", "task", "partitions"), [("256m", "44MB", "4"), ("1g", "179MB", "17"), ("64g", "5120MB", "50")]
)
def test_a_small_server_has_room_for_several_tasks(heap: str, task: str, partitions: str) -> None:
    found = settings(built(**TASK, memory=heap)["trino-worker-1"])
    assert found["fault-tolerant-execution-task-memory"] == task
    for limit in ("max-partition-count", "min-partition-count-for-write"):
        assert found[f"fault-tolerant-execution-{limit}"] == partitions


def test_whole_queries_run_again_without_an_exchange() -> None:
    found = built(workers=1, retries="query")["trino"]
    assert settings(found)["retry-policy"] == "QUERY"
    assert "fault-tolerant-execution-task-memory" not in settings(found)
    assert EXCHANGE not in paths(found)
    assert found.packages == ("trino-476",)


def test_each_server_spills_to_its_own_folder_for_data() -> None:
    for name, each in built(workers=1, spill="20g").items():
        found = settings(each)
        assert found["spiller-spill-path"] == f"{each.data[0]}/spill"
        assert name in found["spiller-spill-path"]
        assert (found["spill-enabled"], found["max-spill-per-node"]) == ("true", "20480MB")


def test_only_the_coordinator_has_groups() -> None:
    found = built(workers=1, resource_groups={"etl": {"users": ["etl"], "concurrency": 2, "memory": "4g"}})
    assert settings(found["trino"], GROUPS)["resource-groups.config-file"] == "/config/trino/resource-groups.json"
    (text,) = (as_text(each.text) for each in found["trino"].files if each.path == "resource-groups.json")
    etl = json.loads(text)["rootGroups"][1]
    assert etl == {"name": "etl", "softMemoryLimit": "4096MB", "hardConcurrencyLimit": 2, "maxQueued": 100}
    assert found["trino-worker-1"].packages == found["trino"].packages == ("trino-full-476",)
    assert GROUPS not in paths(found["trino-worker-1"])


@pytest.mark.parametrize(
    ("user", "source", "group"),
    [
        ("etl", "trino-cli", "etl"),
        ("etl_2", "", "others"),
        ("bi", "dbt-trino", "dbt"),
        ("bi", "dbt", "others"),
        ("a.b", "", "dotted"),
        ("aXb", "", "others"),
        ("lakehouse", "dbt-trino", "lakehouse"),
    ],
)
def test_a_query_goes_to_the_first_group_that_takes_it(user: str, source: str, group: str) -> None:
    found = groups(
        etl={"users": ["etl"], "concurrency": 1},
        dbt={"sources": ["dbt-*"], "concurrency": 1},
        dotted={"users": ["a.b"], "concurrency": 1},
    )
    assert group_of(found, user, source) == group


def test_no_query_is_refused_for_want_of_a_group() -> None:
    assert [each["name"] for each in groups(all={"concurrency": 5})["rootGroups"]] == ["lakehouse", "all"]
    assert group_of(groups(all={"concurrency": 5}), "anybody", "") == "all"
    assert group_of(groups(one={"users": ["x"], "concurrency": 5}), "anybody", "") == "others"
