"""The rules as they are written, and what they say of made-up metrics (vmalert-tool)."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.kinds.platform.vmalert import NAME
from lakehouse.packages import location
from tests.unit.lakehouse.kinds.platform.monitored import PIPELINES, built, content, expressions, names, rules
from tests.unit.lakehouse.services.place import PROJECT

CASES = Path(__file__).with_name("rules.yaml")


def by_name(folder: Path, monitoring: Any = True, **changes: Any) -> dict[str, dict[str, Any]]:
    return {str(each.get("alert", each.get("record"))): each for each in rules(built(folder, monitoring, **changes))}


def test_each_alert_says_what_to_do_and_how_bad_it_is(tmp_path: Path) -> None:
    for name, each in by_name(tmp_path).items():
        if "alert" in each:
            assert each["labels"]["severity"] in ("warning", "critical"), name
            assert each["annotations"]["summary"], name
            assert re.fullmatch(r"\d+[sm]", each["for"]), name


def test_the_file_says_when_a_service_is_down(tmp_path: Path) -> None:
    assert by_name(tmp_path, {"down_seconds": 7})["ServiceDown"]["for"] == "7s"


def test_the_file_says_beyond_what_there_is_an_alert(tmp_path: Path) -> None:
    chosen = {
        "catalog_seconds": 1.5,
        "query_seconds": 61,
        "lag_messages": 62,
        "slot_mib": 63,
        "connections_percent": 64,
        "health": 65,
        "small_file_mib": 66,
        "small_files": 67,
        "snapshots": 68,
        "disk_percent": 25,
        "certificate_days": 70,
    }
    asked = {
        "CatalogSlow": "> 1.5",
        "QueriesSlow": "> 61",
        "ConsumerLag": "> 62",
        "SlotKeepsLog": f"> {63 * 1024**2}",
        "DatabaseFull": "> 0.64",
        "TableUnwell": "< 65",
        "SmallFiles": f"< {66 * 1024**2} and lakehouse_table_files > 67",
        "ManySnapshots": "> 68",
        "DiskFull": "< 0.25",
        "NoInodes": "< 0.25",
        "CertificateEnds": "< 70 * 86400",
    }
    found = by_name(tmp_path, {"thresholds": chosen}, **EVERYTHING)
    assert {name: asked[name] for name in asked if not found[name]["expr"].endswith(asked[name])} == {}
    usual = by_name(tmp_path, **EVERYTHING)
    changed = {name for name, each in usual.items() if found[name]["expr"] != each["expr"]}
    assert changed == asked.keys()


def test_rules_of_an_engine_need_the_engine(tmp_path: Path) -> None:
    of_trino = {"QueriesFail", "QueriesSlow", "lakehouse:query_seconds:p95_5m"}
    assert of_trino <= by_name(tmp_path).keys()
    assert not of_trino & by_name(tmp_path, engines={"spark": {}}).keys()


SCHEDULE = {"drift": "0 * * * *"}
EVERYTHING: dict[str, Any] = {"schedule": SCHEDULE, "pipelines": PIPELINES, "store": "minio"}


def test_rules_of_a_schedule_need_one(tmp_path: Path) -> None:
    of_it = {"ScheduledRunFailed", "SchedulerDown"}
    assert of_it <= by_name(tmp_path, schedule=SCHEDULE).keys()
    assert not of_it & by_name(tmp_path).keys()


def test_rules_of_pipelines_need_pipelines(tmp_path: Path) -> None:
    of_pipelines = {"PipelineFailed", "ConsumerLag", "SlotKeepsLog", "PipelinesNotRead"}
    of_pipelines |= {"KafkaOffline", "TransactionHangs"}
    without = by_name(tmp_path, catalogs={"lake": "rest"})
    assert by_name(tmp_path, pipelines=PIPELINES).keys() - without.keys() == of_pipelines


def test_rules_of_a_store_a_database_and_a_cluster_need_them(tmp_path: Path) -> None:
    some: dict[str, dict[str, Any]] = {"StoreFails": {"store": "minio"}, "DatabaseFull": {"catalogs": {"lake": "rest"}}}
    engines: dict[str, Any] = {"engines": {"trino": {}}}
    for name, changes in some.items():
        assert name in by_name(tmp_path, **engines, **changes)
        assert name not in by_name(tmp_path, **engines)
    assert not {"SparkWaits", "SparkWorkersMissing"} & by_name(tmp_path, **engines).keys()
    assert by_name(tmp_path)["SparkWorkersMissing"]["expr"].endswith("< 2"), "the file has two workers"


def test_every_alert_has_a_case(tmp_path: Path) -> None:
    cases = YAML(typ="safe").load(CASES.read_text())
    tried = {test["alertname"] for case in cases["tests"] for test in case["alert_rule_test"] if test["exp_alerts"]}
    every = by_name(tmp_path, **EVERYTHING)
    assert tried == {name for name, each in every.items() if "alert" in each}


@pytest.mark.parametrize("changes", [{}, {"store": "seaweedfs"}, {"store": "minio", "pipelines": PIPELINES}], ids=str)
def test_rules_and_dashboard_ask_for_what_is_there(tmp_path: Path, changes: dict[str, Any]) -> None:
    # The names were read from a running lakehouse; those of Spark and of databases are of their sources.
    # tests/kinds/test_monitoring.py and test_003_platform.py ask running ones for the same.
    read = set(CASES.with_name("metrics.txt").read_text().split())
    found = built(tmp_path, schedule=SCHEDULE, **changes)
    recorded = {each["record"] for each in rules(found) if "record" in each}
    assert names(expressions(found)) <= read | recorded


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_what_the_rules_say_of_made_up_metrics(tmp_path: Path) -> None:
    from offline import go

    go.build("vmalert-tool")
    service = built(tmp_path, **EVERYTHING)[NAME]
    (tmp_path / "made.yaml").write_text(json.dumps(content(service, "rules.yaml")))
    (tmp_path / "cases.yaml").write_text(CASES.read_text())
    done = subprocess.run(
        [location("vmalert-tool-1.151.0"), "unittest", "--files=cases.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_the_example_of_further_rules_is_one(tmp_path: Path) -> None:
    from offline import go

    go.build("vmalert")
    [example] = re.findall(r"```yaml\n(# alerts.yaml\n.*?)```", (PROJECT / "docs/monitoring.md").read_text(), re.DOTALL)
    for text, code in ((example, 0), (example.replace("== 0", "== =="), 1)):
        (tmp_path / "alerts.yaml").write_text(text)
        command = [str(location("vmalert-1.151.0")), "-dryRun", f"-rule={tmp_path}/alerts.yaml"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert (done.returncode != 0) == bool(code), done.stdout + done.stderr
